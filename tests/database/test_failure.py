"""How a database fails, and what the client is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DataError, DBAPIError

from application.database import change, db, execute, transaction
from application.database.failure import DatabaseAway, breaks_constraint, translate
from application.libs.error import Invalid
from tests.contract import specimen
from tests.database.counters import COUNTER, READ, put
from tests.port import free_port


@pytest.mark.usefixtures("context")
class TestTranslate:
    @pytest.mark.parametrize("counting_app", ["postgresql", "mariadb"], indirect=True)  # SQLite checks no size
    def test_takes_what_does_not_fit_for_invalid(self) -> None:
        with pytest.raises(Invalid, match="A value does not fit its column") as raised, transaction():
            change(COUNTER.insert(), id=3, name="x" * 21, value=0)
        assert isinstance(raised.value.__cause__, DataError)
        with pytest.raises(Invalid), transaction():
            put(2**40)

    @pytest.mark.parametrize("statement", ["SELECT 1 FROM nowhere", "SELECT nothing FROM counter", "SELEKT 1"])
    def test_leaves_a_mistake_of_ours_alone(self, statement: str) -> None:
        with pytest.raises(DBAPIError) as raised, transaction(write=False):
            execute(sa.select(sa.text(statement.removeprefix("SELECT "))))
        assert translate(raised.value) is None

    def test_knows_a_connection_that_was_cut(self, counting: Flask) -> None:
        with transaction():
            put(1)
        db.engine.dispose()
        kills = {
            "postgresql": "SELECT pg_terminate_backend(pg_backend_pid())",
            "mysql": "KILL CONNECTION_ID()",
        }
        kill = kills.get(db.engine.dialect.name)
        if kill is not None:
            with pytest.raises(DatabaseAway) as raised, transaction():
                change(sa.text(kill))
            assert raised.value.headers == {"Retry-After": "2"}
        with transaction(write=False):
            assert execute(READ, key=1).scalar_one() == 1

    def test_knows_a_broken_constraint(self) -> None:
        with pytest.raises(DBAPIError) as raised, transaction():
            put(-1)
        assert breaks_constraint(raised.value)
        assert translate(raised.value) is None


class TestAway:
    @pytest.fixture(
        params=["postgresql+psycopg://nobody@127.0.0.1:{port}/none", "mysql+pymysql://nobody@127.0.0.1:{port}/none"]
    )
    def away(self, request: pytest.FixtureRequest) -> Iterator[Flask]:
        app = specimen.build(request.param.format(port=free_port()))
        yield app
        with app.app_context():
            db.engine.dispose()

    def test_is_503_with_a_time_to_try_again(self, away: Flask) -> None:
        response = away.test_client().get("/api/v1/specimen")
        assert response.status_code == 503
        assert response.content_type == "application/problem+json"
        assert response.headers["Retry-After"] == "2"
        assert response.get_json()["code"] == "database_away"
        assert "127.0.0.1" not in response.text
        assert away.test_client().post("/bare/specimen", json={}).status_code == 422

    def test_is_503_for_a_folder_that_is_gone(self, tmp_path: Path) -> None:
        app = specimen.build(f"sqlite:///{tmp_path / 'gone' / 'x.db'}")
        assert app.test_client().get("/api/v1/specimen").status_code == 503


class TestBusy:
    def test_is_503_with_a_time_to_try_again(self, tmp_path: Path) -> None:
        with specimen.serving(f"sqlite:///{tmp_path / 'busy.db'}") as app:
            with app.app_context():
                writer = sa.create_engine(db.engine.url, poolclass=sa.NullPool).raw_connection()
            writer.cursor().execute("BEGIN IMMEDIATE")
            row = {"name": "a", "moment": "2030-01-31T12:00:00Z"}
            busy = app.test_client().post("/api/v1/specimen", json=row)
            assert app.test_client().get("/api/v1/specimen").status_code == 200
            invalid = app.test_client().post("/api/v1/specimen", json={})
            writer.rollback()
            writer.close()
            assert (busy.status_code, busy.get_json()["code"]) == (503, "database_busy")
            assert busy.headers["Retry-After"] == "1"
            assert invalid.status_code == 422
            assert app.test_client().post("/api/v1/specimen", json=row).status_code == 201
