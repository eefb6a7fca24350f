"""Fixtures: the specimen on every database that is reachable."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.database import change, transaction
from application.libs.ok import Envelope
from application.libs.redprint import Redprint, Surface
from tests.contract import specimen
from tests.contract.specimen_table import TABLE
from tests.services import DATABASES, fresh_database


@pytest.fixture(scope="session", params=DATABASES)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Serve the specimen from a database of its own; once for each database and run."""
    folder: Path = tmp_path_factory.mktemp(f"specimen-{request.param}")
    with fresh_database(request.param, folder) as url, specimen.serving(url) as app:
        yield app


@pytest.fixture(params=DATABASES)
def mount(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., FlaskClient]]:
    """Return a function that serves redprints below /s beside the specimen's table, and a client of them."""
    with ExitStack() as stack:

        def build(*redprints: Redprint) -> FlaskClient:
            surface = Surface("s", __name__, url_prefix="/s", dialect=Envelope())
            for redprint in redprints:
                surface.register_blueprint(redprint)
            url = stack.enter_context(fresh_database(request.param, tmp_path))
            return stack.enter_context(specimen.serving(url, surfaces=[surface])).test_client()

        yield build


@pytest.fixture
def specimen_app(served: Flask) -> Iterator[Flask]:
    """Lend the application with an empty table."""
    yield served
    with served.app_context(), transaction():
        change(TABLE.delete())


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
