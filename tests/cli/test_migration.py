"""The commands of Flask-Migrate, on every database."""

import re
import shutil
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskCliRunner

from application.cli.migration import migration_group
from application.config.setting import ROOT
from application.database import Base, db
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


class TestMigrate:
    @pytest.fixture
    def directory(self, run: FlaskCliRunner, tmp_path: Path) -> Path:
        """Return a copy of the migrations, and bring the database up to it."""
        copied = tmp_path / "migrations"
        shutil.copytree(ROOT / "migrations", copied)
        assert run.invoke(args=["db", "upgrade"]).exit_code == 0
        return copied

    def versions(self, directory: Path) -> dict[str, str]:
        """Return the revisions by the names of their files."""
        written = {path.name: path.read_text() for path in (directory / "versions").glob("*.py")}
        return {name: str(re.findall(r"^Revision ID: (.+)$", text, re.MULTILINE)[0]) for name, text in written.items()}

    def test_writes_nothing_where_nothing_changed(self, run: FlaskCliRunner, directory: Path) -> None:
        before = self.versions(directory)
        refused = run.invoke(args=["db", "--directory", str(directory), "migrate", "-m", "Nothing"])
        assert refused.exit_code == 1, "the tables are not as the migrations make them: run `manager.py db migrate`"
        assert "No change was seen. Is the module imported" in refused.output
        assert "application/api/v1.py" in refused.output
        assert self.versions(directory) == before
        assert run.invoke(args=["db", "--directory", str(directory), "check"]).exit_code == 0

    def test_numbers_on(self, run: FlaskCliRunner, directory: Path) -> None:
        before = self.versions(directory)
        table = sa.Table("passing", Base.metadata, sa.Column("id", sa.Integer, primary_key=True))
        try:
            written = run.invoke(args=["db", "--directory", str(directory), "migrate", "-m", "Add one that passes"])
        finally:
            Base.metadata.remove(table)
        assert written.exit_code == 0, written.output
        ((name, revision),) = self.versions(directory).items() - before.items()
        assert name.endswith("_add_one_that_passes.py")
        assert revision == f"{int(max(before.values())) + 1:04}"
        assert f"Revises: {max(before.values())}\n" in (directory / "versions" / name).read_text()

    def test_leaves_an_id_that_was_chosen(self, run: FlaskCliRunner, directory: Path) -> None:
        made = run.invoke(args=["db", "--directory", str(directory), "revision", "--rev-id", "chosen", "-m", "Mine"])
        assert made.exit_code == 0, made.output
        assert "chosen" in self.versions(directory).values()


class TestOptions:
    def test_takes_another_directory_before_the_command(self, run: FlaskCliRunner) -> None:
        assert run.invoke(args=["db", "--directory", str(ROOT / "migrations"), "heads"]).exit_code == 0
        assert run.invoke(args=["db", "--directory", "nowhere", "heads"]).exit_code == 1
