"""Keep jobs as documents outside the application's database, whatever server keeps them."""

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from application.database import after_commit
from application.libs.jobstore import StoreUnavailable
from application.modules.scheduler.store import document, outbox
from application.modules.scheduler.store.job_store import walk
from application.modules.scheduler.store.keeper import Keeper
from application.modules.scheduler.store.outbox import Order
from application.modules.scheduler.store.record import (
    Change,
    Count,
    DueJob,
    JobChanged,
    Place,
    StoredJob,
)

_LOG = logging.getLogger(__name__)

_FIRST = (-1, "")
_PATIENCE = 5
_AT_ONCE = 500


class DocumentStore:
    """Be the jobs that a `Keeper` keeps; see `JobStore`.

    What the leader changes is written down in the database with its claim and carried out after the commit. Until that
    is settled, `due` must not be asked: it would give what was claimed already.
    """

    def __init__(self, alias: str, keeper: Keeper, *, is_local: bool = False) -> None:
        """Keep the jobs that choose this alias; nothing is asked yet."""
        self.alias = alias
        self.is_local = is_local
        self._keeper = keeper

    def get(self, job_id: str) -> StoredJob | None:
        """Return a job."""
        return next(iter(self._read([job_id])), None)

    def lock(self, job_id: str) -> StoredJob | None:
        """Return a job; what changes it later compares it with what it is then."""
        return self.get(job_id)

    def page(self, behind: Place | None, limit: int) -> Sequence[StoredJob]:
        """Return jobs behind a place in the list, by their next run and id; among the paused ones by id."""
        due, job_id = _FIRST if behind is None else behind
        if due is None:
            return self._read(self._keeper.paused(job_id, limit))
        return self._read([found for _due, found in self._keeper.scheduled((due, job_id), None, limit)])

    def some(self, job_ids: Collection[str]) -> Sequence[StoredJob]:
        """Return the jobs of these ids, as far as they are there."""
        return self._read(list(job_ids))

    def lock_some(self, job_ids: Collection[str]) -> Sequence[StoredJob]:
        """Return the jobs of these ids, as far as they are there."""
        return self.some(job_ids)

    def count(self) -> Count:
        """Return how many jobs there are."""
        total, paused = self._keeper.sizes()
        aside = self._read(sorted(self._keeper.aside()))
        return Count(total, len(aside), paused - sum(job.next_run_time is None for job in aside))

    def declared(self, job_ids: Collection[str]) -> Sequence[StoredJob]:
        """Return the jobs of these ids, and those that the code declared whatever their id; reads all."""
        wanted = set(job_ids)
        return [job for job in walk(self, None, _AT_ONCE) if job.id in wanted or job.declaration is not None]

    def scheduled(self, limit: int, *, besides: str) -> Sequence[DueJob]:
        """Return the jobs that fire next, but one."""
        return self._due(None, limit, besides=besides)

    def due(self, moment: int, limit: int) -> Sequence[DueJob]:
        """Return the jobs that are due, the oldest first, without those in quarantine."""
        return self._due(moment, limit)

    def next_time(self, after: int) -> int | None:
        """Return when the next job is due after an instant."""
        aside = self._keeper.aside()
        found = self._keeper.scheduled((after + 1, ""), None, len(aside) + 1)
        return next((due for due, job_id in found if job_id not in aside), None)

    def insert(self, job: StoredJob) -> None:
        """Add a job; raise `JobChanged` where there is one of its id."""
        self._swap(job.id, None, job)

    def replace(self, seen: StoredJob, changes: Mapping[str, Any]) -> None:
        """Change a job as it was seen; raise `JobChanged` when it is another by now."""
        whole = changes if document.is_readable(seen) else {"created_at": changes["updated_at"], **changes}
        after = replace(seen, **whole)
        self._swap(seen.id, seen.kept, after)
        if seen.quarantine is not None and after.quarantine is None:
            self._keeper.set_aside(seen.id, is_aside=False)

    def delete(self, seen: StoredJob) -> None:
        """Delete a job as it was seen; raise `JobChanged` when it is another by now."""
        self._swap(seen.id, seen.kept, None)

    def change_many(self, changes: Sequence[Change]) -> Collection[str]:
        """Change or delete jobs one by one, each as it was seen; return the ids of those that were changed."""
        done = []
        for seen, values in changes:
            with suppress(JobChanged):
                if values is None:
                    self.delete(seen)
                else:
                    self.replace(seen, values)
                done.append(seen.id)
        return done

    def advance(self, jobs: Sequence[tuple[DueJob, int]]) -> None:
        """Set when jobs are due next, after the commit, unless somebody has changed when that is."""
        self._order([outbox.order(self.alias, job, after=after) for job, after in jobs])

    def end(self, job: DueJob) -> None:
        """Delete a job whose trigger has ended, after the commit, unless somebody has changed when it is due."""
        self._order([outbox.order(self.alias, job)])

    def quarantine(self, job: DueJob, reason: str, moment: datetime) -> None:
        """Put a job aside that cannot be restored, after the commit."""
        self._order([outbox.order(self.alias, job, reason=reason, at=moment)])

    def release_quarantine(self) -> None:
        """Let all that was put aside be tried again, after the commit."""
        after_commit(self._release)

    def settle(self, orders: Sequence[Order]) -> None:
        """Carry out what a leader claimed and could not write any more, as `outbox.of` gives it.

        To be called before `due` is asked, and outside a unit of work. Done twice it does no harm, and what people have
        changed stays theirs.
        """
        for start in range(0, len(orders), _AT_ONCE):
            some = orders[start : start + _AT_ONCE]
            found = {job.id: job for job in self._read([one.job_id for one in some])}
            for one in some:
                self._settle(one, found.get(one.job_id))

    def close(self) -> None:
        """Let go of the connection; the next question opens another one."""
        self._keeper.close()

    def _order(self, orders: Sequence[Order]) -> None:
        outbox.put(orders)
        after_commit(partial(self._try, orders))

    def _try(self, orders: Sequence[Order]) -> None:
        try:
            self.settle(orders)
        except StoreUnavailable:
            _LOG.warning("The job store %s does not answer; what was claimed is written there later", self.alias)

    def _settle(self, one: Order, job: StoredJob | None) -> None:
        for _time in range(_PATIENCE):
            if job is None or not _is_as_seen(job, one) or self._write(job, one):
                return
            job = self.get(one.job_id)

    def _write(self, job: StoredJob, one: Order) -> bool:
        """Make of a job what was ordered; return False when it has changed since it was read."""
        if not document.is_readable(job):
            self._keeper.set_aside(job.id, is_aside=True)
            return True
        if one.reason is None:
            return self._put(job, None if one.after is None else replace(job, next_run_time=one.after))
        if not self._put(job, replace(job, quarantine=one.reason, quarantined_at=one.at)):
            return False
        self._keeper.set_aside(job.id, is_aside=True)
        return True

    def _release(self) -> None:
        for job in self._read(sorted(self._keeper.aside())):
            if document.is_readable(job):
                self._put(job, replace(job, quarantine=None))
            self._keeper.set_aside(job.id, is_aside=False)

    def _swap(self, job_id: str, before: bytes | None, after: StoredJob | None) -> None:
        written = None if after is None else document.write(after)
        if not self._keeper.swap(job_id, before, written, None if after is None else after.next_run_time):
            raise JobChanged

    def _put(self, before: StoredJob, after: StoredJob | None) -> bool:
        try:
            self._swap(before.id, before.kept, after)
        except JobChanged:
            return False
        return True

    def _due(self, until: int | None, limit: int, *, besides: str | None = None) -> list[DueJob]:
        aside = self._keeper.aside()
        found = self._keeper.scheduled(_FIRST, until, limit + len(aside) + 1)
        wanted = [(due, job_id) for due, job_id in found if job_id not in aside and job_id != besides][:limit]
        jobs = {job.id: job for job in self._read([job_id for _due, job_id in wanted])}
        return [
            DueJob(job_id, jobs[job_id].definition, due)
            for due, job_id in wanted
            if job_id in jobs and _is_due_at(jobs[job_id], due)
        ]

    def _read(self, job_ids: Sequence[str]) -> list[StoredJob]:
        if not job_ids:
            return []
        found = self._keeper.read(job_ids)
        return [document.read(job_id, found[job_id], self.alias) for job_id in job_ids if job_id in found]


def _is_as_seen(job: StoredJob, one: Order) -> bool:
    """Tell whether nobody has changed a job since it was claimed; of what cannot be read nobody knows when that is."""
    if document.is_readable(job):
        return job.quarantine is None and job.next_run_time == one.seen
    return one.reason is not None


def _is_due_at(job: StoredJob, due: int) -> bool:
    """Tell whether the list says what the document does."""
    return job.next_run_time == due or not document.is_readable(job)
