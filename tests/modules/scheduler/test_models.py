"""Tests that what a tick asks is answered by an index, however many jobs there are."""

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, db, execute, transaction
from application.libs import clock
from application.libs.trigger import to_micros
from application.modules.scheduler.engine.due import DueJobs
from application.modules.scheduler.models import Job
from application.modules.scheduler.store import database as stored
from tests.modules.scheduler.conftest import STORES

JOBS = 4_000
HOUR_MICROS = 3_600_000_000
ANALYZE = {"sqlite": "ANALYZE", "postgresql": "ANALYZE scheduler_job", "mysql": "ANALYZE TABLE scheduler_job"}


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
        with transaction() as unit:
            unit.connection.execute(sa.text(ANALYZE[db.engine.dialect.name]))
    return app


def plan_of(statement: Any, moment: int) -> Sequence[str]:
    """Return the database's plan of a statement, line by line."""
    with transaction(write=False) as unit:
        dialect = unit.connection.dialect
        text = statement.params(moment=moment, most=200).compile(
            dialect=dialect, compile_kwargs={"literal_binds": True}
        )
        word = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
        return [str(tuple(row)) for row in unit.connection.execute(sa.text(f"{word} {text}"))]


class TestJob:
    @pytest.mark.parametrize("statement", [stored._DUE, stored._NEXT_TIME], ids=["due", "next"])
    def test_is_found_by_when_it_is_due(self, crowd: Flask, statement: Any) -> None:
        with crowd.app_context():
            plan = "\n".join(plan_of(statement, to_micros(clock.now())))
        assert "ix_scheduler_job_next_run_time_id" in plan, plan
        assert "sort" not in plan.lower(), plan
        assert "temp b-tree" not in plan.lower(), plan

    def test_tells_the_first_instant_that_is_to_come(self, crowd: Flask) -> None:
        with crowd.app_context(), transaction(write=False):
            first = execute(sa.select(sa.func.min(Job.next_run_time))).scalar_one()
            found = DueJobs(STORES).next_here(clock.now())
        assert found is not None
        assert to_micros(found) == first
