"""Alerts to what fails, recovers or is missed: each once, and in the transaction of what they are about."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import after_commit, db, transaction
from application.extensions import scheduler
from application.libs.alert import Alert
from application.libs.error import Unavailable
from application.libs.trigger import from_micros
from application.modules.scheduler.business import alert
from application.modules.scheduler.business.definition import encode
from application.modules.scheduler.engine import TTL_SECONDS
from application.modules.scheduler.models import Alarm, EventBatch
from application.modules.tag import business as tag_business
from application.modules.tag.models import Tag
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import HOUR, Ledger, Node, Start, declare_all, job, request_run

Told = list[Alert]


def flaky(*messages: str, alerts: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Describe a job that raises these messages, one an attempt, and succeeds then."""
    functions.FAILURES[:] = reversed(messages)
    return job("flaky", "fail_as_told", alerts=alerts, **options)


def fire(node: Node, ledger: Ledger, times: int = 1) -> None:
    """Let the job fire so often, and each run end."""
    for _time in range(times):
        node.tick(ledger.due("flaky"))
        ledger.settle()


def lose(node: Start, ledger: Ledger, slow: dict[str, Any]) -> Node:
    """Let the job begin on a competitor that falls silent, and another one give it up; return the other one."""
    one, two = node(slow, drain_seconds=0.1), node(slow, drain_seconds=0.1)
    one.tick()
    one.tick(ledger.due("slow"))
    ledger.wait(lambda: functions.ARRIVED)
    one.engine._recorder.stop()  # no beat follows, as from a process that was killed
    for _look in range(3):  # at the lease, then at the attempt
        two.tick()
        two.clock.seconds += TTL_SECONDS + 0.1
    two.tick()
    return two


def short(told: Told) -> list[tuple[str, int]]:
    return [(one.kind, one.count) for one in told]


@pytest.fixture
def told() -> Iterator[Told]:
    """Return what a hook is told."""
    heard: Told = []
    before = scheduler.alert_hooks[:]
    scheduler.on_alert(heard.append)
    yield heard
    scheduler.alert_hooks[:] = before


class TestJudge:
    def test_tells_of_the_nth_failure_once_and_of_the_recovery(self, node: Start, ledger: Ledger, told: Told) -> None:
        one = node(flaky("a", "b", "c", "d", alerts={"after_failures": 3, "on_recovery": True}))
        one.tick()
        fire(one, ledger, 2)
        assert told == []
        fire(one, ledger, 2)
        (failure,) = told
        run = ledger.runs("flaky")[2]
        assert (failure.kind, failure.count, failure.run_id, failure.name) == ("failure", 3, run.id, "flaky")
        assert (failure.error_type, failure.error_message) == ("RuntimeError", "c")
        fire(one, ledger, 2)
        assert short(told) == [("failure", 3), ("recovery", 4)]
        assert ledger.rows(sa.select(Alarm.__table__)) == []

    def test_counts_anew_after_a_success(self, node: Start, ledger: Ledger, told: Told) -> None:
        one = node(flaky("a", alerts={"after_failures": 2, "on_recovery": True}))
        one.tick()
        fire(one, ledger, 2)
        functions.FAILURES[:] = ["b"]
        fire(one, ledger, 2)
        assert told == []

    def test_counts_the_last_attempt_of_a_run_alone(self, node: Start, ledger: Ledger, told: Told) -> None:
        one = node(flaky("a", "b", alerts={}, retries=1, retry_delay=10))
        one.tick()
        one.tick(ledger.due("flaky"))
        ledger.wait(lambda: ledger.statuses() == ["queued"])
        assert told == []
        one.tick(from_micros(ledger.runs()[0].due_at))
        ledger.settle()
        assert [(one.kind, one.count, one.error_message) for one in told] == [("failure", 1, "b")]

    def test_tells_nothing_that_is_not_wanted(self, node: Start, ledger: Ledger, told: Told) -> None:
        one = node(flaky("a", alerts={"on_failure": False, "on_recovery": True}))
        one.tick()
        fire(one, ledger, 2)
        assert told == []

    def test_tells_of_misses_in_a_row_once(self, node: Start, ledger: Ledger, told: Told) -> None:
        one = node(flaky(alerts={"after_misses": 3, "on_recovery": True}))
        one.tick()
        one.tick(ledger.due("flaky") + HOUR + timedelta(minutes=30))
        assert told == []
        one.tick(ledger.due("flaky") + 3 * HOUR + timedelta(minutes=30))
        assert short(told) == [("misses", 6)]
        assert told[0].error_message == ledger.runs("flaky")[-1].reason
        one.tick(ledger.due("flaky") + timedelta(minutes=30))
        fire(one, ledger)
        assert short(told) == [("misses", 6), ("recovery", 7)]

    def test_tells_of_what_took_too_long(self, node: Start, ledger: Ledger, told: Told) -> None:
        one = node(job("slow", "wait_at_the_gate", timeout=0.2, alerts={"after_failures": 2}))
        one.tick()
        for _time in range(2):
            assert told == []
            one.tick(ledger.due("slow"))
            ledger.settle()
        assert ledger.statuses() == ["timed_out", "timed_out"]
        (failure,) = told
        assert (failure.kind, failure.count, failure.run_id) == ("failure", 2, ledger.runs("slow")[1].id)
        assert (failure.error_type, failure.error_message) == (None, "it took longer than 0.2 s")

    def test_tells_of_what_was_lost_for_good(self, node: Start, ledger: Ledger, told: Told) -> None:
        two = lose(node, ledger, job("slow", "wait_at_the_gate", on_lost="keep", alerts={"on_recovery": True}))
        assert ledger.statuses() == ["lost"]
        (failure,) = told
        assert (failure.kind, failure.count, failure.run_id) == ("failure", 1, ledger.runs("slow")[0].id)
        silent = "its process stopped answering: attempt 1, no beat for 3.1 s"
        assert (failure.error_type, failure.error_message) == (None, silent)
        functions.GATE.set()
        two.tick(ledger.due("slow"))
        ledger.settle()
        assert short(told) == [("failure", 1), ("recovery", 1)]

    def test_tells_nothing_of_what_was_lost_and_runs_again(self, node: Start, ledger: Ledger, told: Told) -> None:
        lose(node, ledger, job("slow", "wait_at_the_gate", alerts={"on_recovery": True}))
        ledger.wait(lambda: len(functions.ARRIVED) == 2)
        functions.GATE.set()
        ledger.settle()
        assert [row.status for row in ledger.attempts()] == ["lost", "succeeded"]
        assert told == []

    def test_does_not_count_what_was_merged(self, node: Start, ledger: Ledger, told: Told) -> None:
        one = node(flaky(alerts={"after_misses": 1}, misfire_grace_time=36_000))
        one.tick()
        one.tick(ledger.due("flaky") + 3 * HOUR)
        ledger.settle()
        assert "missed" in ledger.statuses("flaky")
        assert told == []

    def test_is_an_event(self, node: Start, ledger: Ledger, told: Told) -> None:
        one = node(flaky("a", alerts={}))
        one.tick()
        fire(one, ledger)
        batches = ledger.rows(sa.select(EventBatch.content))
        events = [event for row in batches for event in msgspec.json.decode(row.content)]
        (event,) = [event for event in events if event["kind"] == "alert"]
        assert (event["job_id"], event["run_id"], event["status"]) == ("flaky", told[0].run_id, "failure")

    def test_counts_each_end_of_a_batch_and_of_several_processes_once(self, app: Flask, told: Told) -> None:
        (declared,) = declare_all(flaky(alerts={"after_failures": 7}))
        verdict = alert.Verdict("flaky", "r", "failed", encode(declared.definition))

        def fail_twice() -> None:
            try:
                with app.app_context(), transaction():
                    for _end in range(2):
                        alert.judge(verdict)
            except Unavailable:  # two met: whoever writes ends down tries again
                fail_twice()

        threads = [threading.Thread(target=fail_twice) for _process in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert short(told) == [("failure", 7)]


class TestHooks:
    def test_that_raise_lose_nothing(
        self, node: Start, ledger: Ledger, told: Told, caplog: pytest.LogCaptureFixture
    ) -> None:
        calls: list[str] = []

        def write_and_raise(_alert: Alert) -> None:
            tag_business.create(name="undone")
            after_commit(lambda: calls.append("undone"))
            raise LookupError("no such address")

        def break_the_database(_alert: Alert) -> None:
            for _twice in range(2):
                db.session.add(Tag(id="00000000-0000-0000-0000-000000000001", name="twice"))
                db.session.flush()
                db.session.expunge_all()

        scheduler.alert_hooks[:0] = [write_and_raise, break_the_database]
        one = node(flaky("a", alerts={}))
        one.tick()
        fire(one, ledger)
        assert ledger.statuses() == ["failed"]
        assert short(told) == [("failure", 1)]
        assert ledger.rows(sa.select(Tag.name)) == []
        assert calls == []
        assert caplog.text.count("could not be handed on") == 2

    def test_write_together_with_the_end(self, app: Flask, node: Start, ledger: Ledger, told: Told) -> None:
        seen: list[list[str]] = []

        def write(_alert: Alert) -> None:
            tag_business.create(name="alerted")
            after_commit(lambda: seen.append(ledger.statuses()))

        scheduler.on_alert(write)
        one = node(flaky("a", alerts={}))
        one.tick()
        request_run(app, "flaky")
        one.tick()
        ledger.settle()
        ledger.wait(lambda: seen)
        assert seen == [["failed"]]
        assert [row.name for row in ledger.rows(sa.select(Tag.name))] == ["alerted"]
        assert len(told) == 1


class TestForget:
    def test_begins_anew_with_a_job_of_the_same_id(self, app: Flask, told: Told) -> None:
        (declared,) = declare_all(flaky(alerts={"after_failures": 2}))
        verdict = alert.Verdict("flaky", "r", "failed", encode(declared.definition))
        with app.app_context(), transaction():
            alert.judge(verdict)
            alert.forget(["flaky"])
            alert.judge(verdict)
        assert told == []
