"""Do tasks in this process, or look after those that others do."""

import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import Any

from celery import Celery
from flask import Flask
from sqlalchemy import Engine as DatabaseEngine

from application.database import Unit, db, transaction
from application.database.impatient import impatient_engine
from application.libs import celery_app
from application.libs.bell import BrokerBell, LocalBell
from application.libs.child_application import Prepare
from application.libs.clock import now
from application.libs.error import Unavailable
from application.libs.process_pool import KillablePool
from application.libs.task import TASKS
from application.modules.task.business import attempting, sweeping
from application.modules.task.business.attempting import Claimed, Worker
from application.modules.task.business.sweeping import Waiting
from application.modules.task.engine.embedded import EmbeddedWorker
from application.modules.task.engine.execution import Execution
from application.modules.task.engine.keeper import STOPS, Keeper
from application.modules.task.engine.sweeper import LEASE_SECONDS, Sweeper, options_of

_LOG = logging.getLogger(__name__)


class TaskEngine:
    """Be what has to do with tasks in one process of an application."""

    lease_seconds = LEASE_SECONDS

    predecessor: str | None = None
    """The name of a process that has ended, however it did: what it was doing is begun anew at once."""

    has_own_process = False
    """Whether this process does one task at a time, and another takes its place if it is killed."""

    nudge: Callable[[], object] | None = None
    """Wakes the process beside this one in which tasks are done; who starts that one sets it."""

    def __init__(
        self,
        app: Flask,
        *,
        broker_url: str,
        prefix: str,
        concurrency: int,
        celery_settings: Mapping[str, Any],
        queues: Collection[str] = (),
        build: Callable[[], Flask] | None = None,
    ) -> None:
        """Take what is needed; start nothing. `build` builds the application of a process that can be killed.

        `queues` are those that are used beside the ones that tasks were declared with.
        """
        self._app = app
        self._broker_url = broker_url
        self._prefix = prefix
        self._concurrency = concurrency
        self._celery_settings = celery_settings
        self._used_queues = queues
        self._build = build
        self._process = 0
        self._worker: Worker
        self._database: DatabaseEngine
        self._unit: partial[AbstractContextManager[Unit]]
        self._keeper: Keeper
        self._execution: Execution
        self._sweeper: Sweeper | None = None
        self._embedded: EmbeddedWorker | None = None
        self._pool: KillablePool | None = None
        self.bell = LocalBell(self.wake) if self.is_embedded else BrokerBell(self._publish)

    @property
    def name(self) -> str:
        """Return what no other process is called, once this one has begun."""
        return self._worker.name

    @property
    def is_embedded(self) -> bool:
        """Tell whether tasks are done by the process in which jobs fire."""
        return self._broker_url.startswith("memory:")

    @cached_property
    def celery(self) -> Celery:
        """Return the Celery application that talks to the broker."""
        return self._make_celery(self._prefix)

    def start(self) -> None:
        """Look after tasks from now on, and do them here where no broker tells others to."""
        self._begin()
        if self.predecessor is not None:
            self._succeed(self.predecessor)
        if self.is_embedded:
            self._embedded = EmbeddedWorker(
                self._make_celery, concurrency=self._concurrency, in_hand=lambda: len(self._keeper)
            )
            self._embedded.start()
        self.start_sweeping(processes=self._concurrency if self.is_embedded else 0)

    def _succeed(self, process: str) -> None:
        try:
            with self._unit():
                for one in sweeping.left_by(process):
                    reason = f"its process ended in attempt {one.attempt}"
                    sweeping.lose(one, most=options_of(one.name).losses, moment=now(), reason=reason)
        except Unavailable:
            _LOG.warning("What the runner before this one did begins anew once it has been silent for long enough")

    def start_sweeping(self, *, processes: int = 0) -> None:
        """Look after tasks: what is due is rung for; so many `processes` are kept for what may kill or be killed."""
        self._begin()
        embedded = self._embedded
        if processes and self._build is not None:
            self._pool = KillablePool(processes, Prepare(self._build))
            self._execution = Execution(self._app, self._worker, self._keeper, self._unit, pool=self._pool)
        self._sweeper = Sweeper(
            self._unit,
            self._ring_again if embedded is None else embedded.ring,
            ours=self._keeper.ids,
            again_seconds=BrokerBell.again_seconds,
            lease_seconds=self.lease_seconds,
            **({"busy": self._busy} if embedded is None else {"capacity": embedded.capacity}),
        )
        self._sweeper.start()

    def wake(self) -> None:
        """Let this process, or the one beside it, look at once for what is due."""
        if self.nudge is not None:
            self.nudge()
        if self._sweeper is not None:
            self._sweeper.wake()

    def perform(self, task_id: str) -> str:
        """Do a task that was rung for, on this thread."""
        self._begin()
        if self._embedded is not None:
            self._embedded.hear(task_id)
        outcome = self._execution.perform(task_id) if task_id else ""
        if self._sweeper is not None:
            self._sweeper.wake()  # a thread is free
        return outcome

    def do_here(self, claimed: Claimed) -> str:
        """Do a task that another process has claimed for this one."""
        self._begin()
        return self._execution.do_here(TASKS.get(claimed.name).limited(claimed.hard_limit_seconds), claimed)

    def close(self) -> None:
        """Begin nothing more here; what waits is left to others."""
        if self._process == os.getpid():
            self._keeper.close()

    def drain(self, seconds: float) -> bool:
        """Wait until what is done here has ended, so many seconds at most; return whether it has."""
        return self._process != os.getpid() or self._keeper.await_end(seconds)

    def stop(self) -> None:
        """Hand back what has not ended, for another process to begin anew, and end all threads."""
        if self._process == os.getpid():
            self._process = 0
            self._end()
        if isinstance(self.bell, BrokerBell):  # at last, for who looks after tasks rings
            self.bell.close()

    def _end(self) -> None:
        self._keeper.close()
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.stop()
        for hand in self._keeper.give_up():
            self._hand_back(hand.claimed)
        for part in (self._embedded, self._pool, self._keeper):
            if part is not None:
                part.stop()
        self._embedded = self._pool = None
        if self._database is not self._app_database():
            self._database.dispose()

    def _begin(self) -> None:
        """Make what this process needs, where it is new or a fork of another."""
        if self._process == os.getpid():
            return
        if self._process:  # a fork, whose parent goes on with these connections
            self._database.dispose(close=False)
            self._app_database().dispose(close=False)
            self._sweeper = self._embedded = self._pool = None
        self._process = os.getpid()
        host = socket.gethostname().lower()
        self._worker = Worker(f"{os.getpid()}-{secrets.token_hex(4)}@{host}"[:100], host[:255], os.getpid())
        self._database = impatient_engine(self._app_database())
        self._unit = partial(transaction, engine=self._database)
        self._keeper = Keeper(self._unit)
        kill = self._kill_this if self.has_own_process else None
        self._execution = Execution(self._app, self._worker, self._keeper, self._unit, kill=kill)

    @staticmethod
    def _kill_this() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _hand_back(self, claimed: Claimed) -> None:
        try:
            with self._unit():
                attempting.hand_back(claimed, STOPS)
        except attempting.Superseded:
            _LOG.info("Task %s had ended already", claimed.id)
        except Unavailable:
            _LOG.warning("Task %s could not be handed back; another process finds it silent", claimed.id)

    def _app_database(self) -> Any:
        with self._app.app_context():
            return db.engine

    def _make_celery(self, prefix: str) -> Celery:
        return celery_app.make_celery(
            self._broker_url, prefix=prefix, queues=self._queues(), settings=self._celery_settings, perform=self.perform
        )

    def _publish(self, task_id: str, queue: str, priority: int) -> None:
        celery_app.publish(self.celery, self._prefix, task_id, queue, priority)

    def _ring_again(self, found: Sequence[Waiting]) -> None:
        for one in found:
            self.bell.ring(one.id, one.queue, one.priority)

    def _busy(self) -> set[str]:
        """Return the queues in which a broker says that rings wait."""
        return {queue for queue in self._queues() if celery_app.depth(self.celery, self._prefix, queue) > 0}

    def _queues(self) -> set[str]:
        """Return the queues of what is declared, and what else is used."""
        return {"default", *self._used_queues, *(one.options.queue for one in TASKS)}
