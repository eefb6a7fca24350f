"""Idle connections on a stack."""

import gc
import sqlite3
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.util.queue import Empty, Full

from application.database import idle as module
from application.database.engine import engine_options
from application.database.idle import IN_A_ROW, RETURNED, Stack, StackPool

ROUNDS = 300
SECONDS = 10


def stack(*entries: object, size: int = 2) -> Any:
    """Return a stack on which these lie; any object will do for a connection."""
    made: Any = Stack(size)
    for entry in entries:
        made.put(entry, False)
    return made


class TestStack:
    def test_gives_what_came_back_last(self) -> None:
        idle = stack("first", "second")
        assert [idle.get(False), idle.get(False)] == ["second", "first"]
        assert idle.qsize() == 0

    def test_says_when_it_is_empty_or_full(self) -> None:
        idle = stack("first", "second")
        with pytest.raises(Full):
            idle.put("third", False)
        assert idle.qsize() == 2
        with pytest.raises(Empty):
            stack().get(False)
        with pytest.raises(Empty):
            stack().get_nowait()
        with pytest.raises(Empty):
            stack().get(True, 0)

    def test_of_no_size_takes_any_number(self) -> None:
        assert stack(*range(50), size=0).qsize() == 50

    def test_is_waited_for_as_long_as_is_said(self) -> None:
        began = monotonic()
        with pytest.raises(Empty):
            stack().get(True, 0.05)
        assert monotonic() - began >= 0.05

    @pytest.mark.parametrize("seconds", [None, SECONDS])
    def test_wakes_who_waits(self, seconds: float | None) -> None:
        idle, got = stack(), list[Any]()
        waiter = Thread(target=lambda: got.append(idle.get(True, seconds)))
        waiter.start()
        while not idle._waiting:
            assert waiter.is_alive()
        idle.put("first", False)
        waiter.join(SECONDS)
        assert got == ["first"]

    def test_loses_no_signal_among_many(self) -> None:
        idle = stack("the only one")

        def take_and_return(_number: int) -> None:
            for _round in range(ROUNDS):
                idle.put(idle.get(True, SECONDS), False)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(take_and_return, range(8)))
        assert (idle.qsize(), idle._waiting) == (1, 0)


def pooled(folder: Path, *, size: int = 2, overflow: int = 0, timeout: float = SECONDS) -> tuple[Engine, StackPool]:
    """Return an engine on a file in a folder, and its pool."""
    engine = sa.create_engine(
        f"sqlite:///{folder / 'pool.db'}",
        poolclass=StackPool,
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=timeout,
    )
    pool = engine.pool
    assert isinstance(pool, StackPool)
    return engine, pool


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[StackPool]:
    engine, pool = pooled(tmp_path)
    yield pool
    engine.dispose()


class TestKeep:
    def test_lends_what_is_at_hand_as_it_was(self, pool: StackPool) -> None:
        lent = pool.connect()
        assert pool.checkedout() == 1
        assert pool.keep(lent)
        assert (pool.checkedout(), pool.checkedin()) == (0, 1)
        assert pool.connect() is lent
        assert pool.checkedout() == 1
        lent.close()
        assert (pool.checkedout(), pool.checkedin()) == (0, 1)

    def test_keeps_the_last_one(self, pool: StackPool) -> None:
        first, second = pool.connect(), pool.connect()
        older = first.driver_connection
        assert pool.keep(first)
        assert pool.keep(second)
        assert (pool.checkedout(), pool.checkedin()) == (0, 2)
        assert pool.connect() is second
        assert pool.connect().driver_connection is older

    def test_looks_after_what_has_rested(self, pool: StackPool, monkeypatch: pytest.MonkeyPatch) -> None:
        looked: list[object] = []
        sa.event.listen(pool, "checkout", lambda driver, *_more: looked.append(driver))
        lent = pool.connect()
        driver = lent.driver_connection
        pool.keep(lent)
        pool.keep(pool.connect())
        assert looked == [driver]
        monkeypatch.setattr(module, "REST_SECONDS", 0)
        before = monotonic()
        again = pool.connect()
        assert again is not lent
        assert looked == [driver, driver]
        assert again.info[RETURNED] < before
        again.close()

    def test_holds_no_more_than_it_may(self, tmp_path: Path) -> None:
        engine, pool = pooled(tmp_path, overflow=2)
        lent = [pool.connect() for _time in range(4)]
        for one in lent:
            if not pool.keep(one):
                one.close()
        assert (pool.checkedout(), pool.checkedin(), pool.overflow()) == (0, 2, 0)
        engine.dispose()

    def test_keeps_nothing_of_another_pool(self, pool: StackPool) -> None:
        lent = pool.connect()
        following = pool.recreate()
        assert isinstance(following, StackPool)
        assert (following.keep(lent), pool.keep(lent)) == (False, False)
        lent.close()
        assert (pool.checkedout(), following.checkedout(), following.checkedin()) == (0, 0, 0)

    @pytest.mark.parametrize("closes", [True, False])
    def test_is_forgotten_with_its_engine(self, tmp_path: Path, closes: bool) -> None:
        engine, pool = pooled(tmp_path)
        pool.keep(pool.connect())
        former = weakref.ref(pool)
        engine.dispose(close=closes)
        del pool
        gc.collect()
        assert former() is None
        engine.dispose()

    def test_lets_sqlalchemy_have_it_now_and_then(self, pool: StackPool) -> None:
        kept = [pool.keep(pool.connect()) for _time in range(IN_A_ROW)]
        assert kept == [True] * (IN_A_ROW - 1) + [False]

    def test_brings_it_to_who_waits_already(self, pool: StackPool) -> None:
        lent, other, got = pool.connect(), pool.connect(), list[Any]()
        waiter = Thread(target=lambda: got.append(pool.connect()))
        waiter.start()
        while not pool._pool.is_awaited:
            assert waiter.is_alive()
        driver = lent.driver_connection
        assert pool.keep(lent)
        waiter.join(SECONDS)
        assert [one.driver_connection for one in got] == [driver]
        for one in (other, *got):
            one.close()

    def test_brings_it_to_who_begins_to_wait(self, pool: StackPool) -> None:
        lent = pool.connect()
        pool.keep(lent)
        began = monotonic()
        record = pool._pool.get(True, SECONDS)
        assert record.dbapi_connection is not None
        assert monotonic() - began < SECONDS / 2
        pool._pool.put(record)

    def test_is_lost_on_nobody_among_many(self, pool: StackPool) -> None:
        most: list[int] = []

        def ask(number: int) -> None:
            for turn in range(ROUNDS):
                lent = pool.connect()
                most.append(pool.checkedout())
                if (turn + number) % 3 == 0 or not pool.keep(lent):
                    lent.close()

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(ask, range(8)))
        assert len(most) == 8 * ROUNDS
        assert max(most) <= 2
        assert pool.checkedout() == 0
        assert 1 <= pool.checkedin() <= 2

    def test_closes_it_at_the_end(self, pool: StackPool) -> None:
        lent = pool.connect()
        driver: Any = lent.driver_connection
        pool.keep(lent)
        pool.dispose()
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            driver.execute("SELECT 1")
        assert (pool.checkedout(), pool.checkedin()) == (0, 0)


class TestStackPool:
    def test_is_the_pool_of_files_and_servers(self) -> None:
        for url in ("sqlite:///file.db", "postgresql+psycopg://host/name", "mysql+pymysql://host/name"):
            assert engine_options(url, 3)["poolclass"] is StackPool
        assert "poolclass" not in engine_options("sqlite://", 3)

    def test_lends_no_more_than_it_may_and_loses_none(self, tmp_path: Path) -> None:
        engine, pool = pooled(tmp_path, overflow=1)
        most: list[int] = []

        def ask(_number: int) -> None:
            for _round in range(ROUNDS // 10):
                with engine.connect() as connection:
                    most.append(pool.checkedout())
                    assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(ask, range(8)))
        assert 1 <= max(most) <= 3
        assert pool.checkedout() == 0
        assert 1 <= pool.checkedin() <= 2
        engine.dispose()
        assert (pool.checkedin(), pool.checkedout()) == (0, 0)

    def test_says_when_there_is_none_left(self, tmp_path: Path) -> None:
        engine, _pool = pooled(tmp_path, size=1, timeout=0.05)
        with engine.connect(), pytest.raises(PoolTimeout, match="QueuePool limit of size 1"):
            engine.connect()
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
        engine.dispose()
