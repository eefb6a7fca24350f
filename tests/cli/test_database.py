"""The commands that create, migrate and clear the database, on every database."""

import pytest
import sqlalchemy as sa
from alembic.util import CommandError
from flask import Flask
from flask.testing import FlaskCliRunner
from flask_migrate import check as check_drift
from flask_migrate import downgrade as run_down

from application.cli import database
from application.database import Base, db, transaction
from application.modules.tag import business as tag_business


@pytest.fixture
def run(empty: Flask) -> FlaskCliRunner:
    """Return what runs the commands of the application."""
    for command in (database.upgrade, database.init_db, database.clear_db):
        empty.cli.add_command(command)
    return empty.test_cli_runner()


def _tables(app: Flask) -> set[str]:
    with app.app_context():
        return set(sa.inspect(db.engine).get_table_names())


class TestUpgrade:
    def test_goes_up_down_and_up_again_without_drift(self, empty: Flask) -> None:
        with empty.app_context():
            database.upgrade_database()
            check_drift(directory=database.DIRECTORY)
            run_down(directory=database.DIRECTORY, revision="base")
        assert _tables(empty) == {"alembic_version"}
        with empty.app_context():
            database.upgrade_database()
        assert _tables(empty) == {"alembic_version", *Base.metadata.tables}

    def test_sees_drift(self, empty: Flask) -> None:
        with empty.app_context():
            database.upgrade_database()
            with db.engine.begin() as connection:
                connection.execute(sa.text("DROP TABLE blog_tag"))
            with pytest.raises((CommandError, SystemExit)):
                check_drift(directory=database.DIRECTORY)


class TestInitDb:
    def test_creates_the_tables_and_says_what_is_next(self, empty: Flask, run: FlaskCliRunner) -> None:
        result = run.invoke(args=["init-db"])
        assert result.exit_code == 0
        assert "create-admin" in result.output
        assert "tag" in _tables(empty)


class TestClearDb:
    def test_deletes_every_row_after_asking(self, empty: Flask, run: FlaskCliRunner) -> None:
        run.invoke(args=["upgrade"])
        with empty.app_context(), transaction():
            tag_business.create(name="python")
        refused = run.invoke(args=["clear-db"], input="n\n")
        assert refused.exit_code == 1
        with empty.app_context(), transaction(write=False):
            assert len(tag_business.search(limit=10, after=None, sort="name", q=None, counted=False).items) == 1
        done = run.invoke(args=["clear-db", "--yes"])
        assert (done.exit_code, "Deleted 1 rows" in done.output) == (0, True)
        assert "tag" in _tables(empty)
