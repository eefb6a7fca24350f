"""Database servers of our own, killed and started again while processes fire."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.faults.competition import Competition
from tests.modules.scheduler.conftest import Ledger
from tests.private_server import PrivateServer

pytestmark = pytest.mark.timed

AT_ONCE = signal.SIGKILL
LONG_SECONDS = 4.0  # an outage longer than the time to live of the lease


@pytest.fixture
def competition(private_app: Flask, tmp_path: Path) -> Iterator[Competition]:
    """Return a competition on that server."""
    running = Competition(Ledger(private_app), tmp_path)
    yield running
    running.end()


class TestRestart:
    @pytest.mark.timeout(300)
    def test_leaves_no_hole_and_no_double_fire(self, server: PrivateServer, competition: Competition) -> None:
        competition.start(4)
        competition.await_success()
        for outage_seconds in (0, LONG_SECONDS, 0):
            server.kill(AT_ONCE)
            time.sleep(outage_seconds)
            server.start()
            competition.await_success()
        assert [process.poll() for process in competition.processes.values()] == [None] * 4, "each outlives it"
        competition.audit()
