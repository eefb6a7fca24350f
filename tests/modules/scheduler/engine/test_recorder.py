"""Ends of attempts on a real database: what it refuses stops nothing else."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from msgspec.structs import replace

from application.database import db, transaction
from application.libs import clock
from application.libs.outcome_text import Fault, fault_of
from application.libs.run_context import Stop
from application.modules.scheduler.business import attempt, ending
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.ending import Ended
from application.modules.scheduler.business.lease import Holder
from application.modules.scheduler.business.room import Room
from application.modules.scheduler.engine.recorder import Recorder
from application.modules.scheduler.engine.workload import Workload
from application.modules.scheduler.models import Run
from tests.modules.scheduler.conftest import Ledger, Store, job, request_run

HOLDER = Holder("1@here", "here", 1)


@pytest.fixture
def begun(app: Flask, stored: Store, ledger: Ledger) -> tuple[Workload, list[Launch]]:
    """Begin one attempt of each of three jobs, as a tick does."""
    stored(*(job(f"job {number}") for number in range(3)))
    for number in range(3):
        request_run(app, f"job {number}")
    with app.app_context(), transaction():
        launches = attempt.begin_queued(1, HOLDER, Room(), clock.now())
    work = Workload()
    work.add(launches)
    return work, launches


@contextmanager
def recording(app: Flask, work: Workload, told: list[str]) -> Iterator[Recorder]:
    with app.app_context():
        engine = db.engine
    recorder = Recorder(work, partial(transaction, engine=engine), told.extend, told.append)
    recorder.start()
    yield recorder
    recorder.stop()


def ended(launch: Launch, error: BaseException | None = None) -> Ended:
    now, stop = clock.now(), Stop()
    if error is None:
        return ending.succeeded(launch, now, now, None, stop)
    return ending.failed(launch, now, now, fault_of(error), stop)


class TestRecorder:
    def test_writes_ends_down_together_and_says_whose(
        self, app: Flask, ledger: Ledger, begun: tuple[Workload, list[Launch]], caplog: pytest.LogCaptureFixture
    ) -> None:
        work, launches = begun
        told: list[str] = []
        for launch, error in zip(launches, (None, ValueError("no"), None), strict=True):
            work.begin(launch.attempt_id)
            work.end(ended(launch, error))
        with recording(app, work, told):
            assert work.await_end(10)
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
        assert sorted(ledger.statuses()) == ["failed", "succeeded", "succeeded"]
        assert sorted(told) == ["job 0", "job 1", "job 2"]

    def test_lets_an_end_that_cannot_be_written_stop_no_other(
        self, app: Flask, ledger: Ledger, begun: tuple[Workload, list[Launch]], caplog: pytest.LogCaptureFixture
    ) -> None:
        work, (good, bad, other) = begun
        # which no database takes, and `fault_of` never gives
        odd = replace(ended(bad), status="failed", fault=Fault(type="", message="\ud800", traceback=""))
        for launch, end in ((good, ended(good)), (bad, odd), (other, ended(other))):
            work.begin(launch.attempt_id)
            work.end(end)
        with caplog.at_level(logging.ERROR), recording(app, work, []):
            assert work.await_end(10)
        assert [run.status for run in ledger.runs(good.job_id)] == ["succeeded"]
        assert [run.status for run in ledger.runs(other.job_id)] == ["succeeded"]
        (run,) = ledger.runs(bad.job_id)
        assert (run.status, run.error_message) == ("failed", "what it raised cannot be written down; the log has it")
        assert "each is tried alone" in caplog.text

    def test_shows_that_attempts_go_on(self, app: Flask, ledger: Ledger, begun: tuple[Workload, list[Launch]]) -> None:
        work, (first, *_others) = begun
        work.begin(first.attempt_id)
        with recording(app, work, []):
            ledger.wait(lambda: all(row.beat >= 2 for row in ledger.attempts()))
        assert [row.started_at is not None for row in ledger.attempts(first.job_id)] == [True]

    def test_keeps_an_end_until_the_database_takes_it(
        self, app: Flask, ledger: Ledger, begun: tuple[Workload, list[Launch]]
    ) -> None:
        work, (first, *others) = begun
        work.forget(launch.attempt_id for launch in others)
        work.begin(first.attempt_id)
        with recording(app, work, []):
            ledger.change(sa.text("ALTER TABLE scheduler_attempt RENAME TO elsewhere"))
            try:
                work.end(ended(first))
                written = work.await_end(0.5)
            finally:
                ledger.change(sa.text("ALTER TABLE elsewhere RENAME TO scheduler_attempt"))
            assert not written
            assert work.await_end(10)
        assert ledger.rows(sa.select(Run.status).where(Run.id == first.run_id)) == [("succeeded",)]
