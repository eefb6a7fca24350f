"""Let one process at a time change the tables."""

import fcntl
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
    if engine.dialect.name == "sqlite":
        with _file_lock(Path(f"{engine.url.database}.migration-lock")):
            yield
        return
    if engine.dialect.name == "postgresql":
        take, give = text("SELECT pg_advisory_lock(:key)"), text("SELECT pg_advisory_unlock(:key)")
        parameters: dict[str, object] = {"key": _KEY}
    else:
        take, give = text("SELECT GET_LOCK(:name, :seconds)"), text("SELECT RELEASE_LOCK(:name)")
        parameters = {"name": _NAME, "seconds": _WAIT_SECONDS}
    with engine.connect() as connection:
        if connection.execute(take, parameters).scalar() == 0:
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
