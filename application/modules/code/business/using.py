"""Use a code: each guess is counted before it is looked at, and one right guess uses it up."""

import hmac

import sqlalchemy as sa

from application.database import change, execute, transaction
from application.libs.clock import now
from application.libs.error import Invalid, field_error
from application.libs.record import Record
from application.libs.secret import digest_token
from application.modules.audit import business as audit
from application.modules.code.business.life import CODE_LIFE, MOST_TRIES, hash_code
from application.modules.code.models import Code, Purpose
from application.modules.contact import business as contacts
from application.modules.throttle import business as throttle


class WrongCode(Invalid):
    """The code is wrong, was used or has expired; after five tries ask for another."""


class WrongLink(Invalid):
    """The link was used, has expired or is incomplete; ask for another."""


class TriedRow(Record):
    """Hold a right code, or a link, that is not used up yet, and where it was shown; one to register is of no user."""

    id: str
    digest: str
    user_id: str | None
    remote: str | None = None
    is_link: bool = False

    def holder_id(self) -> str:
        """Return whom the code lets in."""
        if self.user_id is None:
            raise self.refusal()
        return self.user_id

    def refusal(self) -> Invalid:
        """Return what refuses it where it is good for nothing any more."""
        return _wrong_link() if self.is_link else _wrong_code()


_of_address = (Code.purpose == sa.bindparam("for_purpose"), Code.digest == sa.bindparam("of_digest"))
_TRY = (
    sa.update(Code)
    .where(*_of_address, Code.tries < MOST_TRIES, Code.created_at > sa.bindparam("since"))
    .values(tries=Code.tries + 1)
)
_FIND = sa.select(Code.id, Code.hash, Code.user_id).where(*_of_address)
_OF_LINK = sa.select(Code.id, Code.digest, Code.user_id).where(
    Code.link_digest == sa.bindparam("link"), Code.expires_at > sa.bindparam("moment")
)
_USE = sa.delete(Code).where(Code.id == sa.bindparam("code_id"))
_FORGET = sa.delete(Code).where(Code.user_id == sa.bindparam("user_id"))
_PRUNE = sa.delete(Code).where(Code.expires_at <= sa.bindparam("moment"))


def check(
    purpose: Purpose, address: contacts.Address, code: str, *, remote: str | None, asked_by: str | None = None
) -> TriedRow:
    """Return the code if it is right; raise `WrongCode`, or `Throttled` after too many wrong ones.

    It opens a unit of work of its own, in which the try stays counted; whatever the code is good for is done in another
    one, together with `use`. `asked_by` must have asked for it.
    """
    with transaction():
        throttle.take_code_guess(address.digest, remote)
        is_counted = change(_TRY, for_purpose=purpose, of_digest=address.digest, since=now() - CODE_LIFE)
        row = execute(_FIND, for_purpose=purpose, of_digest=address.digest).one_or_none()
        code_id, hashed, user_id = ("", None, None) if row is None or not is_counted else row
        is_right = hmac.compare_digest(hash_code(code_id, purpose, address, code), hashed or "-")
        is_right = is_right and asked_by in (None, user_id)
        if not is_right:
            audit.record("user.refuse_code", user_id, after={"purpose": purpose})
    if not is_right:
        raise _wrong_code()
    return TriedRow(code_id, address.digest, user_id, remote)


def check_link(token: str) -> TriedRow:
    """Return the code that a link stands for; raise `WrongLink`."""
    with transaction(write=False):
        row = execute(_OF_LINK, link=digest_token(token), moment=now()).one_or_none()
    if row is None:
        raise _wrong_link()
    return TriedRow(row.id, row.digest, row.user_id, is_link=True)


def use(tried: TriedRow) -> None:
    """Use a right code up, in the unit of work that does what it is good for; of many at once one does.

    A unit that is rolled back leaves it as good as it was.
    """
    if not tried.is_link:
        throttle.forgive_code_guess(tried.digest, tried.remote)
    if change(_USE, code_id=tried.id) == 0:
        raise tried.refusal()


def forget(user_id: str) -> None:
    """Let no code of a user be good for anything any more."""
    change(_FORGET, user_id=user_id)


def prune_expired() -> int:
    """Delete the codes that have expired; return how many."""
    return change(_PRUNE, moment=now())


def _wrong_code() -> WrongCode:
    return WrongCode(errors=[field_error("body", "code", msg=WrongCode.title, type_="wrong_code")])


def _wrong_link() -> WrongLink:
    return WrongLink(errors=[field_error("body", "token", msg=WrongLink.title, type_="wrong_link")])
