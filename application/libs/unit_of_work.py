"""Say what the machinery needs of a unit of work, whatever database stands behind it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class UnitOfWork(Protocol):
    """Be what `transaction()` yields: a reader that can become a writer."""

    after_commit: list[Callable[[], object]]
    """What is called once it has committed, and not if it is rolled back."""

    def promote(self) -> None:
        """End the reading part and begin the writing one."""

    def flush(self) -> None:
        """Send what was changed and not yet sent, so that its rows are locked."""


class Transaction(Protocol):
    """Open a unit of work."""

    def __call__(self, *, write: bool = True) -> AbstractContextManager[UnitOfWork]:
        """Commit at the end of the block, roll back on an exception."""
