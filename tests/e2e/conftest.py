"""Fixtures: real servers."""

import shutil
import sqlite3
from collections.abc import Callable, Generator, Iterator
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


class SharedServers:
    """Give the one server of a mode, with an admin, to tests that leave it running."""

    def __init__(self, folder: Path, migrated_file: Path) -> None:
        """Begin with none."""
        self._servers = Servers(folder, migrated_file)
        self._running: dict[str, Server] = {}

    def __call__(self, async_mode: str) -> Server:
        """Return the server of a mode."""
        if async_mode not in self._running:
            served = self._servers(async_mode=async_mode)
            created = served.manage("create-admin")
            assert created.returncode == 0, created.stderr
            self._running[async_mode] = served
        return self._running[async_mode]

    def end(self) -> None:
        """End them all; who asks again gets another."""
        self._running.clear()
        self._servers.end()


_SHARED = pytest.StashKey[SharedServers]()


@pytest.fixture(scope="session")
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> Iterator[Shared]:
    """Return a function that gives the one server of a mode, with an admin, for tests that leave it running."""
    servers = SharedServers(tmp_path_factory.mktemp("shared"), migrated_file)
    request.config.stash[_SHARED] = servers
    yield servers
    servers.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """End the shared servers while other tests run: nine that are idle take an eighth of a small machine."""
    try:
        yield  # first to what cleans up after the test, which may need them
    finally:
        if _SHARED in item.config.stash and (nextitem is None or "e2e" not in nextitem.path.parts):
            item.config.stash[_SHARED].end()


@pytest.fixture(params=ASYNC_MODES)
def served(request: pytest.FixtureRequest, shared: Shared) -> Server:
    """Return the shared server of each async mode in turn."""
    return shared(request.param)
