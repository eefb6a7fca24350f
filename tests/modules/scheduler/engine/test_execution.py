"""How attempts run: cancelled, given up, what they return and print."""

from functools import partial
from typing import Any

import pytest
from flask import Flask

from application.database import execute, transaction
from application.libs.run_output import copied_prints
from application.modules.scheduler import business
from application.modules.scheduler.business.cancelling import RunEnded
from application.modules.tag.models import Tag
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Ledger, Node, Start, job, request_run


@pytest.fixture
def ticking(node: Start) -> Start:
    """Return a function that starts a competitor which ticks by itself, and wait until it has brought its jobs."""

    def start(*jobs: dict[str, Any], **options: Any) -> Node:
        started: Node = node(*jobs, ticking=True, **options)
        while not started.engine.leads:
            pass
        return started

    return start


def run_now(app: Flask, ledger: Ledger, job_id: str) -> str:
    """Ask for a run, wait until it goes on and return its id."""
    ledger.wait(lambda: ledger.job(job_id))
    request_run(app, job_id)
    ledger.wait(lambda: ledger.statuses(job_id)[-1:] == ["running"])
    return str(ledger.runs(job_id)[-1].id)


def has_arrived(count: int) -> bool:
    """Tell whether so many runs have begun."""
    return len(functions.ARRIVED) == count


def cancel(app: Flask, run_id: str) -> None:
    """Cancel a run as an operator does."""
    with app.app_context(), transaction():
        business.run.cancel(run_id, by="root")


def detail(app: Flask, run_id: str) -> business.run.RunDetail:
    """Read a run as an operator does."""
    with app.app_context(), transaction(write=False):
        return business.run.get(run_id)


class TestCancel:
    def test_ends_a_run_that_asks_whether_it_should(self, app: Flask, ledger: Ledger, ticking: Start) -> None:
        ticking(job("long", "work_until_cancelled", retries=3))
        run_id = run_now(app, ledger, "long")
        ledger.wait(lambda: functions.ARRIVED)
        cancel(app, run_id)
        ledger.settle()
        run = detail(app, run_id)
        assert (run.status, run.reason) == ("cancelled", "cancelled by root")
        assert [attempt.status for attempt in run.history] == ["cancelled"]
        with app.app_context(), transaction(write=False):
            assert execute(Tag.__table__.select()).all() == []

    def test_lets_a_run_that_heeds_nothing_end_as_it_does(self, app: Flask, ledger: Ledger, ticking: Start) -> None:
        ticking(job("well", "return_once_cancelled"), job("badly", "fail_once_cancelled", retries=3))
        for arrived, (job_id, status) in enumerate((("well", "succeeded"), ("badly", "failed")), 1):
            run_id = run_now(app, ledger, job_id)
            ledger.wait(partial(has_arrived, arrived))
            cancel(app, run_id)
            ledger.settle()
            run = detail(app, run_id)
            assert (run.status, run.stop_reason, run.attempts) == (status, "cancelled by root", 1)
            assert "cancelled by root" in (run.reason or "")

    def test_lets_what_waits_never_begin(self, app: Flask, ledger: Ledger, node: Start) -> None:
        node(job("later")).tick()
        request_run(app, "later")
        (run,) = ledger.runs()
        cancel(app, run.id)
        shown = detail(app, run.id)
        assert (shown.status, shown.reason, shown.history) == ("cancelled", "cancelled by root", [])

    def test_lets_no_attempt_follow_one_that_was_lost(self, app: Flask, ledger: Ledger, node: Start) -> None:
        one = node(job("stuck", "wait_at_the_gate"), drain_seconds=0)
        one.tick()
        request_run(app, "stuck")
        one.tick()
        ledger.wait(lambda: functions.ARRIVED)
        (run,) = ledger.runs()
        cancel(app, run.id)
        one.stop()
        assert ledger.statuses() == ["cancelled"]

    def test_refuses_what_has_ended(self, app: Flask, ledger: Ledger, node: Start) -> None:
        one = node(job("quick"))
        one.tick()
        request_run(app, "quick")
        one.tick()
        ledger.settle()
        (run,) = ledger.runs()
        with pytest.raises(RunEnded, match="has succeeded already"):
            cancel(app, run.id)


class TestTimeout:
    def test_gives_a_thread_up_and_its_place_free(self, app: Flask, ledger: Ledger, ticking: Start) -> None:
        ticking(job("slow", "wait_at_the_gate", timeout=0.2))
        run_id = run_now(app, ledger, "slow")
        ledger.wait(lambda: ledger.statuses("slow") == ["timed_out"])
        assert detail(app, run_id).reason == "it took longer than 0.2 s"
        request_run(app, "slow")  # its place is free, though its thread is not
        ledger.wait(lambda: ledger.statuses("slow") == ["timed_out", "timed_out"])
        functions.GATE.set()

    def test_replaces_the_threads_that_are_stuck(self, app: Flask, ledger: Ledger, ticking: Start) -> None:
        ticking(job("slow", "wait_at_the_gate", timeout=0.1, max_instances=20), job("quick"))
        ledger.wait(lambda: ledger.job("quick"))
        for _thread in range(10):
            request_run(app, "slow")
        ledger.wait(lambda: ledger.statuses("slow") == ["timed_out"] * 10)
        request_run(app, "quick")
        ledger.wait(lambda: ledger.statuses("quick") == ["succeeded"])
        functions.GATE.set()

    def test_is_followed_by_a_retry(self, app: Flask, ledger: Ledger, ticking: Start) -> None:
        ticking(job("slow", "wait_at_the_gate", timeout=0.1, retries=1, retry_delay=0))
        run_id = run_now(app, ledger, "slow")
        ledger.wait(lambda: ledger.statuses("slow") == ["timed_out"])
        assert [attempt.status for attempt in detail(app, run_id).history] == ["timed_out", "timed_out"]
        functions.GATE.set()


class TestResult:
    def test_is_kept_as_json(self, app: Flask, ledger: Ledger, ticking: Start) -> None:
        ticking(job("talk", "say", args=["a", "b"]))
        ledger.wait(lambda: ledger.job("talk"))
        request_run(app, "talk")
        ledger.wait(lambda: ledger.statuses("talk") == ["succeeded"])
        run = detail(app, ledger.runs("talk")[0].id)
        assert run.result == {"lines": 2, "at": "2030-01-31"}
        (attempt,) = run.history
        assert attempt.memory_start is not None
        assert attempt.memory_peak is not None
        assert 10_000_000 < attempt.memory_start <= attempt.memory_peak
        assert attempt.memory_shared is True


class TestOutput:
    def test_holds_what_is_logged_and_printed(self, app: Flask, ledger: Ledger, ticking: Start) -> None:
        with copied_prints():
            ticking(job("talk", "say", args=["token=abcdefgh"]))
            ledger.wait(lambda: ledger.job("talk"))
            request_run(app, "talk")
            ledger.wait(lambda: ledger.statuses("talk") == ["succeeded"])
        with app.app_context(), transaction(write=False):
            read = business.run.read(ledger.runs("talk")[0].id, after=0)
            assert "WARNING tests.modules.scheduler.jobs" in read.text
            assert "logged token=***" in read.text
            assert "printed token=abcdefgh" in read.text
            assert read.ended
            assert business.run.read(ledger.runs("talk")[0].id, after=read.next).text == ""

    def test_can_be_read_while_the_run_goes_on(self, app: Flask, ledger: Ledger, ticking: Start) -> None:
        ticking(job("long", "talk_and_wait"))
        run_id = run_now(app, ledger, "long")

        def text() -> str:
            with app.app_context(), transaction(write=False):
                read = business.run.read(run_id, after=0)
            assert not read.ended
            return read.text

        ledger.wait(lambda: "before the gate" in text())
        functions.GATE.set()
        ledger.settle()
