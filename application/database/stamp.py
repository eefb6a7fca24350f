"""Tell by one look whether anything was committed since the last look.

SQLite counts the commits of all other connections (`PRAGMA data_version`); PostgreSQL numbers transactions that write,
of which a snapshot names the last one and those under way. MariaDB offers nothing of the kind to everybody.
"""

import sqlite3
from collections.abc import Callable
from threading import Lock
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from application.database.engine import dispose_with, engine_options

Stamp = Callable[[], object]
"""Return what equals an earlier one only if nothing was committed between the two looks."""

_SNAPSHOT = text("SELECT CAST(pg_current_snapshot() AS text)")
_LOOKERS = 2


def stamp_of(engine: Engine) -> Stamp | None:
    """Return what stamps the state of the engine's database; None where it cannot be told, as in memory.

    Who looks before it reads and finds the same stamp later knows that it would read the same again. Where a look would
    have to wait, it gives a stamp that equals none.
    """
    if engine.dialect.name == "sqlite" and engine.url.database not in (None, "", ":memory:"):
        return _FileStamp(engine)
    if engine.dialect.name == "postgresql":
        return _snapshot_of(engine)
    return None


def _snapshot_of(engine: Engine) -> Stamp:
    """Look by connections of its own, few and without waiting: whoever asks has not been let in yet."""
    url = engine.url.render_as_string(hide_password=False)
    options = engine_options(url, _LOOKERS) | {"max_overflow": 0, "pool_timeout": 0}
    looking = create_engine(url, isolation_level="AUTOCOMMIT", **options)
    dispose_with(engine, looking)

    def stamp() -> object:
        try:
            with looking.connect() as connection:
                return connection.execute(_SNAPSHOT).scalar_one()
        except (DBAPIError, PoolTimeout):
            return object()

    return stamp


class _FileStamp:
    """Look at a file by one connection that never writes, for a connection's own commits do not count."""

    def __init__(self, engine: Engine) -> None:
        """Open nothing yet."""
        self._engine = engine
        self._lock = Lock()
        self._connection: Any = None
        self._opening = object()
        event.listen(engine, "engine_disposed", self._close)

    def __call__(self) -> object:
        """Return the number of commits since the connection was opened, and which opening that was."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection, self._opening = self._engine.raw_connection(), object()
                    self._connection.detach()
                number = self._connection.cursor().execute("PRAGMA data_version").fetchone()[0]
            except (sqlite3.Error, PoolTimeout):
                return object()
            return self._opening, number

    def _close(self, _engine: Engine) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
