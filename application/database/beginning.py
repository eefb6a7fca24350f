"""Begin and end transactions on the driver's own connection; SQLAlchemy's joins one that is begun.

The figures behind SQLite's ways: with the driver's default transactions 364 of 600 concurrent increments were lost,
with a plain `BEGIN` 359 failed at once, with `BEGIN IMMEDIATE` for writers all 600 were kept.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from time import monotonic, sleep
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, PoolProxiedConnection
from sqlalchemy.exc import StatementError

from application.database.failure import DEADLOCK_MARIADB, is_lost, wrapped

Answer = TypeVar("Answer")

BUSY_TIMEOUT_SECONDS = 5
"""How long a writer waits for another's lock before the answer is 503."""

BUSY_TIMEOUT = f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}"

_BEGIN, _BEGIN_TO_WRITE = "BEGIN", "BEGIN IMMEDIATE"
_FIRST_PAUSE_SECONDS, _MOST_PAUSE_SECONDS = 0.0002, 0.001
_PRIMARY_CODE = 0xFF  # of SQLite's error codes the part that is not its explanation
_IN_TRANSACTION = 1  # the flag SERVER_STATUS_IN_TRANS of MariaDB's protocol

_UNDONE = "redprint_undone"


def begin(connection: Connection) -> None:
    """Begin a transaction when SQLAlchemy does (its event `begin`), unless the unit of work has done so.

    Where a pooled connection turns out to be lost, another one takes its place: nothing was done yet.
    """
    once_more(partial(_begin, connection))


def once_more(attempt: Callable[[], Answer]) -> Answer:
    """Do what is to be done first on a connection; on another one, if that turns out to be lost and is given up."""
    try:
        return attempt()
    except StatementError as failure:
        if not is_lost(failure):
            raise
    return attempt()


def _begin(connection: Connection) -> None:
    engine, driver = connection.engine, connection.connection.driver_connection
    try:
        if engine.dialect.name != "sqlite" or connection.get_execution_options().get("write", False):
            begin_writing(engine, driver)
        else:
            begin_reading(driver, "sqlite")
    except engine.dialect.loaded_dbapi.Error as error:
        failure = wrapped(engine, driver, error, _BEGIN)
        if is_lost(failure):
            connection.invalidate(error)
        raise failure from error


def begin_reading(driver: Any, dialect: str) -> None:
    """Let the reading statements to come see one moment, where that is to be had: in SQLite.

    The others show each statement what is committed then, in a transaction as well (READ COMMITTED).
    """
    if dialect == "sqlite" and not driver.in_transaction:
        driver.execute(_BEGIN)  # takes no lock, so it cannot fail


def deadline() -> float:
    """Return the moment of the monotonic clock until which a writer waits that comes now."""
    return monotonic() + BUSY_TIMEOUT_SECONDS


def begin_writing(engine: Engine, driver: Any, until: float | None = None) -> None:
    """Begin a transaction that may change rows, unless one is begun; raise what the driver raises.

    SQLite's lock is waited for until a moment of the monotonic clock.
    """
    dialect = engine.dialect.name
    if is_in_transaction(driver, dialect):
        return
    if dialect != "sqlite":
        driver.cursor().execute(_BEGIN)
        return
    _take_lock(driver, deadline() if until is None else until)


def end(driver: Any, dialect: str) -> None:
    """Roll back what is begun, if anything."""
    if is_in_transaction(driver, dialect):
        driver.rollback()


def is_in_transaction(driver: Any, dialect: str) -> bool:
    """Tell by what the driver knows whether a transaction is begun."""
    if dialect == "sqlite":
        return bool(driver.in_transaction)
    if dialect == "postgresql":
        return bool(driver.pgconn.transaction_status)  # 0 is idle
    return bool(driver.server_status & _IN_TRANSACTION)


def note_failure(held: PoolProxiedConnection, dialect: str, error: BaseException) -> None:
    """Note that MariaDB has rolled a transaction back; its driver does not learn that from a failure."""
    if dialect not in ("sqlite", "postgresql") and error.args[:1] == (DEADLOCK_MARIADB,):
        held.info[_UNDONE] = True


def is_undone(held: PoolProxiedConnection, dialect: str) -> bool:
    """Tell whether the database has rolled back by itself what was begun: as for a deadlock or a full disk."""
    if dialect == "sqlite":
        return not is_in_transaction(held.driver_connection, dialect)
    return _UNDONE in held.info


def forget_failure(info: dict[Any, Any]) -> None:
    """Let a connection be one of which nothing is noted."""
    info.pop(_UNDONE, None)


def _take_lock(driver: Any, until: float) -> None:
    """Take a file's write lock, and while another process holds it wait here instead of in SQLite.

    That would put all green threads of the process to sleep, and sleep for longer than others hold it. To look again
    sooner would break the row in which those of the other process write (`turn.py`).
    """
    pause = _FIRST_PAUSE_SECONDS
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while monotonic() < until and _is_locked(driver):
            sleep(pause)
            pause = min(2 * pause, _MOST_PAUSE_SECONDS)
        if not driver.in_transaction:
            driver.execute(_BEGIN_TO_WRITE)  # once more, to raise what is wrong
    finally:
        driver.execute(BUSY_TIMEOUT)


def _is_locked(driver: Any) -> bool:
    """Begin to write; tell whether that has to wait for another connection."""
    try:
        driver.execute(_BEGIN_TO_WRITE)
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
    return False
