"""Reach the databases and brokers the tests need, each test run in databases of its own."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

DATABASES = tuple(os.environ.get("TEST_DATABASES", "sqlite postgresql mariadb").split())
"""The databases the suite runs on; TEST_DATABASES names fewer for a quick run."""

_SERVERS = {
    "postgresql": ("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
    "mariadb": ("TEST_MARIADB_URL", "mysql+pymysql://root@127.0.0.1:3306/"),
}


def missing(what: str, cure: str) -> NoReturn:
    """Skip the test because a service is absent; with REQUIRE_SERVICES=1 fail it."""
    message = f"{what} is not there: {cure}"
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def fresh_database(kind: str, directory: Path) -> Iterator[str]:
    """Create an empty database, yield its URL, drop it."""
    if kind == "sqlite":
        yield f"sqlite:///{directory / f'{secrets.token_hex(4)}.db'}"
        return
    variable, default = _SERVERS[kind]
    server = make_url(os.environ.get(variable, default))
    name = f"redprint_test_{secrets.token_hex(6)}"
    create, drop = _statements(kind, name)
    try:
        _run(server, create)
    except OperationalError:
        missing(kind, f"start it on loopback, or name another server in {variable}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _run(server, drop)


def _statements(kind: str, name: str) -> tuple[str, str]:
    if kind == "postgresql":
        return f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'", f"DROP DATABASE {name} WITH (FORCE)"
    return f"CREATE DATABASE {name} CHARACTER SET utf8mb4", f"DROP DATABASE {name}"


def _run(server: URL, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
