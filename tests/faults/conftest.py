"""Lend the scheduler's ledger, and processes that compete for the lease, to the tests that take them away."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from flask import Flask

from tests.applications import migrated
from tests.faults.competition import Competition
from tests.modules.scheduler.conftest import Ledger, ledger, node, registered
from tests.private_mariadb import private_mariadb
from tests.private_postgresql import private_postgresql
from tests.private_server import PrivateServer
from tests.services import DATABASES

__all__ = ["ledger", "node", "registered"]

SERVERS: dict[str, Callable[[], AbstractContextManager[PrivateServer]]] = {
    "postgresql": private_postgresql,
    "mariadb": private_mariadb,
}
"""What can be killed and started again; SQLite has no server."""


@pytest.fixture
def competition(app: Flask, ledger: Ledger, tmp_path: Path) -> Iterator[Competition]:
    """Return a competition on the database of the application; nobody is left of it."""
    running = Competition(ledger, tmp_path)
    yield running
    running.end()


@pytest.fixture(params=[name for name in SERVERS if name in DATABASES])
def server(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    """Run a database server that the test may kill."""
    with SERVERS[request.param]() as started:
        yield started


@pytest.fixture
def private_app(server: PrivateServer, tmp_path: Path) -> Iterator[Flask]:
    """Return an application with its tables on that server."""
    with migrated(server.url, tmp_path) as app:
        yield app
