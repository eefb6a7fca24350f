"""Bring the jobs that the code declares into the store: the definition comes from the code, the pause stays."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from application.database import change, execute
from application.libs import trigger
from application.libs.trigger import to_micros
from application.modules.scheduler.business import lease
from application.modules.scheduler.business.definition import Declared, Definition, build_trigger, encode
from application.modules.scheduler.models import Job

_LOG = logging.getLogger(__name__)

_STORED = sa.select(Job.id, Job.declaration, Job.version, Job.paused_by).where(
    sa.or_(Job.id.in_(sa.bindparam("job_ids", expanding=True)), Job.declaration.is_not(None))
)
_INSERT = sa.insert(Job)
_UPDATE = sa.update(Job).where(Job.id == sa.bindparam("job_id"))
_DELETE = sa.delete(Job).where(Job.id == sa.bindparam("job_id"))


def reconcile(jobs: Sequence[Declared], moment: datetime) -> None:
    """Add new jobs, rewrite those whose declaration has changed, and pause those that are declared no more.

    A pause by a person outlives each of it. Processes that start together come one after the other.
    """
    lease.lock()
    stored = {row.id: row for row in execute(_STORED, job_ids=[job.job_id for job in jobs])}
    for job in jobs:
        row = stored.pop(job.job_id, None)
        if row is None or row.declaration != job.digest:
            _write(job, row, moment)
    for row in stored.values():
        _LOG.warning("Job %s is declared no more; it is paused", row.id)
        change(_UPDATE, job_id=row.id, declaration=None, next_run_time=None, updated_at=moment)


def _write(job: Declared, row: Any, moment: datetime) -> None:
    pinned = _pinned(job.definition, moment)
    after = trigger.next_fire(build_trigger(pinned), None, moment)
    if after is None or _is_over(after, pinned, moment):
        _LOG.warning("Job %s is left out: its time is over", job.job_id)
        change(_DELETE, job_id=job.job_id)
        return
    values: dict[str, Any] = {
        "definition": encode(pinned),
        "source": "code",
        "declaration": job.digest,
        "quarantine": None,
        "updated_at": moment,
    }
    if row is None:
        change(_INSERT, id=job.job_id, version=1, next_run_time=to_micros(after), created_at=moment, **values)
    else:
        held = row.paused_by is not None
        next_run_time = None if held else to_micros(after)
        change(_UPDATE, job_id=job.job_id, version=row.version + 1, next_run_time=next_run_time, **values)


def _pinned(definition: Definition, moment: datetime) -> Definition:
    fields = {name: getattr(definition, name) for name in definition.__struct_fields__}
    return Definition(**{**fields, "trigger": trigger.pin(definition.trigger, moment)})


def _is_over(after: datetime, definition: Definition, moment: datetime) -> bool:
    grace = definition.misfire_grace_time
    return grace is not None and after < moment - timedelta(seconds=grace)
