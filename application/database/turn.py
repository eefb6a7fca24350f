"""Let one unit of work of a process at a time write to an SQLite file, and the next one follow at once.

A connection keeps the pages that it has read, and has to forget them all after another one's commit, of this process or
any other. So who waits holds no connection, and the next one writes by the one that came back last; and who has ended
gives way to those who wait, who then write in a row before another process does. A POST reads 15 pages then instead of
67 (two workers, 32 connections).
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic, sleep
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Turn:
    """Be a place in the queue of those who want to write by one engine."""

    __slots__ = ("_has_come", "_queue")

    def __init__(self, engine: Engine) -> None:
        """Stand in no queue yet."""
        self._queue = _QUEUES.get(engine) or _QUEUES.setdefault(engine, _Queue())
        self._has_come = False

    def take(self, until: float, let_go: Callable[[], None]) -> None:
        """Wait for one's turn until a moment of the monotonic clock; who has to wait calls `let_go` first.

        Raises `TimeoutError` of SQLAlchemy's pool.
        """
        lock = self._queue.lock
        if not self._has_come and not lock.locked():  # to try a green lock in vain gives way to others
            self._has_come = lock.acquire(blocking=False)
        if not self._has_come:
            let_go()
            self._wait(until)

    def end(self) -> None:
        """Let others write."""
        if self._has_come:
            self._has_come = False
            self._queue.lock.release()

    def give_way(self) -> None:
        """Let those do so who wait for it, before anything else is done here."""
        if self._queue.waiting:
            sleep(0)

    def _wait(self, until: float) -> None:
        waiting = self._queue.waiting
        waiting.add(self)
        try:
            self._has_come = self._queue.lock.acquire(timeout=max(0.0, until - monotonic()))
        finally:
            waiting.discard(self)
        if not self._has_come:
            raise PoolTimeout("Others of this process are still writing to the file")


class _Queue:
    """Hold who writes by one engine, and who waits for it."""

    __slots__ = ("lock", "waiting")

    def __init__(self) -> None:
        self.lock = Lock()
        self.waiting: set[Turn] = set()


_QUEUES: WeakKeyDictionary[Engine, _Queue] = WeakKeyDictionary()
