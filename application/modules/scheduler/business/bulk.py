"""Do one thing with many jobs, each as if it were alone: in one unit of work, hundreds in the same few statements."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from application.extensions import scheduler
from application.libs.error import Invalid, field_error
from application.libs.record import Record
from application.modules.audit import business as audit
from application.modules.scheduler.business import roster, steering
from application.modules.scheduler.business.job import is_findable, name_of
from application.modules.scheduler.store import StoredJob, Stores

SELECTORS = ("ids", "tag", "all")

_Step = Callable[[Sequence[StoredJob]], Collection[str]]
"""Does it with jobs; returns the ids of those that it has changed."""


class InvalidSelection(Invalid):
    """Give exactly one of ids, tag and all."""


class Outcome(Record):
    """Hold how many jobs were changed, how many were so already, and which of the ids no job has."""

    changed: int
    unchanged: int
    not_found: list[str]


def pause(given: Mapping[str, Any], *, by: str) -> Outcome:
    """Pause the jobs that are selected; one that is paused stays whose pause it is."""
    return _each(given, "job.pause", lambda jobs: steering.pause(jobs, by=by))


def resume(given: Mapping[str, Any], *, by: str) -> Outcome:
    """Resume the jobs that are selected; one that cannot be restored is left as it is."""
    return _each(given, "job.resume", lambda jobs: steering.resume(jobs, by=by).changed)


def request_runs(given: Mapping[str, Any], *, by: str) -> Outcome:
    """Ask for a run of each job that is selected, paused or not."""
    return _each(given, "job.run", lambda jobs: steering.request_runs(jobs, by=by), lock=False)


def delete(given: Mapping[str, Any], *, by: str) -> Outcome:
    """Delete the jobs that are selected; their runs and changes stay."""
    return _each(given, "job.delete", lambda jobs: steering.delete(jobs, by=by))


def _each(given: Mapping[str, Any], action: str, step: _Step, *, lock: bool = True) -> Outcome:
    """Go through the jobs in the order of their ids, so that two who do it at once do not wait for each other."""
    stores: Stores = scheduler.setup.stores
    wanted = sorted(_selected(given))
    changed, found = 0, set[str]()
    for first in range(0, len(wanted), steering.MOST):
        some = [job_id for job_id in wanted[first : first + steering.MOST] if is_findable(job_id)]
        jobs = sorted(stores.some(some, lock=lock), key=lambda job: job.id)
        done = step(jobs)
        audit.record_all(action, [(job.id, name_of(job)) for job in jobs if job.id in done])
        changed += len(done)
        found.update(job.id for job in jobs)
    return Outcome(changed, len(found) - changed, [job_id for job_id in wanted if job_id not in found])


def _selected(given: Mapping[str, Any]) -> set[str]:
    """Return the ids of the jobs that are meant, whether or not there are such jobs."""
    chosen = [name for name in SELECTORS if given.get(name) not in (None, False)]
    if len(chosen) != 1:
        raise InvalidSelection(errors=[field_error("body", msg=InvalidSelection.title, type_="selection")])
    return set(given["ids"]) if "ids" in chosen else set(roster.ids(given.get("tag")))
