"""Fixtures: the specimen on every database that is reachable."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.database import change, transaction
from tests.contract import specimen
from tests.services import DATABASES, fresh_database


@pytest.fixture(scope="session", params=DATABASES)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Serve the specimen from a database of its own; once for each database and run."""
    folder: Path = tmp_path_factory.mktemp(f"specimen-{request.param}")
    with fresh_database(request.param, folder) as url, specimen.serving(url) as app:
        yield app


@pytest.fixture
def specimen_app(served: Flask) -> Iterator[Flask]:
    """Lend the application with an empty table."""
    yield served
    with served.app_context(), transaction():
        change(specimen.TABLE.delete())


@pytest.fixture
def specimen_client(specimen_app: Flask) -> FlaskClient:
    """Return a caller whom nobody knows."""
    return specimen_app.test_client()


@pytest.fixture(scope="session")
def plain_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Serve the specimen from SQLite, as in production: nothing is watched."""
    folder: Path = tmp_path_factory.mktemp("plain")
    with specimen.serving(f"sqlite:///{folder / 'plain.db'}", testing=False) as app:
        yield app
