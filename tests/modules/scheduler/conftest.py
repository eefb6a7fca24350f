"""Competitors for the lease, each with threads of its own, and a look into the ledger."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import Base, execute, transaction
from application.database.failure import DatabaseAway
from application.libs import clock
from application.libs.catalogue import Catalogue
from application.libs.scheduling import Setup, TickScheduler
from application.libs.trigger import from_micros
from application.modules.scheduler import business
from application.modules.scheduler.business import declared
from application.modules.scheduler.business.definition import EXECUTORS, Declared, catalogue_of, declare
from application.modules.scheduler.engine import Engine
from application.modules.scheduler.models import Attempt, Job, Lease, Run
from application.modules.scheduler.store import DEFAULT, DatabaseStore, Stores
from tests.modules.scheduler import jobs as functions

HOUR = timedelta(hours=1)

JOBS = "tests.modules.scheduler.jobs"
STORES = Stores({DEFAULT: DatabaseStore(DEFAULT)})
DEFAULTS = {"misfire_grace_time": 60, "coalesce": True, "max_instances": 1}


def job(job_id: str, function: str = "do_nothing", **options: Any) -> dict[str, Any]:
    """Describe a job; every hour unless told otherwise."""
    timing = {} if "trigger" in options else {"trigger": "interval", "hours": 1}
    return {"id": job_id, "func": f"{JOBS}:{function}", **timing, **options}


def declare_all(*jobs: dict[str, Any], stores: Stores = STORES) -> list[Declared]:
    """Read the jobs as a process does when it starts."""
    return declare(jobs, timezone="UTC", defaults=DEFAULTS, jobstores=stores.aliases)


def setup_of(jobs: Sequence[Declared], stores: Stores = STORES) -> Setup:
    """Return what the jobs of a process may be made of: the functions of those that it declares."""
    return Setup(catalogue_of(jobs), "UTC", DEFAULTS, EXECUTORS, stores, {"processpool": 1})


class Clock:
    """Be a monotonic clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Node:
    """Be one process that competes: its own lease holder, threads and connections."""

    def __init__(
        self,
        app: Flask,
        *jobs: dict[str, Any],
        ticking: bool = False,
        drain_seconds: float = 10,
        stores: Stores = STORES,
    ) -> None:
        self.clock = Clock()
        monotonic: Callable[[], float] = time.monotonic if ticking else self.clock
        declared = declare_all(*jobs, stores=stores)
        self.free_mb = 1000.0
        self.engine = Engine(
            app,
            declared,
            setup_of(declared, stores),
            drain_seconds=drain_seconds,
            hold_below_mb=200,
            monotonic=monotonic,
            available_mb=lambda: self.free_mb,
            build=functions.builder(app.extensions["settings"]),
        )
        self.engine.poll_seconds = 0.05
        self.scheduler = TickScheduler(timezone="UTC")
        self.scheduler.ticker = self.engine
        self.scheduler.start(paused=not ticking)  # without ticking the test ticks, as the thread would

    def tick(self, now: datetime | None = None) -> bool:
        try:
            return self.engine.tick(now)
        except DatabaseAway:  # a machine that stood still loses its connection; the thread, too, ticks again
            return self.engine.tick(now)

    def stop(self) -> None:
        if self.scheduler.running:
            self.scheduler.shutdown()


Start = Callable[..., Node]
Store = Callable[..., None]


def request_run(app: Flask, job_id: str) -> None:
    """Ask for a run as an operator does."""
    with app.app_context(), transaction():
        business.request_run(job_id, by="root")


class Ledger:
    """Look at what the scheduler wrote."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def runs(self, job_id: str | None = None) -> list[Any]:
        statement = sa.select(Run.__table__).order_by(Run.scheduled_at)
        return self.rows(statement if job_id is None else statement.where(Run.job_id == job_id))

    def attempts(self, job_id: str | None = None) -> list[Any]:
        statement = sa.select(Attempt.__table__).join(Run, Run.id == Attempt.run_id).order_by(Attempt.id)
        return self.rows(statement if job_id is None else statement.where(Run.job_id == job_id))

    def statuses(self, job_id: str | None = None) -> list[str]:
        return [run.status for run in self.runs(job_id)]

    def job(self, job_id: str) -> Any:
        rows = self.rows(sa.select(Job.__table__).where(Job.id == job_id))
        return rows[0] if rows else None

    def lease(self) -> Any:
        return self.rows(sa.select(Lease.__table__))[0]

    def rows(self, statement: Any) -> list[Any]:
        with self.app.app_context(), transaction(write=False):
            return list(execute(statement).all())

    def change(self, statement: Any) -> None:
        with self.app.app_context(), transaction() as unit:
            unit.connection.execute(statement)

    @contextmanager
    def locked(self, table: type[Base]) -> Iterator[None]:
        """Hold a PostgreSQL table against everybody who writes."""
        with self.app.app_context(), transaction() as unit:
            unit.connection.execute(sa.text(f"LOCK TABLE {table.__tablename__} IN SHARE MODE"))
            yield

    def due(self, job_id: str) -> datetime:
        """Return when the job is due next."""
        return from_micros(self.job(job_id).next_run_time)

    def wait(self, condition: Callable[[], object], seconds: float = 10) -> None:
        """Wait until the condition holds."""
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, f"after {seconds} s the ledger holds {self.runs()}"
            time.sleep(0.02)

    def settle(self) -> None:
        """Wait until nothing is queued or running."""
        self.wait(lambda: not {"queued", "running"} & set(self.statuses()))


@pytest.fixture
def ledger(app: Flask) -> Ledger:
    """Return a look into the ledger."""
    return Ledger(app)


@pytest.fixture
def node(app: Flask) -> Iterator[Start]:
    """Return a function that starts a competitor; all are stopped in the end."""
    functions.GATE.clear()
    functions.ARRIVED.clear()
    functions.SEEN.clear()
    nodes: list[Node] = []

    def start(*jobs: dict[str, Any], **options: Any) -> Node:
        nodes.append(Node(app, *jobs, **options))
        return nodes[-1]

    yield start
    functions.GATE.set()
    for started in nodes:
        started.stop()


@pytest.fixture
def stored(app: Flask) -> Store:
    """Return a function that stores jobs as a starting process does, without one."""

    def store(*jobs: dict[str, Any]) -> None:
        with app.app_context(), transaction():
            declared.reconcile(STORES, declare_all(*jobs), clock.now())

    return store


@pytest.fixture
def registered(app: Flask) -> Catalogue:
    """Return the application's catalogue with the functions of the tests."""
    catalogue: Catalogue = app.extensions["scheduler"].setup.functions
    for function in (functions.create_a_tag, functions.do_nothing, functions.remember_the_run, functions.report):
        catalogue.register(function)
    return catalogue
