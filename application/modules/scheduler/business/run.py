"""Rules about runs, for whoever looks at them: what fired, what did not and why, and each attempt."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from application.database import execute
from application.database.keyset import Orders
from application.database.listing import Listing
from application.libs.clock import now
from application.libs.page import Page
from application.libs.record import Record
from application.libs.trigger import from_micros, to_micros
from application.modules.audit import business as audit
from application.modules.scheduler.business import cancelling, job, output
from application.modules.scheduler.business.cancelling import RunEnded, RunNotFound
from application.modules.scheduler.business.definition import Unreadable, decode
from application.modules.scheduler.business.output import OutputRow
from application.modules.scheduler.models import Attempt, Run, split_tags

__all__ = ["OutputRow", "RunEnded", "RunNotFound"]

MOST_BUSY = 1000
"""How many attempts that go on are shown."""

NEWEST_FIRST = "-id"  # ids grow with time


class RunRow(Record):
    """Hold one run, or why there was none."""

    id: str
    job_id: str
    status: str
    cause: str
    requested_by: str | None
    reason: str | None
    tags: list[str]
    fires: int
    attempts: int
    scheduled_at: datetime
    due_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    error_type: str | None
    error_message: str | None
    host: str | None
    process: int | None


class AttemptRow(Record):
    """Hold one time that the function was begun."""

    number: int
    status: str
    token: int
    host: str
    process: int
    claimed_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    reason: str | None
    error_type: str | None
    error_message: str | None
    traceback: str | None
    memory_start: int | None
    memory_peak: int | None
    memory_shared: bool | None
    task_id: str | None


class RunDetail(RunRow):
    """Hold a run with its attempts, the first one first, and what its function returned."""

    stop_reason: str | None
    result: Any
    history: Sequence[AttemptRow]


class BusyRow(Record):
    """Hold an attempt that goes on."""

    run_id: str
    job_id: str
    attempt: int
    host: str
    process: int
    executor: str
    claimed_at: datetime
    started_at: datetime | None
    seconds: float
    """How long it runs, or waits for a thread."""
    stop_reason: str | None


ORDERS = Orders({"id": Run.id}, tie=Run.id)

RUNS = sa.select(*(getattr(Run, name) for name in RunRow.__struct_fields__))
_LIST = Listing(RUNS, ORDERS)
_CONDITIONS = {
    "job_id": Run.job_id == sa.bindparam("job_id"),
    "status": Run.status == sa.bindparam("status"),
    "since": Run.scheduled_at >= sa.bindparam("since"),
    "until": Run.scheduled_at < sa.bindparam("until"),
}
_RUN = RUNS.add_columns(Run.stop_reason, Run.result).where(Run.id == sa.bindparam("run_id"))
_SINCE = RUNS.where(Run.job_id == sa.bindparam("job_id"), Run.scheduled_at >= sa.bindparam("moment")).order_by(
    Run.scheduled_at, Run.id
)
_STATUS = sa.select(Run.status).where(Run.id == sa.bindparam("run_id"))
_BUSY = (
    sa.select(
        Attempt.run_id,
        Run.job_id,
        Attempt.number.label("attempt"),
        Attempt.host,
        Attempt.process,
        Attempt.claimed_at,
        Attempt.started_at,
        Run.stop_reason,
        Run.definition,
    )
    .join(Run, Run.id == Attempt.run_id)
    .where(Attempt.status == "running")
    .order_by(Attempt.claimed_at, Attempt.id)
    .limit(MOST_BUSY)
)
_ATTEMPTS = (
    sa.select(*(getattr(Attempt, name) for name in AttemptRow.__struct_fields__))
    .where(Attempt.run_id == sa.bindparam("run_id"))
    .order_by(Attempt.number)
)


def search(
    *,
    limit: int,
    after: str | None = None,
    job_id: str | None = None,
    tag: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[RunRow]:
    """List runs, newest first; `since` and `until` bound when they were scheduled."""
    if job_id is not None:
        job.check_findable(job_id)
    asked = {"job_id": job_id, "status": status, "since": _micros(since), "until": _micros(until)}
    given = {name: value for name, value in asked.items() if value is not None}
    return _LIST.page(
        lambda rows: [row_of(dict(zip(RunRow.__struct_fields__, row, strict=True))) for row in rows],
        limit=limit,
        after=after,
        sort=NEWEST_FIRST,
        where=[_CONDITIONS[name] for name in given],
        also=() if tag is None else [Run.tags.contains(f",{tag},", autoescape=True)],
        parameters=given,
    )


def search_of(job_id: str, *, limit: int, after: str | None) -> Page[RunRow]:
    """List the runs of a job, newest first; they outlive it."""
    page = search(job_id=job_id, limit=limit, after=after)
    if not page.items:
        job.check_exists(job_id)
    return page


def since(moment: datetime, *, job_id: str) -> Sequence[RunRow]:
    """List all runs of a job that were scheduled since an instant, the first one first."""
    return [row_of(row) for row in execute(_SINCE, job_id=job_id, moment=to_micros(moment)).mappings()]


def cancel(run_id: str, *, by: str) -> RunDetail:
    """Cancel a run that has not ended; raise `RunNotFound` or `RunEnded`."""
    cancelling.cancel(run_id, by=by, moment=now())
    cancelled = get(run_id)
    audit.record("run.cancel", run_id, cancelled.job_id)
    return cancelled


def read(run_id: str, *, after: int) -> OutputRow:
    """Return what a run has logged and printed, from a place on; raise `RunNotFound`."""
    status = execute(_STATUS, run_id=run_id).scalar_one_or_none()
    if status is None:
        raise RunNotFound
    return output.read(run_id, after=after, ended=status not in cancelling.OPEN)


def busy() -> Sequence[BusyRow]:
    """List what goes on now, on all hosts, the longest first."""
    moment = now()
    return [_busy(row, moment) for row in execute(_BUSY)]


def get(run_id: str) -> RunDetail:
    """Return a run with its attempts."""
    row = execute(_RUN, run_id=run_id).mappings().one_or_none()
    if row is None:
        raise RunNotFound
    fields = msgspec.structs.asdict(row_of(row))
    more = {"stop_reason": row["stop_reason"], "result": None if row["result"] is None else json.loads(row["result"])}
    return RunDetail(**fields, **more, history=[AttemptRow(*attempt) for attempt in execute(_ATTEMPTS, run_id=run_id)])


def _busy(row: Any, moment: datetime) -> BusyRow:
    try:
        executor = decode(row.definition).executor
    except Unreadable:
        executor = ""
    since = row.started_at or row.claimed_at
    fields = {name: getattr(row, name) for name in row._fields if name != "definition"}
    return BusyRow(**fields, executor=executor, seconds=max(0.0, (moment - since).total_seconds()))


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def row_of(row: Mapping[Any, Any]) -> RunRow:
    """Return the run of a row that was read by RUNS."""
    scheduled_at, due_at = row["scheduled_at"], row["due_at"]
    instants = {
        "scheduled_at": from_micros(scheduled_at),
        "due_at": None if due_at is None else from_micros(due_at),
        "tags": split_tags(row["tags"]),
    }
    shown = {name: row[name] for name in RunRow.__struct_fields__}
    return RunRow(**{**shown, **instants})
