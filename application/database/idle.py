"""Lend connections from a pool whose idle ones lie on a stack: who finds one, and who returns one, takes no lock.

SQLAlchemy's queue takes a re-entrant lock for both, which under gevent is one of Python, with conditions around it: a
fortieth of GET one blog. A deque appends and pops in one step anyway; only who finds none has to wait for a signal.
"""

from contextlib import suppress
from math import inf
from threading import TIMEOUT_MAX
from time import monotonic

from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlalchemy.util.queue import Empty, Full, Queue


class Stack(Queue[ConnectionPoolEntry]):
    """Hold idle connections, the one that came back last on top."""

    def __init__(self, maxsize: int = 0, use_lifo: bool = True) -> None:
        """Hold none yet, and at most so many, 0 for any number; two who return one at once may exceed it by one."""
        super().__init__(maxsize, use_lifo)
        self._waiting = 0

    def get(self, block: bool = True, timeout: float | None = None) -> ConnectionPoolEntry:
        """Return the one on top; wait for one at most so many seconds, if at all, and raise `Empty`."""
        try:
            return self.queue.pop()
        except IndexError:
            if not block:
                raise Empty from None
        return self._awaited(inf if timeout is None else monotonic() + timeout)

    def put(self, item: ConnectionPoolEntry, _block: bool = True, _timeout: float | None = None) -> None:
        """Take one back, or raise `Full` at once."""
        if 0 < self.maxsize <= len(self.queue):
            raise Full
        self.queue.append(item)
        if self._waiting:  # who begins to wait only now looks once more before
            with self.not_empty:
                self.not_empty.notify()

    def _awaited(self, until: float) -> ConnectionPoolEntry:
        with self.not_empty:
            self._waiting += 1
            try:
                while True:
                    with suppress(IndexError):  # somebody who did not wait may have taken what was signalled
                        return self.queue.pop()
                    seconds = until - monotonic()
                    if seconds <= 0:
                        raise Empty
                    self.not_empty.wait(min(seconds, TIMEOUT_MAX))
            finally:
                self._waiting -= 1


class StackPool(QueuePool):
    """Be SQLAlchemy's pool of connections, with a stack in the place of its queue."""

    _queue_class = Stack
