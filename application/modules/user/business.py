"""Rules about users: names are unique, a last admin stays, nobody changes who may do more than they."""

from collections.abc import Sequence, Set
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.database import change, execute
from application.database.filter import RANGE, TEXT, Filter, Filters, contains
from application.database.keyset import Orders
from application.database.listing import Listing
from application.libs.clock import now
from application.libs.error import Conflict, Invalid, NotFound, field_error
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.password import HOLDS_NAME, holds_name
from application.libs.record import Record
from application.modules.audit import business as audit
from application.modules.code.models import Code
from application.modules.role import business as role_business
from application.modules.role.models import RolePermission
from application.modules.session.models import Session
from application.modules.user.models import User, UserRole
from application.permissions import Role


class UserNotFound(NotFound):
    """There is no such user."""


class NameTaken(Conflict):
    """There is a user of this name."""


class UserInUse(Conflict):
    """The user owns blogs, which only they can delete."""


class LastAdmin(Conflict):
    """The last admin can be neither removed nor disabled; make somebody else admin first."""


class UserRow(Record):
    """Hold one user, roles in alphabetical order; the password's hash stays in the table."""

    id: str
    name: str
    roles: Sequence[str]
    is_disabled: bool
    created_at: datetime
    updated_at: datetime


ORDERS = Orders({"name": User.name, "created_at": User.created_at}, tie=User.id)
FILTERS = Filters(
    {
        "name": Filter(User.name, *TEXT),
        "role": Filter(UserRole.role, "eq", through=(User.id, UserRole.user_id)),
        "created_at": Filter(User.created_at, *RANGE),
    }
)

_ALL = sa.select(User.id, User.name, User.disabled_at, User.created_at, User.updated_at)
_LIST = Listing(_ALL, ORDERS, FILTERS)
_GET = _ALL.where(User.id == sa.bindparam("user_id"))
_ROLES = (
    sa.select(UserRole.user_id, UserRole.role)
    .where(UserRole.user_id.in_(sa.bindparam("user_ids", expanding=True)))
    .order_by(UserRole.role)
)
_HELD = (
    sa.select(UserRole.role, RolePermission.permission)
    .outerjoin(RolePermission, RolePermission.role == UserRole.role)
    .where(UserRole.user_id == sa.bindparam("user_id"))
)
_EXISTS = sa.select(User.id).where(User.id == sa.bindparam("user_id"))
_LOCK = _EXISTS.with_for_update()
_ADMINS = sa.select(UserRole.user_id).where(UserRole.role == Role.ADMIN)
_LOCK_ADMINS = _ADMINS.order_by(UserRole.user_id).with_for_update()  # in one order, so that two do not wait in a ring
_ENABLED_ADMINS = _ADMINS.join(User, User.id == UserRole.user_id).where(User.disabled_at.is_(None))
_INSERT = sa.insert(User)
_UPDATE = sa.update(User).where(User.id == sa.bindparam("user_id"))
_DELETE = sa.delete(User).where(User.id == sa.bindparam("user_id"))
_INSERT_ROLE = sa.insert(UserRole)
_DELETE_ROLE = sa.delete(UserRole).where(
    UserRole.user_id == sa.bindparam("key"), UserRole.role == sa.bindparam("value")
)
_DELETE_CODES = sa.delete(Code).where(Code.user_id == sa.bindparam("user_id"))
_DELETE_SESSIONS = sa.delete(Session).where(Session.user_id == sa.bindparam("user_id"))


def search(
    *,
    limit: int,
    after: str | None = None,
    sort: str = "name",
    count: bool = False,
    q: str | None = None,
    **filters: object,
) -> Page[UserRow]:
    """List users, those whose name contains `q`; the filters are those of `FILTERS`."""
    also = () if q is None else [contains(User.name, q)]
    return _LIST.page(_rows, limit=limit, after=after, sort=sort, count=count, filters=filters, also=also)


def get(user_id: str) -> UserRow:
    """Return a user."""
    row = execute(_GET, user_id=user_id).one_or_none()
    if row is None:
        raise UserNotFound
    return _row(row, _roles_of([user_id]))


def check_exists(user_id: str) -> None:
    """Raise `UserNotFound` if there is no such user."""
    if execute(_EXISTS, user_id=user_id).first() is None:
        raise UserNotFound


def get_visible(user_id: str, *, viewer_id: str, viewer_manages: bool) -> UserRow:
    """Return a user to themselves or to who manages users; to anybody else there is no such user."""
    if user_id != viewer_id and not viewer_manages:
        raise UserNotFound
    return get(user_id)


def create(
    *,
    name: str,
    password_hash: str | None,
    roles: Sequence[str] = (Role.USER,),
    held: Set[str] | None = None,
) -> UserRow:
    """Create a user; one without a password hash cannot sign in.

    `held` is what the caller holds, and the most that the roles may hold; None is nobody's wish but ours.
    """
    role_business.check_givable(roles, held)
    moment = now()
    user = UserRow(new_id(), name, sorted(set(roles)), is_disabled=False, created_at=moment, updated_at=moment)
    change(
        _INSERT,
        conflict=NameTaken,
        id=user.id,
        name=name,
        password_hash=password_hash,
        created_at=moment,
        updated_at=moment,
    )
    _add_roles(user.id, user.roles)
    audit.record("user.create", user.id, name, after=user)
    return user


def check_new_password(password: str, *, name: str) -> None:
    """Refuse a new password in which the user's name stands; what else one may be says its schema.

    It is for who keeps their name: a new name cannot be judged, for nobody knows the password that is kept.
    """
    if holds_name(password, name):
        raise Invalid(errors=[field_error("body", "password", msg=HOLDS_NAME, type_="password_holds_name")])


def update(
    user_id: str,
    *,
    name: str | None = None,
    password_hash: str | None = None,
    roles: Sequence[str] | None = None,
    is_disabled: bool | None = None,
    held: Set[str] | None = None,
) -> UserRow:
    """Change what is given, for who holds all that the user holds and will hold.

    A new password ends the user's sessions and codes. Who is disabled has none, and can neither sign in nor use a key.
    """
    _lock(user_id)
    had, before = check_within(user_id, held), get(user_id)
    given = {"name": name, "password_hash": password_hash}
    values: dict[str, Any] = {column: value for column, value in given.items() if value is not None}
    if is_disabled is not None and is_disabled is not before.is_disabled:
        values["disabled_at"] = _disabled_at(user_id) if is_disabled else None
    if password_hash is not None or is_disabled:
        change(_DELETE_SESSIONS, user_id=user_id)
        change(_DELETE_CODES, user_id=user_id)
    if roles is not None:
        role_business.check_givable(roles, held)
        _put_roles(user_id, had, set(roles))
    if values or roles is not None:
        change(_UPDATE, conflict=NameTaken, user_id=user_id, updated_at=now(), **values)
    after = get(user_id)
    audit.record("user.update", user_id, after.name, before=before, after=after)
    if password_hash is not None:
        audit.record("user.change_password", user_id, after.name)
    return after


def delete(user_id: str, *, held: Set[str] | None = None) -> None:
    """Delete a user who owns no blogs, with their roles, sessions and files; for who holds all that they hold."""
    _lock(user_id)
    check_within(user_id, held)
    _check_not_last_admin(user_id)
    before = get(user_id)
    change(_DELETE, conflict=UserInUse, user_id=user_id)
    audit.record("user.delete", user_id, before.name, before=before)


def check_within(user_id: str, held: Set[str] | None) -> set[str]:
    """Refuse a caller who holds less than the user that they want to change; return the user's roles.

    Else a new password, or an address that one is mailed to, would be the way to what they may.
    """
    rows = execute(_HELD, user_id=user_id).all()
    roles = {row.role for row in rows}
    role_business.check_held(role_business.permissions_of(roles, (row.permission for row in rows)), held)
    return roles


def has_admin() -> bool:
    """Tell whether anybody is admin."""
    return execute(_ADMINS).first() is not None


def _rows(found: Sequence[sa.Row[*tuple[Any, ...]]]) -> list[UserRow]:
    roles = _roles_of([row[0] for row in found])
    return [_row(row, roles) for row in found]


def _row(row: sa.Row[*tuple[Any, ...]], roles: dict[str, list[str]]) -> UserRow:
    user_id, name, disabled_at, created_at, updated_at = row
    return UserRow(user_id, name, roles.get(user_id, []), disabled_at is not None, created_at, updated_at)


def _roles_of(user_ids: Sequence[str]) -> dict[str, list[str]]:
    roles: dict[str, list[str]] = {}
    if user_ids:
        for user_id, role in execute(_ROLES, user_ids=user_ids):
            roles.setdefault(user_id, []).append(role)
    return roles


def _lock(user_id: str) -> None:
    """Let nobody else change this user until the end."""
    if execute(_LOCK, user_id=user_id).first() is None:
        raise UserNotFound


def _disabled_at(user_id: str) -> datetime:
    _check_not_last_admin(user_id)
    return now()


def _put_roles(user_id: str, before: Set[str], roles: Set[str]) -> None:
    """Add and take away only what differs: who counts the admins meanwhile misses none of them."""
    lost = before - roles
    if Role.ADMIN in lost:
        _check_not_last_admin(user_id)
    if lost:
        change(_DELETE_ROLE, [{"key": user_id, "value": role} for role in sorted(lost)])
    _add_roles(user_id, sorted(roles - before))


def _add_roles(user_id: str, roles: Sequence[str]) -> None:
    if roles:
        rows = [{"user_id": user_id, "role": role} for role in roles]
        change(_INSERT_ROLE, rows, conflict=role_business.UnknownRole)  # it was deleted in this moment


def _check_not_last_admin(user_id: str) -> None:
    execute(_LOCK_ADMINS).all()
    if list(execute(_ENABLED_ADMINS).scalars()) == [user_id]:  # as it is now that nobody changes it
        raise LastAdmin
