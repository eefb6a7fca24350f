"""Say how many runs of a job may go on at once, and what becomes of one that comes when as many do."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.database import execute
from application.libs.record import Record
from application.libs.trigger import to_micros
from application.modules.scheduler.business import cancelling, outcome
from application.modules.scheduler.business.definition import Definition, Unreadable, decode
from application.modules.scheduler.models import Run

MOST_WAITING = 100
"""How many runs of one job wait for others to end: a queue that is longer would be late for ever."""

_WAITING = sa.select(sa.func.count()).where(
    Run.job_id == sa.bindparam("job_id"), Run.status == "queued", Run.attempts == 0, Run.reason.is_not(None)
)
_WAITING_RUNS = sa.select(Run.id).where(
    Run.job_id == sa.bindparam("job_id"), Run.status == "queued", Run.attempts == 0, Run.reason.is_not(None)
)


class Occupant(Record):
    """Hold a run that goes on: of which job, as what, and since when."""

    job_id: str
    definition: str
    run_id: str
    since: datetime


class Room:
    """Count the runs of each job that go on, and say which job is full."""

    def __init__(self, occupants: Iterable[Occupant] = ()) -> None:
        """Count what goes on."""
        self._occupants: dict[str, list[Occupant]] = {}
        self._waiting: dict[str, int] = {}
        self.full: set[str] = set()
        for occupant in occupants:
            self.take(occupant)

    def take(self, occupant: Occupant) -> None:
        """Count one more run; a definition that cannot be read fills the job, for nothing more can be begun."""
        occupants = self._occupants.setdefault(occupant.job_id, [])
        occupants.append(occupant)
        job = _read(occupant.definition)
        if job is None or len(occupants) >= job.max_instances:
            self.full.add(occupant.job_id)

    def judge(self, job_id: str, definition: str, moment: datetime, *, together: bool = False) -> dict[str, Any]:
        """Return what a run becomes that comes while its job is full: it waits, or is skipped, and says for which run.

        What waits has a reason, and is not judged again. What was due `together` with the run that goes on is to run.
        """
        job = _read(definition)
        overlap = "skip" if job is None else job.overlap
        if overlap == "replace" and not together:
            return self._replacing(job_id, moment)
        if overlap != "queue":
            if together:
                return self._waiting_for(job_id, moment)
            return self._skipped(f"overlaps with {self._taken_by(job_id)}", moment)
        if self._count_waiting(job_id) >= MOST_WAITING:
            return self._skipped(f"{MOST_WAITING} runs wait already for {self._taken_by(job_id)}", moment)
        self._waiting[job_id] += 1
        return self._waiting_for(job_id, moment)

    def _replacing(self, job_id: str, moment: datetime) -> dict[str, Any]:
        """Let a run wait in place of all that wait already, and ask the one that goes on the longest to end."""
        told = f"replaced by a newer run, at {moment.isoformat()}"
        for run_id in execute(_WAITING_RUNS, job_id=job_id).scalars().all():
            older = Occupant(job_id, "", run_id, moment)
            outcome.become(older, self._skipped(told, moment))
        cancelling.ask(self._oldest(job_id), told, moment)
        return self._waiting_for(job_id, moment)

    def _oldest(self, job_id: str) -> Occupant:
        return min(self._occupants[job_id], key=lambda occupant: occupant.since)

    def _waiting_for(self, job_id: str, moment: datetime) -> dict[str, Any]:
        return {"status": "queued", "due_at": to_micros(moment), "reason": f"waits for {self._taken_by(job_id)}"}

    def _taken_by(self, job_id: str) -> str:
        """Say which run goes on the longest, since when, and how many do."""
        oldest, count = self._oldest(job_id), len(self._occupants[job_id])
        return f"run {oldest.run_id}, which runs since {oldest.since.isoformat()}; {count} at once"

    def _count_waiting(self, job_id: str) -> int:
        if job_id not in self._waiting:
            self._waiting[job_id] = execute(_WAITING, job_id=job_id).scalar_one()
        return self._waiting[job_id]

    @staticmethod
    def _skipped(reason: str, moment: datetime) -> dict[str, Any]:
        return {"status": "skipped", "due_at": None, "finished_at": moment, "reason": reason}


def _read(definition: str) -> Definition | None:
    try:
        return decode(definition)
    except Unreadable:
        return None
