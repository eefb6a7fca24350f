"""A schedule of Celery's beat behind a real server: its runner fires it, and nothing else does."""

import json
import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.server import ROOT, Server, arguments_of
from tests.waiting import wait_until

pytestmark = pytest.mark.timed

SCHEDULE = {
    "count": {"task": "demo.count_slowly", "schedule": 1, "kwargs": {"steps": 1, "pause_seconds": 0}},
    "nightly": {"task": "demo.count_slowly", "schedule": "30 2 * * 1-5", "options": {"priority": 9, "expires": 600}},
}


@pytest.fixture
def served(server: Serve) -> Server:
    """Return a server that was given the schedule by a variable, and whose runner leads."""
    started = server(async_mode="gevent", celery_beat_schedule=json.dumps(SCHEDULE))
    started.await_leader()
    return started


def rows(served: Server, statement: str) -> list[Any]:
    with closing(sqlite3.connect(served.folder / "application.db")) as connection:
        return connection.execute(statement).fetchall()


def await_more(served: Server, count: int) -> None:
    """Wait until so many tasks more are done."""

    def done() -> int:
        return len(rows(served, "SELECT id FROM task WHERE state = 'done'"))

    until = done() + count
    wait_until(lambda: done() >= until, 30, served.said)


def audit(served: Server) -> list[Any]:
    """Stop the server; see that each instant was fired once, and that each run has one task. Return the runs."""
    served.stop()
    runs = rows(
        served,
        "SELECT id, scheduled_at, fires, status, reason FROM scheduler_run WHERE job_id = 'count' "
        "ORDER BY scheduled_at",
    )
    for before, after in pairwise(runs):
        assert after[1] == before[1] + 1_000_000 * before[2], f"a hole after {before}"
    assert {reason.split(" run of ")[0] for *_others, status, reason in runs if status == "missed"} <= {
        "merged into the"
    }
    assert {run[3] for run in runs} <= {"succeeded", "missed", "queued"}
    keys = [key for (key,) in rows(served, "SELECT unique_key FROM task ORDER BY created_at, id")]
    succeeded = {f"run:{run[0]}" for run in runs if run[3] == "succeeded"}
    assert len(keys) == len(set(keys))
    assert succeeded <= set(keys) <= {f"run:{run[0]}" for run in runs}
    return runs


def test_is_fired_by_the_runner_and_by_no_beat(served: Server) -> None:
    await_more(served, 3)
    commands = [arguments_of(process) for process in served.processes()]
    assert [command for command in commands if "beat" in command] == []
    assert list(ROOT.glob("celerybeat-schedule*")) == []
    stored = dict(rows(served, "SELECT id, definition FROM scheduler_job WHERE id IN ('count', 'nightly')"))
    assert json.loads(stored["nightly"])["trigger"]["day_of_week"] == "mon,tue,wed,thu,fri"
    assert json.loads(stored["count"])["kwargs"]["kwargs"] == {"steps": 1, "pause_seconds": 0}
    assert len(audit(served)) >= 3


def test_loses_nothing_and_doubles_nothing_when_the_runner_is_killed(served: Server) -> None:
    for _number in range(2):
        await_more(served, 2)
        runner = served.await_runner()
        runner.kill()
        served.await_runner(other_than=runner.pid)
    await_more(served, 2)
    assert len(audit(served)) >= 6
