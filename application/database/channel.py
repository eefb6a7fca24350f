"""Reach the database for one unit of work: by the driver's connection, and SQLAlchemy's around it where it is needed.

A unit that only reads by prepared statements needs the driver's alone, which takes 10 µs less to open and to close.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, PoolProxiedConnection, Result
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, InvalidRequestError, SQLAlchemyError, StatementError

from application.database.beginning import begin_reading, begin_writing, end
from application.database.failure import wrapped
from application.database.prepared import Plan, Values

Answer = TypeVar("Answer")


class Channel:
    """Hold the connection of one unit, which is opened by the first statement."""

    __slots__ = ("_broken_by", "_connection", "_driver", "_engine", "_has_begun")

    def __init__(self, engine: Engine) -> None:
        """Open nothing yet."""
        self._engine = engine
        self._driver: PoolProxiedConnection | None = None
        self._connection: Connection | None = None
        self._has_begun = False
        self._broken_by: SQLAlchemyError | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether any statement was run."""
        return self._driver is not None

    def connection(self, *, writes: bool) -> Connection:
        """Return SQLAlchemy's connection; its next statement begins a transaction, or joins the one that is begun."""
        if self._connection is None:
            self._connection = Connection(self._engine, self._driver)
            self._driver = self._connection.connection
            if writes:
                self._connection.execution_options(write=True)
        return self._connection

    def read(self, plan: Plan, parameters: Values, *, writes: bool) -> Result[*tuple[Any, ...]]:
        """Run a statement and return its rows; raise what SQLAlchemy would.

        Where a pooled connection turns out to be lost, another one takes the first statement of a unit that only reads.
        """

        def run(cursor: DBAPICursor) -> Result[*tuple[Any, ...]]:
            plan.run(cursor, parameters)
            return plan.result(cursor)

        may_repeat = self._driver is None and not writes
        try:
            return self._run(run, plan, writes=writes)
        except DBAPIError as error:
            if not (may_repeat and error.connection_invalidated):
                raise
        return self._run(run, plan, writes=writes)

    def change(self, plan: Plan, parameters: Values | Sequence[Values]) -> int:
        """Run a statement, once or for each of many sets of parameters; return how many rows it changed."""

        def run(cursor: DBAPICursor) -> int:
            if isinstance(parameters, Sequence):
                plan.run_many(cursor, parameters)
            else:
                plan.run(cursor, parameters)
            return cursor.rowcount

        return self._run(run, plan, writes=True)

    def switch(self, *, writes: bool) -> None:
        """End the transaction; the next statement begins one that writes, or one that reads."""
        if self._connection is not None:
            self._connection.rollback()
            self._connection.execution_options(write=writes)
        if self._driver is not None:
            end(self._driver.driver_connection, self._engine.dialect.name)
        self._has_begun, self._broken_by = False, None

    def commit(self) -> None:
        """Keep what was written; raise what broke the transaction, even if somebody caught it."""
        if self._broken_by is not None:
            raise self._broken_by
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
        if self._connection is not None:
            self._connection.close()
        elif self._driver is not None:
            self._driver.close()

    def _run(self, run: Callable[[DBAPICursor], Answer], plan: Plan, *, writes: bool) -> Answer:
        driver = self._begun() if writes else self._reading()
        cursor = driver.cursor()
        try:
            return run(cursor)
        except Exception as error:
            raise self._failure(error, plan.text) from error
        except BaseException:  # in the middle of an answer, which nobody may take for that to the next question
            self._lose(None, InvalidRequestError("The connection was given up in the middle of a statement"))
            raise
        finally:
            cursor.close()

    def _begun(self) -> PoolProxiedConnection:
        """Return the driver's connection in a transaction that may change rows; begin it where none is begun.

        Where a pooled connection turns out to be lost, another one takes its place.
        """
        try:
            return self._began()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._began()

    def _began(self) -> PoolProxiedConnection:
        driver = self._held()
        try:
            begin_writing(self._engine, driver.driver_connection)
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._failure(error, "BEGIN") from error
        self._has_begun = True
        return driver

    def _reading(self) -> PoolProxiedConnection:
        driver = self._held()
        begin_reading(driver.driver_connection, self._engine.dialect.name)
        return driver

    def _held(self) -> PoolProxiedConnection:
        """Return the driver's connection, opened for the first statement; none can go on with another's transaction."""
        if self._broken_by is not None:
            raise self._broken_by
        if self._driver is None:
            self._driver = self._opened() if self._connection is None else self._connection.connection
        return self._driver

    def _opened(self) -> PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._failure(error, None) from error

    def _failure(self, error: Exception, text: str | None) -> StatementError:
        """Return what SQLAlchemy calls a failure; give the connection up if it is lost."""
        failure = wrapped(self._engine, self._driver, error, text)
        if isinstance(failure, DBAPIError) and failure.connection_invalidated:
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
