"""Run a unit of work: one connection, one transaction, opened at the first statement.

The edge (request, job, task, socket event, command) opens it; rules only use it.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, TypeVarTuple

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, CursorResult, Engine, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.sql.selectable import TypedReturnsRows

from application.database.failure import breaks_constraint, translate
from application.libs.error import Refusal

Columns = TypeVarTuple("Columns")

_LOG = logging.getLogger(__name__)

_FAILURES = (DBAPIError, PoolTimeout)
_READER = "A reading unit of work cannot change rows; call this from a changing method or `transaction()`"

_current: ContextVar["Unit | None"] = ContextVar("redprint_unit", default=None)


class OutsideUnit(RuntimeError):
    """A statement was run outside a unit of work."""


class Unit:
    """Hold the connection of one unit of work; a reader until it is promoted."""

    __slots__ = ("_connection", "_engine", "_sessions", "after_commit", "writes")

    def __init__(self, engine: Engine, *, writes: bool, sessions: "scoped_session[Any] | None" = None) -> None:
        """Open nothing yet; `sessions` is where the session of entities is found if anybody used it."""
        self._engine = engine
        self._sessions = sessions
        self._connection: Connection | None = None
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

    def promote(self) -> None:
        """End the reading part; the next statement begins a writing transaction (`BEGIN IMMEDIATE` on SQLite)."""
        if self.writes:
            return
        session = self._session()
        if session is not None:
            refuse_changes(session)
            session.close()
        self.writes = True
        if self._connection is not None:
            self._connection.rollback()
            self._connection.execution_options(write=True)

    def commit(self) -> None:
        """Flush the session if it was used, and commit if anything was opened."""
        session = self._session()
        if session is not None:
            session.flush()
        if self._connection is not None:
            self._connection.commit()

    def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        session = self._session()
        if session is not None:
            session.close()
        if self._connection is not None:
            self._connection.close()

    def _session(self) -> Session | None:
        """Return the session if anybody used it; one that only holds additions has not asked for a connection yet."""
        sessions = self._sessions
        return sessions() if sessions is not None and sessions.registry.has() else None


def refuse_changes(session: Session) -> None:
    """Raise `OutsideUnit` if the session holds changes, which a reading unit of work would lose."""
    if session.new or session.dirty or session.deleted:
        raise OutsideUnit(_READER)


def current_unit() -> Unit:
    """Return the unit of work this code runs in."""
    unit = _current.get()
    if unit is None:
        message = "No unit of work is open; wrap the code in `with transaction():` at the edge that calls it"
        raise OutsideUnit(message)
    return unit


def transaction(*, write: bool = True, engine: Engine | None = None) -> AbstractContextManager[Unit]:
    """Run a block as one unit of work; inside another one, join it.

    Commits at the end and then runs what `after_commit` collected; rolls back on an exception, unless it is a
    `Refusal` whose class says `commits = True`. A busy, unreachable or conflicting database raises `Unavailable`.
    An `engine` of the caller's own serves code without an application context; such a unit joins none, and has no
    session.
    """
    return _Block(write, engine)


class _Block:
    """Be the block of a unit of work; written out, because every request passes and a generator is slower."""

    __slots__ = ("_engine", "_token", "_unit", "_write")

    def __init__(self, write: bool, engine: Engine | None) -> None:
        self._write = write
        self._engine = engine
        self._unit: Unit | None = None

    def __enter__(self) -> Unit:
        """Open the unit, or join the one that is open."""
        outer = _current.get() if self._engine is None else None
        if outer is not None:
            if self._write:
                outer.promote()
            return outer
        if self._engine is not None:
            unit = Unit(self._engine, writes=self._write)
        else:
            database: SQLAlchemy = current_app.extensions["sqlalchemy"]
            unit = Unit(database.engine, writes=self._write, sessions=database.session)
        self._unit = unit
        self._token = _current.set(unit)
        return unit

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        """End the unit; a joined one is ended by whoever opened it."""
        unit = self._unit
        if unit is None:
            return
        commits = error is None or (isinstance(error, Refusal) and error.commits)
        try:
            if commits:
                unit.commit()
        except _FAILURES as failure:
            _refuse(failure)
            raise
        finally:
            _current.reset(self._token)
            _close(unit)
        if commits:
            _run_callbacks(unit)
        elif isinstance(error, _FAILURES):
            _refuse(error)


def _refuse(failure: DBAPIError | PoolTimeout) -> None:
    """Raise the refusal that stands for a failure of the database; return if it is a mistake of ours."""
    refusal = translate(failure)
    if refusal is not None:
        raise refusal from failure


def execute(statement: TypedReturnsRows[*Columns], **parameters: Any) -> CursorResult[*Columns]:
    """Run a statement on the current unit's connection and return its rows."""
    unit = current_unit()
    if statement.is_dml and not unit.writes:
        raise OutsideUnit(_READER)
    return unit.connection.execute(statement, parameters)


def change(
    statement: Executable,
    many: list[dict[str, Any]] | None = None,
    /,
    *,
    conflict: type[Refusal] | None = None,
    **parameters: Any,
) -> int:
    """Run a changing statement, once or for `many` sets of parameters; return how many rows it changed.

    A broken constraint (a taken name, a row still in use) raises `conflict`; let it end the unit, because PostgreSQL
    runs no further statement in it.
    """
    unit = current_unit()
    if not unit.writes:
        raise OutsideUnit(_READER)
    values: Mapping[str, Any] | list[dict[str, Any]] = parameters if many is None else many
    try:
        changed = unit.connection.execute(statement, values).rowcount
    except DBAPIError as error:
        if conflict is None or not breaks_constraint(error):
            raise
        raise conflict from error
    return len(values) if changed < 0 else changed  # PostgreSQL does not count the rows of a bulk insert


def after_commit(function: Callable[[], object]) -> None:
    """Call the function once the current unit has committed; what it raises is logged, never raised."""
    current_unit().after_commit.append(function)


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
