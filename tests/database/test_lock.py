"""One process at a time changes the tables."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from application.cli import database
from application.config.setting import Environment, load_settings
from application.database.lock import migration_lock
from application.factory import create_app
from tests.services import DATABASES, fresh_database

PROCESSES = 4


def migrate(url: str, folder: str, gate: Any, failures: Any) -> None:
    """Bring the tables to the newest revision, at the same moment as the others."""
    upgrade = upgrader(url, folder)
    gate.wait(timeout=60)
    try:
        upgrade()
    except BaseException as error:
        failures.put(repr(error))
        raise


def upgrader(url: str, folder: str) -> Callable[[], None]:
    """Build an application and return what migrates its database."""
    settings = load_settings(
        environment=Environment.TESTING, database_url=url, log_directory=Path(folder) / "logs", _env_file=None
    )
    app = create_app(settings)
    database.init_app(app)

    def upgrade() -> None:
        with app.app_context():
            database.upgrade_database()

    return upgrade


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_database(request.param, tmp_path) as address:
        yield address


class TestMigrationLock:
    def test_lets_one_process_migrate_while_the_others_wait(self, url: str, tmp_path: Path) -> None:
        spawn = multiprocessing.get_context("spawn")
        gate, failures = spawn.Barrier(PROCESSES), spawn.SimpleQueue()
        processes = [spawn.Process(target=migrate, args=(url, str(tmp_path), gate, failures)) for _ in range(PROCESSES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(timeout=100)
        assert failures.empty(), failures.get()
        assert [process.exitcode for process in processes] == [0] * PROCESSES
        engine = sa.create_engine(url)
        assert "blog" in sa.inspect(engine).get_table_names()
        engine.dispose()

    @pytest.mark.timed
    def test_is_free_again_after_a_failure(self, url: str) -> None:
        engine = sa.create_engine(url, poolclass=NullPool)
        with pytest.raises(RuntimeError, match="broken"), migration_lock(engine):
            raise RuntimeError("broken")
        started_at = time.monotonic()
        with migration_lock(engine):
            pass
        assert time.monotonic() - started_at < 2

    @pytest.mark.parametrize("url", ["postgresql", "mariadb"], indirect=True)  # a file's lock dies with its process
    def test_is_not_waited_for_for_ever(self, url: str) -> None:
        engine = sa.create_engine(url, poolclass=NullPool)
        with (
            migration_lock(engine),
            pytest.raises(TimeoutError, match="Another process has been migrating for 1 s; look at it"),
            migration_lock(engine, wait_seconds=1),
        ):
            raise AssertionError("both hold the lock")

    @pytest.mark.timed
    def test_of_another_database_does_not_matter(self, url: str, tmp_path: Path) -> None:
        kind = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mariadb"}[sa.make_url(url).get_backend_name()]
        with fresh_database(kind, tmp_path) as other:
            here, there = (sa.create_engine(address, poolclass=NullPool) for address in (url, other))
            started_at = time.monotonic()
            with migration_lock(here), migration_lock(there):
                pass
            assert time.monotonic() - started_at < 2

    def test_is_not_needed_in_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with migration_lock(sa.create_engine("sqlite://")):
            assert list(tmp_path.iterdir()) == []
