"""Put our own firing under Flask-APScheduler and APScheduler 3.11.

APScheduler gives the thread, the executors and the events; what is due and who may fire it is decided by a ticker that
is handed in, because APScheduler's own stores take no lock: processes that share one fire everything several times.
"""

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Protocol

from apscheduler.executors.base import MaxInstancesReachedError
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.schedulers import SchedulerAlreadyRunningError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_RUNNING
from flask import Flask, current_app, has_app_context
from flask_apscheduler import APScheduler

from application.libs.record import Record

_LOG = logging.getLogger(__name__)

MAX_THREADS = 10
"""How many jobs run at once in one process, as in APScheduler."""

_SAY_AGAIN_SECONDS = 60  # a database that is away for an hour is not logged twice a second


class TooManyInstances(Exception):
    """As many runs of the job as it allows are running."""


class OwnStoreOnly(NotImplementedError):
    """A job given to APScheduler would never fire; declare it in application/config/scheduler.py."""


class Submission(Record):
    """Hold what an executor needs to call a function: `function()` of the job `job_id`, due at `scheduled_at`."""

    job_id: str
    name: str
    trigger: Any
    executor: str
    max_instances: int
    scheduled_at: datetime
    function: Callable[[], object]


Submit = Callable[[Submission], None]


class Ticker(Protocol):
    """Decide what fires. `tick` is called by one thread; jobs run on the executor's."""

    poll_seconds: float

    def start(self, submit: Submit) -> None:
        """Begin to compete; `submit` hands a run to an executor or raises `TooManyInstances`."""

    def tick(self, now: datetime | None = None) -> bool:
        """Fire what is due; return whether more is due at once."""

    def drain(self, *, wait: bool) -> bool:
        """Take no new work; return whether all that ran has ended."""

    def stop(self) -> None:
        """Let another process take over at once."""


class RunContext(Record):
    """Hold which run this code belongs to.

    `(job_id, scheduled_at)` is the same in every attempt: the idempotency key. `token` grows with each leader: the
    fencing token for effects outside of the database.
    """

    run_id: str
    job_id: str
    scheduled_at: datetime
    token: int
    attempt: int


current_run: ContextVar[RunContext | None] = ContextVar("redprint_run", default=None)


class TickScheduler(BackgroundScheduler):
    """Be an APScheduler whose thread asks a ticker what to fire, and never dies."""

    ticker: Ticker

    def start(self, paused: bool = False) -> None:
        """Start the ticker, the executors and the thread."""
        if self.running:
            raise SchedulerAlreadyRunningError
        self._failed_at: float | None = None
        self.ticker.start(self.submit)
        super().start(paused=paused)

    def shutdown(self, wait: bool = True) -> None:
        """Take no new work, let what runs end (with `wait`, until the ticker's deadline), then hand over."""
        drained = self.ticker.drain(wait=wait) if self.running else True
        super().shutdown(wait=drained)
        self.remove_executor("default", shutdown=False)  # a pool cannot be started twice
        self.ticker.stop()

    def wakeup(self) -> None:
        """Tick now instead of at the end of the poll; where the thread does not run, do nothing."""
        if self._event is not None:
            super().wakeup()

    def submit(self, submission: Submission) -> None:
        """Hand a run to its executor, which counts the instances of the job and tells the listeners how it went."""
        job = Job(
            self,
            id=submission.job_id,
            func=submission.function,
            args=(),
            kwargs={},
            name=submission.name,
            trigger=submission.trigger,
            executor=submission.executor,
            coalesce=True,
            max_instances=submission.max_instances,
            misfire_grace_time=None,  # the ledger has judged that already
            next_run_time=None,
        )
        try:
            self._lookup_executor(submission.executor).submit_job(job, [submission.scheduled_at])
        except MaxInstancesReachedError:
            raise TooManyInstances from None

    def add_job(self, *_arguments: object, **_options: object) -> None:
        """Refuse: APScheduler's stores are not asked what is due."""
        raise OwnStoreOnly(OwnStoreOnly.__doc__)

    def _create_default_executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(MAX_THREADS)

    def _process_jobs(self) -> float | None:
        """Tick, and return after how many seconds to tick again; None waits for a wakeup."""
        if self.state != STATE_RUNNING:
            return None
        try:
            more = self.ticker.tick()
        except Exception:
            self._report_failure()
            more = False
        else:
            self._failed_at = None
        return 0 if more else self.ticker.poll_seconds

    def _report_failure(self) -> None:
        now = time.monotonic()
        if self._failed_at is None or now - self._failed_at >= _SAY_AGAIN_SECONDS:
            self._failed_at = now
            _LOG.exception("A tick failed; it is tried again every %s s", self.ticker.poll_seconds)


class Scheduler(APScheduler):
    """Be Flask-APScheduler's extension: bound to an application by its ticker, started where jobs are to fire."""

    nudge: Callable[[], object] | None = None
    """Wakes the process beside this one in which jobs fire; who starts that one sets it."""

    def init_app(self, app: Flask, ticker: Ticker | None = None) -> None:
        """Bind the application; while another one's scheduler runs here, that one goes on."""
        app.extensions["scheduler"] = ticker
        if self.running:
            vars(app).update(apscheduler=self)  # where Flask-APScheduler keeps it
        else:
            super().init_app(app)

    def start(self, paused: bool = False) -> None:
        """Compete for the lease in this process, for the current application or else the one bound last.

        Nothing starts where the scheduler is switched off, or on a host that SCHEDULER_ALLOWED_HOSTS leaves out.
        """
        app = current_app if has_app_context() else self.app
        ticker = None if app is None else app.extensions.get("scheduler")
        if ticker is None:
            _LOG.info("The scheduler is switched off; nothing is started")
        elif self.host_name not in self.allowed_hosts and "*" not in self.allowed_hosts:
            _LOG.warning("%s is not among SCHEDULER_ALLOWED_HOSTS; no job fires here", self.host_name)
        else:
            self.scheduler.ticker = ticker
            self.scheduler.start(paused=paused)

    def shutdown(self, wait: bool = True) -> None:
        """Stop firing in this process; where it was not started, do nothing."""
        if self.running:
            self.scheduler.shutdown(wait=wait)

    def wakeup(self) -> None:
        """Let the next tick come at once, where this process or one beside it ticks."""
        if self.nudge is not None:
            self.nudge()
        self.scheduler.wakeup()

    def _load_jobs(self) -> None:
        """Leave SCHEDULER_JOBS to the ticker, which reconciles them by id."""
