"""Attempts that fall silent, and what becomes of their runs."""

import logging

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs.error import Unavailable
from application.modules.scheduler.business import attempt
from application.modules.scheduler.business.attempt import MOST_LOST
from application.modules.scheduler.engine import TTL_SECONDS
from application.modules.scheduler.models import Attempt, Lease, Run
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Ledger, Node, Start, job, request_run

SILENT = "its process stopped answering: attempt 1, no beat for 3.1 s"


def silence(ledger: Ledger, one: Node, job_id: str = "tidy") -> None:
    """Leave a running attempt that no process has in hand, as one does that is killed."""
    one.tick()
    one.tick(ledger.due(job_id))
    ledger.settle()
    ledger.change(sa.update(Attempt).values(status="running", finished_at=None))
    ledger.change(sa.update(Run).values(status="running", finished_at=None))


def wait_out(one: Node) -> None:
    """Let a leader see an attempt, and see it silent for the time to live."""
    one.tick()
    one.clock.seconds += TTL_SECONDS - 0.1
    one.tick()
    one.clock.seconds += 0.2
    one.tick()


class TestLose:
    def test_runs_again_under_the_same_key(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "remember_the_run"))
        silence(ledger, one)
        wait_out(one)
        ledger.settle()
        assert [(run.status, run.attempts) for run in ledger.runs()] == [("succeeded", 2)]
        first, second = ledger.attempts()
        assert (first.status, first.reason) == ("lost", SILENT)
        assert (second.status, second.number) == ("succeeded", 2)
        before, after = functions.SEEN
        assert isinstance(before, type(after))
        key = ("run_id", "job_id", "scheduled_at")
        assert [getattr(before, name) for name in key] == [getattr(after, name) for name in key]

    def test_keeps_a_run_as_lost_where_the_job_says_so(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", on_lost="keep"))
        silence(ledger, one)
        wait_out(one)
        (run,) = ledger.runs()
        assert (run.status, run.reason) == ("lost", SILENT)
        assert run.finished_at is not None

    def test_gives_a_run_up_that_is_lost_again_and_again(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        silence(ledger, one)
        ledger.change(sa.update(Attempt).values(number=MOST_LOST))
        wait_out(one)
        (run,) = ledger.runs()
        assert run.status == "lost"
        assert run.reason.endswith("; 3 were lost, and no other follows")

    def test_leaves_alone_what_shows_that_it_goes_on(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        silence(ledger, one)
        one.tick()
        for _second in range(5):
            one.clock.seconds += TTL_SECONDS - 0.1
            with app.app_context(), transaction():
                attempt.beat([row.id for row in ledger.attempts()])
            one.tick()
        assert ledger.statuses() == ["running"]

    def test_needs_the_whole_time_after_a_change_of_leader(self, node: Start, ledger: Ledger) -> None:
        old, new = node(job("tidy")), node(job("tidy"))
        silence(ledger, old)
        new.tick()
        old.stop()
        new.tick()
        new.clock.seconds += TTL_SECONDS - 0.1
        new.tick()
        assert new.engine.leads
        assert ledger.statuses() == ["running"]

    def test_needs_the_whole_time_after_a_wait_for_the_lease(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", on_lost="keep"))
        silence(ledger, one)
        one.tick()

        def wait(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            one.clock.seconds += TTL_SECONDS * statement.startswith("UPDATE scheduler_lease")

        sa.event.listen(one.engine._database, "before_cursor_execute", wait)
        one.tick()
        assert ledger.statuses() == ["running"], "whoever was to raise its beat had to wait as well"
        sa.event.remove(one.engine._database, "before_cursor_execute", wait)
        one.clock.seconds += TTL_SECONDS
        one.tick()
        assert ledger.statuses() == ["lost"]

    @pytest.mark.parametrize("migrated_app", ["postgresql"], indirect=True)  # where a table can be locked from outside
    def test_needs_the_whole_time_after_a_tick_that_failed(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", on_lost="keep"))
        silence(ledger, one)
        one.tick()
        with ledger.locked(Lease), pytest.raises(Unavailable):
            one.tick()
        one.clock.seconds += TTL_SECONDS
        one.tick()
        assert ledger.statuses() == ["running"], "who could not look does not know who was silent"
        one.clock.seconds += TTL_SECONDS
        one.tick()
        assert ledger.statuses() == ["lost"]

    def test_frees_the_job_for_its_next_fire(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", on_lost="keep"))
        silence(ledger, one)
        wait_out(one)
        one.tick(ledger.due("tidy"))
        ledger.settle()
        assert ledger.statuses() == ["lost", "succeeded"]


class TestEnd:
    def test_is_refused_once_the_attempt_was_given_up(
        self, node: Start, ledger: Ledger, caplog: pytest.LogCaptureFixture
    ) -> None:
        one = node(job("slow", "wait_at_the_gate", on_lost="keep"))
        one.tick()
        one.tick(ledger.due("slow"))
        ledger.wait(lambda: functions.ARRIVED)
        ledger.change(sa.update(Attempt).values(status="lost"))
        ledger.change(sa.update(Run).values(status="lost"))
        with caplog.at_level(logging.WARNING):
            functions.GATE.set()
            ledger.wait(lambda: "after another leader had given it up" in caplog.text)
        assert ledger.statuses() == ["lost"]

    def test_holds_where_it_happened(self, node: Start, ledger: Ledger) -> None:
        one = node(job("bad", "create_a_tag_and_fail"))
        one.tick()
        one.tick(ledger.due("bad"))
        ledger.settle()
        (row,) = ledger.attempts()
        assert (row.status, row.error_type) == ("failed", "ValueError")
        assert "in create_a_tag_and_fail" in row.traceback


class TestBeginQueued:
    def test_begins_what_was_asked_for_under_another_leader(self, app: Flask, node: Start, ledger: Ledger) -> None:
        old, new = node(job("tidy")), node(job("tidy"))
        old.tick()
        request_run(app, "tidy")
        old.stop()
        new.tick()
        (begun,) = ledger.runs()
        assert begun.started_at.tzinfo is not None
        ledger.settle()
        assert [(run.status, run.cause, run.attempts) for run in ledger.runs()] == [("succeeded", "manual", 1)]
