"""Stamps of a database's state."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.engine.default import DefaultDialect

from application.database import change, db, execute, stamp_of, transaction
from application.database.stamp import _SharedLook
from tests.database.counters import READ, WRITE

Stamped = Callable[[], object]


@pytest.fixture
def stamp(counting: Flask) -> Iterator[Stamped]:
    with counting.app_context():
        if db.engine.dialect.name == "mysql":
            pytest.skip("MariaDB has no stamp: see TestStampOf")
        found = stamp_of(db.engine)
        assert found is not None
        yield found
        db.engine.dispose()


def write(value: int) -> None:
    with transaction():
        change(WRITE, key=1, value=value)


class TestStamp:
    def test_stays_while_nothing_is_committed(self, stamp: Stamped) -> None:
        def stays() -> bool:
            before = stamp()
            with transaction(write=False):
                execute(READ, key=1).scalar_one()
            return stamp() == stamp() == before

        assert any(stays() for _ in range(200))  # a server of PostgreSQL counts what is written to all its databases

    def test_differs_after_each_commit(self, stamp: Stamped) -> None:
        stamps = [stamp()]
        for value in range(1, 6):
            write(value)
            stamps.append(stamp())
        assert len(set(stamps)) == 6

    def test_differs_once_what_was_under_way_is_committed(self, stamp: Stamped) -> None:
        with transaction():
            change(WRITE, key=1, value=7)
            during = stamp()
        assert stamp() != during

    def test_differs_after_a_commit_of_another_process_connection(self, counting: Flask, stamp: Stamped) -> None:
        before = stamp()
        other = create_engine(db.engine.url)
        with other.begin() as connection:
            connection.execute(WRITE.values(value=9), {"key": 1})
        other.dispose()
        assert stamp() != before

    def test_differs_after_connections_were_opened_anew(self, stamp: Stamped) -> None:
        before = stamp()
        db.engine.dispose()
        write(3)
        db.engine.dispose()
        assert stamp() != before

    def test_is_never_the_same_while_the_database_is_away(
        self, stamp: Stamped, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_arguments: object, **_options: object) -> None:
            raise db.engine.dialect.loaded_dbapi.OperationalError("away")

        db.engine.dispose()
        monkeypatch.setattr(DefaultDialect, "connect", fail)
        assert stamp() != stamp()

    def test_waits_for_no_connection_where_many_look_at_once(self, stamp: Stamped) -> None:
        with ThreadPoolExecutor(20) as lookers:
            found = list(lookers.map(lambda _number: stamp(), range(200)))
        assert len(found) == 200


class TestSharedLook:
    def test_is_shared_by_all_who_asked_before_it_began(self) -> None:
        begun = threading.Event()
        looks: list[int] = []

        def look() -> object:
            looks.append(len(looks))
            begun.set()
            time.sleep(0.01)
            return f"look {looks[-1]}"

        shared = _SharedLook(look)
        with ThreadPoolExecutor(9) as askers:
            first = askers.submit(shared)
            assert begun.wait(5)
            others = [askers.submit(shared) for _ in range(8)]
            assert first.result() == "look 0"
            assert {other.result() for other in others} <= {"look 1", "look 2"}
        assert 2 <= len(looks) <= 3

    def test_is_nobodys_while_another_one_takes_too_long(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def look() -> object:
            begun.set()
            go_on.wait(10)
            return "late"

        shared = _SharedLook(look)
        with ThreadPoolExecutor(1) as askers:
            first = askers.submit(shared)
            assert begun.wait(5)
            assert shared() != shared()
            go_on.set()
            assert first.result() == "late"

    def test_that_failed_equals_nothing(self) -> None:
        shared = _SharedLook(lambda: None)
        assert shared() != shared()


class TestStampOf:
    def test_is_nothing_where_the_database_cannot_say(self, counting: Flask) -> None:
        with counting.app_context():
            assert (stamp_of(db.engine) is None) == (db.engine.dialect.name == "mysql")

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_is_nothing_for_a_database_in_memory(self, url: str) -> None:
        assert stamp_of(create_engine(url)) is None
