"""Nothing begins while the leader's machine is short of memory, and each fire says so."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, transaction
from application.libs import clock
from application.libs.ident import new_id
from application.libs.trigger import from_micros, to_micros
from application.modules.scheduler import business
from application.modules.scheduler.business import event
from application.modules.scheduler.business import held as held_rules
from application.modules.scheduler.business.event import Event
from application.modules.scheduler.models import Job, Run
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import HOUR, Ledger, Node, Start, job, request_run

TOLD = "held for memory: 150 MB free, 200 needed"


def short(node: Start, *jobs: dict[str, Any]) -> Node:
    """Start a leader, and let its machine run short of memory."""
    one = node(*jobs)
    one.tick()
    one.free_mb = 150
    return one


def told(app: Flask, job_id: str) -> list[Event]:
    """Return the events of a job, numbered ones."""
    events: list[Event] = []
    with app.app_context(), transaction(write=False):
        while found := event.since(events[-1].number if events else 0).events:
            events += found
    return [one for one in events if one.job_id == job_id]


class TestHold:
    def test_is_a_row_for_each_due_job_that_begins_with_memory(self, node: Start, ledger: Ledger) -> None:
        one = short(node, job("tidy"))
        due = ledger.due("tidy")
        for seconds in (0, 1, 2):
            one.tick(due + timedelta(seconds=seconds))
        (held,) = ledger.runs()
        assert (held.status, held.reason, held.attempts, held.finished_at) == ("held", TOLD, 0, None)
        assert ledger.due("tidy") == due
        one.free_mb = 200
        one.tick(due + timedelta(seconds=3))
        ledger.settle()
        (run,) = ledger.runs()
        assert (run.id, run.status, run.reason, run.scheduled_at) == (held.id, "succeeded", None, held.scheduled_at)
        assert ledger.due("tidy") == due + HOUR

    def test_becomes_missed_later_than_the_grace(self, node: Start, ledger: Ledger) -> None:
        one = short(node, job("tidy"))
        due = ledger.due("tidy")
        one.tick(due)
        one.free_mb = 1000
        one.tick(due + timedelta(seconds=90))
        (run,) = ledger.runs()
        assert (run.status, run.reason) == ("missed", f"{TOLD}; late by 90.0 s, grace 60 s")
        assert run.finished_at is not None

    def test_is_one_row_however_long_it_takes(self, node: Start, ledger: Ledger) -> None:
        one = short(node, job("often", trigger="interval", seconds=1))
        due = ledger.due("often")
        for minute in range(5):
            one.tick(due + minute * timedelta(minutes=1))
        assert ledger.statuses() == ["held"]
        one.free_mb = 1000
        one.tick(due + timedelta(minutes=5))
        ledger.settle()
        missed, merged, run = ledger.runs()
        assert (missed.fires, missed.reason) == (240, f"{TOLD}; late by 300.0 s, grace 60 s")
        assert (merged.fires, run.status, run.fires) == (60, "succeeded", 1)

    def test_is_caught_up_with_where_the_job_says_so(self, node: Start, ledger: Ledger) -> None:
        one = short(node, job("tidy", misfire="once"))
        due = ledger.due("tidy")
        one.tick(due)
        one.free_mb = 1000
        one.tick(due + timedelta(minutes=30))
        ledger.settle()
        assert [(run.status, run.cause) for run in ledger.runs()] == [("succeeded", "catch-up")]

    def test_holds_what_was_asked_for_whenever_it_begins(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = short(node, job("tidy"))
        request_run(app, "tidy")
        one.tick()
        (held,) = ledger.runs()
        assert (held.status, held.reason) == ("held", TOLD)
        one.free_mb = 1000
        one.tick(from_micros(held.due_at) + timedelta(minutes=30))
        ledger.settle()
        assert [(run.id, run.status, run.reason) for run in ledger.runs()] == [(held.id, "succeeded", None)]

    def test_leaves_what_runs_and_what_waits_for_its_turn(self, node: Start, ledger: Ledger) -> None:
        one = node(job("slow", "wait_at_the_gate", overlap="queue"))
        one.tick()
        for _fire in range(2):
            one.tick(ledger.due("slow"))
        one.free_mb = 150
        one.tick(ledger.due("slow"))
        assert ledger.statuses() == ["running", "queued", "held"]
        functions.GATE.set()
        ledger.wait(lambda: "running" not in ledger.statuses())
        one.tick(ledger.due("slow"))
        assert ledger.statuses() == ["succeeded", "queued", "held"]

    def test_holds_nothing_while_the_schedule_is_paused(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = short(node, job("tidy"))
        with app.app_context(), transaction():
            business.cluster.pause(by="root")
        one.tick(ledger.due("tidy"))
        assert ledger.runs() == []

    def test_is_judged_by_the_next_leader(self, node: Start, ledger: Ledger) -> None:
        old = short(node, job("tidy"))
        due = ledger.due("tidy")
        old.tick(due)
        old.stop()
        node(job("tidy")).tick(due)
        ledger.settle()
        assert ledger.statuses() == ["succeeded"]

    def test_follows_at_the_next_tick_where_many_wait(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = short(node, job("tidy"))
        run: dict[str, Any] = {"job_id": "tidy", "status": "queued", "cause": "manual", "fires": 1, "attempts": 0}
        rows = [{**run, "id": new_id(), "scheduled_at": n, "due_at": n, "definition": "{}"} for n in range(1200)]
        with app.app_context(), transaction():
            change(sa.insert(Run), rows)
        for held in (500, 1000, 1200, 1200):
            one.tick()
            assert ledger.statuses().count("held") == held
        assert len(told(app, "tidy")) == 1 + 1200  # with the one of the job itself
        for held in (700, 200, 0):
            with app.app_context(), transaction():
                assert held_rules.release(clock.now()) == (held > 0)
            assert ledger.statuses().count("held") == held

    def test_does_not_ask_where_nobody_wants_to_know(self, node: Start, ledger: Ledger) -> None:
        one = short(node, job("tidy"))
        one.engine._firing._hold_below_mb = 0
        one.tick(ledger.due("tidy"))
        ledger.settle()
        assert ledger.statuses() == ["succeeded"]


class TestRelease:
    def test_is_told_as_it_was_told_that_they_were_held(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = short(node, job("tidy"))
        request_run(app, "tidy")
        one.tick()
        one.free_mb = 1000
        one.tick()
        ledger.settle()
        one.tick()
        (run,) = ledger.runs()
        events = [one for one in told(app, "tidy") if one.run_id == run.id]
        assert [(one.kind, one.status, one.reason) for one in events] == [
            ("queued", "queued", None),
            ("queued", "held", TOLD),
            ("queued", "queued", None),
            ("started", "running", None),
            ("finished", "succeeded", None),
        ]

    @pytest.mark.parametrize("action", ["pause", "delete", "change", "quarantine"])
    def test_gives_up_what_is_due_no_more(self, app: Flask, node: Start, ledger: Ledger, action: str) -> None:
        one = short(node, job("tidy"))
        due = ledger.due("tidy")
        one.tick(due)
        with app.app_context(), transaction():
            if action == "pause":
                business.pause("tidy", by="root")
            elif action == "delete":
                business.delete("tidy", by="root")
        if action == "change":
            ledger.change(sa.update(Job).values(next_run_time=to_micros(due + HOUR)))
        elif action == "quarantine":
            ledger.change(sa.update(Job).values(quarantine="its function is gone"))
        one.free_mb = 1000
        one.tick(due)
        (run,) = ledger.runs()
        assert (run.status, run.fires) == ("missed", 1)
        assert run.reason == f"{TOLD}; its job was paused, changed or deleted meanwhile"
        assert run.finished_at is not None
        last = [one for one in told(app, "tidy") if one.run_id == run.id][-1]
        assert (last.kind, last.status, last.reason) == ("missed", "missed", run.reason)
        with app.app_context(), transaction(write=False):
            assert event.read_totals()[1].runs == {"missed": 1}
