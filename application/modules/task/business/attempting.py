"""Begin tasks, show that they go on, and write down how they end; whoever has lost one to another has no say."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

import sqlalchemy as sa

from application.database import after_commit, change, execute
from application.libs.clock import now
from application.libs.error import Refusal
from application.libs.outcome_text import Fault, result_of
from application.libs.record import Record
from application.libs.task import MOST_MESSAGE, Options, Progress
from application.modules.task.models import WAITING, Task

_LOG = logging.getLogger(__name__)

_RANDOM = SystemRandom()

_LONGEST_POSTPONED = 600.0  # seconds

OVERRUN = "TimeLimitExceeded"
"""The type of the fault of a task that took longer than it may at all."""

ENDED: Mapping[str, Any] = {"due_at": None, "expires_at": None}
"""What a row that has ended says no more."""


class Superseded(Exception):
    """This attempt has been given up, and another may go on: what it did in its unit of work is rolled back."""


class Worker(Record):
    """Hold who runs tasks: a name that no other process has, and where it is."""

    name: str
    host: str
    process: int


class Claimed(Record):
    """Hold an attempt of a task that this process has begun."""

    id: str
    name: str
    arguments: str
    unique_key: str | None
    attempt: int
    failures: int
    losses: int
    created_by: str | None
    hard_limit_seconds: float | None = None

    @property
    def key(self) -> str:
        """Return what is the same in every attempt: the idempotency key."""
        return self.unique_key or self.id


class Mark(Record):
    """Hold what the row of an attempt says: that it was asked to end, or that it is not this attempt's any more."""

    stop_reason: str | None
    is_ours: bool


_MINE = (Task.id == sa.bindparam("task_id"), Task.attempt == sa.bindparam("mine"), Task.state == "running")

_CLAIM = (
    sa.update(Task)
    .where(
        Task.id == sa.bindparam("task_id"),
        Task.state == "queued",
        sa.or_(Task.expires_at.is_(None), Task.expires_at > sa.bindparam("moment", type_=Task.expires_at.type)),
    )
    .values(
        state="running",
        attempt=Task.attempt + 1,
        beat=0,
        due_at=None,
        current=0,
        total=0,
        message=None,
        error_type=None,
        error_message=None,
        traceback=None,
        started_at=sa.bindparam("moment", type_=Task.started_at.type),
    )
)
_CLAIMED = sa.select(
    Task.id,
    Task.name,
    Task.arguments,
    Task.unique_key,
    Task.attempt,
    Task.failures,
    Task.losses,
    Task.created_by,
    Task.hard_limit_seconds,
).where(Task.id == sa.bindparam("task_id"))
_BEAT = sa.update(Task).where(*_MINE).values(beat=Task.beat + 1)
_PROGRESS = sa.update(Task).where(*_MINE)
_END = sa.update(Task).where(*_MINE)
_REOPEN = _END.where(Task.stop_reason.is_(None))
_HEED = _END.where(Task.stop_reason.is_not(None)).values(
    state="cancelled", message=sa.func.substr(Task.stop_reason, 1, MOST_MESSAGE)
)
_MARKS = sa.select(Task.id, Task.attempt, Task.state, Task.stop_reason).where(
    Task.id.in_(sa.bindparam("ids", expanding=True))
)


def claim(task_id: str, worker: Worker) -> Claimed | None:
    """Begin a task that is queued; None where it is not (any more): a ring may come twice, or late."""
    moment = now()
    if not change(_CLAIM, task_id=task_id, moment=moment, worker=worker.name, host=worker.host, process=worker.process):
        return None
    return Claimed(*execute(_CLAIMED, task_id=task_id).one())


def beat(attempts: Sequence[tuple[str, int]]) -> None:
    """Show that attempts go on, each an id and its number."""
    if attempts:
        change(_BEAT, [{"task_id": task_id, "mine": attempt} for task_id, attempt in attempts])


def note_progress(steps: Mapping[tuple[str, int], Progress]) -> None:
    """Write down how far attempts have come."""
    for (task_id, attempt), step in steps.items():
        change(_PROGRESS, task_id=task_id, mine=attempt, **_step(step))


def marks(attempts: Collection[tuple[str, int]]) -> dict[str, Mark]:
    """Return what the rows of attempts say; one that is gone is nobody's."""
    rows = {row.id: row for row in execute(_MARKS, ids=sorted(task_id for task_id, _ in attempts))}
    found = {}
    for task_id, attempt in attempts:
        row = rows.get(task_id)
        is_ours = row is not None and row.state == "running" and row.attempt == attempt
        found[task_id] = Mark(stop_reason=None if row is None else row.stop_reason, is_ours=is_ours)
    return found


def succeed(claimed: Claimed, result: object, step: Progress | None = None) -> None:
    """Write down that a task is done and what it returned; raise `Superseded` where another goes on with it."""
    last: dict[str, Any] = {} if step is None else _step(step)
    _end(claimed, state="done", result=result_of(result), finished_at=now(), **last, **ENDED)


def fail(claimed: Claimed, error: BaseException, fault: Fault, options: Options) -> None:
    """Write down what a task raised: it is tried again after a while, or has failed."""
    moment = now()
    failures = claimed.failures + 1
    said = _for_people(error)
    values = {"failures": failures, "error_type": fault.type, "error_message": fault.message}
    values |= {"traceback": fault.traceback, "message": said}
    if isinstance(error, options.retry_on) and failures <= options.retries:
        delay = max(delay_of(options, failures), _asked_of(error, options))
        _end(claimed, state="scheduled", due_at=moment + timedelta(seconds=delay), rings=0, **values)
        text = "Task %s %s failed (%s: %s); retry %d of %d follows in %.1f s"
        _LOG.warning(text, claimed.name, claimed.id, fault.type, fault.message, failures, options.retries, delay)
        return
    _end(claimed, state="failed", finished_at=moment, **values, **ENDED)
    log = _failure_log(claimed, fault)
    after_commit(log)


def overrun(claimed: Claimed, seconds: float) -> None:
    """Write down that a task took longer than it may at all, and has failed."""
    message = f"it took longer than {seconds:g} s"
    fault = Fault(type=OVERRUN, message=message, traceback="")
    values = {"failures": claimed.failures + 1, "error_type": fault.type, "error_message": message}
    _end(claimed, state="failed", finished_at=now(), message=message.capitalize(), **values, **ENDED)
    after_commit(_failure_log(claimed, fault))


def end_cancelled(claimed: Claimed, reason: str) -> None:
    """Write down that a task has ended because it was asked to."""
    _end(claimed, state="cancelled", finished_at=now(), message=reason[:MOST_MESSAGE], **ENDED)


def hand_back(claimed: Claimed, reason: str) -> None:
    """Let another process begin a task anew that this one cannot end."""
    _end(claimed, state="queued", due_at=now(), rings=0, message=reason[:MOST_MESSAGE])


def postpone(claimed: Claimed, reason: str) -> None:
    """Let a task be tried again in a few seconds, later each time, which counts as no failure."""
    longest = min(2.0 ** min(claimed.attempt, 20), _LONGEST_POSTPONED)
    later = now() + timedelta(seconds=_RANDOM.uniform(longest / 2, longest))
    _end(claimed, state="scheduled", due_at=later, rings=0, message=reason[:MOST_MESSAGE])


def lose(claimed: Claimed, *, most: int, reason: str) -> None:
    """Let a task begin anew whose process has died, which this one knows."""
    losses = claimed.losses + 1
    _end(claimed, **after_loss(losses, most=most, moment=now(), reason=reason, stop_reason=None))
    after_commit(lambda: _LOG.warning("Task %s %s was lost: %s", claimed.name, claimed.id, reason))


def after_loss(losses: int, *, most: int, moment: datetime, reason: str, stop_reason: str | None) -> dict[str, Any]:
    """Return what becomes of a row whose processes have died so often: it is queued, or dead, or was cancelled."""
    values: dict[str, Any] = {"losses": losses, "message": reason[:MOST_MESSAGE]}
    if stop_reason is not None:
        return values | {"state": "cancelled", "finished_at": moment, "message": stop_reason[:MOST_MESSAGE], **ENDED}
    if losses < most:
        return values | {"state": "queued", "due_at": moment, "rings": 0}
    return values | {
        "state": "dead",
        "finished_at": moment,
        "message": f"Given up: {losses} processes died with it",
        "error_type": "ProcessDied",
        "error_message": reason,
        **ENDED,
    }


def delay_of(options: Options, failures: int) -> float:
    """Return how many seconds a retry waits: twice as long each time, and anything between half of that and all."""
    grown = min(options.backoff_seconds * 2 ** min(failures - 1, 60), options.backoff_max_seconds)
    return _RANDOM.uniform(grown / 2, grown)


def _asked_of(error: BaseException, options: Options) -> float:
    """Return how many seconds an error says it takes, as a server's Retry-After does, within what retries wait."""
    seconds = getattr(error, "retry_after_seconds", None)
    return min(float(seconds), options.backoff_max_seconds) if isinstance(seconds, int | float) else 0.0


def _failure_log(claimed: Claimed, fault: Fault) -> Callable[[], object]:
    """Return what logs that a task has failed."""
    return lambda: _LOG.error(
        "Task %s %s failed: %s: %s\n%s", claimed.name, claimed.id, fault.type, fault.message, fault.traceback
    )


def _step(step: Progress) -> dict[str, Any]:
    return {"current": step.current, "total": step.total, "message": step.message or None}


def _for_people(error: BaseException) -> str:
    """Return what the caller may read: what a rule says, and of anything else only that it happened."""
    text = (error.detail or error.title) if isinstance(error, Refusal) else "It failed; the operators see why"
    return text[:MOST_MESSAGE]


def _end(claimed: Claimed, **values: Any) -> None:
    """Write what becomes of an attempt; one that was asked to end begins never again. Raise `Superseded`."""
    ours: dict[str, Any] = {"task_id": claimed.id, "mine": claimed.attempt}
    reopens = values["state"] in WAITING
    if change(_REOPEN if reopens else _END, **ours, **values):
        return
    heeded: dict[str, Any] = {"finished_at": now(), **ENDED}
    if not (reopens and change(_HEED, **ours, **heeded)):
        raise Superseded
