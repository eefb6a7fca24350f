"""Stamps of a database's state."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import create_engine

from application.database import change, db, engine_beside, execute, stamp_of, transaction
from tests.database.counters import READ, WRITE

Stamped = Callable[[], object]


@pytest.fixture
def stamp(counting: Flask) -> Iterator[Stamped]:
    with counting.app_context():
        if db.engine.dialect.name == "mysql":
            pytest.skip("MariaDB has no stamp: see TestStampOf")
        beside = engine_beside(db.engine)
        found = stamp_of(beside)
        assert beside is not None
        assert found is not None
        yield found
        beside.dispose()


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

    def test_is_never_the_same_while_the_database_is_away(
        self, stamp: Stamped, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_arguments: object, **_options: object) -> None:
            raise db.engine.dialect.loaded_dbapi.OperationalError("away")

        monkeypatch.setattr(db.engine.dialect, "connect", fail)
        beside = engine_beside(db.engine)
        assert beside is not None
        monkeypatch.setattr(beside.dialect, "connect", fail)
        away = stamp_of(beside)
        assert away is not None
        assert away() != away()


class TestStampOf:
    def test_is_nothing_where_the_database_cannot_say(self, counting: Flask) -> None:
        with counting.app_context():
            beside = engine_beside(db.engine)
            assert beside is not None
            assert (stamp_of(beside) is None) == (db.engine.dialect.name == "mysql")
            beside.dispose()

    def test_is_nothing_for_a_database_in_memory(self) -> None:
        assert stamp_of(engine_beside(create_engine("sqlite://"))) is None
