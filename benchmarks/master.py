"""Keep one filled database, and give every server a copy of it: nobody reads what another has written."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url

from benchmarks import data
from tests.services import fresh_database

KINDS = ("sqlite", "postgresql")
_SUFFIXES = ("", "-wal", "-shm")


class Master(Protocol):
    """Be a filled database."""

    def copied(self) -> AbstractContextManager[str]:
        """Make a copy for a block, and yield its URL."""


@contextmanager
def master(kind: str, folder: Path) -> Iterator[Master]:
    """Make and fill a database for a block."""
    with fresh_database(kind, folder) as url:
        data.make(url, folder)
        yield _File(url, folder) if kind == "sqlite" else _OnServer(make_url(url))


class _File:
    def __init__(self, url: str, folder: Path) -> None:
        self._file = Path(url.removeprefix("sqlite:///"))
        self._folder = folder

    @contextmanager
    def copied(self) -> Iterator[str]:
        copy = self._folder / f"copy-{secrets.token_hex(4)}.db"
        for suffix in _SUFFIXES:
            source = Path(f"{self._file}{suffix}")
            if source.exists():
                shutil.copyfile(source, f"{copy}{suffix}")
        try:
            yield f"sqlite:///{copy}"
        finally:
            for suffix in _SUFFIXES:
                Path(f"{copy}{suffix}").unlink(missing_ok=True)


class _OnServer:
    def __init__(self, url: URL) -> None:
        self._url = url

    @contextmanager
    def copied(self) -> Iterator[str]:
        name = f"redprint_bench_{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {self._url.database}")
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        engine = create_engine(self._url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement)
        finally:
            engine.dispose()
