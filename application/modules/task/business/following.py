"""Follow tasks that a rule has enqueued: how they ended, and to ask them to end."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.database import change, execute
from application.libs.outcome_text import Fault
from application.libs.record import Record
from application.libs.task import MOST_MESSAGE
from application.modules.task.business.attempting import ENDED
from application.modules.task.models import OPEN, WAITING, Task

GONE = "gone"
"""What a task is said to be that has no row."""

_ROWS = sa.select(
    Task.id, Task.state, Task.message, Task.error_type, Task.error_message, Task.traceback, Task.finished_at
).where(Task.id.in_(sa.bindparam("ids", expanding=True)))
_CANCEL = sa.update(Task).where(Task.id == sa.bindparam("task_id"), Task.state.in_(WAITING))
_ASK = sa.update(Task).where(Task.id == sa.bindparam("task_id"), Task.state == "running", Task.stop_reason.is_(None))


class TaskEnding(Record):
    """Hold how a task ended: its last state, what it said for people, and what it raised."""

    state: str
    message: str
    fault: Fault | None = None
    finished_at: datetime | None = None


def endings(task_ids: Collection[str]) -> dict[str, TaskEnding]:
    """Return how those of the tasks ended, some hundreds at most, that do not go on; one without a row is gone."""
    ids = sorted(task_ids)
    rows = {row.id: row for row in execute(_ROWS, ids=ids)}
    return {
        task_id: TaskEnding(GONE, "its row is gone") if task_id not in rows else _ending(rows[task_id])
        for task_id in ids
        if task_id not in rows or rows[task_id].state not in OPEN
    }


def ask_to_end(task_id: str, reason: str, moment: datetime) -> None:
    """Let a task that waits never begin, and ask one that runs to end; one that has ended stays as it is."""
    values: dict[str, Any] = {"message": reason[:MOST_MESSAGE], "stop_reason": reason, **ENDED}
    if not change(_CANCEL, task_id=task_id, state="cancelled", finished_at=moment, **values):
        change(_ASK, task_id=task_id, stop_reason=reason)


def _ending(row: Any) -> TaskEnding:
    fault = None
    if row.error_type is not None:
        fault = Fault(type=row.error_type, message=row.error_message or "", traceback=row.traceback or "")
    return TaskEnding(state=row.state, message=row.message or row.state, fault=fault, finished_at=row.finished_at)
