"""Processes that compete on one database, and one that is killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from flask import Flask

from application.config.setting import ROOT
from application.database import transaction
from application.modules.scheduler import business
from tests.modules.scheduler.competitor import TTL_SECONDS
from tests.modules.scheduler.conftest import Ledger

COMPETITORS = 3


@contextmanager
def competitor(url: str, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a competitor; ask it to end, and see that it does."""
    command = [sys.executable, "-m", "tests.modules.scheduler.competitor", url, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT) as process:
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def competitors(app: Flask, tmp_path: Path) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    """Start all at once, as a boot does."""
    with ExitStack() as stack:
        url = app.config["SQLALCHEMY_DATABASE_URI"]
        started = [stack.enter_context(competitor(url, tmp_path)) for _competitor in range(COMPETITORS)]
        yield {process.pid: process for process in started}


class TestTakeOver:
    def test_leaves_no_hole_and_no_double_run(
        self, app: Flask, ledger: Ledger, competitors: dict[int, subprocess.Popen[bytes]]
    ) -> None:
        ledger.wait(lambda: len(ledger.runs("second")) >= 2, seconds=20)
        first = ledger.lease().process
        with app.app_context(), transaction():
            business.request_run("long", by="root")
        ledger.wait(lambda: ledger.statuses("long") == ["running"])
        killed_at = time.monotonic()
        competitors[first].send_signal(signal.SIGKILL)
        ledger.wait(lambda: ledger.lease().process != first)
        assert time.monotonic() - killed_at < TTL_SECONDS + 2.5
        many = len(ledger.runs("second")) + 2
        ledger.wait(lambda: len(ledger.runs("second")) >= many)
        assert ledger.statuses("long") == ["lost"]
        runs = ledger.runs("second")
        instants = [run.scheduled_at for run in runs]
        assert instants == [instants[0] + 1_000_000 * step for step in range(len(instants))]
        assert {run.process for run in runs if run.process} <= set(competitors)
        assert len({run.process for run in runs if run.process}) == 2
        assert {run.status for run in runs} <= {"succeeded", "queued", "running", "lost"}
