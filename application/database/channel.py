"""Reach the database for one unit of work: by the driver's connection, and SQLAlchemy's around it where it is needed.

A unit that only reads by prepared statements needs the driver's alone, which takes 10 µs less to open and to close.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, PoolProxiedConnection, Result
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, StatementError

from application.database.engine import begin_reading, end_reading
from application.database.prepared import Plan, Values

Answer = TypeVar("Answer")


class Channel:
    """Hold the connection of one unit, which is opened by the first statement."""

    __slots__ = ("_connection", "_driver", "_engine")

    def __init__(self, engine: Engine) -> None:
        """Open nothing yet."""
        self._engine = engine
        self._driver: PoolProxiedConnection | None = None
        self._connection: Connection | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether any statement was run."""
        return self._driver is not None

    def connection(self, *, writes: bool) -> Connection:
        """Return SQLAlchemy's connection; its next statement begins a transaction."""
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
            end_reading(self._driver, self._engine.dialect.name)

    def commit(self) -> None:
        """Keep what was written."""
        if self._connection is not None:
            self._connection.commit()

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
            self._lose(None)
            raise
        finally:
            cursor.close()

    def _begun(self) -> PoolProxiedConnection:
        connection = self.connection(writes=True)
        if not connection.in_transaction():
            try:
                connection.begin()
            except DBAPIError as error:  # of a pooled connection that is lost; nothing was done yet
                if not error.connection_invalidated:
                    raise
                connection.begin()
        self._driver = connection.connection
        return self._driver

    def _reading(self) -> PoolProxiedConnection:
        if self._driver is None:
            self._driver = self._opened() if self._connection is None else self._connection.connection
        begin_reading(self._driver, self._engine.dialect.name)
        return self._driver

    def _opened(self) -> PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._failure(error, None) from error

    def _failure(self, error: Exception, text: str | None) -> StatementError:
        """Return what SQLAlchemy calls a failure; give the connection up if it is lost."""
        dialect = self._engine.dialect
        ours = dialect.loaded_dbapi.Error
        is_lost = isinstance(error, ours) and dialect.is_disconnect(error, self._driver, None)
        if is_lost:
            self._lose(error)
        hidden = self._engine.hide_parameters
        return DBAPIError.instance(
            text, None, error, ours, hide_parameters=hidden, connection_invalidated=is_lost, dialect=dialect
        )

    def _lose(self, error: Exception | None) -> None:
        driver, self._driver = self._driver, None
        if self._connection is not None:
            self._connection.invalidate(error)
        elif driver is not None:
            driver.invalidate(error)
