"""Signing in: what is checked between a password that is typed and a session that begins.

It opens short units of its own, for hashing takes longer than a transaction may.
"""

from collections.abc import Callable
from typing import TypeVar

from application.database import transaction
from application.libs.secret import hash_password, needs_rehash
from application.modules.auth.business.account import (
    AccountRow,
    check_password,
    check_unchanged,
    find_account,
    strengthen,
)

Begun = TypeVar("Begun")


def sign_in(name: str, password: str, *, begin: Callable[[str], Begun]) -> Begun:
    """Begin a session for whose name and password these are; raise `WrongPassword`."""
    account = _checked(name, password)
    with transaction():
        check_unchanged(account)
        return begin(account.user_id)


def _checked(name: str, password: str) -> AccountRow:
    """Return whose name and password these are, with a hash of today's strength.

    If another hash is stored by the time the stronger one is made, then by a login beside this one, or the password was
    changed: it is checked again, so that the one is let in and the other is not.
    """
    with transaction(write=False):
        account = find_account(name)
    account = check_password(account, password)
    if not needs_rehash(account.password_hash):
        return account
    password_hash = hash_password(password)
    with transaction():
        strengthened = strengthen(account, password_hash)
    return strengthened or _checked(name, password)
