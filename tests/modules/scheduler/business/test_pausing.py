"""What a pause has left out is one row that says whose it was, from when to when."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs import clock
from application.libs.catalogue import Catalogue
from application.libs.trigger import from_micros, to_micros
from application.modules.scheduler import business
from application.modules.scheduler.models import Job, Lease
from tests.modules.scheduler.conftest import HOUR, Ledger, Start, Store, job

NOON = datetime.fromisoformat("2026-11-28T12:00:00+00:00")


class Hands:
    """Be the hands of a clock that the test sets."""

    now = NOON + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hands() -> Iterator[Hands]:
    """Let the test tell the time."""
    hands = Hands()
    with clock.ruled_by(hands):
        yield hands


@pytest.fixture
def tidy(hands: Hands, stored: Store, registered: Catalogue) -> str:
    """Store a job that fires at each full hour."""
    stored(job("tidy", trigger="cron", hour="*"))
    return "tidy"


class Operator:
    """Steer jobs as an operator does, one unit of work a step."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def __call__(self, step: Any, *arguments: Any, **options: Any) -> Any:
        with self.app.app_context(), transaction():
            return step(*arguments, **options)


@pytest.fixture
def operator(app: Flask) -> Operator:
    """Return an operator's hands."""
    return Operator(app)


class TestNote:
    def test_is_one_row_at_resume(self, operator: Operator, hands: Hands, tidy: str, ledger: Ledger) -> None:
        hands.now = NOON + timedelta(minutes=30)
        assert operator(business.pause, tidy, by="root").paused_at == hands.now
        assert ledger.job(tidy).left_out_from == to_micros(NOON + HOUR)
        hands.now = NOON + 4 * HOUR  # what is due at the very instant of the resume still fires
        assert operator(business.resume, tidy, by="ada").next_run_time == hands.now
        (run,) = ledger.runs()
        assert (run.status, run.cause, run.attempts) == ("skipped", "schedule", 0)
        assert (from_micros(run.scheduled_at), run.fires, run.finished_at) == (NOON + HOUR, 3, hands.now)
        assert run.reason == "paused by root, from 2026-11-28T12:30:00+00:00 to 2026-11-28T16:00:00+00:00"
        row = ledger.job(tidy)
        assert (row.paused_by, row.paused_at, row.left_out_from) == (None, None, None)

    def test_is_no_row_where_nothing_was_left_out(
        self, operator: Operator, hands: Hands, tidy: str, ledger: Ledger
    ) -> None:
        hands.now = NOON + timedelta(minutes=1)
        operator(business.pause, tidy, by="root")
        hands.now += timedelta(minutes=58)
        operator(business.resume, tidy, by="root")
        assert ledger.runs() == []

    def test_counts_from_the_first_pause(self, operator: Operator, hands: Hands, tidy: str, ledger: Ledger) -> None:
        for _pause in range(2):
            hands.now += timedelta(minutes=90)
            operator(business.pause, tidy, by="root")
        hands.now += HOUR
        for _resume in range(2):
            operator(business.resume, tidy, by="root")
        assert [(from_micros(run.scheduled_at), run.fires) for run in ledger.runs()] == [(NOON + HOUR, 4)]

    def test_counts_a_pause_of_years_without_looking_at_each(
        self, operator: Operator, hands: Hands, stored: Store, ledger: Ledger
    ) -> None:
        stored(job("often", trigger="interval", seconds=1))
        operator(business.pause, "often", by="root")
        hands.now += timedelta(days=300)
        operator(business.resume, "often", by="root")
        assert [run.fires for run in ledger.runs()] == [300 * 86_400 - 1]

    def test_is_written_for_a_job_whose_trigger_has_ended(
        self, operator: Operator, hands: Hands, stored: Store, ledger: Ledger
    ) -> None:
        stored(job("ends", trigger="cron", hour="*", end_date=NOON + 2 * HOUR))
        operator(business.pause, "ends", by="root")
        hands.now += timedelta(days=1)
        assert operator(business.resume, "ends", by="root").state == "ended"
        assert [run.fires for run in ledger.runs()] == [2]

    def test_leaves_alone_what_has_a_row_already(
        self, operator: Operator, hands: Hands, tidy: str, ledger: Ledger
    ) -> None:
        for minutes in (58, 62):  # the first pause leaves out one fire, the second two more
            operator(business.pause, tidy, by="root")
            ledger.change(sa.update(Job).values(left_out_from=to_micros(NOON)))
            hands.now += minutes * timedelta(minutes=1)
            operator(business.resume, tidy, by="root")
        assert [(from_micros(run.scheduled_at), run.fires) for run in ledger.runs()] == [
            (NOON, 1),
            (NOON + HOUR, 2),
        ]

    def test_stands_for_one_fire_where_the_definition_cannot_be_read(
        self, operator: Operator, hands: Hands, tidy: str, ledger: Ledger
    ) -> None:
        operator(business.pause, tidy, by="root")
        hands.now += 5 * HOUR
        ledger.change(sa.update(Job).values(definition="{}"))
        given = {"id": tidy, "func": "prune-expired-sessions", "trigger": "cron", "hour": "*", "replace_existing": True}
        operator(business.create, given, by="root")
        assert [(run.fires, run.definition) for run in ledger.runs()] == [(1, "{}")]


class TestChanged:
    def test_ends_with_a_next_run(self, operator: Operator, hands: Hands, tidy: str, ledger: Ledger) -> None:
        operator(business.pause, tidy, by="root")
        hands.now += 2 * HOUR
        operator(business.update, tidy, {"next_run_time": "2026-11-28T20:30:00Z"}, by="ada")
        assert [(run.status, run.fires) for run in ledger.runs()] == [("skipped", 2)]

    def test_begins_with_no_next_run(self, operator: Operator, hands: Hands, tidy: str, ledger: Ledger) -> None:
        operator(business.update, tidy, {"next_run_time": None}, by="ada")
        hands.now += 2 * HOUR
        operator(business.update, tidy, {"name": "Same trigger"}, by="bob")
        hands.now += HOUR
        operator(business.resume, tidy, by="root")
        (run,) = ledger.runs()
        assert (run.fires, run.reason[:14]) == (3, "paused by ada,")

    def test_counts_each_trigger_by_itself(self, operator: Operator, hands: Hands, tidy: str, ledger: Ledger) -> None:
        operator(business.pause, tidy, by="root")
        hands.now += 2 * HOUR
        operator(business.update, tidy, {"trigger": "cron", "minute": "*/10"}, by="ada")
        hands.now += HOUR
        operator(business.resume, tidy, by="root")
        first, second = ledger.runs()
        assert (from_micros(first.scheduled_at), first.fires) == (NOON + HOUR, 2)
        assert (from_micros(second.scheduled_at), second.fires) == (NOON + timedelta(minutes=130), 6)
        assert "from 2026-11-28T12:01:00+00:00" in second.reason

    def test_begins_with_a_job_that_is_made_paused(self, operator: Operator, hands: Hands, ledger: Ledger) -> None:
        given = {"id": "new", "func": "prune-expired-sessions", "trigger": "cron", "hour": "*", "next_run_time": None}
        operator(business.create, given, by="root")
        hands.now += HOUR
        operator(business.resume, "new", by="root")
        assert [run.fires for run in ledger.runs()] == [1]

    def test_tells_of_what_the_code_declared_no_more(
        self, hands: Hands, tidy: str, stored: Store, ledger: Ledger
    ) -> None:
        stored()
        assert ledger.job(tidy).paused_at == hands.now
        hands.now += 2 * HOUR
        stored()
        stored(job("tidy", trigger="cron", hour="*"))
        (run,) = ledger.runs()
        assert (run.status, run.fires) == ("skipped", 2)
        assert run.reason.startswith("paused as the code declared it no more, from 2026-11-28T12:01:00+00:00 to ")


class TestReasonOf:
    def test_is_given_for_fires_that_a_pause_for_all_made_late(
        self, app: Flask, operator: Operator, node: Start, ledger: Ledger
    ) -> None:
        one = node(job("tidy"), job("other"))
        one.tick()
        operator(business.cluster.pause, by="root")
        since = ledger.lease().paused_at
        due = ledger.due("tidy")
        one.tick(due + 3 * HOUR)
        assert ledger.runs() == []
        with clock.ruled_by(lambda: due + 3 * HOUR):
            ledger.change(sa.update(Lease).values(beat_at=clock.now()))
            operator(business.cluster.resume)
        until = ledger.lease().last_resumed_at
        assert until == due + 3 * HOUR
        one.tick(due + 3 * HOUR + timedelta(minutes=30))
        told = f"paused by root, from {since.isoformat()} to {until.isoformat()}; late by 12600.0 s, grace 60 s"
        assert [(run.status, run.fires, run.reason) for run in ledger.runs("tidy")] == [("missed", 4, told)]
        one.tick(due + 6 * HOUR)
        missed, _run = ledger.runs("tidy")[1:]
        assert missed.reason == "late by 7200.0 s, grace 60 s"
