"""Rules about the changes of jobs: who made what of one, and when."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from apscheduler.events import EVENT_JOB_ADDED, EVENT_JOB_MODIFIED, EVENT_JOB_REMOVED, JobEvent

from application.database import after_commit, change, execute
from application.extensions import scheduler
from application.libs.clock import now
from application.libs.error import NotFound
from application.libs.ident import new_id
from application.libs.record import Record
from application.modules.scheduler.business import event
from application.modules.scheduler.business.definition import Definition, Unreadable, decode, encode
from application.modules.scheduler.models import JobChange
from application.modules.scheduler.store import StoredJob

Action = Literal["added", "changed", "reverted", "declared", "paused", "resumed", "removed"]

_EVENTS = {"added": EVENT_JOB_ADDED, "removed": EVENT_JOB_REMOVED}

MOST_CHANGES = 500
"""How many changes of one job are shown, the newest ones."""


class VersionNotFound(NotFound):
    """The job has no such version."""


class ChangeRow(Record):
    """Hold one change: `definition` is the job as it became, None where the change left it as it was."""

    version: int
    action: str
    by: str | None
    at: datetime
    definition: dict[str, Any] | None


_INSERT = sa.insert(JobChange)
_OF = (
    sa.select(JobChange.version, JobChange.action, JobChange.by, JobChange.at, JobChange.definition)
    .where(JobChange.job_id == sa.bindparam("job_id"))
    .order_by(JobChange.id.desc())
    .limit(MOST_CHANGES)
)
_AS_IT_WAS = (
    sa.select(JobChange.definition)
    .where(
        JobChange.job_id == sa.bindparam("job_id"),
        JobChange.version == sa.bindparam("wanted"),
        JobChange.definition.is_not(None),
    )
    .order_by(JobChange.id.desc())
    .limit(1)
)


def note(job_id: str, version: int, action: Action, *, by: str | None, definition: Definition | None = None) -> None:
    """Write down a change, in the unit of work that makes it, and tell the viewers."""
    _note([(job_id, version)], action, by, None if definition is None else encode(definition))


def note_all(jobs: Iterable[StoredJob], action: Action, *, by: str | None) -> None:
    """Write down a change that leaves the definitions of jobs as they were, in one statement, and tell the viewers."""
    _note([(job.id, job.version) for job in jobs], action, by, None)


def _note(changed: Sequence[tuple[str, int]], action: Action, by: str | None, definition: str | None) -> None:
    how = {"action": action, "by": by, "at": now(), "definition": definition}
    if changed:
        change(_INSERT, [{"id": new_id(), "job_id": job_id, "version": version, **how} for job_id, version in changed])
    for job_id, _version in changed:
        after_commit(
            partial(scheduler.scheduler.announce, JobEvent(_EVENTS.get(action, EVENT_JOB_MODIFIED), job_id, "default"))
        )
        event.note("changed" if action in ("reverted", "declared") else action, job_id=job_id, by=by)


def of(job_id: str) -> Sequence[ChangeRow]:
    """Return the changes of a job, the newest first."""
    return [ChangeRow(*row[:-1], definition=_shown(row.definition)) for row in execute(_OF, job_id=job_id)]


def definition_of(job_id: str, version: int) -> Definition:
    """Return a job as it was; raise `VersionNotFound`."""
    text = execute(_AS_IT_WAS, job_id=job_id, wanted=version).scalar_one_or_none()
    if text is None:
        raise VersionNotFound(f"Job {job_id} has no version {version}")
    return decode(text)


def _shown(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        definition = decode(text)
    except Unreadable:
        return {"unreadable": text[:200]}
    return {name: getattr(definition, name) for name in definition.__struct_fields__ if name != "format"}
