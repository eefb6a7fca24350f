"""Steer jobs: what becomes of one stands here once, and one or hundreds are written in the same few statements.

Whoever calls has read the jobs in the current unit of work, and locked those that change. A job that somebody else
changed all the same stays as it is, and is not among what is returned.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.database import after_commit, change
from application.extensions import scheduler
from application.libs import trigger
from application.libs.clock import now
from application.libs.error import Conflict
from application.libs.ident import new_id
from application.libs.record import Record
from application.libs.trigger import to_micros
from application.modules.scheduler.business import alert, event, history, pausing
from application.modules.scheduler.business.definition import Unreadable, build_trigger, decode
from application.modules.scheduler.models import Run
from application.modules.scheduler.store import Change, StoredJob, Stores

MOST = 500
"""How many jobs are steered at once: whoever has more calls again."""


class RunRequested(Conflict):
    """A run of this job was requested at the very same instant; ask again."""


class Resumption(Record):
    """Hold the ids of the jobs that were changed, and which of them have ended and were deleted.

    `faults` is why jobs cannot be restored, by their ids.
    """

    changed: Collection[str]
    ended: Collection[str]
    faults: Mapping[str, str]


_INSERT_RUN = sa.insert(Run)


def pause(jobs: Sequence[StoredJob], *, by: str) -> Collection[str]:
    """Take jobs off the schedule and return their ids; one that is paused stays whose pause it is."""
    moment = now()
    on_schedule = [job for job in jobs if job.next_run_time is not None]
    paused = _stores().change_many([(job, _paused(job, moment, by)) for job in on_schedule])
    _note(on_schedule, paused, "paused", by)
    return paused


def resume(jobs: Sequence[StoredJob], *, by: str) -> Resumption:
    """Put paused jobs on the schedule again; delete those whose triggers have ended."""
    moment = now()
    changes: list[Change] = []
    faults: dict[str, str] = {}
    for job in jobs:
        if job.next_run_time is None:
            try:
                changes.append((job, _resumed(job, moment)))
            except (Unreadable, trigger.BadTriggerError) as error:
                faults[job.id] = str(error)
    done = _stores().change_many(changes)
    resumed = [job for job, values in changes if values is not None]
    ended = [job for job, values in changes if values is None]
    pausing.note([job for job, _values in changes if job.id in done], moment)
    _note(resumed, done, "resumed", by)
    _note(ended, done, "removed", by)
    return Resumption(done, done.intersection(job.id for job in ended), faults)


def delete(jobs: Sequence[StoredJob], *, by: str) -> Collection[str]:
    """Delete jobs and return their ids; their runs and changes stay."""
    deleted = _stores().change_many([(job, None) for job in jobs])
    alert.forget(deleted)
    _note(jobs, deleted, "removed", by)
    return deleted


def request_runs(jobs: Sequence[StoredJob], *, by: str) -> Mapping[str, str]:
    """Ask the leader to run jobs now, paused or not; return the ids of the runs by those of the jobs.

    Raises `RunRequested` for all of them.
    """
    moment = to_micros(now())
    run_ids = {job.id: new_id() for job in jobs}
    if jobs:
        change(_INSERT_RUN, [_requested(job, run_ids[job.id], moment, by) for job in jobs], conflict=RunRequested)
        after_commit(scheduler.wakeup)
    for job_id, run_id in run_ids.items():
        event.note_run(job_id, run_id, "queued", by=by)
    return run_ids


def _stores() -> Stores:
    stores: Stores = scheduler.setup.stores
    return stores


def _paused(job: StoredJob, moment: datetime, by: str) -> Mapping[str, Any]:
    return {"next_run_time": None, "paused_by": by, "updated_at": moment, **pausing.begun(job, moment)}


def _resumed(job: StoredJob, moment: datetime) -> Mapping[str, Any] | None:
    """Return what a job becomes on the schedule again, None where its trigger has ended."""
    after = trigger.next_fire(build_trigger(decode(job.definition)), None, moment)
    if after is None:
        return None
    return {"next_run_time": to_micros(after), "paused_by": None, "updated_at": moment, **pausing.OVER}


def _requested(job: StoredJob, run_id: str, moment: int, by: str) -> dict[str, Any]:
    return {
        "id": run_id,
        "job_id": job.id,
        "scheduled_at": moment,
        "status": "queued",
        "cause": "manual",
        "requested_by": by,
        "fires": 1,
        "attempts": 0,
        "due_at": moment,
        "definition": job.definition,
    }


def _note(jobs: Iterable[StoredJob], done: Collection[str], action: history.Action, by: str) -> None:
    """Write down what was done with those jobs with which it was."""
    changed = [job for job in jobs if job.id in done]
    history.note_all(changed, action, by=by)
    if changed:
        after_commit(scheduler.wakeup)
