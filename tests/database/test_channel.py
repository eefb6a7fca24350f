"""Connections of units: what they send, and what becomes of them when they are lost."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError, InvalidRequestError, OperationalError

from application.database import (
    SerializationFailure,
    db,
    engine_options,
    execute,
    isolated,
    prepare_engine,
    transaction,
)
from application.database import engine as module
from application.database.failure import DatabaseAway
from application.database.unit import Unit
from tests.database.counters import COUNTER, READ, Counter, put, value

NUMBER = {"postgresql": "SELECT pg_backend_pid() AS number", "mysql": "SELECT CONNECTION_ID() AS number"}
KILL = {"postgresql": "SELECT pg_terminate_backend({}, 5000)", "mysql": "KILL {}"}
IN_TRANSACTION = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE pid = {} AND state LIKE 'idle in transaction%'",
    "mysql": "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = {}",
}
OWN_NUMBER = {
    name: sa.select(function())
    for name, function in (("postgresql", sa.func.pg_backend_pid), ("mysql", sa.func.connection_id))
}
SLEEP = {"postgresql": sa.func.pg_sleep, "mysql": sa.func.sleep}


class StopHereError(BaseException):
    """Break off in the middle."""


@pytest.fixture
def dialect(counting: Flask) -> Iterator[str]:
    """Name the server, in an application context; SQLite has none."""
    with counting.app_context():
        name = db.engine.dialect.name
        if name == "sqlite":
            pytest.skip("a file is no server that loses a connection: what holds of it says TestBoth")
        yield name


@pytest.fixture
def admin(dialect: str) -> Iterator[sa.Connection]:
    """Lend a connection beside those of the pool."""
    engine = sa.create_engine(db.engine.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def warm_up() -> None:
    """Let the statements be met often enough, and the pool hold one connection."""
    db.engine.dispose()
    for _time in range(3):
        with transaction():
            put(value())
        with transaction(write=False):
            value()


def number(dialect: str) -> int:
    """Return the server's number of the connection that the pool lends."""
    with transaction(write=False) as unit:
        found: int = unit.connection.execute(sa.text(NUMBER[dialect])).scalar_one()
        return found


def kill(admin: sa.Connection, dialect: str) -> int:
    """End the connection that the pool would lend next; return its number."""
    killed = number(dialect)
    admin.execute(sa.text(KILL[dialect].format(killed)))
    return killed


def kill_at_hand(admin: sa.Connection, dialect: str) -> int:
    """End the connection that is at hand, lent and returned by statements that were met; return its number."""
    for _time in range(3):
        with transaction(write=False):
            killed: int = execute(OWN_NUMBER[dialect]).scalar_one()
    admin.execute(sa.text(KILL[dialect].format(killed)))
    return killed


def counted(times: int) -> sa.Select[int]:
    """Return what counts as many rows as two to the power of this."""
    last = COUNTER.alias()
    tables: Any = last
    for _time in range(times - 1):
        following = COUNTER.alias()
        tables, last = tables.join(following, following.c.value == last.c.value), following
    return sa.select(sa.func.count()).select_from(tables)


def stop(_number: int, _frame: FrameType | None) -> None:
    """Be the handler of a signal that breaks off what is done."""
    raise StopHereError


class TestReading:
    def test_begins_no_transaction_on_a_server(self, admin: sa.Connection, dialect: str) -> None:
        warm_up()
        pooled = number(dialect)
        with transaction(write=False):
            value()
            assert admin.execute(sa.text(IN_TRANSACTION[dialect].format(pooled))).scalar_one() == 0
        with transaction():
            put(3)
            time.sleep(0.2)  # MariaDB's table of transactions is a copy, made anew after a tenth of a second
            assert admin.execute(sa.text(IN_TRANSACTION[dialect].format(pooled))).scalar_one() == 1

    def test_takes_another_connection_for_a_lost_one(self, admin: sa.Connection, dialect: str) -> None:
        warm_up()
        killed = kill(admin, dialect)
        with transaction(write=False):
            assert value() == 0
        assert number(dialect) != killed

    def test_is_refused_where_the_connection_is_lost_later(self, admin: sa.Connection, dialect: str) -> None:
        warm_up()
        pooled = number(dialect)
        with pytest.raises(DatabaseAway), transaction(write=False):
            value()
            admin.execute(sa.text(KILL[dialect].format(pooled)))
            value()
        with transaction(write=False):
            assert value() == 0

    def test_is_refused_while_the_server_is_away(self, dialect: str) -> None:
        away = sa.create_engine(db.engine.url.set(port=1), **engine_options(str(db.engine.url), 1))
        prepare_engine(away)
        for _time in range(3):
            with pytest.raises(DatabaseAway), transaction(write=False, engine=away):
                execute(READ, key=1)
        away.dispose()

    def test_gives_up_a_connection_in_the_middle_of_an_answer(self, admin: sa.Connection, dialect: str) -> None:
        sleeping = sa.select(SLEEP[dialect](sa.bindparam("seconds", type_=sa.Float())))
        warm_up()
        for _time in range(3):
            with transaction(write=False):
                execute(sleeping, seconds=0)
        before = number(dialect)

        known = signal.signal(signal.SIGALRM, stop)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(StopHereError), transaction(write=False):
                execute(sleeping, seconds=20)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, known)
        assert number(dialect) != before


class TestWriting:
    def test_takes_another_connection_for_a_lost_one(self, admin: sa.Connection, dialect: str) -> None:
        warm_up()
        kill(admin, dialect)
        with transaction():
            assert put(5) == 1
        with transaction(write=False):
            assert value() == 5

    def test_is_refused_and_undone_where_the_connection_is_lost_later(self, admin: sa.Connection, dialect: str) -> None:
        warm_up()
        pooled = number(dialect)
        with pytest.raises(DatabaseAway), transaction():
            put(6)
            admin.execute(sa.text(KILL[dialect].format(pooled)))
            put(7)
        with transaction(write=False):
            assert value() == 0

    @pytest.mark.parametrize("catches", ["change", "session"])
    def test_does_not_go_on_without_what_is_lost(self, admin: sa.Connection, dialect: str, catches: str) -> None:
        warm_up()
        pooled = number(dialect)
        with pytest.raises(DatabaseAway), transaction() as unit:
            put(6)
            if catches == "session":
                unit.connection.execute(sa.select(COUNTER.c.value))
            admin.execute(sa.text(KILL[dialect].format(pooled)))
            with pytest.raises(DBAPIError):
                put(7)
            with pytest.raises(DBAPIError):
                put(7, key=2)
        with transaction(write=False):
            assert (value(), value(2)) == (0, 0)

    def test_after_a_rest_any_connection_is_asked_first(
        self, admin: sa.Connection, dialect: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warm_up()
        monkeypatch.setattr(module, "REST_SECONDS", 0)
        kill(admin, dialect)
        with transaction() as unit:
            assert unit.connection.execute(sa.select(COUNTER.c.value)).scalars().first() == 0

    def test_first_statements_by_sqlalchemy_take_another_connection_too(
        self, admin: sa.Connection, dialect: str
    ) -> None:
        warm_up()
        for write in (False, True):
            kill(admin, dialect)
            with transaction(write=write):
                assert execute(sa.select(COUNTER.c.value).where(COUNTER.c.id == 1)).scalar_one() == 0

    def test_does_not_go_on_after_a_deadlock(self, counting: Flask, dialect: str) -> None:
        warm_up()
        meet = threading.Barrier(2)
        ends: list[int] = []

        def cross(first: int, second: int) -> None:
            with counting.app_context(), suppress(SerializationFailure, InvalidRequestError), transaction():
                put(first, key=first)
                meet.wait(10)
                try:
                    put(first, key=second)
                except DBAPIError:
                    ends.append(first)
                    with pytest.raises((DBAPIError, InvalidRequestError)):
                        put(77, key=first)

        threads = [threading.Thread(target=cross, args=pair) for pair in ((1, 2), (2, 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(ends) == 1
        winner = 3 - ends[0]
        with transaction(write=False):
            assert (value(1), value(2)) == (winner, winner)

    def test_locks_in_a_reader_hold_until_it_ends(self, admin: sa.Connection, dialect: str) -> None:
        lock = READ.with_for_update()
        blocked = sa.text("UPDATE counter SET value = 1 WHERE id = 1")
        impatience = "SET lock_timeout = '100ms'" if dialect == "postgresql" else "SET innodb_lock_wait_timeout = 0"
        admin.execute(sa.text(impatience))
        for _time in range(4):
            with transaction(write=False):
                execute(lock, key=1).one()
                with pytest.raises(OperationalError):
                    admin.execute(blocked)


class TestAtHand:
    @pytest.mark.parametrize("writes", [False, True])
    def test_a_lost_one_gives_way_to_another(self, admin: sa.Connection, dialect: str, writes: bool) -> None:
        warm_up()
        killed = kill_at_hand(admin, dialect)
        with transaction(write=writes):
            assert execute(OWN_NUMBER[dialect]).scalar_one() != killed
            if writes:
                put(7)
        with transaction(write=False):
            assert value() == (7 if writes else 0)

    @pytest.mark.usefixtures("dialect")
    def test_whoever_tries_again_opens_another(self) -> None:
        db.engine.dispose()
        pool: Any = db.engine.pool
        lost, other = pool.connect(), pool.connect()
        known = {lost.driver_connection, other.driver_connection}
        assert pool.keep(other)
        lost.invalidate()
        again = pool.connect()
        assert again.driver_connection not in known
        again.close()

    def test_one_that_cannot_roll_back_is_given_up(self, admin: sa.Connection, dialect: str) -> None:
        warm_up()
        kill_at_hand(admin, dialect)
        with pytest.raises(RuntimeError), transaction():
            put(7)
            killed = execute(OWN_NUMBER[dialect]).scalar_one()
            admin.execute(sa.text(KILL[dialect].format(killed)))
            raise RuntimeError
        assert "Checked out connections: 0" in db.engine.pool.status()
        with transaction(write=False):
            assert value() == 0
            assert execute(OWN_NUMBER[dialect]).scalar_one() != killed

    def test_a_failed_one_is_lent_clean(self, admin: sa.Connection, dialect: str) -> None:
        warm_up()
        with pytest.raises(RuntimeError), transaction():
            put(7)
            raise RuntimeError
        with transaction(write=False):
            assert value() == 0
            found = execute(OWN_NUMBER[dialect]).scalar_one()
        assert admin.execute(sa.text(IN_TRANSACTION[dialect].format(found))).scalar_one() == 0


@pytest.mark.usefixtures("context")
class TestBoth:
    def test_lend_one_connection_again_and_again(self) -> None:
        warm_up()
        lent: list[object] = []
        sa.event.listen(db.engine, "checkout", lambda driver, *_more: lent.append(driver))
        for number in range(5):
            with transaction():
                put(number)
            with transaction(write=False):
                assert value() == number
        assert len(lent) <= 1
        assert "Checked out connections: 0" in db.engine.pool.status()

    def test_an_interruption_is_raised_as_it_is(self) -> None:
        few, more = (counted(rows) for rows in (2, 19))
        for _time in range(3):
            with transaction(write=False):
                assert execute(few).scalar_one() == 4
                execute(more).close()
        known = signal.signal(signal.SIGALRM, stop)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            with pytest.raises(StopHereError), transaction(write=False):
                execute(more)
                time.sleep(5)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, known)
        with transaction():
            assert value() == 0

    def test_share_one_connection(self) -> None:
        for _time in range(3):
            with transaction() as unit:
                put(8)
                read = unit.connection.execute(sa.select(COUNTER.c.value).where(COUNTER.c.id == 1)).scalar_one()
                assert (read, value()) == (8, 8)
                unit.demote(commits=False)
                assert value() == 0

    def test_join_one_transaction_with_savepoints(self) -> None:
        for _time in range(3):
            with transaction() as unit:
                put(8)
                assert isolated(lambda: put(9)) is None
                assert isinstance(isolated(lambda: put(1 // 0)), ZeroDivisionError)
                assert value() == 9
                with pytest.raises(RuntimeError), unit.savepoint():
                    put(10)
                    raise RuntimeError
                assert value() == 9
            with transaction():
                assert value() == 9
                put(0)

    def test_join_one_transaction_with_entities(self) -> None:
        for _time in range(3):
            with pytest.raises(RuntimeError), transaction():
                put(8)
                entity = db.session.get_one(Counter, 1)
                assert entity.value == 8
                entity.value = 9
                db.session.flush()
                assert value() == 9
                raise RuntimeError
            with transaction(write=False):
                assert value() == 0

    def test_a_reader_becomes_a_writer(self) -> None:
        for number in range(4):
            with transaction(write=False) as unit:
                assert value() == number
                unit.promote()
                put(number + 1)
        with transaction(write=False):
            assert value() == 4

    def test_nothing_is_opened_for_nothing(self) -> None:
        unit = Unit(db.engine, writes=True)
        unit.commit()
        unit.close()
        assert not unit.is_open
