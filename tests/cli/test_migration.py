"""The commands of Flask-Migrate, on every database."""

import threading

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from application.cli.migration import migration_group
from application.config.setting import ROOT
from application.database import db
from application.database.lock import migration_lock


@pytest.fixture
def run(empty: Flask) -> FlaskCliRunner:
    """Return what runs the commands of the application."""
    empty.cli.add_command(migration_group())
    return empty.test_cli_runner()


class TestChanging:
    def test_says_in_one_line_where_the_database_is(self, run: FlaskCliRunner) -> None:
        said = [run.invoke(args=["db", name, *more]).output for name, *more in (["upgrade"], ["downgrade", "base"])]
        assert [len(output.splitlines()) for output in said] == [1, 1]
        assert "is at revision base." not in said[0]
        assert said[1].endswith("is at revision base.\n")
        assert run.invoke(args=["db", "stamp"]).output == said[0]

    def test_waits_for_a_migration_at_work(self, empty: Flask, run: FlaskCliRunner) -> None:
        said: list[str] = []
        second = threading.Thread(target=lambda: said.append(run.invoke(args=["db", "upgrade"]).output))
        with empty.app_context(), migration_lock(db.engine):
            second.start()
            second.join(timeout=1.5)
            assert said == []
        second.join(timeout=30)
        assert "is at revision" in said[0]


class TestCurrent:
    def test_says_that_there_is_none(self, run: FlaskCliRunner) -> None:
        output = run.invoke(args=["db", "current"]).output
        assert output.endswith("has no revision yet: run `.venv/bin/python manager.py upgrade`.\n")

    def test_leaves_the_revision_to_alembic(self, run: FlaskCliRunner) -> None:
        run.invoke(args=["db", "upgrade"])
        current = run.invoke(args=["db", "current"])
        assert (current.exit_code, "no revision" in current.output) == (0, False)


class TestOptions:
    def test_takes_another_directory_before_the_command(self, run: FlaskCliRunner) -> None:
        assert run.invoke(args=["db", "--directory", str(ROOT / "migrations"), "heads"]).exit_code == 0
        assert run.invoke(args=["db", "--directory", "nowhere", "heads"]).exit_code == 1
