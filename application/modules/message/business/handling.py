"""Look after messages: find them, see what became of them, try one again, note that one came back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from application.database import change, execute
from application.database.filter import RANGE, TEXT, Filter, Filters
from application.database.keyset import Orders
from application.database.listing import Listing, each
from application.libs.clock import now
from application.libs.delivery import said
from application.libs.error import Conflict
from application.libs.page import Page
from application.libs.record import Record
from application.modules.audit import business as audit
from application.modules.message.business import template as templates
from application.modules.message.business.delivering import MessageNotFound, deliver
from application.modules.message.models import Message, State
from application.modules.task.business import enqueue
from application.modules.task.models import OPEN, Task


class StillTried(Conflict):
    """The message is still being tried."""


class AlreadySent(Conflict):
    """The message was sent; it is not sent twice."""


class SecretsGone(Conflict):
    """What was secret in the message is not kept; let a new one be sent."""


class NotSent(Conflict):
    """The message was not sent, so that it cannot have come back."""


class MessageRow(Record):
    """Hold one message, without what is secret in it."""

    id: str
    channel: str
    recipient: str
    template: str
    language: str
    subject: str | None
    parameters: dict[str, Any]
    state: str
    task_id: str | None
    attempts: int
    reply: str | None
    created_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None


ORDERS = Orders({"created_at": Message.created_at}, tie=Message.id)
FILTERS = Filters(
    {
        "channel": Filter(Message.channel, "eq"),
        "state": Filter(Message.state, "eq"),
        "recipient": Filter(Message.recipient, *TEXT),
        "template": Filter(Message.template, "eq"),
        "created_at": Filter(Message.created_at, *RANGE),
    }
)

_ALL = sa.select(
    Message.id,
    Message.channel,
    Message.recipient,
    Message.template,
    Message.language,
    Message.subject,
    Message.parameters,
    Message.state,
    Message.task_id,
    Message.attempts,
    Message.reply,
    Message.created_at,
    Message.sent_at,
    Message.failed_at,
)
_LIST = Listing(_ALL, ORDERS, FILTERS)
_GET = _ALL.where(Message.id == sa.bindparam("message_id"))
_LOCK = (
    sa.select(Message.state, Message.task_id, Message.template, Message.secrets, Message.recipient, Message.reply)
    .where(Message.id == sa.bindparam("message_id"))
    .with_for_update()
)
_UPDATE = sa.update(Message).where(Message.id == sa.bindparam("message_id"))
_AS_NEW: Mapping[str, Any] = {"attempts": 0, "reply": None, "sent_at": None, "failed_at": None}
_OPEN_TASK = sa.select(Task.id).where(Task.id == sa.bindparam("task_id"), Task.state.in_(OPEN))


def search(
    *, limit: int, after: str | None = None, sort: str = "-created_at", count: bool = False, **filters: object
) -> Page[MessageRow]:
    """List messages; the filters are those of `FILTERS`."""
    return _LIST.page(each(_row), limit=limit, after=after, sort=sort, count=count, filters=filters)


def get(message_id: str) -> MessageRow:
    """Return a message."""
    row = execute(_GET, message_id=message_id).one_or_none()
    if row is None:
        raise MessageNotFound
    return _row(row)


def retry(message_id: str) -> MessageRow:
    """Try a message again that was given up, that came back, or whose task has ended without a word."""
    found = _lock(message_id)
    if found.state == State.SENT:
        raise AlreadySent
    if found.state == State.QUEUED and _is_open(found.task_id):
        raise StillTried
    template = templates.TEMPLATES.get(found.template)
    if found.secrets is None and template is not None and template.secret:
        raise SecretsGone
    task_id = enqueue(deliver, message_id=message_id)
    change(_UPDATE, message_id=message_id, state=State.QUEUED, task_id=task_id, **_AS_NEW)
    audit.record("message.retry", message_id, found.recipient)
    return get(message_id)


def bounce(message_id: str, *, reason: str) -> MessageRow:
    """Note that a message came back after a server had taken it; again, it takes the newer reason."""
    found = _lock(message_id)
    if found.state not in (State.SENT, State.BOUNCED):
        raise NotSent
    change(_UPDATE, message_id=message_id, state=State.BOUNCED, reply=said(reason), failed_at=now())
    after = {"state": State.BOUNCED, "reply": said(reason)}
    audit.record(
        "message.bounce", message_id, found.recipient, before={"state": found.state, "reply": found.reply}, after=after
    )
    return get(message_id)


def _lock(message_id: str) -> sa.Row[*tuple[Any, ...]]:
    row = execute(_LOCK, message_id=message_id).one_or_none()
    if row is None:
        raise MessageNotFound
    return row


def _is_open(task_id: str | None) -> bool:
    return task_id is not None and execute(_OPEN_TASK, task_id=task_id).first() is not None


def _row(row: sa.Row[*tuple[Any, ...]]) -> MessageRow:
    values = dict(zip(MessageRow.__struct_fields__, row, strict=True))
    values["parameters"] = msgspec.json.decode(row.parameters)
    return MessageRow(**values)
