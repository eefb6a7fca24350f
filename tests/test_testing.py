"""Tests of the virtual clock: a day passes in no time, and each instant runs once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from application.database import transaction
from application.libs.catalogue import Catalogue
from application.libs.clock import now
from application.libs.run_context import RunContext
from application.modules.scheduler import business
from application.testing import ClockError, VirtualClock, clock
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Node, registered

BERLIN = ZoneInfo("Europe/Berlin")
SPRING = datetime(2027, 3, 28, 0, 30, tzinfo=BERLIN)
AUTUMN = datetime(2027, 10, 31, 0, 30, tzinfo=BERLIN)

__all__ = ["registered"]


@pytest.fixture(autouse=True)
def _known(registered: Catalogue) -> None:
    """Let jobs call the functions of the tests."""
    assert len(registered)
    functions.SEEN.clear()


def add(app: Flask, job_id: str, func: str = "do-nothing", **given: Any) -> None:
    """Add a job as a client does."""
    with app.app_context(), transaction():
        business.create({"id": job_id, "func": func, **given}, by="root")


def pause_all(app: Flask) -> None:
    """Pause what is scheduled from the start: over a day it would run a thousand times beside what a test looks at."""
    with app.app_context(), transaction():
        business.bulk.pause({"all": True}, by="root")


class TestAdvance:
    def test_runs_what_falls_due_at_its_own_instant(self, app: Flask) -> None:
        with clock(app, at=datetime(2027, 1, 1, tzinfo=UTC)) as c:
            pause_all(app)
            add(app, "cleanup", trigger="cron", hour=3)
            c.advance(hours=26)
            assert c.fired("cleanup") == 1
            c.advance(timedelta(days=1))
            assert c.fired("cleanup") == 2
            assert [run.scheduled_at for run in c.runs("cleanup")] == [
                datetime(2027, 1, 1, 3, tzinfo=UTC),
                datetime(2027, 1, 2, 3, tzinfo=UTC),
            ]
            assert c.now == now() == datetime(2027, 1, 3, 2, tzinfo=UTC)
        assert now() > datetime(2026, 1, 1, tzinfo=UTC)
        assert now() != c.now

    def test_lets_functions_see_the_virtual_time(self, app: Flask) -> None:
        with clock(app, at=datetime(2027, 1, 1, tzinfo=UTC)) as c:
            pause_all(app)
            add(app, "look", "remember-the-run", trigger="interval", hours=1)
            c.advance(hours=3)
        seen = [context for context in functions.SEEN if isinstance(context, RunContext)]
        assert [context.scheduled_at.hour for context in seen] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("start", "quarters", "nights"), [(SPRING, 12, 1), (AUTUMN, 20, 1)], ids=["spring", "autumn"]
    )
    def test_knows_the_hour_that_a_clock_change_skips_or_repeats(
        self, app: Flask, start: datetime, quarters: int, nights: int
    ) -> None:
        with clock(app, at=start) as c:
            pause_all(app)
            add(app, "quarterly", trigger="cron", minute="*/15", timezone="Europe/Berlin")
            add(app, "nightly", trigger="cron", hour=2, minute=30, timezone="Europe/Berlin")
            c.advance(to=start.replace(hour=4, minute=29))
            assert c.fired("quarterly") == quarters
            assert c.fired("nightly") == nights

    def test_runs_what_was_asked_for_by_hand_without_moving(self, app: Flask) -> None:
        with clock(app) as c:
            add(app, "by-hand", trigger="interval", hours=1)
            with app.app_context(), transaction():
                business.request_run("by-hand", by="root")
            c.advance()
            assert [run.status for run in c.runs("by-hand")] == ["succeeded"]
            assert c.fired("by-hand") == 0

    def test_lets_a_failing_job_fail_and_goes_on(self, app: Flask) -> None:
        with clock(app) as c:
            pause_all(app)
            add(app, "good", trigger="interval", hours=1)
            add(app, "bad", "create-a-tag", kwargs={"name": ""}, trigger="interval", hours=1)
            c.advance(hours=2)
            assert c.fired("good") == c.fired("bad") == 2

    def test_leaves_a_paused_job_alone(self, app: Flask) -> None:
        with clock(app) as c:
            pause_all(app)
            add(app, "paused", trigger="interval", hours=1, next_run_time=None)
            c.advance(days=1)
            assert c.fired("paused") == 0
            assert c.runs("paused") == []

    def test_refuses_to_go_back(self, app: Flask) -> None:
        with clock(app) as c, pytest.raises(ClockError, match="begin a new clock"):
            c.advance(hours=-1)

    def test_refuses_to_move_inside_a_transaction(self, app: Flask) -> None:
        with clock(app) as c, app.app_context(), transaction(), pytest.raises(ClockError, match="end it"):
            c.advance(hours=1)


class TestClock:
    def test_runs_the_jobs_that_the_code_declares(self, app: Flask) -> None:
        with clock(app) as c:
            c.advance(hours=1)
            assert c.fired("prune-expired-sessions") == 6

    def test_begins_anew_after_another(self, app: Flask) -> None:
        for _time in range(2):
            with clock(app) as c:
                assert isinstance(c, VirtualClock)
                c.advance(minutes=10)
                assert c.fired("prune-expired-sessions") == 1

    def test_refuses_while_the_scheduler_runs_here(self, app: Flask) -> None:
        with clock(app), pytest.raises(ClockError, match="RUNNER=none"), clock(app):
            pass

    def test_refuses_while_another_process_leads(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("application.testing._LEAD_SECONDS", 0.1)
        node = Node(app, ticking=True)
        try:
            while not node.engine.leads:
                pass
            with pytest.raises(ClockError, match="Another process"), clock(app):
                pass
        finally:
            node.stop()
