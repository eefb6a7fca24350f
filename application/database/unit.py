"""Run a unit of work: one connection, one transaction, opened at the first statement.

The edge (request, job, task, socket event, command) opens it; rules only use it.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVarTuple

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, CursorResult, Engine, Executable
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TypedReturnsRows

from application.database.failure import translate
from application.libs.error import Refusal

Columns = TypeVarTuple("Columns")

_LOG = logging.getLogger(__name__)

_current: ContextVar["Unit | None"] = ContextVar("redprint_unit", default=None)


class OutsideUnit(RuntimeError):  # noqa: N818 -- errors are named by what happened (DESIGN §8)
    """A statement was run outside a unit of work."""


class Unit:
    """Hold the connection of one unit of work; a reader until it is promoted."""

    __slots__ = ("_connection", "_engine", "_session", "after_commit", "writes")

    def __init__(self, engine: Engine, *, writes: bool) -> None:
        """Open nothing yet."""
        self._engine = engine
        self._connection: Connection | None = None
        self._session: Session | None = None
        self.writes = writes
        self.after_commit: list[Callable[[], object]] = []

    @property
    def connection(self) -> Connection:
        """Return the unit's connection, opening it for the first statement."""
        if self._connection is None:
            self._connection = self._engine.connect()
            if self.writes:
                self._connection.execution_options(write=True)
        return self._connection

    def lend(self, session: Session) -> Connection:
        """Return the connection to the session, which is then flushed and closed with the unit."""
        self._session = session
        return self.connection

    def promote(self) -> None:
        """End the reading part; the next statement begins a writing transaction (`BEGIN IMMEDIATE` on SQLite)."""
        if self.writes:
            return
        self.writes = True
        if self._session is not None:
            self._session.close()
        if self._connection is not None:
            self._connection.rollback()
            self._connection.execution_options(write=True)

    def commit(self) -> None:
        """Flush the session if it was used, and commit if anything was opened."""
        if self._session is not None:
            self._session.flush()
        if self._connection is not None:
            self._connection.commit()

    def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        if self._session is not None:
            self._session.close()
        if self._connection is not None:
            self._connection.close()


def current_unit() -> Unit:
    """Return the unit of work this code runs in."""
    unit = _current.get()
    if unit is None:
        message = "No unit of work is open; wrap the code in `with transaction():` at the edge that calls it"
        raise OutsideUnit(message)
    return unit


@contextmanager
def transaction(*, write: bool = True) -> Iterator[Unit]:
    """Run the block as one unit of work; inside another one, join it.

    Commits at the end and then runs what `after_commit` collected; rolls back on an exception, unless it is a
    `Refusal` whose class says `commits = True`. A busy, unreachable or conflicting database raises `Unavailable`.
    """
    outer = _current.get()
    if outer is not None:
        if write:
            outer.promote()
        yield outer
        return
    unit = Unit(_engine(), writes=write)
    token = _current.set(unit)
    try:
        yield unit
        unit.commit()
    except Refusal as refusal:
        if refusal.commits:
            unit.commit()
        else:
            unit.after_commit.clear()
        raise
    except BaseException as error:
        unit.after_commit.clear()
        if isinstance(error, DBAPIError | PoolTimeout):
            raise translate(error) from error
        raise
    finally:
        _current.reset(token)
        _close(unit)
        _run_callbacks(unit)


def execute(statement: TypedReturnsRows[*Columns], **parameters: Any) -> CursorResult[*Columns]:
    """Run a statement on the current unit's connection and return its rows."""
    return current_unit().connection.execute(statement, parameters)


def change(
    statement: Executable,
    many: list[dict[str, Any]] | None = None,
    /,
    *,
    conflict: type[Refusal] | None = None,
    **parameters: Any,
) -> int:
    """Run a changing statement, once or for `many` sets of parameters; return how many rows it changed.

    A broken constraint (a taken name, a row still in use) raises `conflict`.
    """
    unit = current_unit()
    if not unit.writes:
        message = "A reading unit of work cannot change rows; call this from a changing method or `transaction()`"
        raise OutsideUnit(message)
    values: Mapping[str, Any] | list[dict[str, Any]] = parameters if many is None else many
    try:
        return unit.connection.execute(statement, values).rowcount
    except IntegrityError as error:
        if conflict is None:
            raise
        raise conflict from error


def after_commit(function: Callable[[], object]) -> None:
    """Call the function once the current unit has committed; what it raises is logged, never raised."""
    current_unit().after_commit.append(function)


def _engine() -> Engine:
    database: SQLAlchemy = current_app.extensions["sqlalchemy"]
    return database.engine


def _close(unit: Unit) -> None:
    try:
        unit.close()
    except DBAPIError:
        _LOG.warning("A connection could not be given back", exc_info=True)


def _run_callbacks(unit: Unit) -> None:
    for function in unit.after_commit:
        try:
            function()
        except Exception:
            _LOG.exception("A function failed that was to run after the commit")
