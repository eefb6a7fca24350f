"""Signing in: what is checked between a password that is typed and a session that begins.

It opens short units of its own, for hashing takes longer than a transaction may.
"""

from typing import Protocol, TypeVar

from application.database import transaction
from application.libs.error import Unauthenticated
from application.libs.remote import SOMEBODY, Client
from application.libs.secret import hash_password, needs_rehash
from application.modules.audit import business as audit
from application.modules.auth.business.account import (
    AccountRow,
    WrongPassword,
    check_current_password,
    check_password,
    check_unchanged,
    find_account,
    find_account_by_address,
    find_account_of,
    note_refusal,
    strengthen,
)
from application.modules.auth.business.pending import find_pending, sign_pending
from application.modules.code import business as codes
from application.modules.contact import business as contacts
from application.modules.factor import business as factor
from application.modules.throttle import business as throttle

Begun_co = TypeVar("Begun_co", covariant=True)


class SecondFactorNeeded(Unauthenticated):
    """The password is right; give a code of the second factor, too."""

    commits = True  # the password's place is given back
    pending = ""
    """What stands for the account on the page that asks for the code."""


class WrongFactorCode(Unauthenticated):
    """The code is wrong, or was used before."""

    commits = True  # its place stays taken, and it is written down


class Begin(Protocol[Begun_co]):
    """Begin a session of a user, and return what its client shows from now on."""

    def __call__(self, user_id: str, /, *, client: Client, is_strong: bool) -> Begun_co:
        """Begin it in the current unit of work; it is strong if a second factor was shown."""


def sign_in(
    name: str, password: str, *, begin: Begin[Begun_co], client: Client = SOMEBODY, code: str | None = None
) -> Begun_co:
    """Begin a session for whose name and password these are.

    Raises `WrongPassword`, then `SecondFactorNeeded` or `WrongFactorCode` where the user has a second factor, or
    `Throttled` after too many. A mail address or number of an account may stand for its name. A place is taken before
    the password is looked at, so that guesses made at once cannot pass together; an address takes the same one however
    it is written.
    """
    address = contacts.find_address(name)
    counted = name if address is None else address.text
    with transaction():
        throttle.take_login(counted, client.address)
    account = _checked(name, address, password)
    with transaction():
        throttle.forgive_login(counted, client.address)
        return let_in(account, begin=begin, client=client, code=code)


def sign_in_by_code(
    to: str, code: str, *, begin: Begin[Begun_co], client: Client = SOMEBODY, factor_code: str | None = None
) -> Begun_co:
    """Begin a session for who shows the code that was sent to an address of theirs; raise `WrongCode`, `Throttled`.

    Whoever has a second factor shows it, too, as at `sign_in`; until it is right the code that was sent stays good.
    """
    tried = codes.check(codes.Purpose.SIGN_IN, contacts.read_address(to), code, remote=client.address)
    with transaction():
        account = find_account_of(tried.holder_id())
        if account is None:
            raise tried.refusal()
        begun = let_in(account, begin=begin, client=client, code=factor_code)
        codes.use(tried)
        return begun


def go_on(pending: str, code: str, *, begin: Begin[Begun_co], client: Client) -> Begun_co:
    """Begin a session for whoever has shown their password minutes ago, and shows a code now."""
    account = find_pending(pending)
    if account is None:
        raise WrongPassword
    with transaction():
        return let_in(account, begin=begin, client=client, code=code)


def let_in(account: AccountRow, *, begin: Begin[Begun_co], client: Client, code: str | None = None) -> Begun_co:
    """Begin a session for whoever has shown to be the account's owner, within the current unit of work.

    All ways lead through here. A user who has a second factor needs a code of it, whatever else they have shown.
    """
    check_unchanged(account)  # which lets nobody turn a second factor on meanwhile
    has_factor = factor.is_on(account.user_id)
    if has_factor:
        _check_code(account, code, client)
    audit.record("user.sign_in", account.user_id, account.name, by=(account.user_id, account.name))
    return begin(account.user_id, client=client, is_strong=has_factor)


def prove(user_id: str, password: str, *, client: Client) -> AccountRow:
    """Return the account of who is signed in if this is its password; wrong ones count like those of who is not."""
    with transaction(write=False):
        account = find_account_of(user_id)
    if account is None:
        raise Unauthenticated
    with transaction():
        throttle.take_login(account.name, client.address)
    account = check_current_password(account, password)
    with transaction():
        throttle.forgive_login(account.name, client.address)
    return account


def _check_code(account: AccountRow, code: str | None, client: Client) -> None:
    if code is None:
        refusal = SecondFactorNeeded()
        refusal.pending = sign_pending(account)
        raise refusal
    if not factor.passes(account.user_id, code, address=client.address):
        note_refusal(account)
        raise WrongFactorCode


def _checked(name: str, address: contacts.Address | None, password: str) -> AccountRow:
    """Return whose name and password these are, with a hash of today's strength.

    If another hash is stored by the time the stronger one is made, then by a login beside this one, or the password was
    changed: it is checked again, so that the one is let in and the other is not.
    """
    with transaction(write=False):
        account = find_account(name) if address is None else find_account_by_address(name, address.digest)
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
    return strengthened or _checked(name, address, password)
