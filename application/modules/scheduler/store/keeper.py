"""Say what a server must be able to do so that jobs can be kept in it as documents."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from application.libs.jobstore import StoreUnavailable


class Keeper(Protocol):
    """Keep documents by id, in two lists: the scheduled by when they are due and id, the paused by id.

    Instants are microseconds since 1970 in UTC, ids are ordered by their code points. Whatever the server or its driver
    raises becomes `StoreUnavailable`.
    """

    def read(self, job_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the documents of these ids, as far as they are there."""

    def scheduled(self, behind: tuple[int, str], until: int | None, limit: int) -> list[tuple[int, str]]:
        """Return when documents are due and their ids, behind a place, at most those due by `until`."""

    def paused(self, behind: str, limit: int) -> list[str]:
        """Return the ids of paused documents behind an id."""

    def aside(self) -> set[str]:
        """Return the ids of what is put aside, scheduled or paused."""

    def sizes(self) -> tuple[int, int]:
        """Return how many documents there are, and how many of them are paused."""

    def set_aside(self, job_id: str, *, is_aside: bool) -> None:
        """Put a document aside, or no longer."""

    def swap(self, job_id: str, before: bytes | None, after: bytes | None, due: int | None) -> bool:
        """Put one document in the place of another, where None is none; do nothing and return False if it is not there.

        `due` says in which list it is then, and where (None: paused). What is removed is no longer aside either.
        """

    def close(self) -> None:
        """Let go of the connection; the next question opens another one."""


@contextmanager
def answering(server: str, errors: tuple[type[BaseException], ...]) -> Iterator[None]:
    """Say of these errors that the store does not answer, and keep their texts for the log."""
    try:
        yield
    except errors as error:
        raise StoreUnavailable(f"The job store in {server} does not answer; try again soon") from error
