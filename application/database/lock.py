"""Let one process at a time change the tables."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.exc import OperationalError

_NAME = "redprint_migration"
_KEY = 7_310_585_419  # any number that nobody else uses for pg_advisory_lock
WAIT_SECONDS = 300


@contextmanager
def migration_lock(engine: Engine, *, wait_seconds: int = WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock of this database's migrations; others wait, on PostgreSQL and MariaDB up to `wait_seconds`."""
    database = engine.url.database
    if engine.dialect.name != "sqlite":
        with _server_lock(engine, wait_seconds):
            yield
    elif database in (None, "", ":memory:"):  # nobody else can see it
        yield
    else:
        with _file_lock(Path(f"{database}.migration-lock")):
            yield


@contextmanager
def _server_lock(engine: Engine, wait_seconds: int) -> Iterator[None]:
    parameters: dict[str, object]
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{wait_seconds}s'"))  # the engine's is for rows
            take, give = text("SELECT 1 FROM pg_advisory_lock(:key)"), text("SELECT pg_advisory_unlock(:key)")
            parameters = {"key": _KEY}
        else:
            take, give = text("SELECT GET_LOCK(:name, :seconds)"), text("SELECT RELEASE_LOCK(:name)")
            name = f"{_NAME}_{engine.url.database}"  # the lock is the server's, the migration the database's
            parameters = {"name": hashlib.sha256(name.encode()).hexdigest(), "seconds": wait_seconds}
        if not _taken(connection, take, parameters):
            message = f"Another process has been migrating for {wait_seconds} s; look at it, then try again"
            raise TimeoutError(message)
        try:
            yield
        finally:
            connection.execute(give, parameters)


def _taken(connection: Connection, take: TextClause, parameters: dict[str, object]) -> bool:
    try:
        return bool(connection.execute(take, parameters).scalar())
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":  # PostgreSQL: lock not available
            return False
        raise


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
