"""Fire the jobs: one process leads, claims what is due once, and runs it on the executor's threads.

`tick` is called twice a second by the thread of `libs/scheduling.py`. No user code runs there; whatever it raises, the
next tick tries again.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from flask import Flask
from sqlalchemy import Engine as DatabaseEngine

from application.database import Unit, db, transaction
from application.database.impatient import impatient_engine
from application.extensions import scheduler
from application.libs import clock
from application.libs.error import Unavailable
from application.libs.scheduling import RunContext, Submission, Submit, TooManyInstances, current_run
from application.libs.trigger import from_micros
from application.modules.scheduler.business import declared, lease, ledger
from application.modules.scheduler.business.definition import (
    Declared,
    Definition,
    Function,
    Unreadable,
    build_trigger,
    declare,
    decode,
)
from application.modules.scheduler.business.ledger import Launch, Outcome

_LOG = logging.getLogger(__name__)

TTL_SECONDS = 3.0
"""How long a leader may be silent before another takes over; shorter ones make a busy machine a fail-over."""

POLL_SECONDS = 0.5

_MARK_AGAIN_SECONDS = (0.2, 1, 3, 10)  # a database that restarts must not make finished work look lost


def init_app(app: Flask, jobs: Sequence[Mapping[str, Any]], *, drain_seconds: float) -> None:
    """Bind the scheduler to the application; nothing starts before `scheduler.start()`.

    `drain_seconds` is how long a stop waits for what runs.
    """
    config = app.config
    declared_jobs = declare(jobs, timezone=config["SCHEDULER_TIMEZONE"], defaults=config["SCHEDULER_JOB_DEFAULTS"])
    scheduler.init_app(app, Engine(app, declared_jobs, drain_seconds=drain_seconds))


class Engine:
    """Be one competitor for the lease; a process has one for each application."""

    poll_seconds = POLL_SECONDS

    def __init__(
        self,
        app: Flask,
        jobs: Sequence[Declared],
        *,
        drain_seconds: float,
        ttl_seconds: float = TTL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember what may run: the functions of the declared jobs, and no other."""
        self._app = app
        self._jobs = jobs
        self._functions: Mapping[str, Function] = {job.definition.func: job.function for job in jobs}
        self._drain_seconds = drain_seconds
        self._ttl_seconds = ttl_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()
        self._landed = threading.Condition()

    def start(self, submit: Submit) -> None:
        """Begin to compete, as a follower."""
        self._submit = submit
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
        self._stopped = False
        self._reconciled = False

    @property
    def leads(self) -> bool:
        """Tell whether this process was the leader at its last tick."""
        return self._token != 0

    def tick(self, now: datetime | None = None) -> bool:
        """Lead if nobody does, and fire what is due; return whether more is due at once."""
        moment = now or clock.now()
        with self._lock:
            try:
                return self._lead(moment)
            except lease.LeaseExists:  # made by another process a moment ago; the next tick reads it
                return True
            except lease.LeaseLost:
                _LOG.warning("Another process leads the scheduler now")
                self._token = 0
                return False

    def drain(self, *, wait: bool) -> bool:
        """Take no new work, and let what runs end until the deadline; return whether all of it did.

        The lease is held and beaten meanwhile, else another leader would take the runs for lost.
        """
        with self._lock:
            self._closing = True
        with self._landed:
            return self._landed.wait_for(lambda: not self._in_flight, self._drain_seconds if wait else 0)

    def stop(self) -> None:
        """Let another process lead at once; what still runs here is marked as interrupted."""
        with self._landed:
            unfinished = sorted(self._in_flight)
        with self._lock:
            token, self._token = self._token, 0
            self._stopped = True
            try:
                if token:
                    with self._unit():
                        lease.release(token, unfinished, clock.now())
            except Unavailable:
                _LOG.warning("The lease could not be given back; another process takes it when it is stale")
            finally:
                if self._database is not self._app_database():
                    self._database.dispose()

    def _lead(self, moment: datetime) -> bool:
        if self._closing:
            if self._token:
                with self._unit():
                    lease.beat(self._token, moment)
            return False
        if not self._token and not self._elect(moment):
            return False
        return self._fire(moment)

    def _elect(self, moment: datetime) -> bool:
        """Take the lease when it is free, or when its leader has been silent for the time to live, by our own clock."""
        seen = self._read_lease(moment)
        if (seen.token, seen.beat) != self._seen:
            self._seen, self._seen_at = (seen.token, seen.beat), self._monotonic()
        if seen.holder is not None and self._monotonic() - self._seen_at < self._ttl_seconds:
            return False
        with self._unit():
            self._token = lease.take(seen, self._holder, moment)
        if self._token:
            _LOG.info("This process leads the scheduler, as leader number %d", self._token)
        return self._token != 0

    def _read_lease(self, moment: datetime) -> lease.LeaseRow:
        """Return the lease; once for each start, bring in what the code declares, whoever leads."""
        if self._reconciled:
            with self._unit(write=False):
                seen = lease.read()
            if seen is not None:
                return seen
        with self._unit():
            seen = lease.read() or lease.create()
            declared.reconcile(self._jobs, moment)
        self._reconciled = True
        return seen

    def _fire(self, moment: datetime) -> bool:
        with self._landed:
            in_flight = frozenset(self._in_flight)
        batches: list[list[Launch]] = []
        more = False
        with self._unit():
            lease.beat(self._token, moment)
            batches += [[launch] for launch in ledger.adopt(self._token, in_flight, moment)]
            if not lease.is_paused():
                due, more = ledger.claim_due(self._token, self._functions, moment)
                batches += [list(batch) for _job_id, batch in groupby(due, key=attrgetter("job_id"))]
        for batch in batches:
            self._launch(batch)
        return more

    def _launch(self, batch: list[Launch]) -> None:
        """Hand claimed runs of one job to its executor, which runs them one after the other as one instance.

        Runs that are refused are marked; those that are lost on the way are adopted by a later tick.
        """
        with self._landed:
            self._in_flight |= {launch.run_id for launch in batch}
        try:
            definition, function = self._restore(batch[0])
            self._submit(
                Submission(
                    job_id=batch[0].job_id,
                    name=definition.name,
                    trigger=build_trigger(definition),
                    executor=definition.executor,
                    max_instances=definition.max_instances,
                    scheduled_at=from_micros(batch[0].scheduled_at),
                    function=partial(self._run_batch, batch, definition, function),
                )
            )
        except TooManyInstances:
            self._drop(batch, "skipped", f"as many runs as may were running: {definition.max_instances}")
        except (Unreadable, LookupError) as error:
            self._drop(batch, "failed", str(error))
        except BaseException:
            self._land(*batch)
            raise

    def _restore(self, launch: Launch) -> tuple[Definition, Function]:
        definition = decode(launch.definition)
        function = self._functions.get(definition.func)
        if function is None:
            raise Unreadable(f"no function is registered as {definition.func}")
        return definition, function

    def _drop(self, batch: list[Launch], status: str, reason: str) -> None:
        try:
            with self._unit():
                for launch in batch:
                    ledger.drop(launch, status, reason, clock.now())
        finally:
            self._land(*batch)

    def _land(self, *launches: Launch) -> None:
        with self._landed:
            self._in_flight -= {launch.run_id for launch in launches}
            self._landed.notify_all()

    def _run_batch(self, batch: list[Launch], definition: Definition, function: Function) -> None:
        """Run a job on an executor's thread; what it raises is marked, and the last of it raised for the listeners."""
        failure: BaseException | None = None
        for launch in batch:
            try:
                self._run(launch, definition, function)
            except BaseException as error:
                failure = error
        if failure is not None:
            raise failure

    def _run(self, launch: Launch, definition: Definition, function: Function) -> None:
        try:
            if self._closing or not self._begin(launch):
                return
            context = current_run.set(
                RunContext(
                    run_id=launch.run_id,
                    job_id=launch.job_id,
                    scheduled_at=from_micros(launch.scheduled_at),
                    token=launch.token,
                    attempt=launch.attempt,
                )
            )
            try:
                with self._app.app_context(), transaction():
                    function(*definition.args, **definition.kwargs)
            except BaseException as error:
                self._finish(launch, ledger.outcome_of(error))
                raise
            finally:
                current_run.reset(context)
            self._finish(launch, Outcome("succeeded"))
        finally:
            self._land(launch)

    def _begin(self, launch: Launch) -> bool:
        with self._unit():
            return ledger.begin(launch, self._holder, clock.now())

    def _finish(self, launch: Launch, outcome: Outcome) -> None:
        if self._stopped:
            _LOG.warning("Job %s ended (%s) after this process had given it up", launch.job_id, outcome.status)
            return
        finished_at = clock.now()
        for seconds in (*_MARK_AGAIN_SECONDS, None):
            try:
                with self._unit():
                    if not ledger.finish(launch, outcome, finished_at):
                        _LOG.warning(
                            "Job %s ended (%s) after another leader had given it up", launch.job_id, outcome.status
                        )
                return
            except Unavailable:
                if seconds is None:
                    _LOG.exception("The end of job %s (%s) could not be written", launch.job_id, outcome.status)
                    return
                time.sleep(seconds)

    def _unit(self, *, write: bool = True) -> AbstractContextManager[Unit]:
        return transaction(write=write, engine=self._database)

    def _open_database(self) -> DatabaseEngine:
        return impatient_engine(self._app_database())

    def _app_database(self) -> DatabaseEngine:
        with self._app.app_context():
            return db.engine
