"""Alerts: runs of a job that fail or are missed in a row, and the run that succeeds after that.

How many in a row there are is kept in a row of its own for each job that wants alerts, not counted from the ledger:
that is pruned, and two processes that write ends at once would both count the same ones. The row is locked by whoever
counts, so each number is reached once. Jobs without alerts cost nothing.
"""

import logging
from collections.abc import Collection, Iterable
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
import sqlalchemy as sa

from application.database import change, execute, isolated
from application.extensions import scheduler
from application.libs.alert import Alert, Kind
from application.libs.clock import now
from application.libs.error import Conflict
from application.modules.scheduler.business import event
from application.modules.scheduler.business.definition import Alerts, Unreadable, decode
from application.modules.scheduler.models import Alarm

_LOG = logging.getLogger(__name__)

_FAILURES = frozenset({"failed", "timed_out", "lost"})
_WANTED = '"alerts":{'  # in a definition's JSON a text cannot hold it: its quotation marks are escaped

_OF_JOB = Alarm.job_id == sa.bindparam("job")
_FAIL = sa.update(Alarm).where(_OF_JOB).values(failures=Alarm.failures + 1, misses=0, changed_at=sa.bindparam("moment"))
_MISS = (
    sa.update(Alarm)
    .where(_OF_JOB)
    .values(misses=Alarm.misses + sa.bindparam("missed", type_=sa.Integer), changed_at=sa.bindparam("moment"))
)
_INSERT = sa.insert(Alarm)
_COUNTED = sa.select(Alarm.failures, Alarm.misses, Alarm.failure_told, Alarm.told).where(_OF_JOB).with_for_update()
_TELL = sa.update(Alarm).where(_OF_JOB)
_WITH_ALARM = sa.select(Alarm.job_id).where(Alarm.job_id.in_(sa.bindparam("jobs", expanding=True)))
_CLEAR = sa.delete(Alarm).where(Alarm.job_id.in_(sa.bindparam("jobs", expanding=True)))


class Verdict(msgspec.Struct, frozen=True):
    """Hold what became of a run; `missed` is how many fires of a row of the ledger were missed."""

    job_id: str
    run_id: str
    status: str
    definition: str
    error_type: str | None = None
    message: str | None = None
    missed: int = 0


def judge(verdict: Verdict) -> None:
    """Count what became of a run, in the unit of work that writes it, and raise the alerts that its job wants."""
    judge_all([verdict])


def judge_all(verdicts: Iterable[Verdict]) -> None:
    """Count what became of runs, in the order of their jobs; a success after nothing takes no statement.

    In the same order everywhere, or two who count would wait for each other.
    """
    wanted = sorted((one for one in verdicts if _WANTED in one.definition), key=attrgetter("job_id"))
    if not wanted:
        return
    counted = set(execute(_WITH_ALARM, jobs=sorted({one.job_id for one in wanted})).scalars())
    for verdict in wanted:
        if verdict.status != "succeeded":
            counted.add(verdict.job_id)
        if verdict.job_id in counted:
            _judge(verdict)


def _judge(verdict: Verdict) -> None:
    try:
        definition = decode(verdict.definition)
    except Unreadable:
        return
    name, wanted = definition.name or verdict.job_id, definition.alerts
    if wanted is None:
        return
    if verdict.status == "succeeded":
        _recover(verdict, name, wanted)
    elif verdict.status in _FAILURES:
        _fail(verdict, name, wanted)
    elif verdict.missed:
        _miss(verdict, name, wanted)


def forget(job_ids: Collection[str]) -> None:
    """Begin to count anew: the jobs are gone, or others of their ids come."""
    if job_ids:
        change(_CLEAR, jobs=list(job_ids))


def _fail(verdict: Verdict, name: str, wanted: Alerts) -> None:
    counted = _count(_FAIL, verdict.job_id)
    if wanted.on_failure and not counted.failure_told and counted.failures >= wanted.after_failures:
        change(_TELL, job=verdict.job_id, failure_told=True, told=True)
        _tell("failure", verdict, name, counted.failures)


def _miss(verdict: Verdict, name: str, wanted: Alerts) -> None:
    if wanted.after_misses is None:
        return
    misses = _count(_MISS, verdict.job_id, missed=verdict.missed).misses
    if misses - verdict.missed < wanted.after_misses <= misses:
        change(_TELL, job=verdict.job_id, told=True)
        _tell("misses", verdict, name, misses)


def _recover(verdict: Verdict, name: str, wanted: Alerts) -> None:
    counted = execute(_COUNTED, job=verdict.job_id).one_or_none()
    if counted is None:
        return
    forget([verdict.job_id])
    if counted.told and wanted.on_recovery:
        _tell("recovery", verdict, name, counted.failures or counted.misses)


def _count(statement: sa.Update, job_id: str, **more: Any) -> Any:
    """Count on from the row there is, or from a new one; return it, locked."""
    if not change(statement, job=job_id, moment=now(), **more):
        fault = isolated(partial(_insert, job_id))
        if fault is not None and not isinstance(fault, Conflict):  # another process may count the first one just now
            raise fault
        change(statement, job=job_id, moment=now(), **more)
    return execute(_COUNTED, job=job_id).one()


def _insert(job_id: str) -> None:
    nothing: dict[str, Any] = {"failures": 0, "misses": 0, "failure_told": False, "told": False, "changed_at": now()}
    change(_INSERT, conflict=Conflict, job_id=job_id, **nothing)


def _tell(kind: Kind, verdict: Verdict, name: str, count: int) -> None:
    """Hand an alert to every hook; what one of them raises is logged, what it wrote undone, and all others go on."""
    told = Alert(
        job_id=verdict.job_id,
        name=name,
        kind=kind,
        status=verdict.status,
        run_id=verdict.run_id,
        count=count,
        error_type=verdict.error_type,
        error_message=None if kind == "recovery" else verdict.message,
        at=now(),
    )
    event.note("alert", job_id=verdict.job_id, run_id=verdict.run_id, status=kind, reason=f"{count} in a row")
    for hook in scheduler.alert_hooks:
        fault = isolated(partial(hook, told))
        if fault is not None:
            _LOG.error("An alert of job %s (%s) could not be handed on", verdict.job_id, kind, exc_info=fault)
