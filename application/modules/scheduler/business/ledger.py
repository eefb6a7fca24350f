"""Write the ledger of runs: what is due is claimed once, and every run says how it went.

The leader calls these in the unit of work that its lease fences; executors mark what they run by the leader's token.
"""

import logging
from collections.abc import Container, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from application.database import change, execute
from application.libs.ident import new_id
from application.libs.record import Record
from application.libs.trigger import from_micros, plan, to_micros
from application.modules.scheduler.business.definition import Unreadable, build_trigger, decode
from application.modules.scheduler.business.lease import Holder
from application.modules.scheduler.models import MESSAGE_LENGTH, Job, Run

_LOG = logging.getLogger(__name__)

MOST_JOBS = 200
"""How many due jobs one unit of work claims; the rest follows at once."""

_MOST_ORPHANS = 1000


class Launch(Record):
    """Hold a run that this leader is to start."""

    run_id: str
    job_id: str
    scheduled_at: int
    token: int
    attempt: int
    definition: str


class Outcome(Record):
    """Hold how a run ended: `succeeded` or `failed`, and with which error."""

    status: str
    error_type: str | None = None
    error_message: str | None = None


_DUE = (
    sa.select(Job.id, Job.definition, Job.next_run_time)
    .where(Job.next_run_time <= sa.bindparam("moment"), Job.quarantine.is_(None))
    .order_by(Job.next_run_time, Job.id)
    .limit(MOST_JOBS)
    .with_for_update()
)
_TAKEN = sa.select(Run.job_id, Run.scheduled_at).where(
    Run.job_id.in_(sa.bindparam("job_ids", expanding=True)),
    Run.scheduled_at.between(sa.bindparam("first"), sa.bindparam("last")),
)
_INSERT = sa.insert(Run)
_ADVANCE = sa.update(Job).where(Job.id == sa.bindparam("job_id")).values(next_run_time=sa.bindparam("after"))
_QUARANTINE = sa.update(Job).where(Job.id == sa.bindparam("job_id"))
_DELETE = sa.delete(Job).where(Job.id == sa.bindparam("job_id"))
_OPEN = (
    sa.select(Run.id, Run.job_id, Run.scheduled_at, Run.token, Run.attempt, Run.definition, Run.status)
    .where(Run.status.in_(["queued", "running"]))
    .order_by(Run.id)
    .limit(_MOST_ORPHANS)
)
_MINE = sa.update(Run).where(
    Run.id == sa.bindparam("run_id"),
    Run.token == sa.bindparam("mine"),
    Run.status == sa.bindparam("expected"),
)


def adopt(token: int, in_flight: Container[str], moment: datetime) -> Iterator[Launch]:
    """Take over the runs nobody works on: queued ones are to start, running ones died with their process."""
    for row in execute(_OPEN).all():
        if row.token == token and row.id in in_flight:
            continue
        if row.status == "running":
            reason = "its process stopped answering before it ended"
            _mark(row.id, row.token, "running", status="lost", finished_at=moment, reason=reason)
        elif _mark(row.id, row.token, "queued", token=token, attempt=row.attempt + 1):
            yield Launch(row.id, row.job_id, row.scheduled_at, token, row.attempt + 1, row.definition)


def claim_due(token: int, known: Container[str], moment: datetime) -> tuple[list[Launch], bool]:
    """Write down each fire that is due, and when its job is due next; return what is to start and whether more waits.

    A job that cannot be restored, or whose function is not among the `known` ones, is put aside and stops nobody.
    """
    rows = execute(_DUE, moment=to_micros(moment)).all()
    fires: list[dict[str, Any]] = []
    for row in rows:
        try:
            after, of_job = _fires(row, known, moment)
        except (Unreadable, ValueError, ArithmeticError) as error:
            _LOG.error("Job %s is quarantined: %s", row.id, error)
            change(_QUARANTINE, job_id=row.id, quarantine=_fitting(error))
            continue
        fires += of_job
        if after is None:
            change(_DELETE, job_id=row.id)
        else:
            change(_ADVANCE, job_id=row.id, after=to_micros(after))
    fresh = _not_taken(fires)
    if fresh:
        change(_INSERT, [{**fire, "token": token} for fire in fresh])
    launches = [
        Launch(fire["id"], fire["job_id"], fire["scheduled_at"], token, 1, fire["definition"])
        for fire in fresh
        if fire["status"] == "queued"
    ]
    return launches, len(rows) == MOST_JOBS


def begin(launch: Launch, holder: Holder, moment: datetime) -> bool:
    """Mark a run as running; False when it is this leader's no more."""
    return _mark(
        launch.run_id,
        launch.token,
        "queued",
        status="running",
        started_at=moment,
        host=holder.host,
        process=holder.process,
    )


def finish(launch: Launch, outcome: Outcome, moment: datetime) -> bool:
    """Mark a run as ended; False when a newer leader has given it up for lost."""
    return _mark(
        launch.run_id,
        launch.token,
        "running",
        status=outcome.status,
        finished_at=moment,
        error_type=outcome.error_type,
        error_message=outcome.error_message,
    )


def drop(launch: Launch, status: str, reason: str, moment: datetime) -> None:
    """Mark a run that never started, and say why."""
    _mark(launch.run_id, launch.token, "queued", status=status, finished_at=moment, reason=reason[:MESSAGE_LENGTH])


def outcome_of(error: BaseException) -> Outcome:
    """Return the outcome of a run that raised."""
    kind = type(error)
    return Outcome("failed", f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")[:200], _fitting(error))


def _fires(row: Any, known: Container[str], moment: datetime) -> tuple[datetime | None, list[dict[str, Any]]]:
    """Return when a job is due next, and the rows of what is due now."""
    definition = decode(row.definition)
    if definition.func not in known:
        raise Unreadable(f"no function is registered as {definition.func}")
    grace = None if definition.misfire_grace_time is None else timedelta(seconds=definition.misfire_grace_time)
    due = from_micros(row.next_run_time)
    planned = plan(build_trigger(definition), due, moment, grace=grace, coalesce=definition.coalesce)
    rows = [_fire(row, fire, "queued") for fire in planned.runs]
    if planned.late:
        late_seconds = (moment - due).total_seconds()
        reason = f"late by {late_seconds:.1f} s, grace {definition.misfire_grace_time} s"
        rows.append(_fire(row, planned.late[0], "missed", fires=planned.late_count, reason=reason))
    if planned.merged:
        reason = f"merged into the run of {planned.runs[0].isoformat()}"
        rows.append(_fire(row, planned.merged[0], "missed", fires=len(planned.merged), reason=reason))
    return planned.after, rows


def _fire(row: Any, fire: datetime, status: str, *, fires: int = 1, reason: str | None = None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "job_id": row.id,
        "scheduled_at": to_micros(fire),
        "status": status,
        "cause": "schedule",
        "reason": reason,
        "fires": fires,
        "attempt": 1 if status == "queued" else 0,
        "definition": row.definition,
    }


def _not_taken(fires: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what has a row already; the lease lets nobody else insert meanwhile, the unique key proves it."""
    if not fires:
        return []
    instants = [fire["scheduled_at"] for fire in fires]
    job_ids = sorted({fire["job_id"] for fire in fires})
    taken = {tuple(row) for row in execute(_TAKEN, job_ids=job_ids, first=min(instants), last=max(instants))}
    return [fire for fire in fires if (fire["job_id"], fire["scheduled_at"]) not in taken]


def _mark(run_id: str, mine: int, expected: str, **values: Any) -> bool:
    return change(_MINE, run_id=run_id, mine=mine, expected=expected, **values) == 1


def _fitting(error: BaseException) -> str:
    """Return what an exception says, as a column takes it."""
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be read)"
    return text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")[:MESSAGE_LENGTH]
