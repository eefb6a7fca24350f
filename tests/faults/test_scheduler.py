"""Processes that compete on one database, and are killed, frozen and stopped: each instant fires once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import db, transaction
from application.modules.scheduler import business
from application.modules.scheduler.models import Job
from tests.faults.competition import (
    AFTER_FREEZE_SECONDS,
    AFTER_KILL_SECONDS,
    AFTER_STOP_SECONDS,
    Competition,
    stop,
)
from tests.modules.scheduler.conftest import Ledger

pytestmark = pytest.mark.timed

COMPETITORS = 4

WAITERS = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE '%scheduler_job%FOR UPDATE%'",
    # InnoDB's own list of waiters is not renewed while it is asked for all the time
    "mysql": "SELECT count(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()"
    " AND TIME_MS > 200 AND INFO LIKE '%scheduler_job%FOR UPDATE%'",
}
"""How many leaders wait, inside the transaction that their lease fences, for a job that another holds."""


class TestTakeOver:
    def test_leaves_no_hole_and_no_double_fire(self, app: Flask, ledger: Ledger, competition: Competition) -> None:
        competition.start(COMPETITORS, declares=("second", "long"))
        competition.await_fires(2)
        killed = competition.leader
        with app.app_context(), transaction():
            business.request_run("long", by="root")
        ledger.wait(lambda: ledger.statuses("long") == ["running"])

        assert competition.seconds_to_the_next(killed.kill) < AFTER_KILL_SECONDS
        ledger.wait(lambda: [attempt.status for attempt in ledger.attempts("long")] == ["lost", "running"])

        frozen = competition.leader

        def freeze() -> None:
            with a_file_held(app):
                frozen.send_signal(signal.SIGSTOP)

        assert competition.seconds_to_the_next(freeze) < AFTER_FREEZE_SECONDS
        competition.await_fires(2)
        frozen.send_signal(signal.SIGCONT)
        competition.await_fires(2)

        stopped = competition.leader
        assert competition.seconds_to_the_next(lambda: stop(stopped)) < AFTER_STOP_SECONDS
        competition.await_fires(2)

        assert len({killed.pid, frozen.pid, stopped.pid, competition.leader.pid}) >= 3
        competition.audit()

    def test_waits_not_for_a_leader_frozen_inside_its_transaction(self, app: Flask, competition: Competition) -> None:
        if dialect_of(app) == "sqlite":
            pytest.skip("no server can end the transaction of a frozen process in a file; killing it can")
        competition.start(3)
        competition.await_fires(2)
        frozen = competition.leader

        def freeze() -> None:
            with a_job_held(app):
                competition.ledger.wait(lambda: leader_waits(app))
                frozen.send_signal(signal.SIGSTOP)

        assert competition.seconds_to_the_next(freeze) < AFTER_FREEZE_SECONDS
        competition.await_fires(2)
        assert competition.leader.pid != frozen.pid
        frozen.send_signal(signal.SIGCONT)
        competition.await_fires(2)
        assert competition.leader.pid != frozen.pid, "it cannot go on with the transaction in which it was frozen"
        competition.audit()


def dialect_of(app: Flask) -> str:
    """Return what kind of database the application has."""
    with app.app_context():
        return db.engine.dialect.name


def leader_waits(app: Flask) -> bool:
    """Tell whether the leader stands still; on a connection of its own, for a transaction would see one moment only."""
    with app.app_context(), db.engine.connect() as connection:
        return bool(connection.execute(sa.text(WAITERS[db.engine.dialect.name])).scalar_one())


@contextmanager
def a_job_held(app: Flask) -> Iterator[None]:
    """Hold the job that fires, so that the leader stands still inside its transaction."""
    with app.app_context(), transaction() as unit:
        unit.connection.execute(sa.select(Job.id).where(Job.id == "second").with_for_update())
        yield


@contextmanager
def a_file_held(app: Flask) -> Iterator[None]:
    """Hold an SQLite file: a leader that is frozen now is not inside a transaction, which nobody could end."""
    with app.app_context(), transaction() as unit:
        unit.connection.execute(sa.select(Job.id))
        yield


class TestStop:
    def test_waits_not_for_a_job_that_does_not_end(self, app: Flask, ledger: Ledger, competition: Competition) -> None:
        process = competition.start(declares=("second", "long"))
        ledger.wait(lambda: ledger.job("long"), seconds=20)
        with app.app_context(), transaction():
            business.request_run("long", by="root")
        ledger.wait(lambda: ledger.statuses("long") == ["running"])
        stop(process)
        assert process.wait(5) == 0
        assert ledger.statuses("long") == ["queued"]
        assert [attempt.status for attempt in ledger.attempts("long")] == ["interrupted"]
        assert ledger.lease().holder is None
