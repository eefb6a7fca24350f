"""Put our own firing under Flask-APScheduler and APScheduler 3.11.

APScheduler gives the thread, the executors and the events; what is due and who may fire it is decided by a ticker that
is handed in, because APScheduler's own stores take no lock: processes that share one fire everything several times.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from apscheduler.events import (
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_SUBMITTED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.schedulers import SchedulerAlreadyRunningError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_PAUSED, STATE_RUNNING
from flask import Flask, current_app, has_app_context
from flask_apscheduler import APScheduler

from application.libs import executor
from application.libs.alert import Alerting
from application.libs.catalogue import Catalogue
from application.libs.record import Record
from application.libs.scheduled_job import SubmittedJob
from application.libs.steering import OPERATIONS, Operations, Steering
from application.libs.thread_pool import ThreadExecutor

_LOG = logging.getLogger(__name__)

MAX_THREADS = 10
"""How many jobs run at once in one process, as in APScheduler."""

_SAY_AGAIN_SECONDS = 60  # a database that is away for an hour is not logged twice a second


class Submission(Record):
    """Hold what an executor needs to call a function: `function()` of the job `job_id`, due at `scheduled_at`."""

    job_id: str
    name: str
    trigger: Any
    executor: str
    scheduled_at: datetime
    function: Callable[[], object]


Submit = Callable[[Submission], None]


class Setup(Record):
    """Hold what a job may be made of: which functions there are, the zone of naive times, and what is left out."""

    functions: Catalogue
    timezone: str
    defaults: Mapping[str, Any]
    executors: tuple[str, ...]
    stores: Any
    """Where the jobs are kept, by alias."""
    processes: Mapping[str, int] = {}
    """How many processes each executor has that is a pool of them."""
    handings: Mapping[str, executor.Handing] = {}
    """How each executor hands over that is a queue of tasks."""


def _ignore(_executor: str) -> None:
    """Replace nothing."""


class Ticker(Protocol):
    """Decide what fires. `tick` is called by one thread; jobs run on the executor's."""

    poll_seconds: float
    setup: Setup

    def start(
        self, submit: Submit, wakeup: Callable[[], object], replace_thread: Callable[[str], object] = _ignore
    ) -> None:
        """Begin to compete; `submit` hands a run to an executor, `wakeup` lets the next tick come at once.

        `replace_thread` is told which executor has a thread that may never come back.
        """

    @property
    def rest_seconds(self) -> float:
        """Return after how many seconds to tick again, at most `poll_seconds`."""

    def tick(self, now: datetime | None = None) -> bool:
        """Fire what is due; return whether more is due at once."""

    def drain(self, *, wait: bool) -> bool:
        """Take no new work and let another process lead; return whether all that ran has ended."""

    def stop(self) -> None:
        """Give up what still runs."""


class TickScheduler(BackgroundScheduler):
    """Be an APScheduler whose thread asks a ticker what to fire, and never dies."""

    ticker: Ticker
    pools: Mapping[str, Any] = executor.DEFAULTS
    """The executors that are started, by alias, as `libs/executor.py` takes them; `default` is added to them."""

    def start(self, paused: bool = False) -> None:
        """Start the ticker, the executors and the thread."""
        if self.running:
            raise SchedulerAlreadyRunningError
        self._failed_at: float | None = None
        for alias, given in self.pools.items():
            self.add_executor(executor.make(given), alias)
        self.ticker.start(self.submit, self.wakeup, self.replace_thread)
        super().start(paused=paused)

    def shutdown(self, wait: bool = True) -> bool:
        """Take no new work and let what runs end (with `wait`, until the ticker's deadline); return whether all did."""
        drained = self.ticker.drain(wait=wait) if self.running else True
        super().shutdown(wait=drained)
        for alias in [*self._executors]:
            self.remove_executor(alias, shutdown=False)  # a pool cannot be started twice
        self.ticker.stop()
        return drained

    def wakeup(self) -> None:
        """Tick now instead of at the end of the poll; where the thread does not run, do nothing."""
        if self._event is not None:
            super().wakeup()

    def submit(self, submission: Submission) -> None:
        """Hand a run to its executor, which tells the listeners how it went; how many may run, the ticker decides."""
        job = SubmittedJob(
            submission.job_id,
            submission.function,
            name=submission.name,
            trigger=submission.trigger,
            executor=submission.executor,
        )
        self._lookup_executor(submission.executor).submit_job(job, [submission.scheduled_at])
        self.announce(JobSubmissionEvent(EVENT_JOB_SUBMITTED, submission.job_id, "default", [submission.scheduled_at]))

    def announce(self, event: Any) -> None:
        """Tell the listeners of this process what has happened."""
        self._dispatch_event(event)

    def add_job(self, *_arguments: object, **_options: object) -> None:
        """Refuse: APScheduler's stores are not asked what is due."""
        raise NotImplementedError("A job given to APScheduler would never fire; use the extension's add_job")

    def replace_thread(self, alias: str) -> None:
        """Let an executor start one thread more, for one that may never come back."""
        pool = self._lookup_executor(alias)
        if isinstance(pool, ThreadExecutor):
            pool.grow()

    def _create_default_executor(self) -> ThreadExecutor:
        return ThreadExecutor(MAX_THREADS)

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
        return 0 if more else self.ticker.rest_seconds

    def _report_failure(self) -> None:
        now = time.monotonic()
        if self._failed_at is None or now - self._failed_at >= _SAY_AGAIN_SECONDS:
            self._failed_at = now
            _LOG.exception("A tick failed; it is tried again every %s s", self.ticker.poll_seconds)


_ATTRIBUTES = {
    "auth": "SCHEDULER_AUTH",
    "api_enabled": "SCHEDULER_API_ENABLED",
    "api_prefix": "SCHEDULER_API_PREFIX",
    "endpoint_prefix": "SCHEDULER_ENDPOINT_PREFIX",
    "allowed_hosts": "SCHEDULER_ALLOWED_HOSTS",
}


class Scheduler(Alerting, Steering, APScheduler):
    """Be Flask-APScheduler's extension: bound to an application by its ticker, started where jobs are to fire."""

    nudge: Callable[[], object] | None = None
    """Wakes the process beside this one in which jobs fire; who starts that one sets it."""

    def __init__(self, scheduler: TickScheduler, app: Flask | None = None) -> None:
        """Open the API unless the configuration says otherwise: unlike Flask-APScheduler's it lets no stranger in."""
        self._chosen: dict[str, Any] = {}
        self._loaded: dict[str, Any] = {}
        super().__init__(scheduler=scheduler, app=app)
        self.api_enabled = True

    def init_app(self, app: Flask, ticker: Ticker | None = None, operations: Operations | None = None) -> None:
        """Bind the application; while another one's scheduler runs here, that one goes on."""
        app.extensions["scheduler"], app.extensions[OPERATIONS] = ticker, operations
        self._read_config(app)
        if self.running:
            vars(app).update(apscheduler=self)  # where Flask-APScheduler keeps it
        else:
            super().init_app(app)

    @property
    def setup(self) -> Setup:
        """Return what the current application's jobs may be made of."""
        ticker: Ticker = current_app.extensions["scheduler"]
        return ticker.setup

    @property
    def state(self) -> int:
        """Return STATE_STOPPED, STATE_RUNNING or STATE_PAUSED of this process; what is paused for all is paused."""
        state: int = self.scheduler.state
        steered = state == STATE_RUNNING and self._operations() is not None
        return int(STATE_PAUSED) if steered and self._act(lambda operations: operations.paused) else state

    def start(self, paused: bool = False) -> None:
        """Compete for the lease in this process, for the current application or else the one bound last.

        Nothing starts where the scheduler is switched off, or on a host that SCHEDULER_ALLOWED_HOSTS leaves out.
        """
        app = current_app if has_app_context() else self.app
        ticker = None if app is None else app.extensions.get("scheduler")
        if app is None or ticker is None:
            _LOG.info("The scheduler is switched off; nothing is started")
        elif not self.is_allowed:
            _LOG.warning("%s is not among SCHEDULER_ALLOWED_HOSTS; no job fires here", self.host_name)
        else:
            self.scheduler.ticker = ticker
            self.scheduler.pools = {**executor.DEFAULTS, **(app.config.get("SCHEDULER_EXECUTORS") or {})}
            self.scheduler.start(paused=paused)

    def resume(self) -> None:
        """Let the schedule go on for all processes, and in this one where it was started paused."""
        if self.scheduler.state == STATE_PAUSED:
            self.scheduler.resume()
        else:
            super().resume()

    def shutdown(self, wait: bool = True) -> bool:
        """Stop firing in this process; return whether all that ran has ended."""
        return not self.running or bool(self.scheduler.shutdown(wait=wait))

    def wakeup(self) -> None:
        """Let the next tick come at once, where this process or one beside it ticks."""
        if self.nudge is not None:
            self.nudge()
        self.scheduler.wakeup()

    def tell_left_out(self, job_id: str, scheduled_at: datetime, *, missed: bool) -> None:
        """Tell the listeners of this process that a job did not run: too late, or as often as it may already."""
        if missed:
            self.scheduler.announce(JobExecutionEvent(EVENT_JOB_MISSED, job_id, "default", scheduled_at))
        else:
            self.scheduler.announce(JobSubmissionEvent(EVENT_JOB_MAX_INSTANCES, job_id, "default", [scheduled_at]))

    def tell_handed_over(self, job_id: str, scheduled_at: datetime) -> None:
        """Tell the listeners of this process that a job was handed over to a worker."""
        self.scheduler.announce(JobSubmissionEvent(EVENT_JOB_SUBMITTED, job_id, "default", [scheduled_at]))

    @property
    def authentication(self) -> Callable[[Any], object] | None:
        """Return the function that `authenticate` has decorated, which says whether a caller may come in."""
        accepts: Callable[[Any], object] | None = self._authentication_callback
        return accepts

    @property
    def is_allowed(self) -> bool:
        """Tell whether jobs may fire on this host."""
        return "*" in self.allowed_hosts or self.host_name in self.allowed_hosts

    def _read_config(self, app: Flask) -> None:
        """Bring attributes and configuration together: a key wins, an attribute set by hand fills its place."""
        for name, key in _ATTRIBUTES.items():
            present = getattr(self, name)
            if name not in self._loaded or present != self._loaded[name]:
                self._chosen[name] = present
            value = app.config.setdefault(key, self._chosen[name])
            self._loaded[name] = value
            setattr(self, name, value)

    def _load_config(self) -> None:
        """Leave executors and stores to the ticker; the rest is read."""

    def _load_jobs(self) -> None:
        """Leave SCHEDULER_JOBS to the ticker, which reconciles them by id."""

    def _load_api(self) -> None:
        """Leave out Flask-APScheduler's own routes, which run any importable function."""
