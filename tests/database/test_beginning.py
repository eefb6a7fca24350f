"""Transactions on the driver's own connection, and SQLAlchemy's that join them."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import db, execute, transaction
from application.database.beginning import begin_reading, begin_writing, end, is_in_transaction
from tests.database.counters import COUNTER, build, create_tables, put, value

COUNT = sa.select(sa.func.count()).select_from(COUNTER)


@pytest.mark.usefixtures("context")
class TestBeginWriting:
    def test_is_joined_by_sqlalchemy(self) -> None:
        engine, dialect = db.engine, db.engine.dialect.name
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            assert not is_in_transaction(driver, dialect)
            begin_writing(engine, driver)
            begin_writing(engine, driver)
            assert is_in_transaction(driver, dialect)
            connection.execution_options(write=True)
            connection.execute(COUNTER.update().values(value=5))
            assert connection.in_transaction()
            connection.rollback()
            assert not is_in_transaction(driver, dialect)
        with transaction(write=False):
            assert value() == 0

    def test_ends(self) -> None:
        engine, dialect = db.engine, db.engine.dialect.name
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            end(driver, dialect)
            begin_writing(engine, driver)
            driver.cursor().execute("UPDATE counter SET value = 5")
            end(driver, dialect)
            assert not is_in_transaction(driver, dialect)
        with transaction(write=False):
            assert value() == 0


class TestBeginReading:
    def test_is_nothing_on_a_server(self, counting: Flask) -> None:
        with counting.app_context(), db.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            begin_reading(driver, db.engine.dialect.name)
            begins = db.engine.dialect.name == "sqlite"
            assert is_in_transaction(driver, db.engine.dialect.name) is begins

    def test_lets_prepared_statements_see_one_moment_of_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "moment.db"
        app = build(f"sqlite:///{file}")
        create_tables(app)
        with sqlite3.connect(file) as other, app.app_context():
            for _time in range(3):
                with transaction(write=False):
                    before = execute(COUNT).scalar_one()
            for number in range(2):
                with transaction(write=False) as unit:
                    assert execute(COUNT).scalar_one() == before + number
                    other.execute(f"INSERT INTO counter VALUES ({number}, 'n{number}', 0)")
                    other.commit()
                    assert execute(COUNT).scalar_one() == before + number
                    assert unit.connection.execute(COUNT).scalar_one() == before + number
            with transaction():
                put(3, key=0)
            db.engine.dispose()
        other.close()
