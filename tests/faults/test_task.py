"""Accepted means done: whoever is killed, and whatever a broker forgets, each task is done, and what it writes once."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from application.config.setting import ROOT
from tests.applications import migrated
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows
from tests.relay import Relay, relay
from tests.services import DATABASES, fresh_database
from tests.tables import count_rows
from tests.task_processes import START_SECONDS, Broker, Workers, broker, producer
from tests.waiting import wait_until

pytestmark = [pytest.mark.timed, pytest.mark.timeout(300)]

PLACES = [("memory", "sqlite"), ("redis", "postgresql"), ("rabbitmq", "mariadb")]
"""What rings, and the database beside it."""

LEASE_SECONDS = 3
"""The silence of tests/celery_specimen.py and tests/task_runner.py."""

AGAIN_SECONDS = 5.0


class World:
    """A database, a broker, an application that enqueues, and a process that does tasks."""

    def __init__(self, app: Flask, folder: Path, url: str, ringing: Broker) -> None:
        self.app = app
        self.rows = Rows(app)
        self.ringing = ringing
        self.workers = Workers(url, folder, ringing)
        self.environment = self.workers._environment

    def await_all(self, ids: list[str], *states: str, seconds: float = START_SECONDS) -> list[Any]:
        wanted = set(ids)

        def open_yet() -> list[Any]:
            return [row for row in self.rows.all() if row.id in wanted and row.state not in states]

        wait_until(lambda: not open_yet(), seconds, lambda: f"{open_yet()[:3]} {self.workers.said()}")
        return [row for row in self.rows.all() if row.id in wanted]


@pytest.fixture(params=[place for place in PLACES if place[1] in DATABASES], ids="-".join)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    kind, database = request.param
    with (
        broker(kind) as ringing,
        fresh_database(database, tmp_path) as url,
        migrated(url, tmp_path),
        producer(url, tmp_path, ringing) as app,
    ):
        yield World(app, tmp_path, url, ringing)


class TestKilledWorker:
    def test_loses_nothing_that_it_was_doing(self, world: World) -> None:
        with world.workers.running():
            task_id = world.rows.enqueue(specimen.sleep, seconds=2)
            world.rows.await_state(task_id, "running", seconds=START_SECONDS)
            world.workers.kill()
            killed = time.monotonic()
            waiting = [world.rows.enqueue(specimen.write, name=f"tag {number}") for number in range(10)]
            world.workers.start()
            row = world.rows.await_state(task_id, "done", seconds=START_SECONDS)
            done = world.await_all(waiting, "done")
        assert (row.attempt, row.losses) == (2, 1)
        assert {one.attempt for one in done} == {1}
        assert time.monotonic() - killed < LEASE_SECONDS + AGAIN_SECONDS + 15  # with the start of an interpreter


class TestStoppedWorker:
    def test_hands_back_what_it_cannot_end(self, world: World) -> None:
        with world.workers.running():
            task_id = world.rows.enqueue(specimen.sleep, seconds=60)
            world.rows.await_state(task_id, "running", seconds=START_SECONDS)
            time.sleep(0.5)
            world.workers.stop(group=True)  # as systemd stops a service
            row = world.rows.get(task_id)
            assert (row.state, row.failures, row.losses) == ("queued", 0, 0), world.workers.said()
            again = world.rows.enqueue(specimen.add, left=1, right=2)
            world.workers.start()
            world.rows.await_state(again, "done", seconds=START_SECONDS)


class TestKilledProducer:
    def test_loses_nothing_that_it_has_committed(self, world: World) -> None:
        program = """
import os
from application.config.setting import AsyncMode, settings_or_exit
from application.database import after_commit, transaction
from application.modules.task.business import enqueue
from tests.modules.task import specimen
app = specimen.build(settings_or_exit(async_mode=AsyncMode.THREADING))
with app.app_context(), transaction():
    after_commit(lambda: os._exit(9))  # before it rings
    enqueue(specimen.write, name="committed")
"""
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=world.environment, check=False)
        assert done.returncode == 9
        (row,) = world.rows.all()
        with world.workers.running():
            world.rows.await_state(row.id, "done", seconds=START_SECONDS)
        assert count_rows(world.app, "tag", name="committed") == 1


class TestWipedBroker:
    def test_is_rung_again(self, world: World) -> None:
        if world.ringing.kind == "memory":
            pytest.skip("what is in memory is lost with every process: see TestKilledWorker")
        with world.workers.running():  # so that there are queues
            world.rows.await_state(world.rows.enqueue(specimen.add, left=1, right=1), "done", seconds=START_SECONDS)
            world.workers.stop()
            ids = [world.rows.enqueue(specimen.write, name=f"tag {number}") for number in range(30)]
            time.sleep(1)
            world.ringing.wipe(world.app)
            world.workers.start()
            rows = world.await_all(ids, "done")
        assert {row.attempt for row in rows} == {1}


class TestPoison:
    def test_is_dead_after_three_and_takes_nobody_along(self, world: World) -> None:
        with world.workers.running():
            poison = world.rows.enqueue(specimen.die)
            ids = [world.rows.enqueue(specimen.write, name=f"tag {number}") for number in range(20)]
            deadline = time.monotonic() + 2 * START_SECONDS
            while world.rows.get(poison).state != "dead" and time.monotonic() < deadline:
                assert world.workers.process is not None
                if world.workers.process.poll() is not None:  # with the runner it is a supervisor who does that
                    world.workers.start()
                time.sleep(0.1)
            rows = world.await_all(ids, "done")
        row = world.rows.get(poison)
        assert (row.state, row.losses) == ("dead", 3), world.workers.said()
        assert max(one.losses for one in rows) <= 1
        assert count_rows(world.app, "tag") == 20


class TestThousand:
    def test_are_all_done_and_write_once_whoever_is_killed(self, world: World) -> None:
        count, kills = 1000, 0
        pauses = [3.1, 4.4, 2.6, 4.9, 3.7]
        with world.workers.running():
            ids = [world.rows.enqueue(specimen.write, name=f"tag {number}") for number in range(count)]
            deadline = time.monotonic() + 200
            while count_rows(world.app, "task", state="done") < count and time.monotonic() < deadline:
                time.sleep(pauses[kills % len(pauses)])
                if kills < 3:
                    world.workers.kill()
                    world.workers.start()
                    kills += 1
            rows = world.await_all(ids, "done")
        assert kills > 0
        assert count_rows(world.app, "tag") == count
        assert {row.failures for row in rows} == {0}


@pytest.fixture(params=["redis", "rabbitmq"])
def away(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[World, Relay]]:
    """Give a world whose producer reaches the broker through a relay; the worker reaches it directly."""
    with broker(request.param) as ringing, fresh_database("sqlite", tmp_path) as url, migrated(url, tmp_path):
        parts = urlsplit(ringing.url)
        assert parts.port is not None
        with relay("127.0.0.1", parts.port) as between:
            address = parts._replace(netloc=parts.netloc.replace(str(parts.port), str(between.port))).geturl()
            through = Broker(ringing.kind, address)
            through.prefix = ringing.prefix
            with producer(url, tmp_path, through) as app:
                yield World(app, tmp_path, url, ringing), between


class TestBrokerAway:
    def test_keeps_nobody_waiting_who_enqueues(self, away: tuple[World, Relay]) -> None:
        world, between = away
        with world.workers.running():
            warm = world.rows.enqueue(specimen.add, left=0, right=0)
            world.rows.await_state(warm, "done", seconds=START_SECONDS)
            ids, longest = [], 0.0
            for take_away in (between.hush, between.close):
                take_away()
                for number in range(5):
                    began = time.monotonic()
                    ids.append(world.rows.enqueue(specimen.add, left=number, right=0))
                    longest = max(longest, time.monotonic() - began)
            assert longest < 1
            world.await_all(ids, "done")  # the worker looks after what nobody has rung for
            between.open()
            again = world.rows.enqueue(specimen.add, left=1, right=1)
            world.rows.await_state(again, "done", seconds=START_SECONDS)
