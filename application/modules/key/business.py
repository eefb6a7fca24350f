"""Rules about keys for machines: what they may do, for how long, and when they were used."""

import re
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from application.database import change, execute, transaction
from application.database.filter import RANGE, TEXT, Filter, Filters
from application.database.keyset import Orders
from application.database.listing import Listing, each
from application.libs.background import background
from application.libs.clock import now
from application.libs.error import Conflict, Forbidden, NotFound, Unauthenticated
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.record import Record
from application.libs.secret import digest_token, new_token
from application.modules.audit import business as audit
from application.modules.key.models import ApiKey
from application.modules.role import business as role_business
from application.modules.user.models import User
from application.permissions import PEOPLE_ONLY

MOST_KEYS = 50
"""How many keys that are valid a user has at most; a machine needs one, and each is a way in to be looked after."""

KEEP_EXPIRED = timedelta(days=30)
"""How long an expired key is still listed, so that its owner sees what has stopped."""

_USE_INTERVAL = timedelta(minutes=1)
"""How old the last use is before it is written anew: a busy machine would write a row for each request."""

_PATTERN = re.compile(r"rp_[a-z2-7]{8}_[A-Za-z0-9_-]{43}", re.ASCII)
"""What a key looks like, whole: a token of a session is shorter, and may begin with the same letters by chance."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_MOST_IDS = 500  # in one statement
_ADDRESS_LENGTH = 45  # of the longest IPv6 address


class KeyNotFound(NotFound):
    """There is no such key."""


class NotYoursToGive(Forbidden):
    """A key can have only permissions that you hold, and none that is for people alone."""


class TooManyKeys(Conflict):
    """You have as many keys as one may have; delete one first."""


class KeyRow(Record):
    """Hold one key, of which only the prefix is known; permissions in alphabetical order."""

    id: str
    user_id: str
    name: str
    prefix: str
    permissions: Sequence[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    last_used_address: str | None


class FreshKeyRow(KeyRow):
    """Hold a fresh key, whose text is shown this once."""

    key: str


class UsedKey(Record):
    """Hold whom a valid key stands for, and which of the permissions it was given they hold now."""

    key_id: str
    user_id: str
    name: str
    permissions: frozenset[str]


_Holder = sa.Row[str, datetime, datetime | None, str, str, str, str | None]
"""A key, when it ends and was used, its permissions, its user with the name, and what they hold."""

ORDERS = Orders(
    {"created_at": ApiKey.created_at, "expires_at": ApiKey.expires_at, "name": ApiKey.name},
    tie=ApiKey.id,
)
FILTERS = Filters(
    {
        "user_id": Filter(ApiKey.user_id, "eq"),
        "name": Filter(ApiKey.name, *TEXT),
        "expires_at": Filter(ApiKey.expires_at, *RANGE),
        "last_used_at": Filter(ApiKey.last_used_at, *RANGE),
    }
)

_ALL = sa.select(
    ApiKey.id,
    ApiKey.user_id,
    ApiKey.name,
    ApiKey.prefix,
    ApiKey.permissions,
    ApiKey.created_at,
    ApiKey.expires_at,
    ApiKey.last_used_at,
    ApiKey.last_used_address,
)
_LIST = Listing(_ALL, ORDERS, FILTERS)
_OF_ONE = (ApiKey.user_id == sa.bindparam("viewer_id"),)
_GET = _ALL.where(ApiKey.id == sa.bindparam("key_id"))
_HOLDERS = sa.select(
    ApiKey.id,
    ApiKey.expires_at,
    ApiKey.last_used_at,
    ApiKey.permissions,
    User.id,
    User.name,
    role_business.HELD,
).join(User, sa.and_(User.id == ApiKey.user_id, User.disabled_at.is_(None)))
_BY_DIGEST = _HOLDERS.where(ApiKey.digest == sa.bindparam("digest"))
_BY_IDS = _HOLDERS.where(ApiKey.id.in_(sa.bindparam("ids", expanding=True)))
_LOCK_USER = sa.select(User.id).where(User.id == sa.bindparam("user_id")).with_for_update()
_COUNT_VALID = (
    sa.select(sa.func.count())
    .select_from(ApiKey)
    .where(ApiKey.user_id == sa.bindparam("user_id"), ApiKey.expires_at > sa.bindparam("moment"))
)
_INSERT = sa.insert(ApiKey)
_RENAME = sa.update(ApiKey).where(ApiKey.id == sa.bindparam("key_id"))
_NOTE_USE = sa.update(ApiKey).where(
    ApiKey.id == sa.bindparam("key_id"),
    sa.or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= sa.bindparam("before")),
)
_DELETE = sa.delete(ApiKey).where(ApiKey.id == sa.bindparam("key_id"))
_DELETE_EXPIRED = sa.delete(ApiKey).where(ApiKey.expires_at <= sa.bindparam("before"))


def search(
    *,
    viewer_id: str,
    viewer_manages: bool,
    limit: int,
    after: str | None = None,
    sort: str = "-created_at",
    count: bool = False,
    **filters: object,
) -> Page[KeyRow]:
    """List one's own keys, or those of the user in the filters for who manages users; they are those of `FILTERS`."""
    sees_others = viewer_manages and filters.get("user_id") is not None
    where = () if sees_others else _OF_ONE
    return _LIST.page(
        each(_row),
        limit=limit,
        after=after,
        sort=sort,
        count=count,
        filters=filters,
        where=where,
        parameters={"viewer_id": viewer_id},
    )


def get_visible(key_id: str, *, viewer_id: str, viewer_manages: bool) -> KeyRow:
    """Return a key to its user or to who manages users; to anybody else there is no such key."""
    row = execute(_GET, key_id=key_id).one_or_none()
    if row is None or (row.user_id != viewer_id and not viewer_manages):
        raise KeyNotFound
    return _row(row)


def create(
    *, user_id: str, held: Collection[str], name: str, permissions: Collection[str], expires_in_days: int
) -> FreshKeyRow:
    """Give a machine a key to act as the user, within some of the permissions they hold."""
    wanted = set(permissions)
    if not wanted.issubset(held) or wanted & PEOPLE_ONLY:
        raise NotYoursToGive
    moment = now()
    if execute(_LOCK_USER, user_id=user_id).first() is None:
        raise Unauthenticated
    if execute(_COUNT_VALID, user_id=user_id, moment=moment).scalar_one() >= MOST_KEYS:
        raise TooManyKeys
    prefix = "rp_" + "".join(secrets.choice(_LETTERS) for _ in range(8))
    row = FreshKeyRow(
        id=new_id(),
        user_id=user_id,
        name=name,
        prefix=prefix,
        permissions=sorted(wanted),
        created_at=moment,
        expires_at=moment + timedelta(days=expires_in_days),
        last_used_at=None,
        last_used_address=None,
        key=f"{prefix}_{new_token()}",
    )
    change(
        _INSERT,
        id=row.id,
        user_id=user_id,
        name=name,
        prefix=prefix,
        digest=digest_token(row.key),
        permissions=" ".join(row.permissions),
        created_at=moment,
        expires_at=row.expires_at,
    )
    audit.record("key.create", row.id, name, after=_stated(row))
    return row


def update(key_id: str, *, viewer_id: str, viewer_manages: bool, name: str | None = None) -> KeyRow:
    """Rename a key; without a name nothing changes. What it may do and for how long stays as it is."""
    before = get_visible(key_id, viewer_id=viewer_id, viewer_manages=viewer_manages)
    if name is None:
        return before
    change(_RENAME, key_id=key_id, name=name)
    after = msgspec.structs.replace(before, name=name)
    audit.record("key.update", key_id, name, before=_stated(before), after=_stated(after))
    return after


def delete(key_id: str, *, viewer_id: str, viewer_manages: bool) -> None:
    """Revoke a key: the next request with it is refused."""
    before = get_visible(key_id, viewer_id=viewer_id, viewer_manages=viewer_manages)
    change(_DELETE, key_id=key_id)
    audit.record("key.delete", key_id, before.name, before=_stated(before))


def is_key(text: str) -> bool:
    """Tell whether a text looks like a key, valid or not."""
    return _PATTERN.fullmatch(text) is not None


def use(text: str, *, address: str | None) -> UsedKey | None:
    """Return whom the key stands for, or None when it is unknown or expired: one indexed read.

    That it was used is written later, at most once a minute, whatever becomes of the request.
    """
    row = execute(_BY_DIGEST, digest=digest_token(text)).one_or_none()
    used = _used(row)
    if row is not None and used is not None and _is_due(row.last_used_at):
        note_use.regardless(used.key_id, address=address)
    return used


def find_by_ids(key_ids: Collection[str]) -> list[UsedKey]:
    """Return whom these keys stand for, by their ids; without those that were revoked or have expired."""
    rows: list[_Holder] = []
    ids = sorted(key_ids)
    for first in range(0, len(ids), _MOST_IDS):
        rows += execute(_BY_IDS, ids=ids[first : first + _MOST_IDS])
    return [used for row in rows if (used := _used(row)) is not None]


@background
def note_use(key_id: str, *, address: str | None) -> bool:
    """Write down that a key was used, unless somebody did within the last minute; return whether this call did."""
    moment, shown = now(), (address or "")[:_ADDRESS_LENGTH] or None
    before = moment - _USE_INTERVAL
    with transaction():
        return change(_NOTE_USE, key_id=key_id, before=before, last_used_at=moment, last_used_address=shown) == 1


def prune_expired() -> int:
    """Delete the keys that expired long ago; return how many."""
    return change(_DELETE_EXPIRED, before=now() - KEEP_EXPIRED)


def _is_due(last_used_at: datetime | None) -> bool:
    return last_used_at is None or last_used_at <= now() - _USE_INTERVAL


def _used(row: _Holder | None) -> UsedKey | None:
    """Return whom the row of a key stands for, with what they hold of what it is for; None once it has expired."""
    if row is None or row.expires_at <= now():
        return None
    key_id, _expires_at, _last_used_at, given, user_id, name, held = row
    _roles, permissions = role_business.read_held(held)
    return UsedKey(key_id, user_id, name, permissions & frozenset(given.split()) - PEOPLE_ONLY)


def _stated(row: KeyRow) -> dict[str, object]:
    """Return what is written down of a key: never its text."""
    return {name: getattr(row, name) for name in ("user_id", "name", "prefix", "permissions", "expires_at")}


def _row(row: sa.Row[*tuple[Any, ...]]) -> KeyRow:
    values = dict(zip(KeyRow.__struct_fields__, row, strict=True))
    values["permissions"] = row.permissions.split()
    return KeyRow(**values)
