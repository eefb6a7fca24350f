"""Two deployments on one host and one database: each keeps a runner, for the runners' lock is the checkout's.

The lease alone decides between them, as it does between hosts.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.applications import built
from tests.e2e.server import PASSWORD, ROOT, Server, lives
from tests.faults.competition import AFTER_KILL_SECONDS, Watched
from tests.modules.scheduler.conftest import Ledger
from tests.services import fresh_database
from tests.waiting import wait_until

pytestmark = pytest.mark.timed

MEMBER_SECONDS = 30
"""Three interpreters start, on a busy machine."""

SECOND = {"id": "second", "func": "prune-expired-sessions", "trigger": "interval", "seconds": 1, "coalesce": False}


class Deployments(Watched):
    """Two servers, each from a checkout of its own, and the ledger that both write."""

    def __init__(self, ledger: Ledger, url: str, folder: Path) -> None:
        """Lay out the second checkout; nothing runs yet."""
        super().__init__(ledger)
        self.servers: list[Server] = []
        for name, checkout in (("first", ROOT), ("second", copied(folder / "checkout"))):
            (folder / name).mkdir()
            server = Server(folder / name, database_url=url)
            server.root = checkout
            self.servers.append(server)

    def start(self) -> None:
        """Bring the tables, and start both servers."""
        for command in ("upgrade", "create-admin"):
            done = self.servers[0].manage(command)
            assert done.returncode == 0, done.stderr
        for server in self.servers:
            server.start()

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask whichever server answers, as an operator does."""
        server = next(server for server in self.servers if server.process.poll() is None)
        answer = requests.request(method, server.url + path, auth=("admin", PASSWORD), timeout=20, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def runners(self) -> dict[int, Server]:
        """Return the runners that live, by pid, with the server that each belongs to."""
        living = [server for server in self.servers if server.process.poll() is None]
        return {runner.pid: server for server in living for runner in server.runners() if lives(runner)}

    def await_members(self, count: int) -> None:
        """Wait until so many runners live and compete."""

        def competing() -> bool:
            members = {member["process"] for member in self.ask("GET", "/scheduler/leader")["members"]}
            return len(self.runners()) == count and self.runners().keys() <= members

        wait_until(competing, MEMBER_SECONDS, lambda: f"{self.runners()}: {self.ask('GET', '/scheduler/leader')}")

    @property
    def leader(self) -> Server:
        """Return the server whose runner leads."""
        return self.runners()[self.ledger.lease().process]

    def end(self) -> None:
        """Leave no process behind."""
        for server in self.servers:
            server.end()


def copied(checkout: Path) -> Path:
    """Return another checkout: what a server needs, and nothing that the first one has written while it ran."""
    checkout.mkdir()
    for name in ("application", "migrations"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__", "static"))
    for name in ("manager.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, checkout / name)
    return checkout


@pytest.fixture
def deployments(tmp_path: Path) -> Iterator[Deployments]:
    """Return two deployments on a PostgreSQL database, of which nothing is left."""
    with fresh_database("postgresql", tmp_path) as url, built(url, tmp_path) as app:
        both = Deployments(Ledger(app), url, tmp_path)
        try:
            both.start()
            yield both
        finally:
            both.end()


class TestTwoDeployments:
    @pytest.mark.timeout(300)
    def test_fire_each_instant_once_and_take_over_from_each_other(self, deployments: Deployments) -> None:
        deployments.await_members(2)
        first_runners = deployments.runners()
        deployments.ask("POST", "/scheduler/jobs", json=SECOND)
        deployments.await_fires(4)
        assert deployments.runners().keys() == first_runners.keys(), "neither gives way to the other"

        killed = deployments.leader
        assert deployments.seconds_to_the_next(killed.end) < AFTER_KILL_SECONDS
        survivor = deployments.leader
        assert survivor is not killed
        deployments.await_fires(3)

        killed.start()
        deployments.await_members(2)
        assert deployments.leader is survivor, "who comes back does not take the lease away"
        stopped: list[int] = []
        assert deployments.seconds_to_the_next(lambda: stopped.append(survivor.stop())) < AFTER_KILL_SECONDS
        assert (stopped, deployments.leader) == ([0], killed)
        deployments.await_fires(3)

        runs = deployments.audit()
        assert {run.process for run in runs if run.process} == first_runners.keys() | deployments.runners().keys()
        assert not any(psutil.pid_exists(pid) for pid in first_runners)
