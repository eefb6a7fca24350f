"""Functions that are called in the background of a real server, in all three async modes."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import ASYNC_MODES
from tests.e2e.server import Server
from tests.waiting import wait_until

EACH_MODE = pytest.mark.parametrize("async_mode", ASYNC_MODES)

Serve = Callable[..., Server]


class BackgroundServer(Server):
    """Serve the application of this test."""

    application = "tests.e2e.background_app:create_app"


@pytest.fixture
def serve(tmp_path: Path, migrated_file: Path) -> Iterator[Serve]:
    """Return a function that starts the server in an async mode."""
    started: list[Server] = []

    def start(async_mode: str, **settings: object) -> Server:
        served = BackgroundServer(tmp_path, async_mode=async_mode, runner="none", gate=tmp_path / "gate", **settings)
        shutil.copy(migrated_file, tmp_path / "application.db")
        started.append(served)
        served.start()
        return served

    yield start
    for served in started:
        served.end()


def tags(served: Server) -> int:
    """Return how many tags there are."""
    listed = requests.get(f"{served.url}/api/v1/tag?count=true", timeout=10).json()
    return int(listed["page"]["total"])


@EACH_MODE
class TestBackground:
    def test_answers_before_the_function_ends(self, serve: Serve, async_mode: str) -> None:
        served = serve(async_mode)
        headers = {"X-Request-ID": "the-caller"}
        answers = [requests.get(f"{served.url}/background/hang", headers=headers, timeout=10) for _call in range(6)]
        assert [answer.json() for answer in answers] == [[True]] * 6
        wait_until((served.folder / "gate.here").exists)
        assert tags(served) == 0
        (served.folder / "gate").touch()
        wait_until(lambda: served.log.read_text().count("failed in the background") == 6, 10, served.said)
        line = "ERROR application.libs.background [the-caller] tests.e2e.background_app.wait failed in the background"
        assert served.log.read_text().count(line) == 6
        assert served.log.read_text().count("RuntimeError: application found it") == 6

    def test_is_drained_at_the_end(self, serve: Serve, async_mode: str) -> None:
        served = serve(async_mode)
        assert requests.get(f"{served.url}/background/write/12/300", timeout=10).json() == [True] * 12
        assert served.stop() == 0
        served.start()
        assert tags(served) == 12
        assert "Traceback" not in served.said()

    @pytest.mark.timed
    def test_is_given_up_before_the_patience_of_the_server_ends(self, serve: Serve, async_mode: str) -> None:
        served = serve(async_mode, graceful_timeout_seconds=3)
        for _call in range(6):
            requests.get(f"{served.url}/background/hang", timeout=10)
        wait_until((served.folder / "gate.here").exists)
        started_at = time.monotonic()
        assert served.stop(signal.SIGTERM) == 0
        assert 1.5 < time.monotonic() - started_at < 6
        said = served.log.read_text()
        assert "Calls in the background at the end: 2 are dropped, 4 go on unfinished" in said, said
