"""Fire the jobs: one process leads, claims what is due once, and runs it on the executor's threads.

`tick` is called twice a second by the thread of `libs/scheduling.py`. No user code runs there; whatever it raises, the
next tick tries again. A `Workload` holds what this process has in hand, a `Recorder` writes down what becomes of it.
"""

import logging
import math
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import Engine as DatabaseEngine

from application.database import Unit, db, transaction
from application.database.impatient import impatient_engine
from application.libs import clock, memory
from application.libs.child_application import Prepare
from application.libs.declaration import DeclarationError
from application.libs.error import Unavailable
from application.libs.process_pool import KillablePool
from application.libs.scheduling import Setup, Submit
from application.modules.scheduler.business import attempt, declared, lease, member
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.definition import Declared, Unreadable, declare, register
from application.modules.scheduler.engine.due import REST_SECONDS, DueJobs, earliest
from application.modules.scheduler.engine.execution import Execution
from application.modules.scheduler.engine.firing import Firing
from application.modules.scheduler.engine.recorder import Recorder
from application.modules.scheduler.engine.workload import Workload

_LOG = logging.getLogger(__name__)

TTL_SECONDS = 3.0
"""How long a leader or an attempt may be silent before it is given up; shorter makes a busy machine a fail-over."""

POLL_SECONDS = 0.5

_LEAST_REST_SECONDS = 0.02  # what falls due meanwhile is claimed together


class Engine:
    """Be one competitor for the lease; a process has one for each application."""

    poll_seconds = POLL_SECONDS

    predecessor: str | None = None
    """The name of a competitor that has ended, however it did: where it holds the lease still, this one waits not."""

    def __init__(
        self,
        app: Flask,
        jobs: Sequence[Declared],
        setup: Setup,
        *,
        drain_seconds: float,
        ttl_seconds: float = TTL_SECONDS,
        hold_below_mb: float = 0,
        monotonic: Callable[[], float] = time.monotonic,
        build: Callable[[], Flask] | None = None,
        available_mb: Callable[[], float] = memory.available_mb,
    ) -> None:
        """Remember what may run: the functions of the setup's catalogue, and no other.

        While `available_mb` gives less than `hold_below_mb`, nothing is begun; 0 is never.
        """
        self._app = app
        self._build = build
        self._jobs = list(jobs)
        self.setup = setup
        self._drain_seconds = drain_seconds
        self._ttl_seconds = ttl_seconds
        self._hold_below_mb = hold_below_mb
        self._monotonic = monotonic
        self._available_mb = available_mb
        self._due = DueJobs(setup.stores)
        self._bring_in_again_at = math.inf
        self._lock = threading.Lock()
        self.started = False

    def start(
        self,
        submit: Submit,
        wakeup: Callable[[], object],
        replace_thread: Callable[[str], object] = lambda _executor: None,
        *,
        processes: bool = True,
    ) -> None:
        """Begin to compete, as a follower; without `processes`, jobs for a pool of them run on threads as well."""
        self._wakeup = wakeup
        self._database = self._open_database()
        self._holder = lease.Holder(
            f"{os.getpid()}-{secrets.token_hex(4)}@{socket.gethostname().lower()}"[:100],
            socket.gethostname().lower(),
            os.getpid(),
        )
        self._token = 0
        self._seen: tuple[int, int] | None = None
        self._seen_at = 0.0
        self._closing = False
        self._brought_in = -1
        self._workload = Workload()
        self._firing = Firing(
            self.setup,
            self._due,
            self._workload,
            self._unit,
            self._holder,
            ttl_seconds=self._ttl_seconds,
            hold_below_mb=self._hold_below_mb,
            available_mb=self._available_mb,
            monotonic=self._monotonic,
        )
        self._shown_at: float | None = None
        self._pools = self._process_pools() if processes else {}
        self._execution = Execution(self._app, self.setup.functions, self._workload, submit, self._pools)
        self._recorder = Recorder(self._workload, self._unit, self._follow_on, replace_thread, self._show)
        self._recorder.start()
        self.started = True

    def declare(self, job: Mapping[str, Any]) -> None:
        """Take in one more job that the code declares: when this process starts, or at the next tick if it has."""
        setup = self.setup
        (declared_job,) = declare(
            [job],
            timezone=setup.timezone,
            defaults=setup.defaults,
            executors=setup.executors,
            jobstores=setup.stores.aliases,
        )
        if declared_job.job_id in self.declared:
            raise DeclarationError(f"The job {declared_job.job_id!r} is declared twice; give each an id of its own")
        register(self.setup.functions, declared_job.function)
        self._jobs.append(declared_job)
        if self.started:
            self._wakeup()

    @property
    def declared(self) -> dict[str, Declared]:
        """Return what the code declares, by id."""
        return {job.job_id: job for job in self._jobs}

    def reconcile(self) -> None:
        """Bring in what the code declares before anybody asks for it, whether or not this process ever competes."""
        with self._app.app_context():
            try:
                self._bring_in(self._jobs, clock.now())
            except lease.LeaseExists:  # made by another process a moment ago
                self._bring_in(self._jobs, clock.now())

    @property
    def name(self) -> str:
        """Return what no other competitor is called, once this one has started."""
        return self._holder.name

    @property
    def leads(self) -> bool:
        """Tell whether this process was the leader at its last tick."""
        return self._token != 0

    @property
    def rest_seconds(self) -> float:
        """Return how long the thread may rest: until something falls due, and never longer than the poll."""
        if self._firing.next is None:
            return self.poll_seconds
        left = (self._firing.next - clock.now()).total_seconds()
        return min(max(left, _LEAST_REST_SECONDS), self.poll_seconds)

    def next_instant(self, after: datetime) -> datetime | None:
        """Return when something falls due next, after an instant: a job, or the next attempt of a run."""
        with self._unit(write=False):
            here = self._due.next_here(after)
        return earliest(here, self._due.next_elsewhere(after))

    def await_end(self, seconds: float) -> bool:
        """Wait until all that runs here has ended and is written down, so many seconds; return whether it is."""
        return self._workload.await_end(seconds)

    def tick(self, now: datetime | None = None) -> bool:
        """Lead if nobody does, and fire what is due; return whether more is due at once."""
        moment = now or clock.now()
        self._firing.next = None
        with self._lock:
            try:
                return self._lead(moment)
            except lease.LeaseExists:  # made by another process a moment ago; the next tick reads it
                return True
            except lease.LeaseLost:
                _LOG.warning("Another process leads the scheduler now")
                self._token = 0
                return False
            except Unavailable:
                self._firing.forget_silence()
                raise

    def drain(self, *, wait: bool) -> bool:
        """Let another process lead at once, and what runs here end until the deadline; return whether all of it did.

        What no thread has begun goes back to the queue. What runs shows that it goes on, so nobody gives it up.
        """
        with self._lock:
            self._closing = True
            token, self._token = self._token, 0
            waiting = self._workload.close()
            try:
                with self._unit():
                    for launch in waiting:
                        attempt.hand_back(launch, clock.now())
                    if token:
                        lease.release(token)
            except Unavailable:
                _LOG.warning("The lease could not be given back; another process takes it when it is stale")
        return self.await_end(self._drain_seconds if wait else 0)

    def stop(self) -> None:
        """Mark as interrupted what has not ended; another process runs it again unless its job says no."""
        self._recorder.stop()
        left = self._workload.give_up()
        for pool in self._pools.values():
            pool.stop()
        try:
            with self._unit():
                for launch in left:
                    attempt.interrupt(launch, clock.now())
                member.leave(self._holder)
        except Unavailable:
            _LOG.warning("What did not end could not be marked; another process finds it silent")
        finally:
            self.started = False
            self.setup.stores.close()
            if self._database is not self._app_database():
                self._database.dispose()

    def _lead(self, moment: datetime) -> bool:
        if self._closing:
            return False
        if self._token and not self._is_brought_in:
            self._read_lease(moment)
        return (self._token != 0 or self._elect(moment)) and self._fire(moment)

    def _fire(self, moment: datetime) -> bool:
        launches, more = self._firing.tick(self._token, moment)
        self._workload.add(launches)
        for launch in launches:
            self._launch(launch)
        return more

    def _elect(self, moment: datetime) -> bool:
        """Take the lease when it is free, or when its leader has been silent for the time to live, by our own clock."""
        seen = self._read_lease(moment)
        if (seen.token, seen.beat) != self._seen:
            self._seen, self._seen_at = (seen.token, seen.beat), self._monotonic()
        silent = self._monotonic() - self._seen_at >= self._ttl_seconds
        if seen.holder not in (None, self.predecessor) and not silent:
            return False
        with self._unit():
            self._token = lease.take(seen, self._holder, moment)
            if self._token:
                self._firing.release_quarantine()
        if self._token:
            self._firing.begin_to_lead()
            _LOG.info("This process leads the scheduler, as leader number %d", self._token)
        return self._token != 0

    def _read_lease(self, moment: datetime) -> lease.LeaseRow:
        """Return the lease; once for each start and declaration, bring in what the code declares, whoever leads."""
        declares = len(self._jobs)
        if self._is_brought_in:
            with self._unit(write=False):
                seen = lease.read()
            if seen is not None:
                return seen
        seen = self._bring_in(self._jobs[:declares], moment, engine=self._database)
        self._brought_in = declares
        return seen

    @property
    def _is_brought_in(self) -> bool:
        """Tell whether what the code declares is in the stores; one that did not answer is asked again after a rest."""
        return self._brought_in == len(self._jobs) and self._monotonic() < self._bring_in_again_at

    def _bring_in(
        self, jobs: Sequence[Declared], moment: datetime, *, engine: DatabaseEngine | None = None
    ) -> lease.LeaseRow:
        with transaction(engine=engine):
            seen = lease.read() or lease.create()
            is_complete = declared.reconcile(self.setup.stores, jobs, moment)
        self._bring_in_again_at = math.inf if is_complete else self._monotonic() + REST_SECONDS
        return seen

    def _show(self) -> None:
        """Show now and then that this process competes."""
        moment = time.monotonic()
        if self._shown_at is None or moment - self._shown_at >= member.SHOWN_SECONDS:
            with self._unit():
                member.show(self._holder, clock.now())
            self._shown_at = moment

    def _process_pools(self) -> dict[str, KillablePool]:
        if self._build is None:
            return {}
        prepare = Prepare(self._build)
        return {alias: KillablePool(size, prepare) for alias, size in self.setup.processes.items()}

    def _follow_on(self, job_ids: Iterable[str]) -> None:
        """Let the next tick come at once where a run waits for one that has ended."""
        if not self._firing.waiting.isdisjoint(job_ids):
            self._wakeup()

    def _launch(self, launch: Launch) -> None:
        """Hand an attempt to its executor; one that is lost on the way falls silent, and a later tick gives it up."""
        try:
            self._execution.launch(launch)
        except (Unreadable, LookupError) as error:
            with self._unit():
                attempt.refuse(launch, str(error), clock.now())
            self._workload.forget([launch.attempt_id])
        except BaseException:
            self._workload.forget([launch.attempt_id])
            raise

    @contextmanager
    def _unit(self, *, write: bool = True) -> Iterator[Unit]:
        """Open a unit of work on a connection of the engine's own, in the application's context, as hooks want it."""
        with self._app.app_context(), transaction(write=write, engine=self._database) as unit:
            yield unit

    def _open_database(self) -> DatabaseEngine:
        return impatient_engine(self._app_database())

    def _app_database(self) -> DatabaseEngine:
        with self._app.app_context():
            return db.engine
