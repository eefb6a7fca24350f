"""Count what the database is asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Engine, event

from application.database import db


@contextmanager
def statements(app: Flask, engine: Engine | None = None) -> Iterator[list[str]]:
    """Collect the statements of this thread that reach the driver, without the ends of transactions.

    An `engine` is one beside the application's own.
    """
    seen: list[str] = []
    thread = threading.get_ident()

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if threading.get_ident() == thread and not statement.startswith("BEGIN"):
            seen.append(statement)

    if engine is None:
        with app.app_context():
            engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
