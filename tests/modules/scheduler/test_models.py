"""Tests that what a tick asks is answered by an index, however many jobs there are."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, execute, transaction
from application.libs import clock
from application.libs.trigger import to_micros
from application.modules.scheduler.engine.due import DueJobs
from application.modules.scheduler.models import Job
from application.modules.scheduler.store import database as stored
from tests.modules.scheduler.conftest import STORES
from tests.plans import Plan, analyze, explain

JOBS = 4_000
HOUR_MICROS = 3_600_000_000


@pytest.fixture
def crowd(app: Flask) -> Flask:
    """Store thousands of jobs that are due in an hour or later."""
    moment = clock.now()
    rows = [
        {
            "id": f"job-{number}",
            "definition": "{}",
            "version": 1,
            "source": "api",
            "next_run_time": to_micros(moment) + HOUR_MICROS * (1 + number % 100),
            "created_at": moment,
            "updated_at": moment,
        }
        for number in range(JOBS)
    ]
    with app.app_context():
        with transaction():
            change(sa.insert(Job), rows)
        analyze()
    return app


def plan_of(statement: Any, moment: int) -> Plan:
    """Return the database's plan of a statement."""
    with transaction(write=False) as unit:
        bound = statement.params(moment=moment, most=200)
        text = bound.compile(dialect=unit.connection.dialect, compile_kwargs={"literal_binds": True})
        return explain(unit.connection, str(text), ())


class TestJob:
    @pytest.mark.parametrize("statement", [stored._DUE, stored._NEXT_TIME], ids=["due", "next"])
    def test_is_found_by_when_it_is_due(self, crowd: Flask, statement: Any) -> None:
        with crowd.app_context():
            plan = plan_of(statement, to_micros(clock.now()))
        assert plan.indexes == ["ix_scheduler_job_next_run_time_id"], plan.text
        assert not plan.sorts, plan.text

    def test_tells_the_first_instant_that_is_to_come(self, crowd: Flask) -> None:
        with crowd.app_context(), transaction(write=False):
            first = execute(sa.select(sa.func.min(Job.next_run_time))).scalar_one()
            found = DueJobs(STORES).next_here(clock.now())
        assert found is not None
        assert to_micros(found) == first
