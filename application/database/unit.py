"""Run a unit of work: one connection, one transaction, opened at the first statement.

The edge (request, job, task, socket event, command) opens it; rules only use it.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVarTuple, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, Executable, NestedTransaction, Result
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, SessionTransaction, scoped_session
from sqlalchemy.sql.selectable import TypedReturnsRows

from application.database.channel import Channel
from application.database.engine import engine_beside
from application.database.failure import breaks_constraint, translate
from application.database.prepared import Plan, Values, is_watched, prepared_for
from application.libs.current import current_application
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

    __slots__ = ("_channel", "_engine", "_sessions", "after_commit", "gathered", "writes")

    def __init__(self, engine: Engine, *, writes: bool, sessions: "scoped_session[Any] | None" = None) -> None:
        """Open nothing yet; `sessions` is where the session of entities is found if anybody used it."""
        self._engine = engine
        self._sessions = sessions
        self._channel = Channel(engine)
        self.writes = writes
        self.after_commit: list[Callable[[], object]] = []
        self.gathered: dict[Callable[[list[Any]], object], list[Any]] = {}

    @property
    def connection(self) -> Connection:
        """Return the unit's connection, opening it for the first statement."""
        return self._channel.connection(writes=self.writes)

    @property
    def dialect(self) -> str:
        """Name the kind of database."""
        return self._engine.dialect.name

    @property
    def is_open(self) -> bool:
        """Tell whether any statement was run in it."""
        return self._channel.is_open

    @property
    def is_broken(self) -> bool:
        """Tell whether the database has given up what was written so far."""
        return self._channel.is_broken

    def read(self, statement: TypedReturnsRows[*Columns], parameters: Values) -> Result[*Columns]:
        """Run a statement and return its rows."""
        plan = self._plan(statement, parameters)
        if plan is None:
            return self._channel.begun(writes=self.writes).execute(statement, parameters)
        return cast("Result[*Columns]", self._channel.read(plan, parameters, writes=self.writes))

    def change(self, statement: Executable, values: Values | Sequence[Values]) -> int:
        """Run a changing statement, for each set of values; return how many rows it changed, or less than 0."""
        plan = self._plan(statement, values)
        if plan is None:
            return self._channel.begun(writes=True).execute(statement, values).rowcount
        return self._channel.change(plan, values)

    def promote(self) -> None:
        """End the reading part; the next statement begins a writing transaction (`BEGIN IMMEDIATE` on SQLite)."""
        if self.writes:
            return
        session = self._session()
        if session is not None:
            refuse_changes(session)
            session.close()
        self.writes = True
        self._channel.switch(writes=True)

    def demote(self, *, commits: bool) -> None:
        """End the writing part, by a commit or a rollback; the next statement begins a reading transaction."""
        if commits:
            self.commit()
        session = self._session()
        if session is not None:
            session.close()
        self.gathered.clear()
        self.writes = False
        self._channel.switch(writes=False)

    def flush(self) -> None:
        """Send what the session of entities has not sent yet, if it was used."""
        session = self._session()
        if session is not None:
            session.flush()

    def noted(self) -> tuple[int, dict[Callable[[list[Any]], object], int]]:
        """Return how much is to be done at the commit, for `forget`."""
        return len(self.after_commit), {write: len(items) for write, items in self.gathered.items()}

    def forget(self, noted: tuple[int, dict[Callable[[list[Any]], object], int]]) -> None:
        """Leave out what was noted since."""
        callbacks, gathered = noted
        del self.after_commit[callbacks:]
        for write, items in self.gathered.items():
            del items[gathered.get(write, 0) :]

    def savepoint(self) -> NestedTransaction | SessionTransaction:
        """Begin a savepoint, which holds for the session of entities too where there is one."""
        if self._sessions is None:
            return self.connection.begin_nested()
        session: Session = self._sessions()
        session.connection()
        savepoint = session.begin_nested()
        session.connection()  # which begins it; a session does so no sooner than it must
        return savepoint

    def commit(self) -> None:
        """Write what was gathered, flush the session if it was used, and commit if anything can have been changed.

        What only read is ended by giving the connection back.
        """
        for write, items in self.gathered.items():
            write(items)
        self.flush()
        if self.writes:
            self._channel.commit()

    def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        try:
            session = self._session()
            if session is not None:
                session.close()
        finally:
            self._channel.close()

    def give_way(self) -> None:
        """Let those write who wait for it, where this unit has written; call it when all that belongs to it is done."""
        self._channel.give_way()

    def _plan(self, statement: Executable, values: Values | Sequence[Values]) -> Plan | None:
        """Return the statement as it was prepared; None where SQLAlchemy is to run it.

        That begins a transaction, which what locks or changes rows needs also in a unit that only reads.
        """
        if is_watched(self._engine):
            return None
        prepared = prepared_for(self._engine)
        if not isinstance(values, Mapping):
            plan = prepared.plan(statement, values[0]) if values and prepared.takes_many else None
            return None if plan is None or plan.has_lists else plan
        plan = prepared.plan(statement, values)
        return None if plan is None or (plan.keeps and not self.writes) else plan

    def _session(self) -> Session | None:
        """Return the session if anybody used it; one that only holds additions has not asked for a connection yet."""
        sessions = self._sessions
        return sessions() if sessions is not None and sessions.registry.has() else None


def refuse_changes(session: Session) -> None:
    """Raise `OutsideUnit` if the session holds changes, which a reading unit of work would lose."""
    if session.new or session.dirty or session.deleted:
        raise OutsideUnit(_READER)


def is_inside_unit() -> bool:
    """Tell whether this code runs in a unit of work."""
    return _current.get() is not None


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


def reader_beside(main: Engine) -> Callable[[], AbstractContextManager[Unit]] | None:
    """Return what opens a reading unit on a connection of its own, which sees what is committed.

    None for a database in memory, which lives on one connection.
    """
    engine = engine_beside(main)
    return None if engine is None else partial(transaction, write=False, engine=engine)


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
            database: SQLAlchemy = current_application().extensions["sqlalchemy"]
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
            try:
                _current.reset(self._token)
            finally:
                _close(unit)
        if commits:
            _run_callbacks(unit)
            unit.give_way()
        elif isinstance(error, _FAILURES):
            _refuse(error)


def _refuse(failure: DBAPIError | PoolTimeout) -> None:
    """Raise the refusal that stands for a failure of the database; return if it is a mistake of ours."""
    refusal = translate(failure)
    if refusal is not None:
        raise refusal from failure


def execute(statement: TypedReturnsRows[*Columns], **parameters: Any) -> Result[*Columns]:
    """Run a statement on the current unit's connection and return its rows."""
    unit = current_unit()
    if statement.is_dml and not unit.writes:
        raise OutsideUnit(_READER)
    return unit.read(statement, parameters)


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
    values: Values | Sequence[Values] = parameters if many is None else many
    try:
        changed = unit.change(statement, values)
    except DBAPIError as error:
        if conflict is None or not breaks_constraint(error):
            raise
        raise conflict from error
    return len(values) if changed < 0 else changed  # PostgreSQL does not count the rows of a bulk insert


def isolated(function: Callable[[], object]) -> Exception | None:
    """Run a function in a savepoint of the current unit; return what it raised, once all it did is undone.

    The function neither commits nor rolls back. What cannot be undone, as after a deadlock on MariaDB, breaks the unit
    and is raised.
    """
    unit = current_unit()
    noted = unit.noted()
    savepoint = unit.savepoint()
    try:
        function()
        savepoint.commit()
    except Exception as error:
        try:
            savepoint.rollback()
        except _FAILURES:
            raise error from None
        if unit.is_broken:
            raise
        unit.forget(noted)
        return error
    return None


@contextmanager
def write_aside() -> Iterator[None]:
    """Change rows in a unit that reads, and commit them at once, whatever becomes of it: as who asked is found out.

    A refusal undoes them, unless its class says `commits = True`. In a unit that writes, the block is a part of it.
    """
    unit = current_unit()
    if unit.writes:
        yield
        return
    unit.promote()
    try:
        yield
    except Refusal as refusal:
        unit.demote(commits=refusal.commits)
        raise
    unit.demote(commits=True)


def after_commit(function: Callable[[], object]) -> None:
    """Call the function once the current unit has committed; what it raises is logged, never raised."""
    current_unit().after_commit.append(function)


def put_off(function: Callable[[], object]) -> bool:
    """Call the function once the current unit has committed; return False, calling nothing, where there is none."""
    if not is_inside_unit():
        return False
    after_commit(function)
    return True


def gather(write: Callable[[list[Any]], object], item: Any) -> None:
    """Give `item` to `write` just before the current unit commits, together with all others: one statement for many."""
    current_unit().gathered.setdefault(write, []).append(item)


def gathered(write: Callable[[list[Any]], object]) -> list[Any]:
    """Return what the current unit has gathered for `write` so far, which the caller then writes."""
    return current_unit().gathered.pop(write, [])


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
