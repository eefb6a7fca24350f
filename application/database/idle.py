"""Lend connections from a pool whose idle ones lie on a stack: who finds one, and who returns one, takes no lock.

SQLAlchemy's queue takes a re-entrant lock for both, which under gevent is one of Python, with conditions around it: a
fortieth of GET one blog. A deque appends and pops in one step anyway; only who finds none has to wait for a signal.

To lend one, SQLAlchemy makes a proxy with a finalizer and unmakes it when it comes back, which is a tenth of GET one.
One connection is therefore kept at hand as it was lent, for whoever asks next.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from math import inf
from threading import TIMEOUT_MAX
from time import monotonic
from typing import Any

from sqlalchemy import PoolProxiedConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlalchemy.util.queue import Empty, Full, Queue

REST_SECONDS = 1
"""After how long without use a pooled connection is asked whether it still lives."""

RETURNED = "redprint_returned"
"""Under which name a connection's `info` says when it came back, by the monotonic clock."""

IN_A_ROW = 1000
"""How often a connection is kept at hand before SQLAlchemy takes it back once, to see whether it is too old."""


class Stack(Queue[ConnectionPoolEntry]):
    """Hold idle connections, the one that came back last on top."""

    def __init__(self, maxsize: int = 0, use_lifo: bool = True) -> None:
        """Hold none yet, and at most so many, 0 for any number; two who return one at once may exceed it by one."""
        super().__init__(maxsize, use_lifo)
        self._waiting = 0
        self.bring: Callable[[], object] = lambda: None
        """Put one here that lies elsewhere; somebody waits."""

    @property
    def is_awaited(self) -> bool:
        """Tell whether somebody waits for one."""
        return self._waiting > 0

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
                self.bring()
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
    """Be SQLAlchemy's pool, with a stack in the place of its queue, and the connection at hand that came back last."""

    _queue_class = Stack
    _pool: Stack

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what SQLAlchemy takes."""
        super().__init__(*arguments, **options)
        self._at_hand: deque[tuple[PoolProxiedConnection, float]] = deque()
        self._kept = 0
        self._is_replaced = False
        self._pool.bring = self.release

    def connect(self) -> PoolProxiedConnection:
        """Return a connection: the one at hand, unless it has rested; then SQLAlchemy looks after it first."""
        if self._at_hand:
            try:
                lent, since = self._at_hand.pop()
            except IndexError:  # another thread was faster
                return super().connect()
            if monotonic() - since < REST_SECONDS:
                return lent
            _close(lent, since)
        return super().connect()

    def keep(self, lent: Any) -> bool:
        """Keep a connection at hand on which nothing is begun; return False where it is to be closed instead.

        Who waits for one learns of what is closed, and SQLAlchemy's `pool_recycle` looks at what is lent anew.
        """
        if lent._pool is not self or self._is_replaced:  # noqa: SLF001  # no public name says which pool has lent it
            return False
        self._kept += 1
        if self._kept % IN_A_ROW == 0 or self._overflow > 0:  # more are open than the pool is to hold
            self.release()
            return False
        self._at_hand.append((lent, monotonic()))
        if len(self._at_hand) > 1:
            self._close_first()
        if self._pool.is_awaited or self._is_replaced:  # who begins to wait only now brings it itself
            self.release()
        return True

    def release(self) -> None:
        """Let SQLAlchemy take back what is at hand."""
        while self._at_hand:
            self._close_first()

    def dispose(self) -> None:
        """Close what is idle; what is lent is closed by who returns it."""
        self.release()
        super().dispose()

    def recreate(self) -> QueuePool:
        """Return the pool that stands in the place of this one, which keeps nothing any more."""
        self._is_replaced = True
        self.release()
        return super().recreate()

    def checkedout(self) -> int:
        """Return how many connections are lent."""
        return super().checkedout() - len(self._at_hand)

    def checkedin(self) -> int:
        """Return how many connections are idle."""
        return super().checkedin() + len(self._at_hand)

    def _close_first(self) -> None:
        try:
            lent, since = self._at_hand.popleft()
        except IndexError:  # another thread was faster
            return
        _close(lent, since)


def _close(lent: PoolProxiedConnection, since: float) -> None:
    """Give a connection back to SQLAlchemy that has rested since a moment."""
    info = lent.info
    lent.close()
    info[RETURNED] = since
