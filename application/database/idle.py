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
    """Be SQLAlchemy's pool of connections, with a stack in the place of its queue, and one of them at hand."""

    _queue_class = Stack
    _pool: Stack

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what SQLAlchemy takes."""
        super().__init__(*arguments, **options)
        self._at_hand: deque[tuple[PoolProxiedConnection, float]] = deque()
        self._kept = 0
        self._pool.bring = self._release

    def connect(self) -> PoolProxiedConnection:
        """Return a connection: the one at hand, unless it has rested; then SQLAlchemy looks after it first."""
        if self._at_hand:
            try:
                lent, since = self._at_hand.pop()
            except IndexError:  # another thread was faster
                return super().connect()
            if monotonic() - since < REST_SECONDS:
                return lent
            lent.close()
        return super().connect()

    def keep(self, lent: PoolProxiedConnection) -> bool:
        """Keep a connection at hand on which nothing is begun; return False where it is to be closed instead.

        Who waits for one learns of what is closed, and SQLAlchemy's `pool_recycle` looks at what is lent anew.
        """
        self._kept += 1
        if self._at_hand or self._kept % IN_A_ROW == 0:
            return False
        self._at_hand.append((lent, monotonic()))
        if self._pool.is_awaited:  # who begins to wait only now brings it itself
            self._release()
        return True

    def dispose(self) -> None:
        """Close what is idle; what is lent is closed by who returns it."""
        self._release()
        super().dispose()

    def checkedout(self) -> int:
        """Return how many connections are lent."""
        return super().checkedout() - len(self._at_hand)

    def checkedin(self) -> int:
        """Return how many connections are idle."""
        return super().checkedin() + len(self._at_hand)

    def _release(self) -> None:
        """Let SQLAlchemy take back what is at hand."""
        try:
            lent, _since = self._at_hand.pop()
        except IndexError:
            return
        lent.close()
