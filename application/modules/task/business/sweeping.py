"""Look after tasks that nobody has in hand: what is due is queued and rung for, what fell silent begins anew.

Any number of processes may do so at once: each change is made under the condition that nobody has made it before.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from application.database import after_commit, change, execute
from application.libs.record import Record
from application.libs.task import MOST_PRIORITY
from application.libs.watch import Watch
from application.modules.task.business.attempting import ENDED, after_loss
from application.modules.task.models import WAITING, Task

_LOG = logging.getLogger(__name__)

PATIENCE = 5
"""How often a task is left because the queue it should stand in is not empty; then it is rung for all the same."""

MOST_RINGS = 100
"""How many tasks are rung for in one sweep."""


class Waiting(Record):
    """Hold a task that is to be rung for."""

    id: str
    queue: str
    priority: int


class Running(Record):
    """Hold a task that runs somewhere; `beat` moves as long as its process lives."""

    id: str
    name: str
    attempt: int
    losses: int
    beat: int
    stop_reason: str | None


class Outlook(Record):
    """Hold what there is to look after."""

    next_at: datetime | None
    """When something that waits for later is due."""
    is_due: bool
    """Whether something is to be rung for."""
    running: Sequence[Running]


_TIME = Task.due_at.type
_NEXT = sa.select(sa.func.min(Task.due_at)).where(Task.state == "scheduled")
_DUE = sa.select(Task.id).where(Task.state == "queued", Task.due_at <= sa.bindparam("moment", type_=_TIME)).limit(1)
_RUNNING = sa.select(Task.id, Task.name, Task.attempt, Task.losses, Task.beat, Task.stop_reason).where(
    Task.state == "running"
)
_LEFT = _RUNNING.where(Task.worker == sa.bindparam("worker"))
_EXPIRED = sa.select(Task.id).where(Task.expires_at <= sa.bindparam("moment", type_=_TIME)).limit(1)
_QUEUE = (
    sa.update(Task)
    .where(Task.state == "scheduled", Task.due_at <= sa.bindparam("moment", type_=_TIME))
    .values(state="queued", rings=0, due_at=sa.bindparam("moment", type_=_TIME))
)
_EXPIRE = (
    sa.update(Task)
    .where(Task.state.in_(WAITING), Task.expires_at <= sa.bindparam("moment", type_=_TIME))
    .values(state="expired", finished_at=sa.bindparam("moment", type_=_TIME), message="Not begun in time", **ENDED)
)
_DUE_NOW = (Task.state == "queued", Task.due_at <= sa.bindparam("moment", type_=_TIME))
_LEAVE = (
    sa.update(Task)
    .where(*_DUE_NOW, Task.queue.in_(sa.bindparam("busy", expanding=True)), Task.rings < PATIENCE)
    .values(rings=Task.rings + 1, due_at=sa.bindparam("later", type_=_TIME))
)
_TAKE = (
    sa.select(Task.id, Task.queue, (MOST_PRIORITY - Task.rank).label("priority"))
    .where(*_DUE_NOW)
    .order_by(Task.rank, Task.id)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
_AGAIN = (
    sa.update(Task)
    .where(Task.id.in_(sa.bindparam("ids", expanding=True)), Task.state == "queued")
    .values(rings=0, due_at=sa.bindparam("later", type_=_TIME))
)
_GIVE_UP = sa.update(Task).where(
    Task.id == sa.bindparam("task_id"),
    Task.state == "running",
    Task.attempt == sa.bindparam("seen_attempt"),
    Task.beat == sa.bindparam("seen_beat"),
)


def look(moment: datetime) -> Outlook:
    """See what there is to do; it only reads."""
    return Outlook(
        next_at=execute(_NEXT).scalar_one(),
        is_due=execute(_DUE, moment=moment).first() is not None,
        running=[Running(*row) for row in execute(_RUNNING)],
    )


def left_by(worker: str) -> list[Running]:
    """Return what runs in a process, which is known to be gone."""
    return [Running(*row) for row in execute(_LEFT, worker=worker)]


def is_any_expired(moment: datetime) -> bool:
    """Tell whether something that waits may not begin any more."""
    return execute(_EXPIRED, moment=moment).first() is not None


def queue_due(moment: datetime) -> int:
    """Queue what has waited for its time; return how much."""
    return change(_QUEUE, moment=moment)


def expire(moment: datetime) -> int:
    """End what was not begun in time; return how much."""
    return change(_EXPIRE, moment=moment)


def leave(busy: Collection[str], moment: datetime, *, seconds: float) -> None:
    """Leave what is due in these queues for a while: the rings that wait there are for it; at last it is due again."""
    if busy:
        change(_LEAVE, moment=moment, busy=sorted(busy), later=moment + timedelta(seconds=seconds))


def take(moment: datetime, *, most: int, again_seconds: float) -> list[Waiting]:
    """Return what is to be rung for, the most urgent first, and let it be due again after a while."""
    found = [Waiting(*row) for row in execute(_TAKE, moment=moment, most=most)]
    if found:
        change(_AGAIN, ids=[one.id for one in found], later=moment + timedelta(seconds=again_seconds))
    return found


def silent(running: Sequence[Running], watch: Watch, *, ours: Collection[str]) -> list[Running]:
    """Return what runs in a process that has fallen silent; what this one has in hand never does."""
    key = {one.id: f"{one.id} {one.attempt}" for one in running}
    silences = watch.silent({key[one.id]: one.beat for one in running}, ours={key[one] for one in ours if one in key})
    return [one for one in running if key[one.id] in silences]


def lose(lost: Running, *, most: int, moment: datetime, reason: str) -> bool:
    """Let a task begin anew whose process is gone, or be dead where too many are; return whether nobody was faster."""
    values = after_loss(lost.losses + 1, most=most, moment=moment, reason=reason, stop_reason=lost.stop_reason)
    changed = change(_GIVE_UP, task_id=lost.id, seen_attempt=lost.attempt, seen_beat=lost.beat, **values) > 0
    if changed:
        level = logging.ERROR if values["state"] == "dead" else logging.WARNING
        after_commit(lambda: _LOG.log(level, "Task %s %s is %s: %s", lost.name, lost.id, values["state"], reason))
    return changed
