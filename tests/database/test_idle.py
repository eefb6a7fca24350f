"""Idle connections on a stack."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.util.queue import Empty, Full

from application.database.engine import engine_options
from application.database.idle import Stack, StackPool

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


class TestStackPool:
    def test_is_the_pool_of_files_and_servers(self) -> None:
        for url in ("sqlite:///file.db", "postgresql+psycopg://host/name", "mysql+pymysql://host/name"):
            assert engine_options(url, 3)["poolclass"] is StackPool
        assert "poolclass" not in engine_options("sqlite://", 3)

    def test_lends_no_more_than_it_may_and_loses_none(self, tmp_path: Path) -> None:
        engine = sa.create_engine(
            f"sqlite:///{tmp_path / 'pool.db'}", poolclass=StackPool, pool_size=2, max_overflow=1, pool_timeout=SECONDS
        )
        pool = engine.pool
        assert isinstance(pool, StackPool)
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
        engine = sa.create_engine(
            f"sqlite:///{tmp_path / 'pool.db'}", poolclass=StackPool, pool_size=1, max_overflow=0, pool_timeout=0.05
        )
        with engine.connect(), pytest.raises(PoolTimeout, match="QueuePool limit of size 1"):
            engine.connect()
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
        engine.dispose()
