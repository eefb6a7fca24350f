"""Signing in: what is checked between a password that is typed and a session that begins.

It opens short units of its own, for hashing takes longer than a transaction may.
"""

from typing import Protocol, TypeVar

from application.database import transaction
from application.libs.remote import SOMEBODY, Client
from application.libs.secret import hash_password, needs_rehash
from application.modules.audit import business as audit
from application.modules.auth.business.account import (
    AccountRow,
    WrongPassword,
    check_password,
    check_unchanged,
    find_account,
    note_refusal,
    strengthen,
)
from application.modules.throttle import business as throttle

Begun_co = TypeVar("Begun_co", covariant=True)


class Begin(Protocol[Begun_co]):
    """Begin a session of a user, and return what its client shows from now on."""

    def __call__(self, user_id: str, /, *, client: Client) -> Begun_co:
        """Begin it in the current unit of work."""


def sign_in(name: str, password: str, *, begin: Begin[Begun_co], client: Client = SOMEBODY) -> Begun_co:
    """Begin a session for whose name and password these are; raise `WrongPassword`, or `Throttled` after too many.

    A place is taken before the password is looked at, so that guesses made at once cannot pass together.
    """
    with transaction():
        throttle.take_login(name, client.address)
    account = _checked(name, password)
    with transaction():
        throttle.forgive_login(name, client.address)
        return let_in(account, begin=begin, client=client)


def let_in(account: AccountRow, *, begin: Begin[Begun_co], client: Client) -> Begun_co:
    """Begin a session for whoever has shown to be the account's owner, within the current unit of work."""
    check_unchanged(account)
    audit.record("user.sign_in", account.user_id, account.name, by=(account.user_id, account.name))
    return begin(account.user_id, client=client)


def _checked(name: str, password: str) -> AccountRow:
    """Return whose name and password these are, with a hash of today's strength.

    If another hash is stored by the time the stronger one is made, then by a login beside this one, or the password was
    changed: it is checked again, so that the one is let in and the other is not.
    """
    with transaction(write=False):
        account = find_account(name)
    try:
        account = check_password(account, password)
    except WrongPassword:
        with transaction():
            note_refusal(account)
        raise
    if not needs_rehash(account.password_hash):
        return account
    password_hash = hash_password(password)
    with transaction():
        strengthened = strengthen(account, password_hash)
    return strengthened or _checked(name, password)
