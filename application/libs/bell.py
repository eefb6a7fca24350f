"""Ring for a task that is committed: a worker of this process, one beside it, or by a broker; never wait, never fail.

A ring may be lost. Who looks after the rows rings again.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from flask import Flask, current_app

_LOG = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Rings that wait for a broker; the oldest are dropped, and their tasks are rung for by who looks after them."""

_SAY_AGAIN_SECONDS = 60


class Bell(Protocol):
    """Ring for a task."""

    again_seconds: float
    """How long after a task was rung for it is rung for again, if nobody has begun it."""

    def ring(self, task_id: str, queue: str, priority: int) -> None:
        """Say that a task waits."""


class Bells:
    """Be the bell of the current application."""

    def init_app(self, app: Flask, bell: Bell) -> None:
        """Give an application its bell."""
        app.extensions["bell"] = bell

    @property
    def again_seconds(self) -> float:
        """Return how long after a ring the next one follows."""
        return self._bell.again_seconds

    def ring(self, task_id: str, queue: str, priority: int) -> None:
        """Ring for a task."""
        self._bell.ring(task_id, queue, priority)

    @property
    def _bell(self) -> Bell:
        bell: Bell = current_app.extensions["bell"]
        return bell


class LocalBell:
    """Wake who looks into the database, where the workers are in one process with them."""

    again_seconds = 0.0

    def __init__(self, wake: Callable[[], object]) -> None:
        """Wake by this; the row is due from the start."""
        self._wake = wake

    def ring(self, _task_id: str, _queue: str, _priority: int) -> None:
        """Wake them."""
        self._wake()


class BrokerBell:
    """Hand rings to a broker on a thread of its own, because a broker that is away keeps who publishes for seconds."""

    again_seconds = 5.0

    def __init__(self, publish: Callable[[str, str, int], object]) -> None:
        """Publish by this; the thread starts with the first ring."""
        self._publish = publish
        self._process = 0
        self._gate = threading.Lock()
        self._said_at: float | None = None

    def ring(self, task_id: str, queue: str, priority: int) -> None:
        """Put a ring behind the others."""
        with self._gate:
            if self._process != os.getpid():  # a fork has copied it, and no thread
                self._begin()
        with self._changed:
            self._rings.append((task_id, queue, priority))
            self._changed.notify()

    def close(self, seconds: float = 1.0) -> None:
        """Ring for what waits, so many seconds at most, and end the thread."""
        if self._process != os.getpid():
            return
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(seconds)
        self._process = 0

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._rings: deque[tuple[str, str, int]] = deque(maxlen=MOST_WAITING)
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="task-bell", daemon=True)
        self._thread.start()
        self._process = os.getpid()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._rings or self._closed)
                if not self._rings:
                    return
                ring = self._rings.popleft()
            try:
                self._publish(*ring)
            except Exception:
                self._complain()

    def _complain(self) -> None:
        now = time.monotonic()
        if self._said_at is None or now - self._said_at >= _SAY_AGAIN_SECONDS:
            self._said_at = now
            _LOG.warning("The broker cannot be reached; what waits is rung for again once it can", exc_info=True)
