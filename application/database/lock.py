"""Let one process at a time change the tables."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

_NAME = "redprint_migration"
_KEY = 7_310_585_419  # any number that nobody else uses for pg_advisory_lock
_WAIT_SECONDS = 300


@contextmanager
def migration_lock(engine: Engine) -> Iterator[None]:
    """Hold the lock of this database's migrations; others wait, up to five minutes on MariaDB."""
    database = engine.url.database
    if engine.dialect.name != "sqlite":
        with _server_lock(engine):
            yield
    elif database in (None, "", ":memory:"):  # nobody else can see it
        yield
    else:
        with _file_lock(Path(f"{database}.migration-lock")):
            yield


@contextmanager
def _server_lock(engine: Engine) -> Iterator[None]:
    parameters: dict[str, object]
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = 0"))  # the engine's is for rows, not for migrations
            take, give = text("SELECT 1 FROM pg_advisory_lock(:key)"), text("SELECT pg_advisory_unlock(:key)")
            parameters = {"key": _KEY}
        else:
            take, give = text("SELECT GET_LOCK(:name, :seconds)"), text("SELECT RELEASE_LOCK(:name)")
            name = f"{_NAME}_{engine.url.database}"  # the lock is the server's, the migration the database's
            parameters = {"name": hashlib.sha256(name.encode()).hexdigest(), "seconds": _WAIT_SECONDS}
        if not connection.execute(take, parameters).scalar():
            message = f"Another process has been migrating for {_WAIT_SECONDS} s; look at it, then try again"
            raise TimeoutError(message)
        try:
            yield
        finally:
            connection.execute(give, parameters)


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
