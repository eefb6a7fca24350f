"""Keep the table of messages true and short."""

from datetime import timedelta

import sqlalchemy as sa

from application.database import change, execute
from application.libs.clock import now
from application.modules.message.models import Message, State
from application.modules.task.models import OPEN, Task

_AT_ONCE = 500

_LEFT = (
    sa.select(Message.id, Message.task_id, Task.state)
    .outerjoin(Task, Task.id == Message.task_id)
    .where(
        Message.state == State.QUEUED,
        Message.task_id.is_not(None),
        sa.or_(Task.id.is_(None), Task.state.not_in(OPEN)),
    )
    .order_by(Message.created_at)
    .limit(_AT_ONCE)
)
_GIVE_UP = (
    sa.update(Message)
    .where(
        Message.id == sa.bindparam("message_id"),
        Message.state == State.QUEUED,
        Message.task_id == sa.bindparam("seen"),  # not one that somebody lets try again in this moment
    )
    .values(state=State.FAILED, secrets=None)
)
_OLD = (
    sa.select(Message.id)
    .where(
        Message.state.in_([state for state in State if state is not State.QUEUED]),
        Message.created_at < sa.bindparam("before"),
    )
    .limit(_AT_ONCE)
)
_PRUNE = sa.delete(Message).where(Message.id.in_(sa.bindparam("ids", expanding=True)))


def settle() -> int:
    """Give up the messages whose task has ended without a word, as one that was cancelled; return how many."""
    count = 0
    for message_id, task_id, state in execute(_LEFT).all():
        reply = f"Its task has ended: {state or 'it is gone'}"
        count += change(_GIVE_UP, message_id=message_id, seen=task_id, reply=reply, failed_at=now())
    return count


def prune(*, keep_days: int) -> int:
    """Delete some of what was accepted so many days ago and is tried no more; return how much."""
    ids = list(execute(_OLD, before=now() - timedelta(days=keep_days)).scalars())
    return change(_PRUNE, ids=ids) if ids else 0
