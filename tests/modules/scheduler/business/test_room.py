"""Fires that come while as many runs of their job go on as may."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from application.libs.trigger import from_micros
from application.modules.scheduler.business.definition import encode
from application.modules.scheduler.business.room import MOST_WAITING, Occupant, Room
from application.modules.scheduler.models import Run
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import HOUR, Ledger, Node, Start, declare_all, job, request_run

NOON = datetime.fromisoformat("2026-11-28T12:00:00+00:00")


@pytest.fixture
def slow(node: Start, ledger: Ledger) -> Node:
    """Return a leader under whom a run of the job `slow` goes on, whose later ones wait."""
    one = node(job("slow", "wait_at_the_gate", overlap="queue"))
    one.tick()
    one.tick(ledger.due("slow"))
    ledger.wait(lambda: functions.ARRIVED)
    return one


class TestReplace:
    def test_asks_the_run_that_goes_on_to_end_and_runs_in_its_place(self, node: Start, ledger: Ledger) -> None:
        one = node(job("sync", "work_until_cancelled", overlap="replace"), drain_seconds=0)
        one.tick()
        one.tick(ledger.due("sync"))
        ledger.wait(lambda: functions.ARRIVED)
        one.tick(ledger.due("sync"))
        moment = ledger.due("sync")
        one.tick(moment)  # the one that waited is replaced as well
        first, second, third = ledger.runs()
        assert (second.status, third.status) == ("skipped", "queued")  # the first may have heeded by now
        assert first.stop_reason.startswith("replaced by a newer run, at ")
        assert second.reason.startswith("replaced by a newer run, at ")
        assert third.reason.startswith(f"waits for run {first.id}")
        ledger.wait(lambda: ledger.statuses()[0] == "cancelled")
        one.tick(moment)
        ledger.wait(lambda: ledger.statuses()[2] == "running")


class TestJudge:
    def test_lets_fires_wait_and_begin_one_after_the_other(self, slow: Node, ledger: Ledger) -> None:
        (first,) = ledger.runs()
        for _fire in range(2):
            slow.tick(ledger.due("slow"))
        waits = f"waits for run {first.id}, which runs since {first.started_at.isoformat()}; 1 at once"
        assert [(run.status, run.reason) for run in ledger.runs()[1:]] == [("queued", waits)] * 2
        functions.GATE.set()
        moment = from_micros(ledger.runs()[-1].due_at)
        for _ended in range(2):
            ledger.wait(lambda: "running" not in ledger.statuses())
            slow.tick(moment)
        ledger.settle()
        runs = ledger.runs()
        assert [(run.status, run.reason) for run in runs] == [("succeeded", None)] * 3
        assert [run.attempts for run in runs] == [1, 1, 1]
        assert runs[1].finished_at <= ledger.attempts()[2].started_at

    def test_lets_what_was_asked_for_wait_too(self, app: Flask, slow: Node, ledger: Ledger) -> None:
        request_run(app, "slow")
        for _tick in range(2):
            slow.tick()
        manual = next(run for run in ledger.runs() if run.cause == "manual")
        assert manual.status == "queued"
        assert manual.reason.startswith("waits for run ")

    def test_lets_so_many_wait_and_no_more(self, app: Flask, slow: Node, ledger: Ledger) -> None:
        (first,) = ledger.runs()
        for _fire in range(MOST_WAITING - 1):
            request_run(app, "slow")
        slow.tick()
        for _fire in range(2):
            slow.tick(ledger.due("slow"))
        request_run(app, "slow")
        slow.tick()
        assert ledger.statuses().count("queued") == MOST_WAITING
        skipped = [run for run in ledger.runs() if run.status == "skipped"]
        assert {run.cause for run in skipped} == {"manual", "schedule"}
        for run in skipped:
            assert run.reason.startswith(f"{MOST_WAITING} runs wait already for run {first.id}, which runs since ")
            assert run.finished_at is not None

    def test_waits_under_the_next_leader_too(self, node: Start, slow: Node, ledger: Ledger) -> None:
        slow.tick(ledger.due("slow"))
        functions.GATE.set()
        slow.stop()
        new = node(job("slow", "wait_at_the_gate", overlap="queue"))
        new.tick(from_micros(ledger.runs()[-1].due_at))
        ledger.settle()
        assert ledger.statuses() == ["succeeded", "succeeded"]

    def test_lets_runs_overlap_that_may(self, node: Start, ledger: Ledger) -> None:
        one = node(job("slow", "wait_at_the_gate", overlap="allow"))
        one.tick()
        for _fire in range(3):
            one.tick(ledger.due("slow"))
        assert ledger.statuses() == ["running"] * 3

    def test_skips_and_names_the_run_that_goes_on_the_longest(self) -> None:
        definition = encode(declare_all(job("x", max_instances=2))[0].definition)
        room = Room([Occupant("x", definition, "young", NOON + HOUR), Occupant("x", definition, "old", NOON)])
        assert room.full == {"x"}
        judged = room.judge("x", definition, NOON + 2 * HOUR)
        assert judged["status"] == "skipped"
        assert judged["reason"] == f"overlaps with run old, which runs since {NOON.isoformat()}; 2 at once"

    def test_fills_a_job_whose_definition_cannot_be_read(self) -> None:
        room = Room([Occupant("x", "{}", "odd", NOON)])
        assert room.judge("x", "{}", NOON + timedelta(seconds=1))["status"] == "skipped"

    def test_lets_retries_wait_for_their_turn(self, node: Start, ledger: Ledger) -> None:
        functions.FAILURES[:] = ["bad"]
        one = node(job("flaky", "fail_as_told", retries=1), job("slow", "wait_at_the_gate"))
        one.tick()
        one.tick(ledger.due("flaky"))
        ledger.wait(lambda: ledger.statuses("flaky") == ["queued"])
        ledger.change(sa.update(Run).where(Run.job_id == "flaky").values(job_id="slow", scheduled_at=0))
        ledger.wait(lambda: functions.ARRIVED)
        one.tick(from_micros(next(run.due_at for run in ledger.runs() if run.due_at)))
        assert sorted(ledger.statuses("slow")) == ["queued", "running"]
