"""Deliver messages: short units of work around a call to a server, never one within the other.

A process that dies between the server's answer and the note of it, or a database that is away for longer than the note
is tried again, leaves a message that is sent once more: at least once, never lost. The Message-ID of a mail, and `{id}`
to a provider of short messages, are the same each time.
"""

import logging
import time
from typing import Any

import msgspec
import sqlalchemy as sa

from application.database import change, execute, transaction
from application.libs.clock import now
from application.libs.delivery import PermanentFailure, TemporaryFailure, said
from application.libs.error import NotFound, Unavailable
from application.libs.mail import compose
from application.libs.outgoing import outgoing
from application.libs.record import Record
from application.libs.redaction import Redaction
from application.libs.sms import Sms
from application.modules.message.business import template as templates
from application.modules.message.models import Channel, Message, State

_LOG = logging.getLogger(__name__)

_NOTE_AGAIN_SECONDS = (0.2, 1, 3, 10)
"""How long to rest before the note of a success is tried again: what is not noted is sent once more."""

MOST_ATTEMPTS = 12
"""How often a message is tried; the waits between grow from a second to ten minutes, half an hour in all."""


class MessageNotFound(NotFound):
    """There is no such message."""


class Pending(Record):
    """Hold what one attempt needs to know of a message."""

    id: str
    channel: str
    recipient: str
    template: str
    language: str
    parameters: str
    secrets: str | None
    state: str
    attempts: int

    def secret_values(self) -> dict[str, Any]:
        """Return the parameters that are secret."""
        found: dict[str, Any] = {} if self.secrets is None else msgspec.json.decode(self.secrets)
        return found

    def values(self) -> dict[str, Any]:
        """Return all parameters."""
        found: dict[str, Any] = {**msgspec.json.decode(self.parameters), **self.secret_values()}
        return found


_LOCK = (
    sa.select(
        Message.id,
        Message.channel,
        Message.recipient,
        Message.template,
        Message.language,
        Message.parameters,
        Message.secrets,
        Message.state,
        Message.attempts,
    )
    .where(Message.id == sa.bindparam("message_id"))
    .with_for_update()
)
_BEGIN = sa.update(Message).where(Message.id == sa.bindparam("message_id")).values(attempts=Message.attempts + 1)
_END = sa.update(Message).where(
    Message.id == sa.bindparam("message_id"),
    Message.state == State.QUEUED,
    Message.attempts == sa.bindparam("attempt"),  # one that was taken for dead has no say
)


def deliver(message_id: str, *, is_last: bool = False) -> str:
    """Send a message that is queued, write down what became of it and return that; one that is not is left alone.

    With `is_last` nobody tries again. Raises `TemporaryFailure` where another attempt may help, `PermanentFailure`
    where none will.
    """
    with transaction():
        pending = _begin(message_id)
    if pending.state != State.QUEUED:
        return pending.state
    try:
        reply = _send(pending)
    except TemporaryFailure as failure:
        raise _note_failure(pending, failure, is_last=is_last or pending.attempts >= MOST_ATTEMPTS) from None
    except PermanentFailure as failure:
        raise _note_failure(pending, failure, is_last=True) from None
    except Exception as error:  # a mistake of ours, as in a template that has changed: it must not stay queued
        _note_failure(pending, PermanentFailure(type(error).__name__), is_last=True)
        raise
    _note_success(pending, reply)
    _LOG.info("Message %s (%s, %s) was sent", pending.id, pending.channel, pending.template)
    return State.SENT


def _begin(message_id: str) -> Pending:
    row = execute(_LOCK, message_id=message_id).one_or_none()
    if row is None:
        raise MessageNotFound
    if row.state == State.QUEUED:
        change(_BEGIN, message_id=message_id)
    return Pending(*row[:-1], attempts=row.attempts + 1)


def _send(pending: Pending) -> str:
    values = pending.values()
    written = templates.write(
        templates.find(pending.template, pending.channel), pending.channel, pending.language, values
    )
    senders = outgoing()
    if pending.channel == Channel.SMS:
        code = str(values.get("code") or "")
        sms = Sms(pending.id, pending.recipient, written.text, pending.template, pending.language, code)
        return senders.sms.send(sms)
    mail = compose(
        message_id=pending.id,
        sender=senders.mail_from,
        to=pending.recipient,
        subject=written.subject or "",
        text=written.text,
        html=written.html,
        language=pending.language,
        at=now(),
    )
    return senders.mail.send(mail)


def _note_success(pending: Pending, reply: str) -> None:
    """Write down that the server has the message; a database that is away meanwhile is asked again for some seconds."""
    sent_at, failures = now(), 0
    while True:
        try:
            with transaction():
                _end(pending, state=State.SENT, reply=_masked(pending, reply), secrets=None, sent_at=sent_at)
        except Unavailable:
            if failures == len(_NOTE_AGAIN_SECONDS):
                raise
            time.sleep(_NOTE_AGAIN_SECONDS[failures])
            failures += 1
        else:
            return


def _note_failure(
    pending: Pending, failure: TemporaryFailure | PermanentFailure, *, is_last: bool
) -> TemporaryFailure | PermanentFailure:
    """Write down why an attempt failed; return what the task is to end with, in which nothing is secret."""
    reason = _masked(pending, str(failure))
    with transaction():
        if is_last:
            _end(pending, state=State.FAILED, reply=reason, secrets=None, failed_at=now())
        else:
            _end(pending, reply=reason)
    if is_last:
        return PermanentFailure(reason)
    return TemporaryFailure(reason, retry_after_seconds=getattr(failure, "retry_after_seconds", None))


def _end(pending: Pending, **values: Any) -> None:
    change(_END, message_id=pending.id, attempt=pending.attempts, **values)


def _masked(pending: Pending, text: str) -> str:
    return said(Redaction(str(value) for value in pending.secret_values().values())(text))
