"""Rules about roles: what they hold, who may give what, and which are always there."""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from application.database import change, execute
from application.database.filter import FLAG, RANGE, TEXT, Filter, Filters, contains
from application.database.keyset import Orders
from application.database.listing import Listing
from application.libs.clock import now
from application.libs.error import Conflict, Forbidden, Invalid, NotFound, field_error
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.record import Record
from application.modules.audit import business as audit
from application.modules.role.models import Role, RolePermission
from application.modules.user.models import User, UserRole
from application.permissions import ROLE_PERMISSIONS, Permission
from application.permissions import Role as BuiltIn


class RoleNotFound(NotFound):
    """There is no such role."""


class NameTaken(Conflict):
    """There is a role of this name."""


class RoleInUse(Conflict):
    """Users hold the role; take it from them first."""


class RoleBuiltIn(Conflict):
    """The role is built in: it keeps its name and is never deleted, and admin always holds everything."""


class UnknownRole(Invalid):
    """A role does not exist."""


class PermissionNotHeld(Forbidden):
    """Who lacks a permission neither gives it nor changes those who hold it."""


class RoleRow(Record):
    """Hold one role, permissions in alphabetical order."""

    id: str
    name: str
    description: str
    is_builtin: bool
    permissions: Sequence[str]
    created_at: datetime
    updated_at: datetime


ORDERS = Orders({"name": Role.name, "created_at": Role.created_at}, tie=Role.id)
FILTERS = Filters(
    {
        "name": Filter(Role.name, *TEXT),
        "is_builtin": Filter(Role.is_builtin, *FLAG),
        "created_at": Filter(Role.created_at, *RANGE),
    }
)

_PERMISSIONS: Mapping[str, Permission] = {str(permission): permission for permission in Permission}
_EVERY = frozenset(Permission)
_BETWEEN, _BEHIND = "\t", "\n"  # neither stands in a name, which is one line
_MOST_REMEMBERED = 256
_DESCRIPTIONS = {
    BuiltIn.ADMIN: "Holds every permission there is.",
    BuiltIn.USER: "What a new user is given.",
}

_ALL = sa.select(Role.id, Role.name, Role.description, Role.is_builtin, Role.created_at, Role.updated_at)
_LIST = Listing(_ALL, ORDERS, FILTERS)
_GET = _ALL.where(Role.id == sa.bindparam("role_id"))
_HELD = (
    sa.select(Role.name, RolePermission.permission)
    .outerjoin(RolePermission, RolePermission.role == Role.name)
    .where(Role.name.in_(sa.bindparam("names", expanding=True)))
)
_HOLDERS = (
    sa.select(RolePermission.permission, RolePermission.role)
    .where(RolePermission.role != BuiltIn.ADMIN)
    .order_by(RolePermission.role)
)
HELD = (
    sa.select(
        sa.func.aggregate_strings(
            UserRole.role + _BETWEEN + sa.func.coalesce(RolePermission.permission, ""),
            _BEHIND,
        )
    )
    .select_from(UserRole)
    .outerjoin(RolePermission, RolePermission.role == UserRole.role)
    .where(UserRole.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
    .label("held")
)
"""Selects, beside a user, what they hold: one text for `read_held`, because a row a permission costs more."""

_LOCK = sa.select(Role.name, Role.is_builtin).where(Role.id == sa.bindparam("role_id")).with_for_update()
_BUILT_IN = sa.select(Role.name, Role.declared).where(Role.name.in_(list(BuiltIn)))
_INSERT = sa.insert(Role)
_UPDATE = sa.update(Role).where(Role.id == sa.bindparam("role_id"))
_DECLARE = sa.update(Role).where(Role.name == sa.bindparam("key")).values(is_builtin=True)
_DELETE = sa.delete(Role).where(Role.id == sa.bindparam("role_id"))
_INSERT_PERMISSION = sa.insert(RolePermission)
_DELETE_PERMISSION = sa.delete(RolePermission).where(
    RolePermission.role == sa.bindparam("key"), RolePermission.permission == sa.bindparam("value")
)


def search(
    *,
    limit: int,
    after: str | None = None,
    sort: str = "name",
    count: bool = False,
    q: str | None = None,
    **filters: object,
) -> Page[RoleRow]:
    """List roles, those whose name contains `q`; the filters are those of `FILTERS`."""
    also = () if q is None else [contains(Role.name, q)]
    return _LIST.page(_rows, limit=limit, after=after, sort=sort, count=count, filters=filters, also=also)


def get(role_id: str) -> RoleRow:
    """Return a role."""
    row = execute(_GET, role_id=role_id).one_or_none()
    if row is None:
        raise RoleNotFound
    return _row(row, _stored([row.name]))


def create(*, name: str, description: str = "", permissions: Iterable[str] = (), held: Set[str] | None) -> RoleRow:
    """Make a role of permissions that are all among `held`, what the caller holds; None is nobody's wish but ours."""
    wanted = sorted(set(permissions))
    check_held(wanted, held)
    moment = now()
    role = RoleRow(new_id(), name, description, False, wanted, moment, moment)
    change(
        _INSERT,
        conflict=NameTaken,
        id=role.id,
        name=name,
        description=description,
        is_builtin=False,
        created_at=moment,
        updated_at=moment,
    )
    _add(name, wanted)
    audit.record("role.create", role.id, name, after=role)
    return role


def update(
    role_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    permissions: Iterable[str] | None = None,
    held: Set[str] | None,
) -> RoleRow:
    """Change what is given, for who holds all that the role held and will hold."""
    role = _lock(role_id)
    if role.name == BuiltIn.ADMIN or (role.is_builtin and name not in (None, role.name)):
        raise RoleBuiltIn
    before = get(role_id)
    stored = set(_stored([role.name])[role.name])
    wanted = stored if permissions is None else set(permissions)
    check_held(permissions_of([role.name], stored | wanted), held)
    _put(role.name, stored, wanted)
    values = {"name": name, "description": description}
    values = {key: value for key, value in values.items() if value is not None}
    if values or permissions is not None:
        change(_UPDATE, conflict=NameTaken, role_id=role_id, updated_at=now(), **values)
    after = get(role_id)
    audit.record("role.update", role_id, after.name, before=before, after=after)
    return after


def delete(role_id: str, *, held: Set[str] | None) -> None:
    """Delete a role that nobody has."""
    role = _lock(role_id)
    if role.is_builtin:
        raise RoleBuiltIn
    before = get(role_id)
    check_held(before.permissions, held)
    change(_DELETE, conflict=RoleInUse, role_id=role_id)
    audit.record("role.delete", role_id, role.name, before=before)


def permissions_of(roles: Iterable[str], stored: Iterable[str | None]) -> frozenset[Permission]:
    """Return what roles hold together, of which these permissions are stored.

    An admin holds whatever the code knows, also what it learnt since; what it has given up stands for nothing.
    """
    if BuiltIn.ADMIN in roles:
        return _EVERY
    return frozenset(_PERMISSIONS[name] for name in stored if name is not None and name in _PERMISSIONS)


@lru_cache(_MOST_REMEMBERED)
def read_held(held: str | None) -> tuple[tuple[str, ...], frozenset[Permission]]:
    """Return the roles of a user, in alphabetical order, and what they hold together, of what `HELD` selects."""
    if held is None:
        return (), frozenset()
    pairs = [pair.partition(_BETWEEN) for pair in held.split(_BEHIND)]
    roles = tuple(sorted({role for role, _between, _permission in pairs}))
    return roles, permissions_of(roles, (permission for _role, _between, permission in pairs))


def find_permissions(roles: Sequence[str]) -> frozenset[Permission]:
    """Return what roles hold together; one that does not exist holds nothing."""
    if not roles:
        return frozenset()
    return permissions_of(roles, (row.permission for row in execute(_HELD, names=list(roles))))


def check_givable(roles: Sequence[str], held: Set[str] | None) -> None:
    """Refuse roles that do not exist, by their places, and those that hold more than who gives them."""
    if not roles:
        return
    stored = _stored(roles)
    errors = [
        field_error("body", "roles", index, msg="There is no such role", type_="unknown_role")
        for index, name in enumerate(roles)
        if name not in stored
    ]
    if errors:
        raise UnknownRole(errors=errors)
    check_held(permissions_of(roles, (one for names in stored.values() for one in names)), held)


def check_held(permissions: Iterable[str], held: Set[str] | None) -> None:
    """Refuse who lacks one of these permissions; None is nobody's wish but ours."""
    missing = [] if held is None else sorted(set(permissions) - held)
    if missing:
        raise PermissionNotHeld(f"You do not hold {', '.join(missing)}")


def holders() -> dict[str, list[str]]:
    """Return the roles that hold each permission, in alphabetical order."""
    roles: dict[str, list[str]] = {str(permission): [BuiltIn.ADMIN.value] for permission in Permission}
    for permission, role in execute(_HOLDERS):
        if permission in roles:
            roles[permission].append(role)
    return {permission: sorted(names) for permission, names in roles.items()}


def store_built_in() -> int:
    """Bring the built-in roles into the table; return how many rows were written.

    Only what the code gives them newly is added: what somebody took from a role stays taken.
    """
    before = {row.name: row.declared for row in execute(_BUILT_IN)}
    written = 0
    for role in BuiltIn:
        declared = _declared(role)
        if role not in before:
            change(_INSERT, **_built_in(role, declared))
            stored = set[str]()
        elif before[role] != declared:
            change(_DECLARE, key=role.value, declared=declared)
            stored = {*_stored([role])[role], *(before[role] or "").split()}
        else:
            continue
        written += 1 + _add(role, sorted(set(declared.split()) - stored))
    return written


def _built_in(role: BuiltIn, declared: str) -> dict[str, Any]:
    moment = now()
    return {
        "id": new_id(),
        "name": role.value,
        "description": _DESCRIPTIONS[role],
        "is_builtin": True,
        "declared": declared,
        "created_at": moment,
        "updated_at": moment,
    }


def _declared(role: BuiltIn) -> str:
    """Return what the code gives a built-in role; of an admin's permissions none is stored."""
    return "" if role is BuiltIn.ADMIN else " ".join(sorted(ROLE_PERMISSIONS[role]))


def _rows(found: Sequence[sa.Row[*tuple[Any, ...]]]) -> list[RoleRow]:
    stored = _stored([row.name for row in found])
    return [_row(row, stored) for row in found]


def _row(row: sa.Row[*tuple[Any, ...]], stored: Mapping[str, Sequence[str]]) -> RoleRow:
    role_id, name, description, is_builtin, created_at, updated_at = row
    permissions = sorted(str(permission) for permission in permissions_of([name], stored[name]))
    return RoleRow(role_id, name, description, is_builtin, permissions, created_at, updated_at)


def _stored(names: Sequence[str]) -> dict[str, list[str]]:
    """Return what stands in the table for each of these roles that exists."""
    stored: dict[str, list[str]] = {}
    if names:
        for row in execute(_HELD, names=list(names)):
            permission: str | None = row.permission  # of the outer side
            stored.setdefault(row.name, []).extend([] if permission is None else [permission])
    return stored


def _lock(role_id: str) -> sa.Row[str, bool]:
    """Let nobody else change this role until the end."""
    row = execute(_LOCK, role_id=role_id).one_or_none()
    if row is None:
        raise RoleNotFound
    return row


def _put(role: str, before: Set[str], wanted: Set[str]) -> None:
    lost = sorted(before - wanted)
    if lost:
        change(_DELETE_PERMISSION, [{"key": role, "value": permission} for permission in lost])
    _add(role, sorted(wanted - before))


def _add(role: str, permissions: Sequence[str]) -> int:
    if not permissions:
        return 0
    return change(_INSERT_PERMISSION, [{"role": role, "permission": str(one)} for one in permissions])
