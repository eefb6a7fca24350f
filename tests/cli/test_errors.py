"""What the commands say when the database is away or has no tables."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from application.cli.errors import explain, shown
from tests.port import free_port
from tests.services import DATABASES, fresh_database

ROOT = Path(__file__).parents[2]

TABLES_NEEDED = (["clear-db", "--yes"], ["create-admin"])
DATABASE_NEEDED = (
    *TABLES_NEEDED,
    ["init-db"],
    ["init_db"],
    ["clear_db", "--yes"],
    ["upgrade"],
    *(["db", name] for name in ("upgrade", "downgrade", "stamp", "current", "check", "migrate")),
)


def _manage(url: str, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    given = {
        "ENVIRONMENT": "testing",
        "DATABASE_URL": url,
        "LOG_DIRECTORY": str(directory / "logs"),
        "ADMIN_PASSWORD": "a good long one",
    }
    command = [sys.executable, "manager.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, timeout=60, check=False
    )


def _named(arguments: list[str]) -> str:
    return " ".join(arguments)


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Create a database without tables."""
    with fresh_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def away_url() -> str:
    """Name a database on a port where nobody listens, with the password in both places where one may stand."""
    return f"postgresql://redprint:hidden@127.0.0.1:{free_port()}/redprint?password=hidden"


class TestGroup:
    """`Group`, as `manager.py` shows it."""

    @pytest.mark.parametrize("arguments", TABLES_NEEDED, ids=_named)
    def test_says_that_tables_are_missing(self, empty_url: str, tmp_path: Path, arguments: list[str]) -> None:
        done = _manage(empty_url, tmp_path, *arguments)
        cure = "run `.venv/bin/python manager.py upgrade`"
        assert (done.returncode, done.stderr) == (1, f"Error: The tables are missing or old: {cure}\n")
        assert done.stdout == ""

    @pytest.mark.parametrize("arguments", DATABASE_NEEDED, ids=_named)
    def test_says_that_the_database_is_away(self, away_url: str, tmp_path: Path, arguments: list[str]) -> None:
        done = _manage(away_url, tmp_path, *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: The database postgresql")
        assert done.stderr.endswith(" cannot be reached: start it, or set DATABASE_URL\n")
        assert len(done.stderr.splitlines()) == 1
        assert "hidden" not in done.stdout + done.stderr

    @pytest.mark.parametrize("arguments", [["init-db"], ["upgrade"], ["db", "upgrade"]], ids=_named)
    def test_says_where_no_folder_can_be_made(self, tmp_path: Path, arguments: list[str]) -> None:
        (tmp_path / "file").touch()
        done = _manage(f"sqlite:///{tmp_path}/file/deep/a.db", tmp_path, *arguments)
        assert done.returncode == 1
        cure = "(Not a directory): make it, or set DATABASE_URL"
        assert done.stderr == f"Error: {tmp_path}/file/deep cannot be made {cure}\n"


class TestExplain:
    def test_quotes_no_row(self) -> None:
        broken = IntegrityError("INSERT …", {"password_hash": "$argon2id$"}, Exception("taken\nDETAIL: $argon2id$"))
        assert explain(broken, sa.make_url("sqlite://")).message == "taken"

    def test_passes_on_how_long_was_waited(self) -> None:
        waited = TimeoutError("Another process has been migrating for 3 s; look at it, then try again")
        assert explain(waited, sa.make_url("sqlite://")).message == str(waited)


class TestShown:
    def test_leaves_passwords_out(self) -> None:
        assert shown(sa.make_url("mysql://a:hidden@b/c?password=hidden")) == "mysql://a:***@b/c"
