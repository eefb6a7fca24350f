"""Tell by one look whether anything was committed since the last look.

SQLite counts the commits of all other connections (`PRAGMA data_version`); PostgreSQL numbers transactions that write,
of which a snapshot names the last one and those under way. MariaDB offers nothing of the kind to everybody.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

Stamp = Callable[[], object]
"""Return what equals an earlier one only if nothing was committed between the two looks."""

_SNAPSHOT = text("SELECT CAST(pg_current_snapshot() AS text)")


def stamp_of(engine: Engine | None) -> Stamp | None:
    """Return what stamps the state of a database, by connections of this engine; None where it cannot be told.

    Who looks before it reads and finds the same stamp later knows that it would read the same again.
    """
    if engine is None:
        return None
    if engine.dialect.name == "sqlite":
        return _FileStamp(engine)
    if engine.dialect.name == "postgresql":
        return _snapshot_of(engine)
    return None


def _snapshot_of(engine: Engine) -> Stamp:
    reading = engine.execution_options(isolation_level="AUTOCOMMIT")

    def stamp() -> object:
        try:
            with reading.connect() as connection:
                return connection.execute(_SNAPSHOT).scalar_one()
        except DBAPIError:
            return object()  # which equals nothing; whoever reads then says what is wrong

    return stamp


class _FileStamp:
    """Look at a file by one connection that never writes, for a connection's own commits do not count."""

    def __init__(self, engine: Engine) -> None:
        """Open nothing yet."""
        self._engine = engine
        self._lock = Lock()
        self._connection: Any = None
        event.listen(engine, "engine_disposed", self._close)

    def __call__(self) -> object:
        """Return the number of commits, as the connection has seen them so far."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._engine.raw_connection()
                    self._connection.detach()
                return self._connection.cursor().execute("PRAGMA data_version").fetchone()[0]
            except self._engine.dialect.loaded_dbapi.Error:
                return object()

    def _close(self, _engine: Engine) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
