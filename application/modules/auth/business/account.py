"""Accounts: who has which password, and how it is changed."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from application.database import change, execute
from application.libs.clock import now
from application.libs.error import Invalid, Unauthenticated, field_error
from application.libs.record import Record
from application.libs.secret import verify_password
from application.modules.audit import business as audit
from application.modules.code import business as codes
from application.modules.contact.models import Contact
from application.modules.factor.models import Factor
from application.modules.session import business as sessions
from application.modules.user.models import User, UserRole

_Row = sa.Row[str, str, str | None, datetime | None, str]
"""A user, their name and hash, since when their second factor is on, and one role if any."""


class WrongPassword(Unauthenticated):
    """The name or the password is wrong."""

    commits = True  # what is written down of the refusal


class WrongCurrentPassword(Invalid):
    """The current password is wrong."""


class AccountRow(Record):
    """Hold what is needed to check a password; without a hash nobody can sign in."""

    user_id: str
    name: str
    password_hash: str | None
    roles: tuple[str, ...]
    has_factor: bool = False


_ACCOUNTS = (
    sa.select(User.id, User.name, User.password_hash, Factor.confirmed_at, UserRole.role)
    .outerjoin(UserRole, UserRole.user_id == User.id)
    .outerjoin(Factor, Factor.user_id == User.id)
    .where(User.disabled_at.is_(None))
)
_BY_NAME = _ACCOUNTS.where(User.name == sa.bindparam("name"))
_BY_ADDRESS = _ACCOUNTS.where(
    sa.or_(
        User.name == sa.bindparam("name"),
        User.id == sa.select(Contact.user_id).where(Contact.digest == sa.bindparam("digest")).scalar_subquery(),
    )
).order_by(sa.case((User.name == sa.bindparam("name"), 0), else_=1))
_BY_USER = _ACCOUNTS.where(User.id == sa.bindparam("user_id"))
_LOCK_HASH = (
    sa.select(User.password_hash)
    .where(User.id == sa.bindparam("user_id"), User.disabled_at.is_(None))
    .with_for_update(read=True)
)
_OF_CHECKED = sa.update(User).where(
    User.id == sa.bindparam("user_id"), User.password_hash == sa.bindparam("checked_hash")
)
_REPLACE_HASH = _OF_CHECKED.values(password_hash=sa.bindparam("new_hash"))
_CHANGE_PASSWORD = _OF_CHECKED.values(password_hash=sa.bindparam("new_hash"), updated_at=sa.bindparam("moment"))


def find_account(name: str) -> AccountRow | None:
    """Return the account of this name, unless it is disabled."""
    return _account(execute(_BY_NAME, name=name).all())


def find_account_by_address(name: str, digest: str) -> AccountRow | None:
    """Return the account of this name, or whose this mail address or number is, in one statement.

    A name goes before: it was given by somebody who manages users, for who registers may choose none that could be an
    address.
    """
    rows = execute(_BY_ADDRESS, name=name, digest=digest).all()
    return _account([row for row in rows if row[0] == rows[0][0]])


def find_account_of(user_id: str) -> AccountRow | None:
    """Return the account of this user, unless it is disabled."""
    return _account(execute(_BY_USER, user_id=user_id).all())


def check_password(account: AccountRow | None, password: str) -> AccountRow:
    """Return the account if this is its password; an unknown name takes as long and reads the same."""
    if not verify_password(password, account.password_hash if account else None) or account is None:
        raise WrongPassword
    return account


def check_current_password(account: AccountRow | None, password: str) -> AccountRow:
    """Return the account of who is signed in if this is its password."""
    try:
        return check_password(account, password)
    except WrongPassword:
        raise _wrong_current_password() from None


def check_unchanged(account: AccountRow) -> None:
    """Refuse an account that was deleted, disabled or got another password since its password was checked."""
    row = execute(_LOCK_HASH, user_id=account.user_id).one_or_none()
    if row is None or row.password_hash != account.password_hash:
        note_refusal(account)
        raise WrongPassword


def note_refusal(account: AccountRow | None) -> None:
    """Write down that somebody was not let in; not the name that nobody has, which may be a password typed there."""
    known = (None, None) if account is None else (account.user_id, account.name)
    audit.record("user.refuse_sign_in", *known)


def strengthen(account: AccountRow, password_hash: str) -> AccountRow | None:
    """Replace the hash that a password was checked against by another one of it; the user has changed nothing.

    Return the account with it, or None if by now another hash is stored.
    """
    if not change(_REPLACE_HASH, user_id=account.user_id, checked_hash=account.password_hash, new_hash=password_hash):
        return None
    return msgspec.structs.replace(account, password_hash=password_hash)


def change_password(account: AccountRow, password_hash: str, *, kept_session_id: str | None) -> None:
    """Give the account another password, unless it got one since this one was checked, and end its other sessions.

    Codes that were sent before are good for nothing any more.
    """
    changed = change(
        _CHANGE_PASSWORD,
        user_id=account.user_id,
        checked_hash=account.password_hash,
        new_hash=password_hash,
        moment=now(),
    )
    if not changed:
        raise _wrong_current_password()
    audit.record("user.change_password", account.user_id, account.name)
    sessions.revoke_all(account.user_id, kept=kept_session_id)
    codes.forget(account.user_id)


def _account(rows: Sequence[_Row]) -> AccountRow | None:
    """Return what the rows of one user say, each with a role of theirs."""
    if not rows:
        return None
    user_id, name, password_hash, confirmed_at, _role = rows[0]
    roles = tuple(sorted(row.role for row in rows if row.role is not None))
    return AccountRow(user_id, name, password_hash, roles, confirmed_at is not None)


def _wrong_current_password() -> WrongCurrentPassword:
    message = WrongCurrentPassword.title
    return WrongCurrentPassword(
        errors=[field_error("body", "current_password", msg=message, type_="wrong_current_password")]
    )
