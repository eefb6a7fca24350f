"""Count what the database is asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event

from application.database import db


@contextmanager
def statements(app: Flask, engine: Engine | None = None) -> Iterator[list[str]]:
    """Collect the statements of this thread that reach the driver, without the ends of transactions.

    An `engine` is one beside the application's own.
    """
    seen: list[str] = []
    with _noted(app, engine, lambda statement, _parameters: seen.append(statement)):
        yield seen


@contextmanager
def questions(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    """Collect the same statements with their parameters, as the driver takes both."""
    seen: list[tuple[str, Any]] = []
    with _noted(app, None, lambda statement, parameters: seen.append((statement, parameters))):
        yield seen


@contextmanager
def _noted(app: Flask, engine: Engine | None, take: Any) -> Iterator[None]:
    thread = threading.get_ident()

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
        if threading.get_ident() == thread and not statement.startswith("BEGIN"):
            take(statement, parameters)

    if engine is None:
        with app.app_context():
            engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)
