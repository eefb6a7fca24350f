"""Reach the database for one unit of work: by the driver's connection, and SQLAlchemy's around it where it is needed.

A unit that only reads by prepared statements needs the driver's alone, which takes 10 µs less to open and to close.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import methodcaller
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection, QueuePool, Result
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import InvalidRequestError, SQLAlchemyError, StatementError

from application.database.beginning import (
    Answer,
    begin_reading,
    begin_writing,
    deadline,
    end,
    forget_failure,
    is_in_transaction,
    is_undone,
    note_failure,
    once_more,
)
from application.database.failure import is_lost, wrapped
from application.database.idle import StackPool
from application.database.prepared import Plan, Values
from application.database.turn import Turn


class Channel:
    """Hold the connection of one unit, which is opened by the first statement."""

    __slots__ = ("_broken_by", "_connection", "_driver", "_engine", "_has_begun", "_turn")

    def __init__(self, engine: Engine) -> None:
        """Open nothing yet."""
        self._engine = engine
        self._driver: PoolProxiedConnection | None = None
        self._connection: Connection | None = None
        self._turn: Turn | None = None
        self._has_begun = False
        self._broken_by: SQLAlchemyError | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether any statement was run."""
        return self._driver is not None

    @property
    def is_broken(self) -> bool:
        """Tell whether what was written so far is undone, because the connection is lost or the database gave up."""
        return self._broken_by is not None or self._is_given_up()

    def connection(self, *, writes: bool) -> Connection:
        """Return SQLAlchemy's connection; its next statement begins a transaction, or joins the one that is begun."""
        self._require_whole()
        if writes and self._is_queued():
            self._begin_writing()
        if self._connection is None:
            self._connection = Connection(self._engine, self._driver)
            self._driver = self._connection.connection
            if writes:
                self._connection.execution_options(write=True)
        return self._connection

    def begun(self, *, writes: bool) -> Connection:
        """Return SQLAlchemy's connection in a transaction, on another of the pool where one turns out to be lost."""
        connection = self.connection(writes=writes)
        if not connection.in_transaction():
            connection.begin()
        return connection

    def read(self, plan: Plan, parameters: Values, *, writes: bool) -> Result[*tuple[Any, ...]]:
        """Run a statement and return its rows; raise what SQLAlchemy would.

        Where a pooled connection turns out to be lost, another one takes the first statement of a unit that only reads.
        """
        arguments = self._arguments(plan, parameters)

        def run(cursor: DBAPICursor) -> Result[*tuple[Any, ...]]:
            cursor.execute(plan.text, arguments)
            return plan.result(cursor)

        attempt = partial(self._run, run, plan, writes=writes)
        return once_more(attempt) if self._driver is None and not writes else attempt()

    def change(self, plan: Plan, parameters: Values | Sequence[Values]) -> int:
        """Run a statement, once or for each of many sets of parameters; return how many rows it changed."""
        if isinstance(parameters, Mapping):
            send = methodcaller("execute", plan.text, self._arguments(plan, parameters))
        else:
            send = methodcaller("executemany", plan.text, [self._arguments(plan, some) for some in parameters])

        def run(cursor: DBAPICursor) -> int:
            send(cursor)
            return cursor.rowcount

        return self._run(run, plan, writes=True)

    def switch(self, *, writes: bool) -> None:
        """End the transaction; the next statement begins one that writes, or one that reads."""
        if self._connection is not None:
            self._connection.rollback()
            self._connection.execution_options(write=writes)
        if self._driver is not None:
            self._end(self._driver)
        self._has_begun, self._broken_by = False, None
        self._end_turn()

    def commit(self) -> None:
        """Keep what was written; raise what broke the transaction, even if somebody caught it."""
        self._require_whole()
        if self._connection is not None and self._connection.in_transaction():
            self._connection.commit()
        elif self._driver is not None:
            try:
                self._driver.commit()
            except self._engine.dialect.loaded_dbapi.Error as error:
                raise self._failure(error, "COMMIT") from error
        self._has_begun = False

    def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        try:
            self._let_go()
        finally:
            self._end_turn()  # the next one writes by this connection

    def give_way(self) -> None:
        """Let those write who wait for it, where this unit has written."""
        if self._turn is not None:
            self._turn.give_way()

    def _arguments(self, plan: Plan, parameters: Values) -> Any:
        try:
            return plan.arguments(parameters)
        except Exception as error:
            raise wrapped(self._engine, None, error, plan.text) from error

    def _run(self, run: Callable[[DBAPICursor], Answer], plan: Plan, *, writes: bool) -> Answer:
        driver = once_more(self._writing) if writes else self._reading()
        cursor = driver.cursor()
        try:
            answer = run(cursor)
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._failure(error, plan.text) from error
        except BaseException as error:
            if not isinstance(error, Exception):  # in the middle of an answer, which is none to the next question
                self._lose(None, InvalidRequestError("The connection was given up in the middle of a statement"))
            raise
        cursor.close()
        return answer

    def _writing(self) -> PoolProxiedConnection:
        """Return the driver's connection in a transaction that may change rows; begin it where none is begun."""
        self._begin_writing()
        self._has_begun = True
        return self._held()

    def _begin_writing(self) -> None:
        """Begin a transaction unless one is begun; to a file, as soon as nobody else of this process writes to it."""
        until = deadline()
        if is_in_transaction(self._held().driver_connection, self._engine.dialect.name):
            return
        if self._is_queued():
            self._turn = self._turn or Turn(self._engine)
            self._turn.take(until, self._let_go)
        try:
            begin_writing(self._engine, self._held().driver_connection, until)
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._failure(error, "BEGIN") from error

    def _is_queued(self) -> bool:
        """Tell whether writers stand in a queue: before a file; in memory one connection is the database."""
        return self._engine.dialect.name == "sqlite" and isinstance(self._engine.pool, QueuePool)

    def _let_go(self) -> None:
        """Give the connection back: whoever comes next may need it, and who goes on takes another."""
        connection, driver = self._connection, self._driver
        self._connection = self._driver = None
        if connection is not None:
            connection.close()
        elif driver is not None:
            self._give_back(driver)

    def _give_back(self, driver: PoolProxiedConnection) -> None:
        """Keep the connection at hand, with nothing begun on it; or let SQLAlchemy roll back, and take it."""
        pool = self._engine.pool
        if isinstance(pool, StackPool) and driver.is_valid and self._is_ended(driver) and pool.keep(driver):
            return
        driver.close()

    def _is_ended(self, driver: PoolProxiedConnection) -> bool:
        """Roll back what is begun; return False where that fails, for SQLAlchemy then gives the connection up."""
        try:
            self._end(driver)
        except self._engine.dialect.loaded_dbapi.Error:
            return False
        except BaseException as error:  # in the middle of an answer, which is none to the next question
            driver.invalidate(error)
            raise
        return True

    def _end(self, driver: PoolProxiedConnection) -> None:
        """Roll back what is begun; nothing of it is known any more."""
        end(driver.driver_connection, self._engine.dialect.name)
        forget_failure(driver.info)

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.end()

    def _reading(self) -> PoolProxiedConnection:
        driver = self._held()
        begin_reading(driver.driver_connection, self._engine.dialect.name)
        return driver

    def _held(self) -> PoolProxiedConnection:
        """Return the driver's connection, opened for the first statement; none can go on with another's transaction."""
        self._require_whole()
        if self._connection is not None:
            self._driver = self._connection.connection  # SQLAlchemy may have given the former up
        elif self._driver is None:
            self._driver = self._opened()
        return self._driver

    def _require_whole(self) -> None:
        if self._broken_by is not None:
            raise self._broken_by
        if self._is_given_up():
            raise InvalidRequestError("The database has undone what this unit of work had written; let it end")

    def _is_given_up(self) -> bool:
        """Tell whether the database has undone what was begun."""
        begun = self._has_begun or (self._connection is not None and self._connection.in_transaction())
        if not begun or self._driver is None or not self._driver.is_valid:
            return False
        return is_undone(self._driver, self._engine.dialect.name)

    def _opened(self) -> PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._failure(error, None) from error

    def _failure(self, error: Exception, text: str | None) -> StatementError:
        """Return what SQLAlchemy calls a failure; give the connection up if it is lost."""
        failure = wrapped(self._engine, self._driver, error, text)
        if self._driver is not None:
            note_failure(self._driver, self._engine.dialect.name, error)
        if is_lost(failure):
            self._lose(error, failure)
        return failure

    def _lose(self, error: Exception | None, failure: SQLAlchemyError) -> None:
        """Give the connection up, and with it the transaction, if one was begun."""
        if self._has_begun:
            self._broken_by = failure
        driver, self._driver = self._driver, None
        if self._connection is not None:
            self._connection.invalidate(error)
        elif driver is not None:
            driver.invalidate(error)
