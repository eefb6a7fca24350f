"""Fixtures: real servers."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.server import Server

ASYNC_MODES = ("threading", "gevent", "eventlet")

Serve = Callable[..., Server]
Shared = Callable[[str], Server]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite database with its tables; each server gets a copy, which is faster than migrating.

    It holds no job: what falls due while the copy waits for its server would be missed there.
    """
    server = Server(tmp_path_factory.mktemp("migrated"))
    migrated = server.manage("upgrade")
    assert migrated.returncode == 0, migrated.stderr
    file = server.folder / "application.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for table in ("scheduler_job", "scheduler_job_change", "scheduler_event"):
            connection.execute(f"DELETE FROM {table}")
    return file


class Servers:
    """Start servers, each in a folder of its own, and end them all."""

    def __init__(self, folder: Path, migrated_file: Path) -> None:
        """Begin with none."""
        self._folder = folder
        self._migrated_file = migrated_file
        self._number = count()
        self._started: list[Server] = []

    def __call__(self, *, async_mode: str = "gevent", **environment: object) -> Server:
        """Start a server in an async mode, with settings as keywords; on SQLite unless they name a database."""
        folder = self._folder / f"server{next(self._number)}"
        folder.mkdir()
        served = Server(folder, async_mode=async_mode, **environment)
        if "database_url" in environment:
            migrated = served.manage("upgrade")
            assert migrated.returncode == 0, migrated.stderr
        else:
            shutil.copy(self._migrated_file, folder / "application.db")
        self._started.append(served)
        served.start()
        return served

    def end(self) -> None:
        """Leave no process behind."""
        for served in self._started:
            served.end()


@pytest.fixture
def server(tmp_path: Path, migrated_file: Path) -> Iterator[Serve]:
    """Return a function that starts a server in an async mode, settings as keywords; all are stopped afterwards."""
    servers = Servers(tmp_path, migrated_file)
    yield servers
    servers.end()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Shared]:
    """Return a function that gives the one server of a mode, with an admin, for tests that leave it running."""
    servers = Servers(tmp_path_factory.mktemp("shared"), migrated_file)
    running: dict[str, Server] = {}

    def serve(async_mode: str) -> Server:
        if async_mode not in running:
            served = servers(async_mode=async_mode)
            created = served.manage("create-admin")
            assert created.returncode == 0, created.stderr
            running[async_mode] = served
        return running[async_mode]

    yield serve
    servers.end()


@pytest.fixture(params=ASYNC_MODES)
def served(request: pytest.FixtureRequest, shared: Shared) -> Server:
    """Return the shared server of each async mode in turn."""
    return shared(request.param)
