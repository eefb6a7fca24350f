"""Callers: whom a token, a key, a browser's cookie or a password stands for, and what they may do."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from application.database import execute
from application.libs.auth import Credentials, Identity, read_basic
from application.libs.clock import now
from application.libs.secret import digest_token
from application.modules.auth.business.account import WrongPassword, check_password, find_account
from application.modules.factor import business as factor
from application.modules.key import business as keys
from application.modules.role import business as role_business
from application.modules.session import business as sessions
from application.modules.session.models import Session
from application.modules.throttle import business as throttle
from application.modules.user.models import User
from application.permissions import Permission

_Holder = sa.Row[str, datetime, datetime, datetime, datetime | None, str, str, str | None]
"""A session, until when its access token is valid and itself, when it was seen and a second factor was shown in it, its
user, and what they hold."""

_MOST_IDS = 500  # in one statement
_SEEN_AFTER = timedelta(seconds=sessions.SEEN_SECONDS)

_HOLDERS = sa.select(
    Session.id,
    Session.access_expires_at,
    Session.expires_at,
    Session.last_seen_at,
    Session.second_factor_at,
    User.id,
    User.name,
    role_business.HELD,
).join(User, User.id == Session.user_id)
_BY_TOKEN = _HOLDERS.where(Session.access_digest == sa.bindparam("digest"), Session.family.is_not(None))
_BY_COOKIE = _HOLDERS.where(Session.access_digest == sa.bindparam("digest"), Session.family.is_(None))
_BY_IDS = _HOLDERS.where(Session.id.in_(sa.bindparam("ids", expanding=True)))


def identify(credentials: Credentials) -> Identity | None:
    """Return who shows these credentials: a session's token, a key, a browser's cookie, or name and password.

    A session or a key is one indexed read. That it was used is written later, at most once a minute.
    """
    if credentials.by_browser:
        return _in_use(execute(_BY_COOKIE, digest=digest_token(credentials.value)).one_or_none())
    if credentials.scheme != "bearer":
        return _by_password(credentials)
    if keys.is_key(credentials.value):
        used = keys.use(credentials.value, address=credentials.address)
        return None if used is None else _behind(used)
    return _in_use(execute(_BY_TOKEN, digest=digest_token(credentials.value)).one_or_none())


def find_by_pass_ids(pass_ids: Collection[str]) -> dict[str, Identity]:
    """Return who holds these sessions and keys, by their ids; without those that were ended or have expired."""
    rows: dict[str, _Holder] = {}
    ids = sorted(pass_ids)
    for first in range(0, len(ids), _MOST_IDS):
        rows |= {row[0]: row for row in execute(_BY_IDS, ids=ids[first : first + _MOST_IDS])}
    moment = now()
    others = keys.find_by_ids(set(pass_ids) - rows.keys())
    return {session_id: _holder(row) for session_id, row in rows.items() if row.expires_at > moment} | {
        used.key_id: _behind(used) for used in others
    }


def _by_password(credentials: Credentials) -> Identity | None:
    """Return whose name and password came by HTTP Basic.

    A password that comes with each request is counted once it is found wrong, so that a right one costs no write. As
    many guesses as the server looks at in one moment may pass together; at signing in, none does. A right one forgives
    none that others guessed meanwhile, or a client that asks each second would let them go on. Of a user with a second
    factor a password alone is not enough, and there is no place for a code beside it.
    """
    basic = read_basic(credentials)
    if basic is None:
        return None
    name, password = basic
    throttle.check_login(name, credentials.address)
    try:
        account = check_password(find_account(name), password)
    except WrongPassword:
        throttle.count_login(name, credentials.address)
        return None
    if account.has_factor:
        return None
    return _identity(account.user_id, account.name, account.roles, role_business.find_permissions(account.roles))


def _in_use(row: _Holder | None) -> Identity | None:
    """Return whom the row of a session stands for; None once its token has expired."""
    moment = now()
    if row is None or row.access_expires_at <= moment:
        return None
    if moment - row.last_seen_at >= _SEEN_AFTER:
        sessions.note_seen.regardless(row[0])
    return _holder(row)


def _holder(row: _Holder) -> Identity:
    session_id, _access_expires_at, _expires_at, _last_seen_at, second_factor_at, user_id, name, held = row
    roles, permissions = role_business.read_held(held)
    return _identity(user_id, name, roles, permissions, session_id, is_strong=second_factor_at is not None)


def _identity(
    user_id: str,
    name: str,
    roles: tuple[str, ...],
    permissions: frozenset[Permission],
    session_id: str | None = None,
    *,
    is_strong: bool = False,
) -> Identity:
    """Return who this is; where a second factor is required that they did not show, they may do nothing but show it."""
    if not is_strong and factor.is_required(permissions):
        return Identity(user_id, name, roles, frozenset(), session_id, withheld=factor.WITHHELD)
    return Identity(user_id, name, roles, permissions, session_id)


def _behind(key: keys.UsedKey) -> Identity:
    """Return the user of a key, with what the key is for and they may do now; roles they have, the key has none."""
    return Identity(key.user_id, key.name, (), key.permissions, key_id=key.key_id)
