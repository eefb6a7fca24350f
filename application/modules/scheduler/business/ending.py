"""Write down how attempts ended, many at once: only who has not been given up meanwhile has a say."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from msgspec.structs import replace

from application.database import UtcDateTime, change, execute
from application.libs.outcome_text import Fault, result_of
from application.libs.record import Record
from application.libs.run_context import Cancelled, Stop
from application.libs.trigger import from_micros
from application.modules.scheduler.business import alert, cancelling, event, retry
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.retry import Retry
from application.modules.scheduler.models import Attempt, Run

Status = Literal["succeeded", "failed", "timed_out", "cancelled"]


class Memory(Record):
    """Hold the resident memory of the process, in bytes; `shared` is whether others ran there meanwhile."""

    start: int
    peak: int
    shared: bool


class Ended(Record):
    """Hold how an attempt ended."""

    attempt_id: str
    run_id: str
    job_id: str
    number: int
    definition: str
    status: Status
    started_at: datetime | None
    finished_at: datetime
    late_seconds: float | None
    """How long after its instant the run began; of first attempts."""
    failures: int
    """How many attempts of the run failed, with this one."""
    fault: Fault | None = None
    reason: str | None = None
    result: str | None = None
    memory: Memory | None = None
    retry: Retry = retry.NONE


_OPEN = (
    sa.select(Attempt.id)
    .where(Attempt.id.in_(sa.bindparam("ids", expanding=True)), Attempt.status == "running")
    .with_for_update()
)
_ATTEMPT_FIELDS = (
    "status",
    "started_at",
    "finished_at",
    "reason",
    "error_type",
    "error_message",
    "traceback",
    "memory_start",
    "memory_peak",
    "memory_shared",
)
_RUN_FIELDS = ("status", "due_at", "finished_at", "reason", "error_type", "error_message", "failures", "result")


def _binds(table: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return a parameter for each column; for the last word of many statements in one."""
    return {name: sa.bindparam(f"new_{name}", type_=getattr(table, name).type) for name in names}


_END_ATTEMPT = (
    sa.update(Attempt).where(Attempt.id == sa.bindparam("of_attempt")).values(_binds(Attempt, _ATTEMPT_FIELDS))
)
_END_RUN = (  # without IN, which SQLAlchemy does not run for many at once
    sa.update(Run)
    .where(Run.id == sa.bindparam("of_run"), sa.or_(Run.status == "queued", Run.status == "running"))
    .values(_binds(Run, _RUN_FIELDS))
    .values(
        started_at=sa.case((Run.attempts == 1, sa.bindparam("new_started_at", type_=UtcDateTime)), else_=Run.started_at)
    )
)


def succeeded(launch: Launch, started_at: datetime, moment: datetime, result: object, stop: Stop) -> Ended:
    """Return that an attempt ended well; that it was asked to end before is told."""
    reason = f"it ended before it heeded that it was {stop.reason}" if stop.asked else None
    return _ended(launch, "succeeded", started_at, moment, reason=reason, result=result_of(result))


def failed(launch: Launch, started_at: datetime, moment: datetime, fault: Fault, stop: Stop) -> Ended:
    """Return that an attempt ended badly, and whether another follows; none does once the run was asked to end."""
    if not stop.asked:
        return _ended(launch, "failed", started_at, moment, fault=fault, follows=True)
    if fault.type == f"{Cancelled.__module__}.{Cancelled.__qualname__}":
        return _ended(launch, "cancelled", started_at, moment, reason=stop.reason)
    return _ended(launch, "failed", started_at, moment, fault=fault, reason=f"it was {stop.reason}, and failed")


def timed_out(launch: Launch, started_at: datetime, moment: datetime, seconds: float) -> Ended:
    """Return that an attempt took longer than it may, and whether another follows."""
    reason = f"it took longer than {seconds:g} s"
    return _ended(launch, "timed_out", started_at, moment, reason=reason, follows=True)


def cancelled(launch: Launch, moment: datetime, reason: str, *, started_at: datetime | None = None) -> Ended:
    """Return that an attempt was cancelled: before a thread took it, or with its process."""
    return _ended(launch, "cancelled", started_at, moment, reason=reason)


def without_details(ended: Ended) -> Ended:
    """Return an end that any database takes."""
    if ended.fault is None:
        return replace(ended, result=None)
    message = "what it raised cannot be written down; the log has it"
    return replace(ended, fault=Fault(type="", message=message, traceback=""), result=None)


def write(ends: Sequence[Ended]) -> list[Ended]:
    """Write down how attempts ended, and let the next one wait where one follows; return those given up before."""
    if not ends:
        return []
    still = set(execute(_OPEN, ids=sorted(one.attempt_id for one in ends)).scalars())
    ours = [one for one in ends if one.attempt_id in still]
    if ours:
        change(_END_ATTEMPT, [_attempt_values(one) for one in ours])
        change(_END_RUN, [_run_values(one) for one in ours])
    for one in ours:
        _tell(one)
        if one.retry.at is not None:
            cancelling.heed(one, one.finished_at)
    alert.judge_all(_verdict(one) for one in ours if one.retry.at is None)
    return [one for one in ends if one.attempt_id not in still]


def _verdict(ended: Ended) -> alert.Verdict:
    fault = ended.fault
    return alert.Verdict(
        job_id=ended.job_id,
        run_id=ended.run_id,
        status=ended.status,
        definition=ended.definition,
        error_type=None if fault is None else fault.type or None,
        message=ended.reason if fault is None else fault.message,
    )


def _tell(ended: Ended) -> None:
    """Tell whoever watches how an attempt ended, and how late and long it was."""
    seconds = None
    if ended.started_at is not None:
        seconds = round((ended.finished_at - ended.started_at).total_seconds(), 6)
    status = ended.status if ended.retry.at is None else "queued"
    reason = ended.retry.reason or ended.reason
    told = {"attempt": ended.number, "late_seconds": ended.late_seconds, "duration_seconds": seconds}
    event.note_run(ended.job_id, ended.run_id, status, reason=reason, **told)


def _late_seconds(launch: Launch, started_at: datetime | None) -> float | None:
    if started_at is None or launch.number > 1:
        return None
    return round((started_at - from_micros(launch.scheduled_at)).total_seconds(), 6)


def _ended(
    launch: Launch,
    status: Status,
    started_at: datetime | None,
    moment: datetime,
    *,
    fault: Fault | None = None,
    reason: str | None = None,
    result: str | None = None,
    follows: bool = False,
) -> Ended:
    failures = launch.failures + (status in ("failed", "timed_out"))
    follow = retry.NONE
    if follows:
        follow = retry.after(launch.definition, number=launch.number, failures=failures, moment=moment)
    return Ended(
        attempt_id=launch.attempt_id,
        run_id=launch.run_id,
        job_id=launch.job_id,
        number=launch.number,
        definition=launch.definition,
        status=status,
        started_at=started_at,
        finished_at=moment,
        late_seconds=_late_seconds(launch, started_at),
        failures=failures,
        fault=fault,
        reason=reason,
        result=result,
        retry=follow,
    )


def _attempt_values(ended: Ended) -> dict[str, Any]:
    memory = ended.memory
    return {
        "of_attempt": ended.attempt_id,
        "new_status": ended.status,
        "new_started_at": ended.started_at,
        "new_finished_at": ended.finished_at,
        "new_reason": ended.reason,
        **_fault_values(ended.fault),
        "new_traceback": None if ended.fault is None else ended.fault.traceback or None,
        "new_memory_start": None if memory is None else memory.start,
        "new_memory_peak": None if memory is None else memory.peak,
        "new_memory_shared": None if memory is None else memory.shared,
    }


def _run_values(ended: Ended) -> dict[str, Any]:
    again = ended.retry.at is not None
    return {
        "of_run": ended.run_id,
        "new_status": "queued" if again else ended.status,
        "new_due_at": ended.retry.at,
        "new_started_at": ended.started_at,
        "new_finished_at": None if again else ended.finished_at,
        "new_reason": ended.retry.reason or ended.reason,
        **_fault_values(ended.fault),
        "new_failures": ended.failures,
        "new_result": ended.result,
    }


def _fault_values(fault: Fault | None) -> dict[str, str | None]:
    return {
        "new_error_type": None if fault is None else fault.type or None,
        "new_error_message": None if fault is None else fault.message,
    }
