"""Say what a store of jobs does.

The database does all of it in the unit of work of whoever asks. Another store has no part in that: what people change
it writes at once, and refuses with `JobChanged` what it was not; what the leader changes it writes after the commit
(ADR 12).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from application.modules.scheduler.store.record import Change, Count, DueJob, Place, StoredJob


class JobStore(Protocol):
    """Keep jobs by id. Instants are microseconds since 1970 in UTC; a read never writes.

    A store that does not answer raises `StoreUnavailable`.
    """

    is_local: bool
    """Whether only this process sees it."""

    @property
    def alias(self) -> str:
        """Return the name that jobs choose the store by."""

    def get(self, job_id: str) -> StoredJob | None:
        """Return a job."""

    def lock(self, job_id: str) -> StoredJob | None:
        """Return a job; nobody else changes it before what follows has changed it, or that is refused then."""

    def page(self, behind: Place | None, limit: int) -> Sequence[StoredJob]:
        """Return jobs behind a place in the list, by their next run and id; among the paused ones by id.

        Fewer than the limit among those that are scheduled means that the paused ones follow, from `(None, "")` on.
        """

    def some(self, job_ids: Collection[str]) -> Sequence[StoredJob]:
        """Return the jobs of these ids, as far as they are there."""

    def lock_some(self, job_ids: Collection[str]) -> Sequence[StoredJob]:
        """Return the jobs of these ids, as far as they are there; what `lock` says holds for each."""

    def count(self) -> Count:
        """Return how many jobs there are."""

    def declared(self, job_ids: Collection[str]) -> Sequence[StoredJob]:
        """Return the jobs of these ids, and those that the code declared whatever their id."""

    def scheduled(self, limit: int, *, besides: str) -> Sequence[DueJob]:
        """Return the jobs that fire next, but one."""

    def due(self, moment: int, limit: int) -> Sequence[DueJob]:
        """Return the jobs that are due, the oldest first, without those in quarantine."""

    def next_time(self, after: int) -> int | None:
        """Return when the next job is due after an instant."""

    def insert(self, job: StoredJob) -> None:
        """Add a job; raise `JobChanged` where there is one of its id."""

    def replace(self, seen: StoredJob, changes: Mapping[str, Any]) -> None:
        """Change a job as it was seen; raise `JobChanged` when it is another by now."""

    def delete(self, seen: StoredJob) -> None:
        """Delete a job as it was seen; raise `JobChanged` when it is another by now."""

    def change_many(self, changes: Sequence[Change]) -> Collection[str]:
        """Do with each job, as it was seen, what `replace` does or, where its change is None, `delete`.

        Returns the ids of the jobs that were changed: one that is another by now is left alone, and stops no other.
        Several hundred come at once; no job comes twice.
        """

    def advance(self, jobs: Sequence[tuple[DueJob, int]]) -> None:
        """Set when jobs are due next, unless somebody has changed when that is."""

    def end(self, job: DueJob) -> None:
        """Delete a job whose trigger has ended, unless somebody has changed when it is due."""

    def quarantine(self, job: DueJob, reason: str, moment: datetime) -> None:
        """Put a job aside that cannot be restored."""

    def release_quarantine(self) -> None:
        """Let all that was put aside be tried again."""

    def close(self) -> None:
        """Let go of the connection; the next question opens another one."""


def walk(store: JobStore, behind: Place | None, at_once: int) -> Iterator[StoredJob]:
    """Return the jobs of a store behind a place in its list, so many read at a time."""
    place = behind
    while True:
        jobs = store.page(place, at_once)
        yield from jobs
        if len(jobs) == at_once:
            place = (jobs[-1].next_run_time, jobs[-1].id)
        elif place is None or place[0] is not None:
            place = (None, "")  # the paused ones follow
        else:
            return
