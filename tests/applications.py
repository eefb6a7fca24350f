"""Build the application for a test, on a database and in a folder of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from application.cli import database
from application.config.setting import Environment, load_settings
from application.database import db
from application.factory import create_app


def build(url: str, folder: Path, **settings: object) -> Flask:
    """Return an application with the settings of tests, and these; no file is read for them."""
    known = {"environment": Environment.TESTING, "database_url": url, "log_directory": folder / "logs"}
    known["file_directory"] = folder / "files"
    app = create_app(load_settings(**{**known, "_env_file": None, **settings}))
    database.init_app(app)
    return app


@contextmanager
def built(url: str, folder: Path, **settings: object) -> Iterator[Flask]:
    """Build an application, and close its connections afterwards."""
    app = build(url, folder, **settings)
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()


@contextmanager
def migrated(url: str, folder: Path, **settings: object) -> Iterator[Flask]:
    """Build an application whose database has its tables."""
    with built(url, folder, **settings) as app:
        with app.app_context():
            database.upgrade_database()
        yield app
