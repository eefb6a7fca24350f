"""Hold what is due while the leader's machine is short of memory, as rows that say so.

A job that is due keeps its place: the row stands for its first instant, and what the others become is judged when
there is memory again. A run that waits goes back into the queue then.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.database import change, execute
from application.libs.ident import new_id
from application.libs.record import Record
from application.libs.trigger import to_micros
from application.modules.scheduler.business import event
from application.modules.scheduler.models import Job, Run
from application.modules.scheduler.store import DueJob

MOST_HELD = 500
"""How many rows one unit of work writes of a kind; the rest follows at the next tick."""

_GIVEN_UP = "; its job was paused, changed or deleted meanwhile"

_OF_ITS_INSTANT = sa.and_(Run.job_id == Job.id, Run.scheduled_at == Job.next_run_time)

_RUNS = sa.select(Run.id, Run.job_id, Run.scheduled_at, Run.reason).order_by(Run.id).limit(MOST_HELD).with_for_update()
_QUEUED = _RUNS.where(Run.status == "queued", Run.due_at <= sa.bindparam("moment"), Run.reason.is_(None))
_WAITING = _RUNS.where(Run.status == "held", Run.due_at.is_not(None))
_OUTDATED = _RUNS.where(
    Run.status == "held",
    Run.due_at.is_(None),
    ~sa.exists().where(_OF_ITS_INSTANT, Job.quarantine.is_(None)),
)
_BECOME = sa.update(Run).where(Run.id.in_(sa.bindparam("run_ids", expanding=True)))
_DUE = (
    sa.select(Job.id, Job.definition, Job.next_run_time)
    .where(
        Job.next_run_time <= sa.bindparam("moment"),
        Job.quarantine.is_(None),
        ~sa.exists().where(_OF_ITS_INSTANT),
    )
    .order_by(Job.next_run_time, Job.id)
    .limit(MOST_HELD)
)
_INSERT = sa.insert(Run)
_OF_JOBS = sa.select(Run.job_id, Run.scheduled_at).where(
    Run.job_id.in_(sa.bindparam("job_ids", expanding=True)), Run.scheduled_at >= sa.bindparam("oldest")
)
_LEFT = sa.select(Run.id).where(Run.status == "held").limit(1)
_REMOVE = sa.delete(Run).where(Run.id.in_(sa.bindparam("run_ids", expanding=True)))


class Shortage(Record):
    """Hold how many megabytes are free, and how many must be."""

    free_mb: float
    needed_mb: float

    def __str__(self) -> str:
        """Say so."""
        return f"held for memory: {self.free_mb:.0f} MB free, {self.needed_mb:.0f} needed"


def hold(shortage: Shortage, moment: datetime, *, schedule: bool, foreign: Sequence[DueJob] = ()) -> None:
    """Hold each run that is due and has waited for nothing else, and with `schedule` the first fire of each due job.

    `foreign` are the due jobs of stores outside the database.
    """
    micros, told = to_micros(moment), str(shortage)
    _become(execute(_QUEUED, moment=micros).all(), "held", reason=told)
    due = [*execute(_DUE, moment=micros), *_not_written(foreign)] if schedule else []
    held = [
        {
            "id": new_id(),
            "job_id": row.id,
            "scheduled_at": row.next_run_time,
            "status": "held",
            "cause": "schedule",
            "reason": told,
            "fires": 1,
            "attempts": 0,
            "definition": row.definition,
        }
        for row in due
    ]
    if held:
        change(_INSERT, held)
    for run in held:
        event.note_run(run["job_id"], run["id"], "held", reason=told)


def release(moment: datetime, foreign: Sequence[DueJob] = ()) -> bool:
    """Let what waits go on, and give up the fires whose jobs are no longer due at their instant.

    `foreign` are the due jobs of stores outside the database. Returns whether a fire is left whose job is due: it is
    judged when its job is claimed.
    """
    _become(execute(_WAITING).all(), "queued", reason=None)
    due_elsewhere = {(job.id, job.next_run_time) for job in foreign}
    by_reason: dict[str, list[Any]] = {}
    for run in execute(_OUTDATED):
        if (run.job_id, run.scheduled_at) not in due_elsewhere:
            by_reason.setdefault(f"{run.reason}{_GIVEN_UP}", []).append(run)
    for reason, runs in by_reason.items():
        _become(runs, "missed", reason=reason, finished_at=moment)
    return execute(_LEFT).first() is not None


def _become(runs: Sequence[Any], status: str, *, reason: str | None, **values: Any) -> None:
    """Write what has become of runs, which are locked, and tell whoever watches."""
    if runs:
        change(_BECOME, run_ids=[run.id for run in runs], status=status, reason=reason, **values)
    for run in runs:
        event.note_run(run.job_id, run.id, status, reason=reason)


def _not_written(jobs: Sequence[DueJob]) -> list[DueJob]:
    """Leave out the jobs whose instant has a row."""
    if not jobs:
        return []
    oldest = min(job.next_run_time for job in jobs)
    written = {tuple(row) for row in execute(_OF_JOBS, job_ids=[job.id for job in jobs], oldest=oldest)}
    return [job for job in jobs if (job.id, job.next_run_time) not in written]


def remove(run_ids: Collection[str]) -> None:
    """Take away the rows of fires that are judged now."""
    if run_ids:
        change(_REMOVE, run_ids=list(run_ids))
