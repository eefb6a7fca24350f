"""A table whose rows the database itself keeps from being changed."""

import logging
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from application.database import change, db, execute, transaction
from application.database.append_only import allow_updates, forbid_updates
from tests.database.counters import build
from tests.services import DATABASES, fresh_database

METADATA = sa.MetaData()
ENTRY = sa.Table("entry", METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.String(50)))
RENAME = ENTRY.update().values(text="changed")
ONE_THAT_MAY_REFUSE = [name for name in DATABASES if name == "mariadb"]  # the others let who owns a table make triggers
ACCOUNT = "redprint_no_trigger"


@pytest.fixture(params=DATABASES)
def entries(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Build an application with a table that has a row."""
    with fresh_database(request.param, tmp_path_factory.mktemp("entries")) as url:
        app = build(url)
        with app.app_context():
            METADATA.create_all(db.engine)
            with transaction():
                change(ENTRY.insert(), id=1, text="written")
            yield app
            db.engine.dispose()


def texts() -> list[str]:
    with transaction(write=False):
        return list(execute(sa.select(ENTRY.c.text).order_by(ENTRY.c.id)).scalars())


@pytest.mark.usefixtures("entries")
class TestForbidUpdates:
    def test_lets_rows_come_and_go_but_not_change(self) -> None:
        with transaction() as unit:
            assert forbid_updates(unit.connection, "entry")
        with transaction():
            change(ENTRY.insert(), id=2, text="written later")
        with pytest.raises(DBAPIError, match="the rows of entry are never changed"), transaction():
            change(RENAME)
        assert texts() == ["written", "written later"]
        with transaction():
            assert change(ENTRY.delete()) == 2

    @pytest.mark.parametrize("entries", ONE_THAT_MAY_REFUSE, indirect=True)
    def test_says_where_an_account_may_make_no_trigger(self, caplog: pytest.LogCaptureFixture) -> None:
        engine = db.engine
        database = engine.url.database
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE USER {ACCOUNT}@'%%'")
            connection.exec_driver_sql(f"GRANT SELECT ON {database}.* TO {ACCOUNT}@'%%'")
        poor = sa.create_engine(engine.url.set(username=ACCOUNT, password=None))
        try:
            with caplog.at_level(logging.WARNING), poor.connect() as connection:
                assert forbid_updates(connection, "entry") is False
            assert "No trigger keeps the rows of entry from being changed" in caplog.text
        finally:
            poor.dispose()
            with engine.begin() as connection:
                connection.exec_driver_sql(f"DROP USER {ACCOUNT}@'%%'")


@pytest.mark.usefixtures("entries")
class TestAllowUpdates:
    def test_takes_it_back(self) -> None:
        with transaction() as unit:
            forbid_updates(unit.connection, "entry")
            allow_updates(unit.connection, "entry")
        with transaction():
            assert change(RENAME) == 1
        assert texts() == ["changed"]
        with transaction() as unit:
            assert forbid_updates(unit.connection, "entry")
