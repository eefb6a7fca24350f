"""Keep jobs in the application's database, in the current unit of work: what it locks nobody else changes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.database import change, execute, rewrite
from application.modules.scheduler.models import Job
from application.modules.scheduler.store.record import Change, Count, DueJob, JobChanged, Place, StoredJob

_COLUMNS = [getattr(Job, name) for name in StoredJob.__struct_fields__ if name not in ("store", "kept")]
_JOBS = sa.select(*_COLUMNS)
_FIRST = _JOBS.where(Job.next_run_time.is_not(None)).order_by(Job.next_run_time, Job.id)

_BEHIND = _FIRST.where(
    Job.next_run_time >= sa.bindparam("due"),  # lets an index seek to the place
    sa.or_(Job.next_run_time > sa.bindparam("due"), Job.id > sa.bindparam("job_id")),
)
_PAUSED_BEHIND = _JOBS.where(Job.next_run_time.is_(None), Job.id > sa.bindparam("job_id")).order_by(Job.id)
_JOB = _JOBS.where(Job.id == sa.bindparam("job_id"))
_JOB_LOCKED = _JOB.with_for_update()
_SOME = _JOBS.where(Job.id.in_(sa.bindparam("job_ids", expanding=True)))
_SOME_LOCKED = _SOME.order_by(Job.id).with_for_update()  # in one order, so that nobody waits for each other
_quarantined = Job.quarantine.is_not(None)
_paused = sa.and_(Job.next_run_time.is_(None), Job.quarantine.is_(None))
_COUNT = sa.select(
    sa.func.count(),
    sa.func.coalesce(sa.func.sum(sa.case((_quarantined, 1), else_=0)), 0),
    sa.func.coalesce(sa.func.sum(sa.case((_paused, 1), else_=0)), 0),
).select_from(Job)
_DECLARED = _JOBS.where(
    sa.or_(Job.id.in_(sa.bindparam("job_ids", expanding=True)), Job.declaration.is_not(None)),
)
_DUE_JOBS = sa.select(Job.id, Job.definition, Job.next_run_time)
_SCHEDULED = (
    _DUE_JOBS.where(Job.next_run_time.is_not(None), Job.quarantine.is_(None), Job.id != sa.bindparam("besides"))
    .order_by(Job.next_run_time)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_DUE = (
    _DUE_JOBS.where(Job.next_run_time <= sa.bindparam("moment"), Job.quarantine.is_(None))
    .order_by(Job.next_run_time, Job.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update()
)
_NEXT_TIME = (
    sa.select(Job.next_run_time)
    .where(Job.next_run_time > sa.bindparam("moment"), Job.quarantine.is_(None))
    .order_by(Job.next_run_time)
    .limit(1)  # of a minimum, MariaDB reads every row
)
_INSERT = sa.insert(Job)
_UPDATE = sa.update(Job).where(Job.id == sa.bindparam("job_id"))
_ADVANCE = _UPDATE.values(next_run_time=sa.bindparam("after"))
_RELEASE_QUARANTINE = sa.update(Job).where(Job.quarantine.is_not(None)).values(quarantine=None)
_DELETE = sa.delete(Job).where(Job.id == sa.bindparam("job_id"))
_DELETE_SOME = sa.delete(Job).where(Job.id.in_(sa.bindparam("job_ids", expanding=True)))


class DatabaseStore:
    """Be the table `scheduler_job`."""

    is_local = False

    def __init__(self, alias: str) -> None:
        """Keep the jobs that choose this alias."""
        self.alias = alias

    def get(self, job_id: str) -> StoredJob | None:
        """Return a job."""
        return self._one(_JOB, job_id)

    def lock(self, job_id: str) -> StoredJob | None:
        """Return a job, which nobody else changes before the unit of work ends."""
        return self._one(_JOB_LOCKED, job_id)

    def page(self, behind: Place | None, limit: int) -> Sequence[StoredJob]:
        """Return jobs behind a place in the list, by their next run and id; among the paused ones by id."""
        if behind is None:
            return [self._job(row) for row in execute(_FIRST.limit(limit))]
        due, job_id = behind
        if due is not None:
            return [self._job(row) for row in execute(_BEHIND.limit(limit), due=due, job_id=job_id)]
        return [self._job(row) for row in execute(_PAUSED_BEHIND.limit(limit), job_id=job_id)]

    def some(self, job_ids: Collection[str]) -> Sequence[StoredJob]:
        """Return the jobs of these ids, as far as they are there."""
        return [self._job(row) for row in execute(_SOME, job_ids=list(job_ids))]

    def lock_some(self, job_ids: Collection[str]) -> Sequence[StoredJob]:
        """Return the jobs of these ids by id, which nobody else changes before the unit of work ends."""
        return [self._job(row) for row in execute(_SOME_LOCKED, job_ids=list(job_ids))]

    def count(self) -> Count:
        """Return how many jobs there are."""
        return Count(*(int(number) for number in execute(_COUNT).one()))

    def declared(self, job_ids: Collection[str]) -> Sequence[StoredJob]:
        """Return the jobs of these ids, and those that the code declared whatever their id."""
        return [self._job(row) for row in execute(_DECLARED, job_ids=list(job_ids))]

    def scheduled(self, limit: int, *, besides: str) -> Sequence[DueJob]:
        """Return the jobs that fire next, but one."""
        return [_due(row) for row in execute(_SCHEDULED, most=limit, besides=besides)]

    def due(self, moment: int, limit: int) -> Sequence[DueJob]:
        """Return the jobs that are due, the oldest first, and lock them."""
        return [_due(row) for row in execute(_DUE, moment=moment, most=limit)]

    def next_time(self, after: int) -> int | None:
        """Return when the next job is due after an instant."""
        return execute(_NEXT_TIME, moment=after).scalar_one_or_none()

    def insert(self, job: StoredJob) -> None:
        """Add a job; raise `JobChanged` where there is one of its id."""
        change(_INSERT, conflict=JobChanged, **_values(job))

    def replace(self, seen: StoredJob, changes: Mapping[str, Any]) -> None:
        """Change a job, which is locked."""
        change(_UPDATE, job_id=seen.id, **changes)

    def delete(self, seen: StoredJob) -> None:
        """Delete a job, which is locked."""
        change(_DELETE, job_id=seen.id)

    def change_many(self, changes: Sequence[Change]) -> Collection[str]:
        """Change or delete jobs, which are locked: one statement for all that change the same columns."""
        rows: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for seen, values in changes:
            if values is not None:
                rows.setdefault(tuple(values), []).append({**_values(seen), **values})
        for columns, alike in rows.items():
            rewrite(Job, alike, columns)
        deleted = [seen.id for seen, values in changes if values is None]
        if deleted:
            change(_DELETE_SOME, job_ids=deleted)
        return {seen.id for seen, _values in changes}

    def advance(self, jobs: Sequence[tuple[DueJob, int]]) -> None:
        """Set when jobs are due next, which are locked; all in one statement."""
        if jobs:
            change(_ADVANCE, [{"job_id": job.id, "after": after} for job, after in jobs])

    def end(self, job: DueJob) -> None:
        """Delete a job whose trigger has ended, which is locked."""
        change(_DELETE, job_id=job.id)

    def quarantine(self, job: DueJob, reason: str, moment: datetime) -> None:
        """Put a job aside that cannot be restored."""
        change(_UPDATE, job_id=job.id, quarantine=reason, quarantined_at=moment)

    def release_quarantine(self) -> None:
        """Let all that was put aside be tried again."""
        change(_RELEASE_QUARANTINE)

    def close(self) -> None:
        """Have nothing to close: the connection is the application's."""

    def _one(self, statement: sa.Select[Any], job_id: str) -> StoredJob | None:
        row = execute(statement, job_id=job_id).one_or_none()
        return None if row is None else self._job(row)

    def _job(self, row: Any) -> StoredJob:
        fields: tuple[Any, ...] = (*row, self.alias)
        return StoredJob(*fields)


def _values(job: StoredJob) -> dict[str, Any]:
    return {column.key: getattr(job, column.key) for column in _COLUMNS}


def _due(row: Any) -> DueJob:
    return DueJob(*row)
