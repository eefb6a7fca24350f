"""Keep documents in this process alone: gone with it, and seen by nobody else."""

import threading
from collections.abc import Collection, Mapping
from itertools import islice


class MemoryKeeper:
    """Be a `Keeper` of dictionaries; sorted when asked, for what a process keeps by itself is little."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._documents: dict[str, tuple[bytes, int | None]] = {}
        self._aside: set[str] = set()
        self._lock = threading.Lock()

    def read(self, job_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the documents of these ids, as far as they are there."""
        with self._lock:
            return {job_id: self._documents[job_id][0] for job_id in job_ids if job_id in self._documents}

    def scheduled(self, behind: tuple[int, str], until: int | None, limit: int) -> list[tuple[int, str]]:
        """Return when documents are due and their ids, behind a place."""
        with self._lock:
            places = [(due, job_id) for job_id, (_text, due) in self._documents.items() if due is not None]
        found = (place for place in sorted(places) if place > behind and (until is None or place[0] <= until))
        return list(islice(found, limit))

    def paused(self, behind: str, limit: int) -> list[str]:
        """Return the ids of paused documents behind an id."""
        with self._lock:
            found = [job_id for job_id, (_text, due) in self._documents.items() if due is None and job_id > behind]
        return sorted(found)[:limit]

    def aside(self) -> set[str]:
        """Return the ids of what is put aside."""
        with self._lock:
            return set(self._aside)

    def sizes(self) -> tuple[int, int]:
        """Return how many documents there are, and how many of them are paused."""
        with self._lock:
            return len(self._documents), sum(due is None for _text, due in self._documents.values())

    def set_aside(self, job_id: str, *, is_aside: bool) -> None:
        """Put a document aside, or no longer."""
        with self._lock:
            if is_aside and job_id in self._documents:
                self._aside.add(job_id)
            else:
                self._aside.discard(job_id)

    def swap(self, job_id: str, before: bytes | None, after: bytes | None, due: int | None) -> bool:
        """Put one document in the place of another."""
        with self._lock:
            found = self._documents.get(job_id)
            if (None if found is None else found[0]) != before:
                return False
            if after is None:
                self._documents.pop(job_id, None)
                self._aside.discard(job_id)
            else:
                self._documents[job_id] = after, due
            return True

    def close(self) -> None:
        """Have nothing to close; what is kept stays until the process ends."""
