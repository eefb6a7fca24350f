"""Prune the ledger: what is older than is kept, and what is more than is kept of one job, some at a time.

A run stays as long as its fire could be claimed anew, which its row prevents: until the job's grace for late fires is
over. What is queued or running stays, and so does each version of a job that may be asked for.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from application.database import change, execute
from application.extensions import scheduler
from application.libs.clock import now
from application.libs.ident import first_id
from application.libs.trigger import to_micros
from application.modules.scheduler.business.history import MOST_CHANGES
from application.modules.scheduler.models import Alarm, Job, JobChange, Run
from application.modules.scheduler.store import Stores

MOST_PRUNED = 10_000
"""How many rows one call deletes at most: it is one unit of work, and others wait for its locks."""

_BATCH = 500
_MOST_JOBS = 500
_SECOND = 1_000_000
_OPEN = ("queued", "held", "running")

_OLD = (
    sa.select(Run.id, Run.scheduled_at, Run.definition)
    .where(
        Run.scheduled_at < sa.bindparam("before"),
        Run.status.not_in(_OPEN),
        Run.id > sa.bindparam("behind"),
        Run.id < sa.bindparam("end"),  # ids grow with time: no index of their age is needed
    )
    .order_by(Run.id)
    .limit(_BATCH)
)
_CROWDED = (
    sa.select(Run.job_id)
    .group_by(Run.job_id)
    .having(sa.func.count() > sa.bindparam("most"))
    .order_by(Run.job_id)
    .limit(_MOST_JOBS)
)
_LAST_KEPT = (
    sa.select(Run.id)
    .where(Run.job_id == sa.bindparam("job_id"))
    .order_by(Run.id.desc())
    .limit(1)
    .offset(sa.bindparam("most", type_=sa.Integer))
)
_SURPLUS = (
    sa.select(Run.id, Run.scheduled_at, Run.definition)
    .where(
        Run.job_id == sa.bindparam("job_id"),
        Run.id <= sa.bindparam("last"),
        Run.id > sa.bindparam("behind"),
        Run.status.not_in(_OPEN),
    )
    .order_by(Run.id)
    .limit(_BATCH)
)
_DELETE = sa.delete(Run).where(Run.id.in_(sa.bindparam("ids", expanding=True)))
_MANY_CHANGES = (
    sa.select(JobChange.job_id)
    .group_by(JobChange.job_id)
    .having(sa.func.count() > MOST_CHANGES)
    .order_by(JobChange.job_id)
    .limit(_MOST_JOBS)
)
_CHANGES = (
    sa.select(JobChange.id, JobChange.definition.is_not(None).label("is_version"))
    .where(JobChange.job_id == sa.bindparam("job_id"))
    .order_by(JobChange.id.desc())
    .limit(MOST_CHANGES + MOST_PRUNED)
)
_OLD_ALARMS = (
    sa.select(Alarm.job_id)
    .where(Alarm.changed_at < sa.bindparam("before"), ~sa.exists().where(Job.id == Alarm.job_id))
    .limit(_MOST_JOBS)
)
_DELETE_ALARMS = sa.delete(Alarm).where(Alarm.job_id.in_(sa.bindparam("job_ids", expanding=True)))
_DELETE_CHANGES = sa.delete(JobChange).where(JobChange.id.in_(sa.bindparam("ids", expanding=True)))

_FIRST = "00000000-0000-0000-0000-000000000000"


class _Graced(msgspec.Struct):
    misfire_grace_time: int | None = None


def prune(*, keep_days: int, keep_per_job: int) -> int:
    """Delete runs that are older, or more of one job, than is kept, MOST_PRUNED at most; return how many."""
    moment = now()
    _prune_alarms(moment - timedelta(days=keep_days))
    pruned = 0
    for ids in _batches(moment, keep_days=keep_days, keep_per_job=keep_per_job):
        pruned += change(_DELETE, ids=ids)
        if pruned >= MOST_PRUNED:
            break
    return pruned


def _prune_alarms(before: datetime) -> None:
    """Forget how jobs went that are gone from every store."""
    stores: Stores = scheduler.setup.stores
    old = execute(_OLD_ALARMS, before=before).scalars().all()
    elsewhere = {job.id for store in stores.foreign for job in store.some(old)} if old else set()
    if set(old) - elsewhere:
        change(_DELETE_ALARMS, job_ids=sorted(set(old) - elsewhere))


def prune_changes() -> int:
    """Delete changes behind the newest MOST_CHANGES of a job, but never its version in force; return how many."""
    pruned = 0
    for job_id in execute(_MANY_CHANGES).scalars().all():
        rows = execute(_CHANGES, job_id=job_id).all()
        in_force = next((row.id for row in rows if row.is_version), None)
        surplus = [row.id for row in rows[MOST_CHANGES:] if row.id != in_force]
        for first in range(0, len(surplus), _BATCH):
            pruned += change(_DELETE_CHANGES, ids=surplus[first : first + _BATCH])
        if pruned >= MOST_PRUNED:
            break
    return pruned


def _batches(moment: datetime, *, keep_days: int, keep_per_job: int) -> Iterator[list[str]]:
    """Return the ids of what may go, some at a time."""
    before = to_micros(moment - timedelta(days=keep_days))
    yield from _read(_OLD, moment, before=before, end=first_id(before))
    for job_id in execute(_CROWDED, most=keep_per_job).scalars().all():
        last = execute(_LAST_KEPT, job_id=job_id, most=keep_per_job).scalar_one_or_none()
        if last is not None:
            yield from _read(_SURPLUS, moment, job_id=job_id, last=last)


def _read(statement: sa.Select[str, int, str], moment: datetime, **values: str | int) -> Iterator[list[str]]:
    behind = _FIRST
    while True:
        rows = execute(statement, behind=behind, **values).all()
        ids = [row.id for row in rows if not _is_within_grace(row.scheduled_at, row.definition, moment)]
        if ids:
            yield ids
        if len(rows) < _BATCH:
            return
        behind = rows[-1].id


def _is_within_grace(scheduled_at: int, definition: str, moment: datetime) -> bool:
    """Tell whether a fire may still be claimed; what has no grace, or cannot be read, may for a day."""
    try:
        grace = msgspec.json.decode(definition, type=_Graced).misfire_grace_time
    except (msgspec.MsgspecError, ValueError, RecursionError):
        grace = None
    return scheduled_at + (86_400 if grace is None else grace) * _SECOND > to_micros(moment)
