"""Rules about scheduled jobs and their runs, for whoever looks at them or steers them."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from application.database import after_commit, change, execute
from application.database.keyset import Orders
from application.extensions import scheduler
from application.libs import strict_json, trigger
from application.libs.clock import now
from application.libs.error import Conflict, NotFound
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.record import Record
from application.libs.trigger import from_micros, to_micros
from application.modules.scheduler.business.definition import Definition, Unreadable, build_trigger, decode
from application.modules.scheduler.models import JOB_ID_LENGTH, LEASE, Job, Lease, Run

ALIVE_SECONDS = 5
"""How old a leader's last beat may be before people are told that nobody fires; elections do not ask this."""


class JobNotFound(NotFound):
    """There is no such job."""


class JobQuarantined(Conflict):
    """The job cannot be restored; mend its definition first."""


class RunRequested(Conflict):
    """A run of this job was requested at the very same instant; ask again."""


class JobRow(Record):
    """Hold one job; `trigger` has the fields that its type has, `state` is scheduled, paused, ended or quarantined."""

    id: str
    name: str
    func: str
    args: list[Any]
    kwargs: dict[str, Any]
    trigger: dict[str, Any]
    executor: str
    coalesce: bool
    max_instances: int
    misfire_grace_time: int | None
    next_run_time: datetime | None
    state: str
    source: str
    version: int
    paused_by: str | None
    reason: str | None


class RunRow(Record):
    """Hold one run, or why there was none."""

    id: str
    job_id: str
    status: str
    cause: str
    requested_by: str | None
    reason: str | None
    fires: int
    attempt: int
    scheduled_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error_type: str | None
    error_message: str | None
    host: str | None
    process: int | None


class LeaderRow(Record):
    """Hold which process fires."""

    host: str
    process: int


class StatusRow(Record):
    """Hold who leads, if anybody does, and whether the schedule is paused for all."""

    leader: LeaderRow | None
    paused: bool


RUN_ORDERS = Orders({"id": Run.id}, tie=Run.id)
_NEWEST_FIRST = "-id"  # ids grow with time

_JOBS = sa.select(
    Job.id,
    Job.definition,
    Job.version,
    Job.source,
    Job.next_run_time,
    Job.paused_by,
    Job.quarantine,
)
_BY_NEXT_RUN = _JOBS.order_by(Job.next_run_time.is_(None), Job.next_run_time, Job.id)
_JOB = _JOBS.where(Job.id == sa.bindparam("job_id"))
_JOB_LOCKED = _JOB.with_for_update()
_SCHEDULE = sa.update(Job).where(Job.id == sa.bindparam("job_id"))
_DELETE = sa.delete(Job).where(Job.id == sa.bindparam("job_id"))
_RUNS = sa.select(
    Run.id,
    Run.job_id,
    Run.status,
    Run.cause,
    Run.requested_by,
    Run.reason,
    Run.fires,
    Run.attempt,
    Run.scheduled_at,
    Run.started_at,
    Run.finished_at,
    Run.error_type,
    Run.error_message,
    Run.host,
    Run.process,
)
_INSERT_RUN = sa.insert(Run)
_LEASE = sa.select(Lease.holder, Lease.host, Lease.process, Lease.beat_at, Lease.paused).where(Lease.name == LEASE)


def search() -> list[JobRow]:
    """List the jobs by their next run, paused ones last; reading changes and imports nothing."""
    return [_row(row) for row in execute(_BY_NEXT_RUN)]


def get(job_id: str) -> JobRow:
    """Return a job."""
    return _row(_find(job_id, _JOB))


def pause(job_id: str, *, by: str) -> JobRow:
    """Take a job off the schedule until it is resumed; one that is paused stays whose pause it is."""
    row = _find(job_id, _JOB_LOCKED)
    if row.next_run_time is not None:
        change(_SCHEDULE, job_id=job_id, next_run_time=None, paused_by=by, updated_at=now())
        after_commit(scheduler.wakeup)
    return get(job_id)


def resume(job_id: str) -> JobRow:
    """Put a paused job on the schedule again; one whose trigger has ended is deleted, and returned a last time."""
    row = _find(job_id, _JOB_LOCKED)
    if row.next_run_time is not None:
        return _row(row)
    try:
        after = trigger.next_fire(build_trigger(decode(row.definition)), None, now())
    except (Unreadable, trigger.BadTriggerError) as error:
        raise JobQuarantined(f"Job {job_id} cannot be restored: {error}") from None
    if after is None:
        change(_DELETE, job_id=job_id)
        return _row(row, state="ended")
    change(_SCHEDULE, job_id=job_id, next_run_time=to_micros(after), paused_by=None, updated_at=now())
    after_commit(scheduler.wakeup)
    return get(job_id)


def request_run(job_id: str, *, by: str) -> tuple[JobRow, str]:
    """Ask the leader to run a job now, paused or not; return the job and the id of the run."""
    row = _find(job_id, _JOB)
    run_id = new_id()
    change(
        _INSERT_RUN,
        conflict=RunRequested,
        id=run_id,
        job_id=job_id,
        scheduled_at=to_micros(now()),
        status="queued",
        cause="manual",
        requested_by=by,
        fires=1,
        token=0,
        attempt=0,
        definition=row.definition,
    )
    after_commit(scheduler.wakeup)
    return _row(row), run_id


def search_runs(job_id: str, *, limit: int, after: str | None) -> Page[RunRow]:
    """List the runs of a job, newest first; they outlive it."""
    _check_findable(job_id)
    statement = _RUNS.where(Run.job_id == job_id)
    rows = execute(RUN_ORDERS.page(statement, sort=_NEWEST_FIRST, after=after, limit=limit))
    runs = [RunRow(**{**row, "scheduled_at": from_micros(row["scheduled_at"])}) for row in rows.mappings()]
    if not runs:
        _find(job_id, _JOB)
    return RUN_ORDERS.cut(runs, sort=_NEWEST_FIRST, limit=limit)


def status() -> StatusRow:
    """Say who fires."""
    lease = execute(_LEASE).one_or_none()
    if lease is None:
        return StatusRow(leader=None, paused=False)
    fresh = lease.beat_at is not None and now() - lease.beat_at < timedelta(seconds=ALIVE_SECONDS)
    leader = LeaderRow(lease.host, lease.process) if lease.holder is not None and fresh else None
    return StatusRow(leader=leader, paused=lease.paused)


def _find(job_id: str, statement: sa.Select[*tuple[Any, ...]]) -> Any:
    _check_findable(job_id)
    row = execute(statement, job_id=job_id).one_or_none()
    if row is None:
        raise JobNotFound(f"Job {job_id} not found")
    return row


def _check_findable(job_id: str) -> None:
    """Spare the database an id that no job can have."""
    if len(job_id) > JOB_ID_LENGTH or strict_json.unstorable_text(job_id):
        raise JobNotFound(f"Job {job_id} not found")


def _row(row: Any, *, state: str | None = None) -> JobRow:
    """Return the job of a row; one that cannot be restored is shown as what it is."""
    try:
        definition = decode(row.definition)
        build_trigger(definition)
        shown = trigger.show(definition.trigger)
        fault = row.quarantine
    except (Unreadable, trigger.BadTriggerError) as error:
        definition, shown, fault = _NOTHING, {"trigger": ""}, row.quarantine or str(error)
    paused = row.next_run_time is None
    return JobRow(
        id=row.id,
        name=definition.name or row.id,
        func=definition.func,
        args=definition.args,
        kwargs=definition.kwargs,
        trigger=shown,
        executor=definition.executor,
        coalesce=definition.coalesce,
        max_instances=definition.max_instances,
        misfire_grace_time=definition.misfire_grace_time,
        next_run_time=None if paused else from_micros(row.next_run_time),
        state=state or _state(paused=paused, fault=fault),
        source=row.source,
        version=row.version,
        paused_by=row.paused_by,
        reason=fault,
    )


def _state(*, paused: bool, fault: str | None) -> str:
    if fault is not None:
        return "quarantined"
    return "paused" if paused else "scheduled"


_NOTHING = Definition(
    name="",
    func="",
    trigger={},
    args=[],
    kwargs={},
    executor="default",
    coalesce=True,
    max_instances=1,
    misfire_grace_time=None,
)
