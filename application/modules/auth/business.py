"""Rules about signing in: who a token or a password stands for, and for how long."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from application.database import change, execute
from application.libs.auth import Credentials, Identity, read_basic
from application.libs.clock import now
from application.libs.error import Unauthenticated
from application.libs.ident import new_id
from application.libs.record import Record
from application.libs.secret import digest_token, new_token, verify_password
from application.modules.auth.models import Token
from application.modules.user.models import User, UserRole
from application.permissions import ROLE_PERMISSIONS, Permission, Role


class WrongPassword(Unauthenticated):
    """The name or the password is wrong."""


class AccountRow(Record):
    """Hold what is needed to check a password; without a hash nobody can sign in."""

    user_id: str
    name: str
    password_hash: str | None
    roles: tuple[str, ...]


class SessionRow(Record):
    """Hold a fresh token, which is shown this once, and how long it lasts."""

    token: str
    expires_in: int
    expires_at: datetime
    token_type: str = "Bearer"  # noqa: S105 -- the name of a scheme (RFC 6750)


_Holder = sa.Row[str, datetime, str, str, str]
"""A token, when it ends, its user with the name, and one of the roles, where there is any."""

_MOST_IDS = 500  # in one statement

_HOLDERS = (
    sa.select(Token.id, Token.expires_at, User.id, User.name, UserRole.role)
    .join(User, User.id == Token.user_id)
    .outerjoin(UserRole, UserRole.user_id == User.id)
)
_BY_DIGEST = _HOLDERS.where(Token.digest == sa.bindparam("digest"))
_BY_IDS = _HOLDERS.where(Token.id.in_(sa.bindparam("ids", expanding=True)))
_BY_NAME = (
    sa.select(User.id, User.name, User.password_hash, UserRole.role)
    .outerjoin(UserRole, UserRole.user_id == User.id)
    .where(User.name == sa.bindparam("name"))
)
_LOCK_HASH = sa.select(User.password_hash).where(User.id == sa.bindparam("user_id")).with_for_update(read=True)
_INSERT = sa.insert(Token)
_DELETE = sa.delete(Token).where(Token.id == sa.bindparam("token_id"))
_DELETE_EXPIRED = sa.delete(Token).where(Token.expires_at <= sa.bindparam("moment"))


def identify(credentials: Credentials) -> Identity | None:
    """Return who shows these credentials: a bearer token, or name and password by HTTP Basic."""
    if credentials.scheme == "bearer":
        return find_by_token(credentials.value)
    basic = read_basic(credentials)
    if basic is None:
        return None
    name, password = basic
    try:
        account = check_password(find_account(name), password)
    except WrongPassword:
        return None
    return Identity(account.user_id, account.name, account.roles, _permissions(account.roles))


def find_by_token(token: str) -> Identity | None:
    """Return who holds the token, or None when it is unknown or expired: one indexed read."""
    return _holder(execute(_BY_DIGEST, digest=digest_token(token)).all())


def find_by_token_ids(token_ids: Collection[str]) -> dict[str, Identity]:
    """Return who holds these tokens, by their ids; without those that were ended or have expired."""
    rows: defaultdict[str, list[_Holder]] = defaultdict(list)
    ids = sorted(token_ids)
    for first in range(0, len(ids), _MOST_IDS):
        for row in execute(_BY_IDS, ids=ids[first : first + _MOST_IDS]):
            rows[row[0]].append(row)
    holders = {token_id: _holder(of_one) for token_id, of_one in rows.items()}
    return {token_id: identity for token_id, identity in holders.items() if identity is not None}


def find_account(name: str) -> AccountRow | None:
    """Return the account of this name."""
    rows = execute(_BY_NAME, name=name).all()
    if not rows:
        return None
    user_id, name, password_hash, _role = rows[0]
    roles = tuple(sorted(row.role for row in rows if row.role is not None))
    return AccountRow(user_id, name, password_hash, roles)


def check_password(account: AccountRow | None, password: str) -> AccountRow:
    """Return the account if this is its password; an unknown name takes as long and reads the same."""
    if not verify_password(password, account.password_hash if account else None) or account is None:
        raise WrongPassword
    return account


def open_session(account: AccountRow, *, ttl_seconds: int) -> SessionRow:
    """Let the account in, unless it was deleted or got another password since its password was checked."""
    row = execute(_LOCK_HASH, user_id=account.user_id).one_or_none()
    if row is None or row.password_hash != account.password_hash:
        raise WrongPassword
    return create_token(account.user_id, ttl_seconds=ttl_seconds)


def create_token(user_id: str, *, ttl_seconds: int) -> SessionRow:
    """Let the user in for a while."""
    token, moment = new_token(), now()
    expires_at = moment + timedelta(seconds=ttl_seconds)
    change(
        _INSERT,
        id=new_id(),
        user_id=user_id,
        digest=digest_token(token),
        created_at=moment,
        expires_at=expires_at,
    )
    return SessionRow(token=token, expires_in=ttl_seconds, expires_at=expires_at)


def revoke(token_id: str) -> None:
    """End a token at once."""
    change(_DELETE, token_id=token_id)


def prune_expired() -> int:
    """Delete the tokens that have expired; return how many."""
    return change(_DELETE_EXPIRED, moment=now())


def _holder(rows: Sequence[_Holder]) -> Identity | None:
    """Return whom the rows of one token stand for, each with a role of theirs; None once it has expired."""
    if not rows or rows[0].expires_at <= now():
        return None
    token_id, _expires_at, user_id, name, _role = rows[0]
    roles = tuple(sorted(row.role for row in rows if row.role is not None))
    return Identity(user_id, name, roles, _permissions(roles), token_id)


def _permissions(roles: tuple[str, ...]) -> frozenset[Permission]:
    """Return what the roles hold; one that was given up in the code, but still stands in the table, holds nothing."""
    known = [Role(role) for role in roles if role in ROLE_PERMISSIONS]
    return frozenset(permission for role in known for permission in ROLE_PERMISSIONS[role])
