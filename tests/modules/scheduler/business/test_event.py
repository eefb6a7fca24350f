"""Events on a real database: told once, in order, without gaps, and only what was committed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs import clock
from application.modules.scheduler import business
from application.modules.scheduler.business import event
from application.modules.scheduler.business.event import Event, Events
from application.modules.scheduler.models import EventBatch, Feed, Job
from tests.modules.scheduler.conftest import Ledger, Start, Store, job, request_run

JOB: dict[str, Any] = {"id": "nightly", "func": "do-nothing", "trigger": "interval", "hours": 1}


def note(app: Flask, *kinds: str) -> None:
    with app.app_context(), transaction():
        for kind in kinds:
            event.note(kind, job_id="nightly")


def number(app: Flask) -> None:
    with app.app_context(), transaction():
        event.number()


def prune(app: Flask, **later: float) -> None:
    with app.app_context(), transaction():
        event.prune(clock.now() + timedelta(**later))


def since(app: Flask, after: int | None = 0) -> Events:
    with app.app_context(), transaction(write=False):
        return event.since(after)


def told(app: Flask, job_id: str | None = None) -> list[Event]:
    return [one for one in since(app).events if job_id in (None, one.job_id)]


class TestNote:
    def test_writes_one_row_for_all_that_a_unit_does(self, app: Flask, ledger: Ledger) -> None:
        note(app, "added", "paused", "resumed")
        (row,) = ledger.rows(sa.select(EventBatch.size, EventBatch.number))
        assert row == (3, None)

    def test_tells_nothing_of_what_was_rolled_back(self, app: Flask, ledger: Ledger) -> None:
        with app.app_context(), pytest.raises(ZeroDivisionError), transaction():
            event.note("added", job_id="nightly")
            _ = 1 // 0
        assert ledger.rows(sa.select(EventBatch.id)) == []

    def test_waits_for_a_leader(self, app: Flask) -> None:
        note(app, "added")
        assert since(app) == Events([], 0, reset=False)


class TestNumber:
    def test_leaves_no_gap_whoever_wrote(self, app: Flask) -> None:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _turn: note(app, "added", "paused"), range(20)))
        number(app)
        assert [one.number for one in since(app).events] == list(range(1, 41))

    def test_puts_what_its_own_unit_notes_behind_what_waits(self, app: Flask) -> None:
        note(app, "added")
        with app.app_context(), transaction():
            event.note("paused")
            event.number()
            event.note("resumed")
        assert [one.kind for one in since(app).events] == ["added", "paused"]
        number(app)
        assert [(one.number, one.kind) for one in since(app).events] == [(1, "added"), (2, "paused"), (3, "resumed")]

    def test_counts_what_cannot_be_read_and_goes_on(self, app: Flask, ledger: Ledger) -> None:
        note(app, "added")
        ledger.change(sa.update(EventBatch).values(content="[{]"))
        note(app, "paused")
        number(app)
        assert [(one.number, one.kind) for one in since(app).events] == [(2, "paused")]


class TestSince:
    def test_gives_what_followed(self, app: Flask) -> None:
        note(app, "added", "paused", "resumed")
        number(app)
        found = since(app, 1)
        assert [one.kind for one in found.events] == ["paused", "resumed"]
        assert (found.last, found.reset) == (3, False)
        assert since(app, 3) == Events([], 3, reset=False)

    def test_without_a_number_says_where_they_stand(self, app: Flask) -> None:
        note(app, "added", "paused")
        number(app)
        assert since(app, None) == Events([], 2, reset=False)

    @pytest.mark.parametrize("after", [7, 2**62])
    def test_resets_who_comes_from_another_database(self, app: Flask, after: int) -> None:
        note(app, "added")
        number(app)
        assert since(app, after) == Events([], 1, reset=True)

    def test_gives_a_thousand_at_once(self, app: Flask) -> None:
        note(app, *["added"] * 1500)
        note(app, *["paused"] * 700)
        number(app)
        seen, after = [], 0
        while found := since(app, after).events:
            assert len(found) <= 1000
            seen += [one.number for one in found]
            after = found[-1].number
        assert seen == list(range(1, 2201))


class TestPrune:
    def test_resets_who_was_away_for_longer_than_a_day(self, app: Flask) -> None:
        note(app, "added", "paused")
        number(app)
        prune(app, days=1, seconds=-1)
        assert len(since(app).events) == 2
        prune(app, days=1, seconds=1)
        assert since(app, 1) == Events([], 2, reset=True)
        assert since(app, 2) == Events([], 2, reset=False)

    def test_keeps_ten_thousand(self, app: Flask) -> None:
        for _unit in range(11):
            note(app, *["added"] * 1000)
        number(app)
        prune(app)
        assert since(app, 999).reset
        assert since(app, 1000).events[0].number == 1001

    def test_keeps_what_has_no_number_yet(self, app: Flask) -> None:
        note(app, "added")
        number(app)
        note(app, "paused")
        prune(app, days=2)
        number(app)
        assert [one.number for one in since(app, 1).events] == [2]

    def test_finds_nothing_in_a_fresh_database(self, app: Flask) -> None:
        prune(app)
        assert since(app, None) == Events([], 0, reset=False)


class TestWhatIsTold:
    def test_of_a_job_that_an_operator_steers(self, app: Flask, registered: object) -> None:
        steps = (
            lambda: business.create(JOB, by="root"),
            lambda: business.pause("nightly", by="root"),
            lambda: business.update("nightly", {"name": "Nightly"}, by="root"),
            lambda: business.revert("nightly", 1, by="root"),
            lambda: business.resume("nightly", by="root"),
            lambda: business.request_run("nightly", by="root"),
            lambda: business.delete("nightly", by="root"),
        )
        for step in steps:
            with app.app_context(), transaction():
                step()
        number(app)
        events = told(app)
        assert [one.kind for one in events] == [
            "added",
            "paused",
            "changed",
            "changed",
            "resumed",
            "queued",
            "removed",
        ]
        assert {(one.job_id, one.by) for one in events} == {("nightly", "root")}

    def test_of_who_leads_and_of_a_run(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "create_a_tag"))
        one.tick()
        one.tick(ledger.due("tidy"))
        ledger.settle()
        one.tick()
        (run,) = ledger.runs()
        events = told(app)
        assert [(one.kind, one.status) for one in events] == [
            ("added", None),
            ("leader", None),
            ("started", "running"),
            ("finished", "succeeded"),
        ]
        assert events[1].process == one.engine._holder.process
        assert {one.run_id for one in events[2:]} == {run.id}
        assert events[3].duration_seconds is not None

    def test_of_a_manual_run_and_a_failure(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("bad", "create_a_tag_and_fail"))
        one.tick()
        request_run(app, "bad")
        one.tick()
        ledger.settle()
        one.tick()
        kinds = [(one.kind, one.status) for one in told(app, "bad")]
        assert kinds[1:] == [("queued", "queued"), ("started", "running"), ("finished", "failed")]

    def test_of_what_was_missed_and_skipped(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("late"), job("full", "wait_at_the_gate"))
        one.tick()
        one.tick(ledger.due("full"))
        ledger.wait(lambda: "running" in ledger.statuses("full"))
        one.tick(ledger.due("late") + timedelta(minutes=10))
        kinds = {(one.job_id, one.kind) for one in told(app)}
        assert {("late", "missed"), ("full", "missed")} & kinds
        one.tick(ledger.due("full"))
        assert ("full", "skipped") in {(one.job_id, one.kind) for one in told(app)}

    def test_of_a_job_that_has_ended_and_one_that_cannot_be_restored(
        self, app: Flask, node: Start, ledger: Ledger, stored: Store
    ) -> None:
        stored(job("gone", "report", args=["2026-01-01"]))
        ledger.change(sa.update(Job).values(declaration=None))
        one = node(job("once", trigger="date", run_date=clock.now() + timedelta(seconds=5)))
        one.tick()
        one.tick(clock.now() + timedelta(hours=1, seconds=9))
        seen = {(one.job_id, one.kind, one.status) for one in told(app)}
        assert seen >= {("once", "removed", None), ("gone", "changed", "quarantined")}

    def test_of_a_leader_that_stops(self, app: Flask, node: Start) -> None:
        node(job("tidy")).tick()
        node_two = node(job("tidy"))
        with app.app_context(), transaction():
            business.cluster.pause(by="root")
        with app.app_context(), transaction():
            business.cluster.resume()
        assert node_two.tick() is False
        number(app)
        kinds = [one.kind for one in told(app)]
        assert kinds[-2:] == ["paused", "resumed"]

    def test_counts_what_became_of_runs(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "create_a_tag"), job("bad", "create_a_tag_and_fail"))
        one.tick()
        one.tick(max(ledger.due("tidy"), ledger.due("bad")))
        ledger.settle()
        one.tick()
        ledger.change(sa.delete(EventBatch))
        with app.app_context(), transaction(write=False):
            last, totals = event.read_totals()
        assert last == ledger.rows(sa.select(Feed.number))[0].number
        assert totals.runs == {"succeeded": 1, "failed": 1}
        assert sum(totals.duration.counts) == sum(totals.lateness.counts) == 2
