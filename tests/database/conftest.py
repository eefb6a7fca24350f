"""Fixtures: a small application with a table of counters on every database that is reachable."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from application.database import change, db, transaction
from tests.database.counters import COUNTER, build, create_tables
from tests.services import DATABASES, fresh_database


@pytest.fixture(scope="session", params=DATABASES)
def counting_app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Build the application on a database of its own; once for each database and run."""
    folder: Path = tmp_path_factory.mktemp(f"counter-{request.param}")
    with fresh_database(request.param, folder) as url:
        app = build(url)
        create_tables(app)
        yield app
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def counting(counting_app: Flask) -> Flask:
    """Lend the application with two counters."""
    with counting_app.app_context(), transaction():
        change(COUNTER.delete())
        change(COUNTER.insert(), [{"id": 1, "name": "a", "value": 0}, {"id": 2, "name": "b", "value": 0}])
    return counting_app


@pytest.fixture
def context(counting: Flask) -> Iterator[None]:
    """Run the test in an application context, outside a unit of work."""
    with counting.app_context():
        yield
