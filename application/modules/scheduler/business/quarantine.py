"""Rules about jobs that cannot be restored: which ones there are and why, and how each is repaired."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from application.extensions import scheduler
from application.libs.error import Conflict, field_error
from application.libs.record import Record
from application.modules.scheduler.business import job, roster
from application.modules.scheduler.business.definition import Unreadable, build_trigger, decode
from application.modules.scheduler.business.draft import InvalidJob
from application.modules.scheduler.business.job import JobNotFound, JobRow
from application.modules.scheduler.store import Stores

MOST_SHOWN = 4000
"""How many characters of a definition are shown."""

_TIMING = frozenset({"trigger", "crontab", "run_date"})


class NotQuarantined(Conflict):
    """The job is in order; change it by a PATCH."""


class QuarantineRow(Record):
    """Hold a job that cannot be restored: `since` is when the leader found out, None where it has not come to it."""

    id: str
    reason: str
    since: datetime | None
    definition: str
    """As it is stored, whatever that is."""


def search() -> list[QuarantineRow]:
    """List the jobs that cannot be restored, in the order of all jobs."""
    reasons = {found.id: found.reason or "" for found in roster.select(roster.Choice(state="quarantined"))}
    stores: Stores = scheduler.setup.stores
    rows = {row.id: row for row in stores.some(list(reasons))}
    return [
        QuarantineRow(job_id, reason, row.quarantined_at, row.definition[:MOST_SHOWN])
        for job_id, reason in reasons.items()
        if (row := rows.get(job_id)) is not None
    ]


def repair(job_id: str, given: Mapping[str, Any], *, by: str) -> JobRow:
    """Restore a job by what is given: another function, other arguments, or all of it where nothing can be read.

    A paused one stays paused.
    """
    found = job.get(job_id)
    if found.state != "quarantined":
        raise NotQuarantined(f"Job {job_id} is not quarantined; change it by a PATCH")
    stores: Stores = scheduler.setup.stores
    row = stores.find(job_id)
    if row is None:
        raise JobNotFound(f"Job {job_id} not found")
    if _is_readable(row.definition):
        return job.update(job_id, given, by=by)
    _check_whole(given)
    whole = {**given, "id": job_id, "replace_existing": True}
    if row.next_run_time is None:
        whole.setdefault("next_run_time", None)
    return job.create(whole, by=by)


def _is_readable(definition: str) -> bool:
    try:
        build_trigger(decode(definition))
    except Unreadable:
        return False
    return True


def _check_whole(given: Mapping[str, Any]) -> None:
    """Refuse a part where nothing is left to which it could belong: a job without a trigger would run at once."""
    errors = []
    if "func" not in given:
        errors.append(field_error("body", "func", msg="Name a function: nothing else can be read", type_="missing"))
    if not given.keys() & _TIMING:
        errors.append(field_error("body", "trigger", msg="Say when: nothing else can be read", type_="missing"))
    if errors:
        raise InvalidJob("Its definition cannot be read; give a whole one, as POST /jobs takes it", errors=errors)
