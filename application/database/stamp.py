"""Tell by one look whether anything was committed since the last look.

SQLite counts the commits of all other connections (`PRAGMA data_version`); PostgreSQL numbers transactions that write,
of which a snapshot names the last one and those under way. MariaDB offers nothing of the kind to everybody.
"""

import sqlite3
from collections.abc import Callable
from itertools import count
from threading import Lock
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from application.database.engine import dispose_with, engine_options

Stamp = Callable[[], object]
"""Return what equals an earlier one only if nothing was committed between the two looks."""

_SNAPSHOT = text("SELECT CAST(pg_current_snapshot() AS text)")
_PATIENCE_SECONDS = 0.1
"""How long one who asks waits for the look of another; a look takes a thousandth of that."""


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


class _SharedLook:
    """Look for all who ask meanwhile: whoever asks before a look begins may have what it finds.

    Of many who ask at once, all wait while one looks, and share the next look.
    """

    def __init__(self, look: Callable[[], object]) -> None:
        """Take what looks; None says that it could not."""
        self._look = look
        self._lock = Lock()
        self._moments = count()
        self._begun = -1
        self._found: object | None = None

    def __call__(self) -> object:
        """Return what was found by a look that began after this call."""
        asked = next(self._moments)
        if not self._lock.acquire(timeout=_PATIENCE_SECONDS):
            return object()
        try:
            if self._begun < asked:
                self._begun = next(self._moments)
                self._found = self._look()
            return object() if self._found is None else self._found
        finally:
            self._lock.release()


def _snapshot_of(engine: Engine) -> Stamp:
    """Look by a connection of its own, for whoever asks has not been let in yet."""
    url = engine.url.render_as_string(hide_password=False)
    looking = create_engine(url, isolation_level="AUTOCOMMIT", **engine_options(url, 1))
    dispose_with(engine, looking)

    def look() -> str | None:
        try:
            with looking.connect() as connection:
                return str(connection.execute(_SNAPSHOT).scalar_one())
        except DBAPIError:
            return None

    return _SharedLook(look)


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
