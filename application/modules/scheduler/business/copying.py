"""Rules about taking jobs from one store to another."""

from collections.abc import Sequence

from msgspec.structs import replace

from application.extensions import scheduler
from application.libs.record import Record
from application.modules.scheduler.store import JobStore, StoredJob, Stores, walk

_AT_ONCE = 200


class NoSuchStore(LookupError):
    """There is no job store of this name."""


class Copied(Record):
    """Hold what became of a job: `copied`, `there` where it stands there already, or `differs`, which leaves both."""

    job_id: str
    outcome: str


def check(*aliases: str) -> None:
    """Raise `NoSuchStore` unless there is a store of each name."""
    for alias in aliases:
        _store(alias)


def job_ids(source: str) -> Sequence[str]:
    """Return the ids of a store's jobs."""
    return [job.id for job in walk(_store(source), None, _AT_ONCE)]


def copy(source: str, target: str, ids: Sequence[str], *, is_move: bool) -> list[Copied]:
    """Copy jobs as they are, with their pauses and next runs; with `is_move` take them out of the source then.

    A job that stands in both still runs once an instant: the ledger has one row for it. Done again it goes on.
    """
    here, there = _store(source), _store(target)
    found = {job.id: job for job in there.some(ids)}
    done = []
    for job in here.lock_some(ids):
        outcome = _copy(job, found.get(job.id), there)
        if is_move and outcome != "differs":
            here.delete(job)
        done.append(Copied(job.id, outcome))
    return done


def _copy(job: StoredJob, found: StoredJob | None, there: JobStore) -> str:
    taken = replace(job, store=there.alias, kept=b"")
    if found is None:
        there.insert(taken)
        return "copied"
    return "there" if replace(found, kept=b"") == taken else "differs"


def _store(alias: str) -> JobStore:
    stores: Stores = scheduler.setup.stores
    if alias not in stores.aliases:
        raise NoSuchStore(f"There is no job store {alias!r}; SCHEDULER_JOBSTORES names {', '.join(stores.aliases)}")
    return stores[alias]
