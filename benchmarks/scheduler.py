"""Measure the scheduler: what a tick costs as the jobs grow, and how late fires are at how many a second.

    python -m benchmarks.scheduler [sqlite] [postgresql] [mariadb]

Plain APScheduler 3.11 runs beside ours in the same run, with its store in memory and on the same database. It writes
down nothing of what ran, and two processes of it would fire everything twice; ours claims each fire by a unique row,
and keeps how every attempt ended. Lateness is from when a fire was due until its function began.
"""

import argparse
import logging
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from application.database import db, execute, transaction
from application.libs.run_context import current_run
from application.libs.scheduling import MAX_THREADS, Setup, TickScheduler
from application.modules.scheduler.business.declared import reconcile
from application.modules.scheduler.business.definition import EXECUTORS, catalogue_of, declare
from application.modules.scheduler.engine import Engine
from application.modules.scheduler.models import Run
from application.modules.scheduler.store import DEFAULT, DatabaseStore, Stores
from tests.applications import migrated
from tests.services import DATABASES, fresh_database

STORES = Stores({DEFAULT: DatabaseStore(DEFAULT)})
DEFAULTS = {"misfire_grace_time": 60, "coalesce": True, "max_instances": 1}
SIZES = (100, 1_000, 10_000)
TICKS = 60
RATES = (100, 500)
"""How many jobs fire once a second."""

WARM_UP_SECONDS = 4
MEASURED_SECONDS = 15

ANALYZE = {"sqlite": "ANALYZE", "postgresql": "ANALYZE scheduler_job", "mysql": "ANALYZE TABLE scheduler_job"}
"""What a server does by itself within a minute after so many rows have come."""

LATENESS: list[float] = []


def trivial() -> None:
    """Note how late it began."""
    run = current_run.get()
    if run is not None:
        LATENESS.append((datetime.now(UTC) - run.scheduled_at).total_seconds())


def trivial_of(phase: float) -> None:
    """Note how late it began, up to a second: APScheduler does not tell a function when it was due."""
    LATENESS.append((time.time() - phase) % 1)


@contextmanager
def application(kind: str) -> Iterator[Flask]:
    """Build an application on a fresh, migrated database."""
    with tempfile.TemporaryDirectory() as folder, fresh_database(kind, Path(folder)) as url:
        logging.disable(logging.ERROR)
        with migrated(url, Path(folder)) as app:
            yield app


def engine_of(app: Flask, count: int, *, first: datetime, seconds: int) -> Engine:
    """Store so many jobs, spread over a second, that fire every so many seconds; return what fires them."""
    jobs: list[dict[str, Any]] = [
        {
            "id": f"job-{number}",
            "func": trivial,
            "trigger": "interval",
            "seconds": seconds,
            "start_date": first + timedelta(seconds=number / count),
        }
        for number in range(count)
    ]
    declared = declare(jobs, timezone="UTC", defaults=DEFAULTS)
    with app.app_context(), transaction():
        reconcile(STORES, declared, datetime.now(UTC))
    with app.app_context(), transaction() as unit:
        unit.connection.execute(sa.text(ANALYZE[db.engine.dialect.name]))
    return Engine(app, declared, Setup(catalogue_of(declared), "UTC", DEFAULTS, EXECUTORS, STORES), drain_seconds=10)


def tick_seconds(kind: str, count: int) -> float:
    """Return the median cost of a tick with so many jobs, of which none is due."""
    with application(kind) as app:
        engine = engine_of(app, count, first=datetime.now(UTC) + timedelta(days=1), seconds=86_400)
        engine.start(lambda _submission: None, lambda: None)
        while not engine.leads:
            engine.tick()
        took = []
        for _tick in range(TICKS):
            began = time.perf_counter()
            engine.tick()
            took.append(time.perf_counter() - began)
        engine.drain(wait=False)
        engine.stop()
    return statistics.median(took)


def ours(kind: str, rate: int) -> tuple[str, Counter[str]]:
    """Let so many jobs fire once a second; return how it went, and how the ledger says the runs ended."""
    with application(kind) as app:
        scheduler = TickScheduler(timezone="UTC")
        scheduler.ticker = engine_of(app, rate, first=datetime.now(UTC) + timedelta(seconds=1), seconds=1)
        figures = measured(scheduler.start, rate)
        scheduler.shutdown()
        with app.app_context(), transaction(write=False):
            rows = execute(sa.select(Run.status, sa.func.count()).group_by(Run.status)).all()
    return figures, Counter(dict(rows))


def peer(store: Any, rate: int) -> str:
    """Let plain APScheduler fire as many jobs once a second; return how it went."""
    scheduler = BackgroundScheduler(
        timezone="UTC",
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(MAX_THREADS)},
        job_defaults=DEFAULTS,
    )
    first = datetime.now(UTC) + timedelta(seconds=2 + rate / 500)
    scheduler.start(paused=True)
    for number in range(rate):
        start = first + timedelta(seconds=number / rate)
        scheduler.add_job(trivial_of, "interval", seconds=1, start_date=start, args=[start.timestamp() % 1])
    figures = measured(scheduler.resume, rate)
    scheduler.shutdown()
    return figures


def measured(start: Callable[[], object], rate: int) -> str:
    """Start, warm up and measure; return fires a second, lateness and the processor's share, as columns of a table."""
    start()
    time.sleep(WARM_UP_SECONDS)
    LATENESS.clear()
    began, cpu = time.perf_counter(), time.process_time()
    time.sleep(MEASURED_SECONDS)
    late = sorted(LATENESS)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return (
        f"{rate} | {len(late) / seconds:.0f} | {1000 * late[len(late) // 2]:.0f} | "
        f"{1000 * late[len(late) * 99 // 100]:.0f} | {100 * cpu / seconds:.0f} %"
    )


def bench(kinds: Sequence[str]) -> None:
    """Print the tables."""
    print("| database | jobs, none due | tick, ms | to 100 jobs |\n|---|---|---|---|")
    for kind in kinds:
        costs = {count: tick_seconds(kind, count) for count in SIZES}
        for count, cost in costs.items():
            print(f"| {kind} | {count} | {1000 * cost:.2f} | {cost / costs[SIZES[0]]:.2f} |", flush=True)
    print("\n| scheduler | due a second | fires a second | late p50, ms | p99, ms | core |\n|---|---|---|---|---|---|")
    for rate in RATES:
        for kind in kinds:
            figures, statuses = ours(kind, rate)
            print(f"| Redprint, {kind} | {figures} |", flush=True)
            if set(statuses) - {"succeeded"}:
                print(f"  not all ran: {dict(statuses)}")
            with application(kind) as app, app.app_context():
                print(f"| APScheduler, {kind} | {peer(SQLAlchemyJobStore(engine=db.engine), rate)} |", flush=True)
        print(f"| APScheduler, memory | {peer(MemoryJobStore(), rate)} |", flush=True)


def main() -> None:
    """Read which databases to measure on."""
    parser = argparse.ArgumentParser(description="Measure the scheduler beside plain APScheduler.")
    parser.add_argument("kinds", nargs="*", metavar="database", help=f"some of {', '.join(DATABASES)}; all by default")
    kinds: list[str] = parser.parse_args().kinds
    for kind in kinds:
        if kind not in DATABASES:
            parser.error(f"there is no database {kind!r}; name some of {', '.join(DATABASES)}")
    bench(kinds or DATABASES)


if __name__ == "__main__":
    main()
