"""Fixtures: an application whose database has no tables yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from application.cli import database
from application.config.setting import Environment, load_settings
from application.database import db
from application.factory import create_app
from tests.services import DATABASES, fresh_database


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """Build an application on a database without tables."""
    with fresh_database(request.param, tmp_path) as url:
        settings = load_settings(
            environment=Environment.TESTING, database_url=url, log_directory=tmp_path / "logs", _env_file=None
        )
        app = create_app(settings)
        database.init_app(app)
        yield app
        with app.app_context():
            db.engine.dispose()
