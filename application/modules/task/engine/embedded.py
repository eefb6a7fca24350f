"""Run a Celery worker with a pool of threads in this process, which hears of tasks through its memory."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery
from celery.bootsteps import CLOSE
from celery.concurrency.thread import TaskPool

from application.libs import celery_app
from application.libs.thread_pool import ThreadPool
from application.modules.task.business.sweeping import Waiting

_LOG = logging.getLogger(__name__)

QUEUE = "default"
"""All queues are one here: which task is next the database says."""

_UP_SECONDS = 10.0
_DOWN_SECONDS = 3.0
_HEARD_SECONDS = 5.0  # after which a ring that was not heard is not counted


class _Pool(TaskPool):
    """Be Celery's pool on threads that hold up no end of the process."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.executor = ThreadPool(self.limit, "task")

    def on_stop(self) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)


class EmbeddedWorker:
    """Be the worker, from `start` until `stop`."""

    def __init__(self, make: Callable[[str], Celery], *, concurrency: int, in_hand: Callable[[], int]) -> None:
        """Do `concurrency` tasks at once; `in_hand` tells how many are being done."""
        self.prefix = f"redprint-{secrets.token_hex(4)}"  # what is in memory all workers of this process see
        self._make = make
        self._concurrency = concurrency
        self._in_hand = in_hand
        self._lock = threading.Lock()
        self._rung: dict[str, float] = {}

    def start(self) -> None:
        """Start, and wait until rings are heard."""
        self._begin().wait(_UP_SECONDS)

    def _begin(self) -> threading.Event:
        self._celery = self._make(self.prefix)
        self._celery.set_default()  # without which tasks are accepted, and never run
        ready = threading.Event()
        self._worker = self._celery.WorkController(
            ready_callback=lambda _consumer: ready.set(),
            pool_cls=_Pool,
            concurrency=self._concurrency,
            hostname=self.prefix,
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
        )
        self._thread = threading.Thread(target=self._worker.start, name="task-worker", daemon=True)
        self._thread.start()
        return ready

    def capacity(self) -> int:
        """Return for how many tasks there is a thread that has nothing to do."""
        oldest = time.monotonic() - _HEARD_SECONDS
        with self._lock:
            self._rung = {task_id: at for task_id, at in self._rung.items() if at > oldest}
            return max(0, self._concurrency - self._in_hand() - len(self._rung))

    def ring(self, found: Sequence[Waiting]) -> None:
        """Ring for tasks; a worker that has ended by itself, which none should, is followed by another."""
        if found and not self._thread.is_alive():
            _LOG.error("The worker in this process has ended by itself; another one starts")
            self._begin().wait(_UP_SECONDS)
        for one in found:
            with self._lock:
                self._rung[one.id] = time.monotonic()
            celery_app.publish(self._celery, self.prefix, one.id, QUEUE, one.priority)

    def hear(self, task_id: str) -> None:
        """Note that a ring has been heard."""
        with self._lock:
            self._rung.pop(task_id, None)

    def stop(self) -> None:
        """End the worker; what it does is to be ended before."""
        self._worker.consumer.blueprint.state = CLOSE
        celery_app.publish(self._celery, self.prefix, "", QUEUE, 0)  # lets its loop look; else that takes 2 s
        self._thread.join(_DOWN_SECONDS)
        self._worker.stop()
        self._celery.close()
