"""Several web workers: one of them keeps the one runner of the host, and each instant fires once whoever dies."""

import signal
import sqlite3
import time
from contextlib import ExitStack
from functools import partial
from itertools import pairwise

import psutil
import pytest
import requests

from tests.e2e.conftest import Serve
from tests.e2e.server import PASSWORD, Server, await_end, lives, polling
from tests.e2e.viewer import Viewer
from tests.faults.competition import AFTER_KILL_SECONDS
from tests.waiting import wait_until

pytestmark = pytest.mark.timed

WORKERS = 3
RELOAD_SECONDS = 60  # three interpreters start at once
EACH_MODE = pytest.mark.parametrize("async_mode", ["gevent", "threading"])


class Scheduled:
    """Fire a job each second on a server, and look at what it left."""

    def __init__(self, served: Server) -> None:
        self.served = served
        self.session = requests.Session()
        self.session.auth = ("admin", PASSWORD)
        started_at = time.monotonic()
        created = served.manage("create-admin")
        self.boot_seconds = time.monotonic() - started_at  # what an interpreter takes here that loads the application
        assert created.returncode == 0, created.stderr
        job = {"id": "second", "func": "prune-expired-sessions", "trigger": "interval", "seconds": 1, "coalesce": False}
        answer = self.session.post(f"{served.url}/scheduler/jobs", json=job, timeout=10)
        assert answer.status_code == 200, answer.text

    def instants(self) -> list[tuple[int, int]]:
        """Return when it was due, in microseconds, with how many instants each row stands for."""
        with sqlite3.connect(self.served.folder / "application.db", timeout=10) as connection:
            statement = "SELECT scheduled_at, fires FROM scheduler_run WHERE job_id = 'second' ORDER BY scheduled_at"
            rows: list[tuple[int, int]] = connection.execute(statement).fetchall()
        connection.close()
        return rows

    def await_fires(self, count: int, seconds: float = 20) -> float:
        """Wait for so many rows more; return how long it took."""
        until, started_at = len(self.instants()) + count, time.monotonic()
        wait_until(lambda: len(self.instants()) >= until, seconds, self.served.said)
        return time.monotonic() - started_at

    def lease(self) -> tuple[int, int]:
        """Return the pid of the process that leads, and how many leaders there were."""
        with sqlite3.connect(self.served.folder / "application.db", timeout=10) as connection:
            process, token = connection.execute("SELECT process, token FROM scheduler_lease").fetchone()
        connection.close()
        return process, token

    def announced(self) -> int:
        """Return the pid of the process that leads, as the API says."""
        answer = self.session.get(f"{self.served.url}/scheduler/leader", timeout=10).json()
        return int(answer["leader"]["process"])

    def leads_since(self, token: int) -> bool:
        """Tell whether another leader has come."""
        return self.lease()[1] > token

    def audit(self) -> None:
        """See that every instant has its row; the unique key lets none have two."""
        for (before, fires), (after, _fires) in pairwise(self.instants()):
            assert after == before + 1_000_000 * fires


def workers_of(served: Server) -> list[psutil.Process]:
    """Return the workers, once all are there."""
    wait_until(lambda: len(served.workers()) == WORKERS, 20, served.said)
    return served.workers()


class TestWorkers:
    @EACH_MODE
    def test_keep_one_runner_whoever_dies_and_fire_once(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode, workers=WORKERS)
        scheduled = Scheduled(served)
        runner = served.await_runner()
        assert len(workers_of(served)) == WORKERS
        scheduled.await_fires(2)
        assert scheduled.announced() == runner.pid

        token, supervisor = scheduled.lease()[1], psutil.Process(runner.ppid())
        killed_at = time.monotonic()
        supervisor.kill()
        wait_until(partial(scheduled.leads_since, token), 30, served.said)
        taken_over_after = time.monotonic() - killed_at
        assert not lives(runner)
        successor = served.await_runner(other_than=runner.pid)
        assert scheduled.announced() == scheduled.lease()[0] == successor.pid
        assert taken_over_after < AFTER_KILL_SECONDS + scheduled.boot_seconds

        scheduled.await_fires(2)
        before = [*workers_of(served), successor]
        with polling(f"{served.url}/api/v1/tag", timeout_seconds=RELOAD_SECONDS) as statuses:
            served.process.send_signal(signal.SIGHUP)
            await_end(before, RELOAD_SECONDS)
            scheduled.await_fires(2, RELOAD_SECONDS)
        assert set(statuses) == {200}
        successors = workers_of(served)
        assert served.await_runner().ppid() in {process.pid for process in successors}
        scheduled.audit()
        assert served.stop() == 0
        assert "Traceback" not in served.said()

    @EACH_MODE
    def test_show_live_memory_to_each_viewer_over_a_websocket(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode, workers=WORKERS)
        workers_of(served)
        with ExitStack() as stack:
            viewers = [stack.enter_context(Viewer(served)) for _viewer in range(6)]
            for viewer in viewers:
                viewer.await_samples(2)
        refused = requests.get(f"{served.url}/socket.io/?EIO=4&transport=polling", timeout=30)
        assert (refused.status_code, refused.json()) == (400, "Invalid transport")

    def test_may_be_as_many_as_gunicorn_is_told(self, server: Serve) -> None:
        served = server(gunicorn_cmd_args="--workers 2")
        wait_until(lambda: len(served.workers()) == 2, 20, served.said)
        refused = requests.get(f"{served.url}/socket.io/?EIO=4&transport=polling", timeout=30)
        assert refused.status_code == 400, "the workers know that they are several"
