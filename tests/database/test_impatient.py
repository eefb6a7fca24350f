"""The engine for transactions that other processes wait for."""

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from application.database import db
from application.database.impatient import impatient_engine

INSERT = sa.text("INSERT INTO scheduler_lease (name, token, beat, paused) VALUES ('leader', 0, 0, :no)")
BEAT = sa.text("UPDATE scheduler_lease SET beat = beat + 1")


@pytest.fixture
def patient(app: Flask) -> Engine:
    """Return the application's own engine."""
    with app.app_context():
        return db.engine


@pytest.fixture
def impatient(patient: Engine) -> Iterator[Engine]:
    """Return the small engine beside it."""
    engine = impatient_engine(patient)
    yield engine
    engine.dispose()


class TestImpatientEngine:
    def test_keeps_the_settings_of_the_other(self, impatient: Engine, patient: Engine) -> None:
        assert impatient is not patient
        query = {"sqlite": "PRAGMA journal_mode", "postgresql": "SHOW TimeZone", "mysql": "SELECT @@time_zone"}
        with impatient.connect() as connection:
            value = connection.execute(sa.text(query[impatient.dialect.name])).scalar()
        assert value in ("wal", "UTC", "+00:00")

    @pytest.mark.timed
    @pytest.mark.parametrize("migrated_app", ["postgresql", "mariadb"], indirect=True)  # SQLite has no server
    def test_lets_go_of_what_a_frozen_process_holds(self, impatient: Engine, patient: Engine) -> None:
        with patient.begin() as connection:
            connection.execute(INSERT, {"no": False})
        with impatient.connect() as frozen:
            frozen.execute(BEAT)
            started_at = time.monotonic()
            with patient.begin() as connection:
                connection.execute(BEAT)
            assert 1 < time.monotonic() - started_at < 4
            with pytest.raises(DBAPIError):
                frozen.execute(BEAT)

    def test_is_the_same_for_a_database_in_memory(self) -> None:
        memory = sa.create_engine("sqlite://")
        assert impatient_engine(memory) is memory
        memory.dispose()
