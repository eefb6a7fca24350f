"""Run attempts that were handed over to a worker, and settle those whose task has ended without a word.

A worker writes the end of an attempt in the unit of work of its function. Whether an attempt goes on, its task says.
"""

import os
import socket
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain, repeat
from typing import Any

import sqlalchemy as sa

from application.database import change, execute, transaction
from application.extensions import scheduler
from application.libs.clock import now
from application.libs.error import Unavailable
from application.libs.outcome_text import fault_of
from application.libs.run_context import Cancelled, Stop
from application.libs.run_output import Output
from application.libs.task import TaskContext, current_task
from application.modules.scheduler.business import attempt, ending
from application.modules.scheduler.business.attempt import Launch, Running
from application.modules.scheduler.business.calling import called, restored
from application.modules.scheduler.business.definition import Unreadable, decode
from application.modules.scheduler.business.ending import Ended
from application.modules.scheduler.business.output_keeper import kept
from application.modules.scheduler.models import Attempt, Run
from application.modules.task.business import OVERRUN, TaskEnding, endings
from application.modules.task.models import OPEN, Task

_AGAIN_SECONDS = (0.2, 0.5, 1.0)

_MOST_ENDED = 500  # in one tick; the rest follows

_OPEN = (
    sa.select(
        Attempt.id,
        Attempt.run_id,
        Attempt.number,
        Attempt.token,
        Attempt.started_at,
        Run.job_id,
        Run.scheduled_at,
        Run.definition,
        Run.failures,
        Run.status.label("run_status"),
        Run.stop_reason,
        Run.reason,
        Attempt.task_id,
    )
    .join(Run, Run.id == Attempt.run_id)
    .where(Attempt.id == sa.bindparam("attempt_id"), Attempt.status == "running")
    .with_for_update()
)
_LOSSES = sa.select(Task.losses).where(Task.id == sa.bindparam("task_id"))
_ENDED = (
    sa.select(Attempt.id, Attempt.task_id)
    .outerjoin(Task, Task.id == Attempt.task_id)
    .where(
        Attempt.status == "running",
        Attempt.task_id.is_not(None),
        sa.or_(Task.id.is_(None), Task.state.not_in(OPEN)),
    )
    .order_by(Attempt.id)
    .limit(_MOST_ENDED)
)
_BEGIN = (
    sa.update(Attempt)
    .where(Attempt.id == sa.bindparam("attempt_id"))
    .values(started_at=sa.bindparam("moment", type_=Attempt.started_at.type))
    .values(host=sa.bindparam("on_host"), process=sa.bindparam("on_process"))
)
_BEGIN_RUN = (
    sa.update(Run)
    .where(Run.id == sa.bindparam("run_id"))
    .values(host=sa.bindparam("on_host"), process=sa.bindparam("on_process"))
)


class RunGivenUp(Exception):
    """The attempt was given up while its function ran: what that did to the database is undone."""


class RunFailed(Exception):
    """The function failed because the database was busy or away, and its attempt says so."""


def run_job(attempt_id: str) -> object:
    """Run the function of a job on the executor `celery`; what has ended, or was begun before, is not run."""
    with transaction():
        launch = _begin(attempt_id, now())
    if launch is None:
        return None
    success = _Success(launch, now(), _context().stop)
    written = Output()
    try:
        with kept(launch.attempt_id, written):
            result = _call(launch, written, success)
        success.write_unless_written(result)
    except RunGivenUp:
        raise
    except Exception as error:
        _fail(success, error)
        raise
    return result


class _Success:
    """Write down that an attempt succeeded: in the unit of work of its function, or after it."""

    def __init__(self, launch: Launch, started_at: datetime, stop: Stop) -> None:
        self.launch = launch
        self.started_at = started_at
        self.stop = stop
        self.is_written = False

    def write(self, result: object) -> None:
        if ending.write([ending.succeeded(self.launch, self.started_at, now(), result, self.stop)]):
            raise RunGivenUp(f"attempt {self.launch.number} of run {self.launch.run_id} was given up meanwhile")
        self.is_written = True

    def write_unless_written(self, result: object) -> None:
        if not self.is_written:
            _write_down(lambda: self.write(result), self.stop)


def _context() -> TaskContext:
    context = current_task.get()
    if context is None:
        message = "A run is handed over as a task; give its job the executor celery"
        raise RuntimeError(message)
    return context


def _call(launch: Launch, written: Output, success: _Success) -> object:
    call = restored(decode(launch.definition), scheduler.setup.functions)
    return called(launch, call, stop=success.stop, output=written, finish=success.write)


def _fail(success: _Success, error: Exception) -> None:
    """Write down what a function raised, unless it was asked to end: what becomes of it then, its task says."""
    launch, stop = success.launch, success.stop
    if stop.asked and (isinstance(error, Cancelled) or _context().is_interrupted()):
        raise Cancelled(stop.reason) from error
    ended = ending.failed(launch, success.started_at, now(), fault_of(error), stop)
    _write_down(lambda: ending.write([ended]), stop)
    if isinstance(error, Unavailable):
        raise RunFailed(fault_of(error).message) from error


def _write_down(write: Callable[[], object], stop: Stop) -> None:
    """Write down how an attempt ended, again and again where the database is away, until its process stops."""
    for seconds in chain(_AGAIN_SECONDS, repeat(_AGAIN_SECONDS[-1])):
        try:
            with transaction():
                write()
        except Unavailable:
            if _context().is_interrupted():
                raise
            stop.wait(seconds) if not stop.asked else time.sleep(seconds)
        else:
            return


def settle(running: Sequence[Running], moment: datetime) -> set[str]:
    """End the attempts whose task does not go on any more; return which were."""
    if all(one.task_id is None for one in running):
        return set()
    ended = {row.task_id: row.id for row in execute(_ENDED)}
    for task_id, how in endings(ended).items():
        _settle(ended[task_id], how, moment)
    return set(ended.values())


def _begin(attempt_id: str, moment: datetime) -> Launch | None:
    """Begin an attempt; None where that is over, or was begun by a worker that has stopped or died since."""
    row = execute(_OPEN, attempt_id=attempt_id).one_or_none()
    if row is None:
        return None
    launch = _launch(row)
    if row.run_status != "running" or row.stop_reason is not None:
        reason = row.stop_reason or row.reason or f"its run is {row.run_status}"
        ending.write([ending.cancelled(launch, moment, reason, started_at=row.started_at)])
        return None
    if row.started_at is not None:
        _give_up(row, moment)
        return None
    where: dict[str, Any] = {"on_host": socket.gethostname().lower()[:255], "on_process": os.getpid()}
    change(_BEGIN, attempt_id=attempt_id, moment=moment, **where)
    change(_BEGIN_RUN, run_id=row.run_id, **where)
    return launch


def _give_up(row: Any, moment: datetime) -> None:
    """Give up an attempt that another worker has begun, and stopped or died since."""
    launch = _launch(row)
    losses = execute(_LOSSES, task_id=row.task_id).scalar_one()
    if losses > launch.losses:
        reason = f"its worker died: attempt {row.number}, begun at {row.started_at.isoformat()}"
        attempt.lose(_running(row), moment, reason)
    else:
        attempt.interrupt(launch, moment)


def _settle(attempt_id: str, how: TaskEnding, moment: datetime) -> None:
    row = execute(_OPEN, attempt_id=attempt_id).one_or_none()
    if row is None:
        return
    ended = _ended(_launch(row), how, row.started_at, how.finished_at or moment)
    if ended is None:
        attempt.lose(_running(row), moment, f"its task is {how.state}: attempt {row.number}; {how.message}")
    else:
        ending.write([ended])


def _ended(launch: Launch, how: TaskEnding, started_at: datetime | None, moment: datetime) -> Ended | None:
    """Return what the end of a task says of an attempt; None is that the attempt is lost."""
    if how.state == "cancelled":
        return ending.cancelled(launch, moment, how.message, started_at=started_at)
    if how.state != "failed" or how.fault is None:
        return None
    if how.fault.type == OVERRUN:
        return ending.timed_out(launch, started_at or moment, moment, _timeout_of(launch))
    return ending.failed(launch, started_at or moment, moment, how.fault, Stop())


def _timeout_of(launch: Launch) -> float:
    try:
        return decode(launch.definition).timeout or 0
    except Unreadable:
        return 0


def _launch(row: Any) -> Launch:
    return Launch(row.id, row.run_id, row.job_id, row.scheduled_at, row.token, row.number, row.definition, row.failures)


def _running(row: Any) -> Running:
    """Return an attempt that nobody's beat speaks for: 0 is what it was written with."""
    since = row.started_at or now()
    return Running(row.id, 0, row.run_id, row.number, row.job_id, row.definition, row.failures, since)
