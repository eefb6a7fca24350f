"""How attempts ended, as a database takes it."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs import clock
from application.libs.outcome_text import fault_of
from application.libs.run_context import Cancelled, Stop
from application.modules.scheduler import business
from application.modules.scheduler.business import attempt, ending
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.lease import Holder
from application.modules.scheduler.business.room import Room
from application.modules.scheduler.models import Run
from tests.modules.scheduler.conftest import Ledger, Store, job
from tests.statements import statements


def launch() -> Launch:
    return Launch(attempt_id="a", run_id="r", job_id="j", scheduled_at=0, token=1, number=1, definition="")


def asked(reason: str) -> Stop:
    stop = Stop()
    stop.ask(reason)
    return stop


class TestWrite:
    @pytest.mark.parametrize(("alerts", "few"), [(None, 4), ({"after_failures": 2, "on_recovery": True}, 5)])
    @pytest.mark.parametrize("count", [1, 2, 40])
    def test_takes_as_many_statements_for_many_as_for_one(
        self, app: Flask, stored: Store, ledger: Ledger, count: int, alerts: Any, few: int
    ) -> None:
        stored(*(job(f"job-{number}", alerts=alerts) for number in range(count)))
        with app.app_context(), transaction():
            business.bulk.request_runs({"all": True}, by="root")
            launches = attempt.begin_queued(1, Holder("1@here", "here", 1), Room(), clock.now())
        now = clock.now()
        ends = [ending.succeeded(launch, now, now, number, Stop()) for number, launch in enumerate(launches)]
        with statements(app) as seen, app.app_context(), transaction():
            assert ending.write(ends) == []
        assert len(seen) == few  # which are open, the attempts, the runs, the alarms there are, the events
        assert {(run.status, run.result) for run in ledger.runs()} == {("succeeded", str(n)) for n in range(count)}
        assert {one.status for one in ledger.attempts()} == {"succeeded"}

    def test_leaves_a_run_that_has_ended(self, app: Flask, stored: Store, ledger: Ledger) -> None:
        stored(job("kept"), job("ended"))
        with app.app_context(), transaction():
            business.bulk.request_runs({"all": True}, by="root")
            launches = attempt.begin_queued(1, Holder("1@here", "here", 1), Room(), clock.now())
        ledger.change(sa.update(Run).where(Run.job_id == "ended").values(status="skipped"))
        now = clock.now()
        with app.app_context(), transaction():
            ending.write([ending.succeeded(launch, now, now, None, Stop()) for launch in launches])
        assert (ledger.statuses("kept"), ledger.statuses("ended")) == (["succeeded"], ["skipped"])


class TestFailed:
    def test_is_cancelled_where_it_heeded_that_it_was_asked(self) -> None:
        now = clock.now()
        heeded = ending.failed(launch(), now, now, fault_of(Cancelled("x")), asked("cancelled by root"))
        assert (heeded.status, heeded.reason, heeded.fault) == ("cancelled", "cancelled by root", None)

    def test_is_a_failure_where_it_cancelled_itself(self) -> None:
        now = clock.now()
        failed = ending.failed(launch(), now, now, fault_of(Cancelled("x")), Stop())
        assert failed.status == "failed"
