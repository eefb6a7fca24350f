"""Ask runs to end: what waits never begins, what runs is told so by the process that has it in hand."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.database import after_commit, change, execute
from application.extensions import scheduler
from application.libs.error import Conflict, NotFound
from application.libs.outcome_text import MESSAGE_LENGTH
from application.modules.scheduler.business import event
from application.modules.scheduler.business.outcome import Subject
from application.modules.scheduler.models import Attempt, Run
from application.modules.task.business import ask_to_end

WAITING = ("queued", "held")
OPEN = (*WAITING, "running")
"""What a run is that has not ended."""


class RunNotFound(NotFound):
    """There is no such run."""


class RunEnded(Conflict):
    """The run has ended already."""


_FOUND = (
    sa.select(Run.id.label("run_id"), Run.job_id, Run.status).where(Run.id == sa.bindparam("run_id")).with_for_update()
)
_WAITS = sa.update(Run).where(Run.id == sa.bindparam("run_id"), Run.status.in_(WAITING))
_ASK = sa.update(Run).where(Run.id == sa.bindparam("run_id"), Run.status == "running", Run.stop_reason.is_(None))
_HEED = (
    _WAITS.where(Run.stop_reason.is_not(None))
    .values(status="cancelled", due_at=None, reason=Run.stop_reason)
    .values(finished_at=sa.bindparam("moment", type_=Run.finished_at.type))
)
_TASKS = sa.select(Attempt.task_id).where(
    Attempt.run_id == sa.bindparam("run_id"), Attempt.status == "running", Attempt.task_id.is_not(None)
)
_ASKED = (
    sa.select(Attempt.id, Run.stop_reason)
    .join(Run, Run.id == Attempt.run_id)
    .where(Attempt.id.in_(sa.bindparam("ids", expanding=True)), Run.stop_reason.is_not(None))
)


def cancel(run_id: str, *, by: str, moment: datetime) -> None:
    """Cancel a run that has not ended; raise `RunNotFound` or `RunEnded`."""
    row = execute(_FOUND, run_id=run_id).one_or_none()
    if row is None:
        raise RunNotFound
    if row.status not in OPEN:
        raise RunEnded(f"The run has {row.status} already; there is nothing to cancel")
    ask(row, f"cancelled by {by}", moment)


def ask(run: Subject, reason: str, moment: datetime) -> None:
    """Let a run that waits never begin, and ask one that runs to end; whatever has ended stays as it is."""
    reason = reason[:MESSAGE_LENGTH]
    how: dict[str, Any] = {
        "status": "cancelled",
        "due_at": None,
        "finished_at": moment,
        "reason": reason,
        "stop_reason": reason,
    }
    if change(_WAITS, run_id=run.run_id, **how):
        event.note_run(run.job_id, run.run_id, "cancelled", reason=reason)
    elif change(_ASK, run_id=run.run_id, stop_reason=reason):
        for row in execute(_TASKS, run_id=run.run_id).all():
            ask_to_end(str(row.task_id), reason, moment)
    after_commit(scheduler.wakeup)


def heed(run: Subject, moment: datetime) -> None:
    """Let no further attempt begin of a run that was asked to end while the last one ran."""
    if change(_HEED, run_id=run.run_id, moment=moment):
        event.note_run(run.job_id, run.run_id, "cancelled", reason=None)


def asked(attempt_ids: Collection[str]) -> Mapping[str, str]:
    """Return which of these attempts were asked to end, and why."""
    return {row.id: row.stop_reason for row in execute(_ASKED, ids=sorted(attempt_ids))}
