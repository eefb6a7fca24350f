"""Ask for a code: a row and a task, the same ones whoever the address belongs to, if to anybody.

So neither the answer nor its time tells who has an account; nothing here looks.
"""

from math import ceil

import sqlalchemy as sa

from application.config.current import current_settings
from application.database import UtcDateTime
from application.database.upsert import Changes, Upsert
from application.libs.clock import now
from application.libs.error import Forbidden, TooManyRequests, Unauthenticated
from application.libs.ident import new_id
from application.libs.record import Record
from application.modules.code.business.life import CODE_LIFE, RESEND_AFTER, life_of
from application.modules.code.business.sending import send
from application.modules.code.models import Code, Purpose
from application.modules.contact import business as contacts
from application.modules.task.business import enqueue
from application.modules.throttle import business as throttle


class RegistrationClosed(Forbidden):
    """Nobody can register here by themselves."""


class CodeJustSent(TooManyRequests):
    """A code was asked for a moment ago; wait as long as `Retry-After` says."""


class AskedRow(Record):
    """Hold how long a code is good for, and after how long another one can be asked for."""

    expires_in: int
    resend_after: int


_REPLACED = ("id", "address", "hash", "link_digest", "user_id", "tries", "expires_at", "created_at")


def _asking(new: object) -> Changes:
    """Replace the row if that was written long enough ago; `created_at` last, for the others are computed from it."""
    is_old = Code.created_at <= sa.bindparam("before", type_=UtcDateTime())
    return [(name, sa.case((is_old, getattr(new, name)), else_=getattr(Code, name))) for name in _REPLACED]


_ASK = Upsert(Code, _asking, returning=(Code.id, Code.created_at))


def ask(purpose: Purpose, to: str, *, asked_by: str | None, language: str, remote: str | None) -> AskedRow:
    """Let a code be sent to an address, in the place of an earlier one; raise `CodeJustSent`, or `Throttled`.

    One for `verify` is good for whoever asks for it.
    """
    address = contacts.read_address(to)
    if purpose is Purpose.VERIFY and asked_by is None:
        raise Unauthenticated
    if purpose is Purpose.REGISTER:
        check_registration_open()
    throttle.take_code(address.digest, remote)
    code_id, moment = new_id(), now()
    row = _ASK.run(
        purpose=purpose,
        digest=address.digest,
        id=code_id,
        address=address.text,
        hash=None,
        link_digest=None,
        user_id=asked_by if purpose is Purpose.VERIFY else None,
        tries=0,
        created_at=moment,
        expires_at=moment + life_of(purpose),
        before=moment - RESEND_AFTER,
    )
    if row.id != code_id:
        seconds = str(max(1, ceil((row.created_at + RESEND_AFTER - moment).total_seconds())))
        raise CodeJustSent(f"Try again in {seconds} seconds", headers={"Retry-After": seconds})
    enqueue(send, code_id=code_id, language=language)
    return AskedRow(int(CODE_LIFE.total_seconds()), int(RESEND_AFTER.total_seconds()))


def check_registration_open() -> None:
    """Raise `RegistrationClosed` where only those who manage users create some."""
    if not current_settings().registration_open:
        raise RegistrationClosed
