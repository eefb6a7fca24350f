"""Runs that are handed over to workers: each instant once, and what they write once, whoever is killed."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from application.database import transaction
from application.modules.scheduler import business
from tests.applications import migrated
from tests.faults.competition import Competition, Watched
from tests.modules.scheduler.conftest import Ledger
from tests.modules.task.conftest import Rows
from tests.services import DATABASES, fresh_database
from tests.tables import count_rows
from tests.task_processes import START_SECONDS, Workers, broker

pytestmark = [pytest.mark.timed, pytest.mark.timeout(300)]

PLACES = [("memory", "sqlite"), ("redis", "postgresql"), ("rabbitmq", "mariadb")]
"""What rings, and the database beside it."""


class World:
    """Processes that compete for the lease, and one that does what they hand over."""

    def __init__(self, competition: Competition, workers: Workers, rows: Rows) -> None:
        self.competition = competition
        self.ledger = competition.ledger
        self.workers = workers
        self.rows = rows

    def await_successes(self, count: int) -> None:
        """Wait until so many runs more have succeeded."""
        until = self.ledger.statuses("handed").count("succeeded") + count
        self.ledger.wait(lambda: self.ledger.statuses("handed").count("succeeded") >= until, START_SECONDS)

    def audit(self) -> None:
        """See that each instant has one run that succeeded, that left one row, and that each attempt has one task."""
        runs = Watched.audit(self.competition, "handed")  # the processes are the workers'
        attempts, tasks = self.ledger.attempts("handed"), self.rows.all()
        assert {run.status for run in runs} == {"succeeded"}
        assert count_rows(self.ledger.app, "tag") == len(runs)
        assert sorted(one.task_id for one in attempts) == sorted(task.id for task in tasks)
        with self.ledger.app.app_context(), transaction(write=False):
            assert "a tag" in business.run.read(runs[-1].id, after=0).text
        assert {task.unique_key for task in tasks} == {f"run:{one.run_id}:{one.number}" for one in attempts}


@pytest.fixture(params=[place for place in PLACES if place[1] in DATABASES], ids="-".join)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    kind, database = request.param
    with (
        broker(kind) as ringing,
        fresh_database(database, tmp_path) as url,
        migrated(url, tmp_path) as app,
    ):
        competition = Competition(Ledger(app), tmp_path)
        competition.environment = {"BROKER_URL": ringing.url, "TASK_QUEUE_PREFIX": ringing.prefix}
        try:
            yield World(competition, Workers(url, tmp_path, ringing), Rows(app))
        finally:
            competition.end()


class TestHandedRuns:
    def test_are_done_once_each_whoever_is_killed(self, world: World) -> None:
        world.competition.start(2, declares=["handed"])
        with world.workers.running():
            world.await_successes(3)
            for kill_leader in itertools.islice(itertools.cycle([True, False]), 3):
                if kill_leader:
                    world.competition.leader.kill()
                    world.competition.start(1, declares=["handed"])
                else:
                    world.workers.kill()
                    world.workers.start()
                world.await_successes(3)
            world.audit()

    def test_wait_for_a_worker_that_is_away(self, world: World) -> None:
        world.competition.start(1, declares=["handed"])
        world.competition.await_fires(3, "handed")
        time.sleep(4)  # longer than a process may be silent
        assert set(world.ledger.statuses("handed")) == {"running"}
        with world.workers.running():
            world.await_successes(3)
            world.audit()
