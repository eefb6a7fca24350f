"""Find a job in the stores there are."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from application.modules.scheduler.store.document_store import DocumentStore
from application.modules.scheduler.store.job_store import JobStore
from application.modules.scheduler.store.record import Change, StoredJob

DEFAULT = "default"
"""The alias of the store that a job goes to which chooses none."""


class Stores:
    """Be the stores by alias; an id is one job, whichever keeps it."""

    def __init__(self, stores: Mapping[str, JobStore]) -> None:
        """Take the stores by their aliases, DEFAULT among them."""
        self._stores = dict(stores)

    def __iter__(self) -> Iterator[JobStore]:
        """Iterate over the stores, as they were given."""
        return iter(self._stores.values())

    def __getitem__(self, alias: str) -> JobStore:
        """Return the store of an alias."""
        return self._stores[alias]

    @property
    def aliases(self) -> tuple[str, ...]:
        """Return the names that jobs choose a store by."""
        return tuple(self._stores)

    @property
    def foreign(self) -> tuple[DocumentStore, ...]:
        """Return those outside the application's database."""
        return tuple(store for store in self if isinstance(store, DocumentStore))

    @property
    def are_local(self) -> bool:
        """Tell whether only this process sees the jobs that choose no store."""
        return self[DEFAULT].is_local

    def close(self) -> None:
        """Let go of the connections."""
        for store in self:
            store.close()

    def some(self, job_ids: Collection[str], *, lock: bool = False) -> list[StoredJob]:
        """Return the jobs of these ids, in whichever store they are."""
        found = (store.lock_some(job_ids) if lock else store.some(job_ids) for store in self if job_ids)
        return [job for jobs in found for job in jobs]

    def change_many(self, changes: Sequence[Change]) -> frozenset[str]:
        """Change or delete jobs, each in its store; return the ids of those that were changed."""
        of_stores: dict[str, list[Change]] = {}
        for seen, values in changes:
            of_stores.setdefault(seen.store, []).append((seen, values))
        return frozenset().union(*(self[alias].change_many(some) for alias, some in of_stores.items()))

    def find(self, job_id: str, *, lock: bool = False, alias: str | None = None) -> StoredJob | None:
        """Return a job, in whichever store it is, or in that of the alias."""
        stores = self if alias is None else [self[alias]]
        found = (store.lock(job_id) if lock else store.get(job_id) for store in stores)
        return next((job for job in found if job is not None), None)
