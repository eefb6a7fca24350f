"""Answer why a job ran at an instant, or did not: from the ledger, its history, and what it was then."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from application.database import UtcDateTime, execute
from application.extensions import scheduler
from application.libs import trigger
from application.libs.clock import now
from application.libs.record import Record
from application.libs.trigger import MOST_FIRES, from_micros, to_micros
from application.modules.scheduler.business import cluster, job
from application.modules.scheduler.business.definition import Definition, Unreadable, build_trigger, decode
from application.modules.scheduler.business.job import JobNotFound
from application.modules.scheduler.business.run import RUNS, RunRow, row_of
from application.modules.scheduler.models import JobChange, Run
from application.modules.scheduler.store import Stores

_MICROSECOND = timedelta(microseconds=1)
_MOST_RUNS = 100

_Fire = datetime | None


class Explanation(Record):
    """Hold why a job ran at an instant, or did not; `facts` are what the text is made of."""

    job_id: str
    at: datetime
    verdict: str
    text: str
    run: RunRow | None
    previous_fire: datetime | None
    next_fire: datetime | None
    facts: dict[str, Any]


class Retention(Record):
    """Say what the ledger keeps of each job: so many days, and so many runs."""

    days: int
    per_job: int


_CHANGES = sa.select(JobChange.version, JobChange.action, JobChange.by, JobChange.at, JobChange.definition).where(
    JobChange.job_id == sa.bindparam("job_id")
)
_THEN = _CHANGES.where(JobChange.at <= sa.bindparam("moment", type_=UtcDateTime)).order_by(JobChange.id.desc()).limit(1)
_VERSION_THEN = _THEN.where(JobChange.definition.is_not(None))
_LIFE_THEN = _THEN.where(sa.or_(JobChange.definition.is_not(None), JobChange.action == "removed"))
_FIRST_CHANGE = _CHANGES.order_by(JobChange.id).limit(1)
_OF_JOB = RUNS.where(Run.job_id == sa.bindparam("job_id"))
_BETWEEN = (
    _OF_JOB.where(Run.scheduled_at >= sa.bindparam("first"), Run.scheduled_at < sa.bindparam("last"))
    .order_by(Run.scheduled_at)
    .limit(_MOST_RUNS)
)
_STANDING_FOR_MORE = (
    _OF_JOB.add_columns(Run.definition)
    .where(Run.scheduled_at < sa.bindparam("last"), Run.fires > 1)
    .order_by(Run.scheduled_at.desc())
    .limit(1)
)
_FIRST_RUN = sa.select(Run.scheduled_at).where(Run.job_id == sa.bindparam("job_id")).order_by(Run.scheduled_at).limit(1)
_COUNT = sa.select(sa.func.count()).select_from(Run).where(Run.job_id == sa.bindparam("job_id"))


class _Case:
    """Hold what is known of a job at an instant, and find out more when it is asked for."""

    def __init__(self, job_id: str, at: datetime, retention: Retention) -> None:
        stores: Stores = scheduler.setup.stores
        self.job_id, self.at, self.retention = job_id, at, retention
        self.moment = now()
        self.until = at + _asked(at)
        self.row: Any = stores.find(job_id)
        self.life = execute(_LIFE_THEN, job_id=job_id, moment=self.until - _MICROSECOND).one_or_none()
        self.first_change = execute(_FIRST_CHANGE, job_id=job_id).one_or_none()
        first_run = execute(_FIRST_RUN, job_id=job_id).scalar_one_or_none()
        self.first_run = None if first_run is None else from_micros(first_run)
        self.version, self.definition = self._then()
        self.fire = _first(self.definition, at)
        jitter = timedelta(seconds=(self.definition.trigger.get("jitter") or 0) if self.definition else 0)
        self.last = self.until + jitter

    @property
    def is_due(self) -> bool:
        """Tell whether the job was to fire then."""
        return self.fire is not None and self.fire < self.until

    def _then(self) -> tuple[int | None, Definition | None]:
        """Return the version that was in force, and what can be read of it."""
        found: Any = execute(_VERSION_THEN, job_id=self.job_id, moment=self.until - _MICROSECOND).one_or_none()
        if found is None:
            found = self.row
        if found is None:
            return None, None
        return found.version, _readable(found.definition)

    def said(self, verdict: str, text: str, *, run: RunRow | None = None, **facts: Any) -> Explanation:
        """Return the answer, with the fires beside the instant."""
        known = {"version": self.version, **facts}
        return Explanation(
            job_id=self.job_id,
            at=self.at,
            verdict=verdict,
            text=text,
            run=run,
            previous_fire=_before(self.definition, self.at),
            next_fire=self.fire,
            facts={name: value for name, value in known.items() if value is not None},
        )


def explain(job_id: str, at: datetime | None, retention: Retention) -> Explanation:
    """Say why a job ran at an instant, or did not, now if none is given.

    A full minute stands for all of it, a full second likewise.
    """
    job.check_findable(job_id)
    case = _Case(job_id, now() if at is None else at, retention)
    if case.row is None and case.first_change is None and case.first_run is None:
        raise JobNotFound(f"Job {job_id} not found")
    for check in _CHECKS:
        answer = check(case)
        if answer is not None:
            return answer
    when = "It was due then, and nothing is written down of it; its history may tell who moved its next run"
    return case.said("unknown", when)


def _asked(at: datetime) -> timedelta:
    if at.microsecond:
        return _MICROSECOND
    return timedelta(seconds=1) if at.second else timedelta(minutes=1)


def _recorded(case: _Case) -> Explanation | None:
    """Tell what the ledger holds of the fire, or of the gap it lies in."""
    rows = execute(_BETWEEN, job_id=case.job_id, first=to_micros(case.at), last=to_micros(case.last)).mappings().all()
    runs = sorted((row_of(row) for row in rows), key=lambda run: (run.cause == "manual", run.scheduled_at))
    run = runs[0] if runs else _standing_for_it(case)
    if run is None:
        return None
    return case.said(_verdict(run), _told(run), run=run, runs=len(runs) if len(runs) > 1 else None)


def _standing_for_it(case: _Case) -> RunRow | None:
    row = execute(_STANDING_FOR_MORE, job_id=case.job_id, last=to_micros(case.until)).mappings().one_or_none()
    if row is None:
        return None
    run = row_of({name: row[name] for name in RunRow.__struct_fields__})
    definition = _readable(row["definition"])
    fire = _first(definition, case.at)
    if definition is None or fire is None or fire >= case.until or (run.finished_at and fire > run.finished_at):
        return None
    counted = build_trigger(definition).count(run.scheduled_at, fire, MOST_FIRES)
    return run if counted < run.fires or run.fires >= MOST_FIRES else None


def _verdict(run: RunRow) -> str:
    if run.status == "succeeded":
        return "ran"
    return "paused" if run.status == "skipped" and (run.reason or "").startswith("paused") else run.status


def _told(run: RunRow) -> str:
    why = run.reason or run.error_message
    many = f", as did {run.fires - 1} more fires in a row" if run.fires > 1 else ""
    if run.status == "succeeded":
        late = (run.started_at - run.scheduled_at).total_seconds() if run.started_at else 0
        return f"It ran, {late:.1f} s after {run.scheduled_at.isoformat()}, and succeeded"
    text = f"Its fire of {run.scheduled_at.isoformat()} is {run.status.replace('_', ' ')}{many}"
    return f"{text}: {why}" if why else text


def _absent(case: _Case) -> Explanation | None:
    """Tell whether the job was not there."""
    born = min(
        moment for moment in (_born(case.row), _changed_at(case.first_change), case.first_run) if moment is not None
    )
    if case.until <= born:
        return case.said("did_not_exist", f"The job was added only at {born.isoformat()}", added_at=born)
    if case.life is not None and case.life.action == "removed":
        by, since = case.life.by, case.life.at
        who = "its time was over" if by is None else f"{by} deleted it"
        return case.said("deleted", f"The job was gone since {since.isoformat()}: {who}", by=by, since=since)
    return None


def _gone(case: _Case) -> Explanation | None:
    """Tell whether the job had come to its end by itself, which deletes it."""
    if case.row is not None or case.is_due:
        return None
    if case.fire is None:
        return case.said("ended", "Its trigger had come to its end, which ends a job")
    return None


def _paused(case: _Case) -> Explanation | None:
    """Tell whether it, or everything, is paused since before."""
    row = case.row
    if row is not None and row.next_run_time is None and (row.paused_at is None or row.paused_at < case.until):
        who = "the code, which declares it no more" if row.paused_by is None else row.paused_by
        since = "" if row.paused_at is None else f" since {row.paused_at.isoformat()}"
        return case.said(
            "paused", f"The job is paused{since} by {who}", scope="job", by=row.paused_by, since=row.paused_at
        )
    status = cluster.status()
    if status.paused and status.paused_at is not None and status.paused_at < case.until and case.is_due:
        text = f"The schedule is paused for all jobs since {status.paused_at.isoformat()} by {status.paused_by}"
        return case.said("paused", text, scope="cluster", by=status.paused_by, since=status.paused_at)
    return None


def _undue(case: _Case) -> Explanation | None:
    """Tell whether it was not to fire then, and whether it would by what it is now."""
    if case.definition is None or case.is_due:
        return None
    current = None if case.row is None else _readable(case.row.definition)
    fire = _first(current, case.at)
    if current is not None and current.trigger != case.definition.trigger and fire is not None and fire < case.until:
        text = f"It would by what it is now, version {case.row.version}; at the time it was version {case.version}"
        return case.said("changed_since", text, current_version=case.row.version)
    return case.said("not_due", "Its trigger does not fire then")


def _yet_to_come(case: _Case) -> Explanation | None:
    if case.row is None or not case.is_due or case.fire is None:
        return None
    if case.fire > case.moment:
        return case.said("not_yet", f"It is due at {case.fire.isoformat()}, which is still to come")
    return None


def _pruned(case: _Case) -> Explanation | None:
    """Tell whether what there was may have been deleted from the ledger."""
    kept_since = case.moment - timedelta(days=case.retention.days)
    if case.at < kept_since:
        text = f"The ledger keeps {case.retention.days} days; what it held of this instant is deleted"
        return case.said("out_of_retention", text, kept_since=kept_since)
    if case.first_run is None or case.first_run <= case.at:
        return None
    if execute(_COUNT, job_id=case.job_id).scalar_one() >= case.retention.per_job:
        text = f"The ledger keeps {case.retention.per_job} runs of a job; what it held of this instant is deleted"
        return case.said("out_of_retention", text, kept_since=case.first_run)
    return None


def _quarantined(case: _Case) -> Explanation | None:
    row = case.row
    if row is None or (row.next_run_time is not None and from_micros(row.next_run_time) >= case.until):
        return None
    reason = row.quarantine or _unreadable(row.definition)
    if reason is None:
        return None
    return case.said("quarantined", f"The job cannot be restored: {reason}", since=row.quarantined_at, reason=reason)


def _down(case: _Case) -> Explanation | None:
    """Tell whether nobody fires, or whoever does has not come to it."""
    leader = cluster.status().leader
    if leader is None:
        return case.said("scheduler_was_down", "No process fires; what is due is judged by its grace when one does")
    if case.row is not None and case.row.next_run_time is not None and from_micros(case.row.next_run_time) < case.until:
        return case.said("not_yet", f"It is due, and the process that fires, on {leader.host}, has not come to it yet")
    return None


_CHECKS: tuple[Callable[[_Case], Explanation | None], ...] = (
    _recorded,
    _absent,
    _gone,
    _paused,
    _undue,
    _quarantined,
    _yet_to_come,
    _pruned,
    _down,
)


def _born(row: Any) -> datetime | None:
    return None if row is None else row.created_at


def _changed_at(change: Any) -> datetime | None:
    return None if change is None else change.at


def _readable(text: str | None) -> Definition | None:
    return None if text is None or _unreadable(text) else decode(text)


def _unreadable(text: str) -> str | None:
    try:
        build_trigger(decode(text))
    except Unreadable as error:
        return str(error)
    return None


def _first(definition: Definition | None, at: datetime) -> _Fire:
    """Return the first fire at or after an instant, jitter apart."""
    try:
        return None if definition is None else build_trigger(definition).first(at)
    except (trigger.BadTriggerError, ArithmeticError, ValueError):
        return None


def _before(definition: Definition | None, at: datetime) -> _Fire:
    """Return the last fire before an instant, jitter apart."""
    if definition is None:
        return None
    try:
        fires = build_trigger(definition)
        earliest = fires.first(fires.span.start)
        return None if earliest is None or earliest >= at else fires.latest(earliest, at - _MICROSECOND)
    except (trigger.BadTriggerError, ArithmeticError, ValueError):
        return None
