"""Bring the jobs that the code declares into the store: the definition comes from the code, the pause stays."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from application.libs import trigger
from application.libs.jobstore import StoreUnavailable
from application.libs.trigger import to_micros
from application.modules.scheduler.business import event, history, lease, pausing
from application.modules.scheduler.business.definition import Declared, Definition, build_trigger, encode, pinned
from application.modules.scheduler.store import JobStore, StoredJob, Stores

_LOG = logging.getLogger(__name__)

_FRESH: dict[str, Any] = {"version": 1, "paused_by": None, **pausing.OVER, "quarantined_at": None}


def reconcile(stores: Stores, jobs: Sequence[Declared], moment: datetime) -> bool:
    """Add new jobs, rewrite those whose declaration has changed, and pause those that are declared no more.

    A pause by a person outlives each of it. Processes that start together come one after the other. Returns whether all
    stores answered.
    """
    lease.lock()
    is_complete = True
    for store in stores:
        try:
            _reconcile(store, jobs, moment)
        except StoreUnavailable as error:
            _LOG.warning("What the code declares is not in the job store %s: %s", store.alias, error)
            is_complete = False
    return is_complete


def _reconcile(store: JobStore, declared: Sequence[Declared], moment: datetime) -> None:
    jobs = [job for job in declared if job.jobstore == store.alias]
    elsewhere = {job.job_id for job in declared} - {job.job_id for job in jobs}
    stored = {row.id: row for row in store.declared([job.job_id for job in jobs])}
    for job in jobs:
        row = stored.pop(job.job_id, None)
        if row is None or row.declaration != job.digest:
            _write(store, job, row, moment)
    for row in stored.values():
        if row.id in elsewhere:  # an id is one job: what it was here goes on there
            store.delete(row)
            continue
        _LOG.warning("Job %s is declared no more; it is paused", row.id)
        paused = {} if row.next_run_time is None else pausing.begun(row, moment)
        store.replace(row, {"declaration": None, "next_run_time": None, "updated_at": moment, **paused})
        if paused:
            history.note(row.id, row.version, "paused", by=None)
        else:
            event.note("changed", job_id=row.id, reason="the code declares it no more")


def _write(store: JobStore, job: Declared, row: StoredJob | None, moment: datetime) -> None:
    definition = pinned(job.definition, moment)
    after = trigger.next_fire(build_trigger(definition), None, moment)
    if after is None or _is_over(after, definition, moment):
        _LOG.warning("Job %s is left out: its time is over", job.job_id)
        if row is not None:
            store.delete(row)
            history.note(job.job_id, row.version, "removed", by=None)
        return
    values: dict[str, Any] = {
        "definition": encode(definition),
        "source": "code",
        "declaration": job.digest,
        "quarantine": None,
        "updated_at": moment,
    }
    if row is None:
        due = None if job.paused else to_micros(job.first or after)
        if job.paused:
            values |= {"paused_by": "code", **pausing.changed(None, definition, None, moment)}
        values = {**_FRESH, **values, "id": job.job_id, "next_run_time": due, "created_at": moment}
        store.insert(StoredJob(**values, store=store.alias))
    else:
        first = None if row.paused_by is not None else after
        values |= pausing.changed(row, definition, first, moment)
        values["next_run_time"] = None if first is None else to_micros(first)
        store.replace(row, {**values, "version": row.version + 1})
    action: history.Action = "added" if row is None else "declared"
    history.note(job.job_id, 1 if row is None else row.version + 1, action, by=None, definition=definition)


def _is_over(after: datetime, definition: Definition, moment: datetime) -> bool:
    grace = definition.misfire_grace_time
    return grace is not None and after < moment - timedelta(seconds=grace)
