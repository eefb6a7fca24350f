"""Runs that fail and are tried again, within one row and under one key."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from application.libs.trigger import from_micros
from application.modules.scheduler.business import retry
from application.modules.scheduler.business.attempt import MOST_LOST
from application.modules.scheduler.business.definition import encode
from application.modules.scheduler.engine import TTL_SECONDS
from application.modules.scheduler.models import Attempt, Run
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Ledger, Node, Start, declare_all, job, request_run

NOON = datetime.fromisoformat("2026-11-28T12:00:00+00:00")


def failing(*messages: str, **options: Any) -> dict[str, Any]:
    """Describe a job that raises these messages, one an attempt."""
    functions.FAILURES[:] = reversed(messages)
    return job("flaky", "fail_as_told", **options)


def fire(node: Node, ledger: Ledger) -> None:
    """Let the job fire, and its first attempt end."""
    node.tick()
    node.tick(ledger.due("flaky"))
    ledger.wait(lambda: ledger.statuses() != ["running"])


def go_on(node: Node, ledger: Ledger) -> None:
    """Let the next attempt begin when it may, and end."""
    (run,) = ledger.runs()
    node.tick(from_micros(run.due_at) - timedelta(microseconds=1))
    assert ledger.statuses() == ["queued"]
    node.tick(from_micros(run.due_at))
    ledger.wait(lambda: ledger.statuses() != ["running"])


class TestAfter:
    def test_begins_again_later_each_time_until_it_succeeds(self, node: Start, ledger: Ledger) -> None:
        one = node(failing("no net", "no disk", retries=3, retry_delay=10, retry_backoff=3))
        fire(one, ledger)
        (run,) = ledger.runs()
        assert (run.status, run.finished_at, run.failures) == ("queued", None, 1)
        assert (run.reason, run.error_message) == ("attempt 1 failed; retry 1 of 3 after 10.0 s", "no net")
        first, waits = run, []
        for _attempt in range(2):
            (before,) = ledger.runs()
            ended_at = ledger.attempts()[-1].finished_at
            waits.append((from_micros(before.due_at) - ended_at).total_seconds())
            go_on(one, ledger)
        assert waits == [10, 30]
        (run,) = ledger.runs()
        assert (run.id, run.status, run.attempts, run.failures) == (first.id, "succeeded", 3, 2)
        assert (run.reason, run.error_type, run.error_message, run.due_at) == (None, None, None, None)
        assert run.started_at == first.started_at
        errors = [(attempt.number, attempt.status, attempt.error_message) for attempt in ledger.attempts()]
        assert errors == [(1, "failed", "no net"), (2, "failed", "no disk"), (3, "succeeded", None)]
        keys = [[getattr(seen, name) for name in ("run_id", "job_id", "scheduled_at")] for seen in functions.SEEN]
        assert keys == [keys[0]] * 3

    def test_keeps_the_last_failure_when_none_follows(self, node: Start, ledger: Ledger) -> None:
        one = node(failing("first", "second", retries=1))
        fire(one, ledger)
        go_on(one, ledger)
        (run,) = ledger.runs()
        assert (run.status, run.error_type, run.error_message) == ("failed", "RuntimeError", "second")
        assert run.reason == "attempt 2 failed, and no other follows: retries 1"
        assert run.finished_at is not None
        assert run.due_at is None

    def test_does_not_begin_again_by_default(self, node: Start, ledger: Ledger) -> None:
        one = node(failing("once"))
        fire(one, ledger)
        assert [(run.status, run.reason, run.attempts) for run in ledger.runs()] == [("failed", None, 1)]

    def test_is_kept_by_the_next_leader(self, node: Start, ledger: Ledger) -> None:
        described = failing("gone", retries=1)
        old = node(described)
        fire(old, ledger)
        old.stop()
        new = node(described)
        new.tick()
        assert new.engine.leads
        go_on(new, ledger)
        assert [(run.status, run.attempts) for run in ledger.runs()] == [("succeeded", 2)]
        tokens = [attempt.token for attempt in ledger.attempts()]
        assert tokens[0] < tokens[1]

    def test_lets_a_manual_run_wait_for_its_turn(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(failing("gone", retries=1), job("other"))
        one.tick()
        request_run(app, "flaky")
        one.tick()
        ledger.wait(lambda: ledger.statuses() == ["queued"])
        go_on(one, ledger)
        assert [(run.status, run.cause) for run in ledger.runs()] == [("succeeded", "manual")]

    def test_counts_failures_and_losses_apart(self, node: Start, ledger: Ledger) -> None:
        one = node(failing("bad", "worse", retries=2))
        fire(one, ledger)
        go_on(one, ledger)
        one.tick(from_micros(ledger.runs()[0].due_at))
        for attempts in (4, 5, 5):
            self.lose(one, ledger)
            (run,) = ledger.runs()
            assert (run.attempts, run.failures) == (attempts, 2)
        assert MOST_LOST == 3
        assert run.status == "lost"
        assert run.reason.endswith("; 3 were lost, and no other follows")

    def test_leaves_all_retries_after_a_loss(self, node: Start, ledger: Ledger) -> None:
        one = node(failing(retries=1))
        one.tick()
        one.tick(ledger.due("flaky"))
        ledger.wait(lambda: ledger.statuses() == ["succeeded"])
        functions.FAILURES[:] = ["bad"]
        self.lose(one, ledger)
        ledger.wait(lambda: ledger.statuses() == ["queued"])
        assert ledger.runs()[0].reason == "attempt 2 failed; retry 1 of 1 after 10.0 s"

    @staticmethod
    def lose(node: Node, ledger: Ledger) -> None:
        """Leave the last attempt as a process does that is killed, and let the leader see it silent."""
        ledger.wait(lambda: ledger.statuses() == ["succeeded"])
        last = ledger.attempts()[-1]
        ledger.change(sa.update(Attempt).where(Attempt.id == last.id).values(status="running", finished_at=None))
        ledger.change(sa.update(Run).values(status="running", finished_at=None))
        node.tick()
        node.clock.seconds += TTL_SECONDS
        node.tick()


class TestDelayOf:
    @given(
        delay=st.floats(0, 86_400),
        backoff=st.floats(1, 10),
        most=st.floats(0, 86_400),
        jitter=st.floats(0, 60),
        failures=st.integers(1, 99),
    )
    def test_grows_up_to_a_bound(self, delay: float, backoff: float, most: float, jitter: float, failures: int) -> None:
        options: dict[str, Any] = {
            "retry_delay": delay,
            "retry_backoff": backoff,
            "retry_max_delay": most,
            "retry_jitter": jitter,
        }
        (declared,) = declare_all(job("x", retries=100, **options))
        waited = retry.delay_of(declared.definition, failures)
        assert min(delay, most) <= waited <= most + jitter
        without = declare_all(job("x", **options | {"retry_jitter": 0}))[0].definition
        assert retry.delay_of(without, failures) <= retry.delay_of(without, failures + 1)

    @pytest.mark.parametrize("failures", [1, 2, 3, 4])
    def test_may_follow_as_often_as_the_job_says(self, failures: int) -> None:
        definition = encode(declare_all(job("x", retries=3))[0].definition)
        found = retry.after(definition, number=failures + 2, failures=failures, moment=NOON)
        assert (found.at is not None) == (failures <= 3)
        assert found.reason is not None
        assert found.reason.startswith(f"attempt {failures + 2} failed")

    def test_is_none_for_a_definition_that_cannot_be_read(self) -> None:
        assert retry.after("{}", number=1, failures=1, moment=NOON) == retry.NONE
