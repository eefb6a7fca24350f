"""Fixtures: real servers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.server import Server

Serve = Callable[..., Server]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts a server in an async mode, settings as keywords; all are stopped afterwards."""
    started: list[Server] = []

    def serve(*, async_mode: str = "gevent", **environment: object) -> Server:
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        served = Server(folder, async_mode=async_mode, **environment)
        migrated = served.manage("upgrade")
        assert migrated.returncode == 0, migrated.stderr
        started.append(served)
        served.start()
        return served

    yield serve
    for served in started:
        served.end()
