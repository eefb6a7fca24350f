"""Tell apart how a database can fail, so that a client learns whether to try again."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from application.libs.error import Invalid, Refusal, Unavailable

_SERIALIZATION = frozenset({"40001", "40P01"})  # PostgreSQL: serialization failure, deadlock
DEADLOCK_MARIADB = 1213  # it undoes the whole transaction, not the statement
_SERIALIZATION_MARIADB = frozenset({1020, DEADLOCK_MARIADB})  # the former: record changed since last read
_LOCK_WAIT_MARIADB = 1205
_LACKING = frozenset({"42P01", "42703"})  # PostgreSQL: undefined table, undefined column
_LACKING_MARIADB = frozenset({1054, 1146})  # no such column, no such table
_CONSTRAINT_MARIADB = frozenset({1644, 1761, 1762, 4025})
"""A trigger refuses, a cascade would double a key, or a check failed; the driver calls these operational errors."""


class SerializationFailure(Unavailable):
    """Two changes met; trying again will help."""


class DatabaseBusy(Unavailable):
    """The database is busy; try again in a moment."""


class DatabaseAway(Unavailable):
    """The database cannot be reached."""


def wrapped(engine: Engine, driver: Any, error: Exception, text: str | None) -> StatementError:
    """Return what SQLAlchemy would raise for what a driver's connection raised while it ran the text."""
    dialect = engine.dialect
    ours = dialect.loaded_dbapi.Error
    gone = isinstance(error, ours) and dialect.is_disconnect(error, driver, None)
    hidden = engine.hide_parameters
    return DBAPIError.instance(
        text, None, error, ours, hide_parameters=hidden, connection_invalidated=gone, dialect=dialect
    )


def is_lost(failure: StatementError) -> bool:
    """Tell whether the connection is gone with it."""
    return isinstance(failure, DBAPIError) and failure.connection_invalidated


def translate(error: DBAPIError | PoolTimeout) -> Refusal | None:
    """Return the refusal that stands for this error, or None where it is a mistake of ours."""
    if isinstance(error, PoolTimeout):
        return DatabaseBusy(headers={"Retry-After": "1"})
    if _state(error) in _SERIALIZATION or _number(error) in _SERIALIZATION_MARIADB:
        return SerializationFailure(headers={"Retry-After": "1"})
    if _is_busy(error):
        return DatabaseBusy(headers={"Retry-After": "1"})
    if isinstance(error, DataError):
        return Invalid("A value does not fit its column")
    if error.connection_invalidated or (isinstance(error, OperationalError) and not _is_mistake(error)):
        return DatabaseAway(headers={"Retry-After": "2"})
    return None


def breaks_constraint(error: DBAPIError) -> bool:
    """Tell whether the rows asked for contradict a key, a reference or a check of the table."""
    return isinstance(error, IntegrityError) or _number(error) in _CONSTRAINT_MARIADB


def lacks_tables(error: DBAPIError) -> bool:
    """Tell whether a table or column is not there, because the migrations were not run."""
    if _number(error) in _LACKING_MARIADB or _state(error) in _LACKING:
        return True
    return str(error.orig).startswith(("no such table", "no such column")) or "has no column named" in str(error.orig)


def _state(error: DBAPIError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def _number(error: DBAPIError) -> object:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments else None


def _is_mistake(error: DBAPIError) -> bool:
    """Tell a statement that cannot work (a missing table or column) from a database that is away."""
    if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR" or _number(error) in _CONSTRAINT_MARIADB:
        return True
    return (_state(error) or "").startswith("42")  # SQL:2016, class 42: syntax error or access rule violation


def _is_busy(error: DBAPIError) -> bool:
    if _number(error) == _LOCK_WAIT_MARIADB or _state(error) == "55P03":
        return True
    return getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
