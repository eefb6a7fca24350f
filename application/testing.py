"""Let the tests of a product move the scheduler's time, without sleeping.

from application.testing import clock

with clock(app) as c:
    c.advance(hours=26)
    assert c.fired("cleanup") == 2
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

from flask import Flask

from application.database import is_inside_unit, transaction
from application.libs.clock import now, ruled_by
from application.libs.scheduling import Submission
from application.modules.scheduler.business import run
from application.modules.scheduler.engine import Engine

_LEAD_SECONDS = 10  # thrice the time after which a leader that was killed is given up
_RUN_SECONDS = 60


class ClockError(RuntimeError):
    """The clock cannot be moved here; the message says why and what helps."""


class VirtualClock:
    """Be the time of the whole process: it stands still until it is advanced, and what falls due meanwhile runs.

    Jobs run one after another, each at its own instant: with an application context and a transaction, as ever.
    """

    def __init__(self, app: Flask, engine: Engine, start: datetime) -> None:
        self._app = app
        self._engine = engine
        self._start = self._now = start

    @property
    def now(self) -> datetime:
        """Return the instant that the process takes for the present, in UTC."""
        return self._now

    def advance(self, delta: timedelta | None = None, *, to: datetime | None = None, **units: float) -> None:
        """Move on by `delta`, by units as `timedelta` takes them (hours=26), or `to` an instant; run what falls due.

        Real time passes only as long as the functions take. Without anything, what is due now runs.
        """
        until = (self._now if to is None else to.astimezone(UTC)) + (delta or timedelta()) + timedelta(**units)
        if until < self._now:
            raise ClockError(f"It is {self._now.isoformat()} already; begin a new clock with clock(app, at=...)")
        self._tick()
        while (instant := self._next_instant()) is not None and instant <= until:
            self._now = instant
            self._tick()
        self._now = until

    def fired(self, job_id: str) -> int:
        """Return how often the schedule has run a job since this clock began; what was missed does not count."""
        return sum(1 for each in self.runs(job_id) if each.cause != "manual" and each.attempts)

    def runs(self, job_id: str) -> Sequence[run.RunRow]:
        """Return the runs of a job since this clock began, the first one first, also those that were missed."""
        with self._app.app_context(), transaction(write=False):
            return run.since(self._start, job_id=job_id)

    def lead(self) -> None:
        """Take the lease, which nobody else may hold."""
        deadline = monotonic() + _LEAD_SECONDS
        self._tick()
        while not self._engine.leads:
            if monotonic() > deadline:
                message = (
                    "Another process fires this database's jobs: stop it, or give the tests a database of their own"
                )
                raise ClockError(message)
            sleep(0.05)
            self._tick()

    def _tick(self) -> None:
        if is_inside_unit():
            raise ClockError("A transaction is open here, which the jobs would wait for: end it before the clock moves")
        more = True
        while more:
            more = self._engine.tick()
            if not self._engine.await_end(_RUN_SECONDS):
                raise ClockError(f"A job has not ended after {_RUN_SECONDS} s; its function waits for something")

    def _next_instant(self) -> datetime | None:
        return self._engine.next_instant(self._now)


@contextmanager
def clock(app: Flask, *, at: datetime | None = None) -> Iterator[VirtualClock]:
    """Stop the time of this process at an instant, now by default; `app` leads the scheduler while the block runs.

    Raises `ClockError` while the scheduler runs in this process or another process leads.
    """
    engine = app.extensions.get("scheduler")
    if not isinstance(engine, Engine):
        raise ClockError("The application has no scheduler: set SCHEDULER_ENABLED=1")
    if engine.started:
        raise ClockError("The scheduler runs in this process: set RUNNER=none for tests, or leave it unstarted")
    moved = VirtualClock(app, engine, (at or now()).astimezone(UTC))
    with ruled_by(lambda: moved.now), ThreadPoolExecutor(1, thread_name_prefix="virtual-clock") as thread:
        engine.start(lambda submission: _run(thread, submission), lambda: None, processes=False)
        try:
            moved.lead()
            yield moved
        finally:
            engine.drain(wait=True)
            engine.stop()


def _run(thread: ThreadPoolExecutor, submission: Submission) -> None:
    """Run a function to its end, on a thread that has no unit of work; the ledger holds what it raises."""
    future: Future[object] = thread.submit(submission.function)
    with suppress(Exception, SystemExit):
        future.result()
