"""Engines: nothing is lost, nobody waits for ever."""

import multiprocessing
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import beginning, db, engine_options, prepare_engine, transaction
from application.database.beginning import BUSY_TIMEOUT_SECONDS
from application.database.engine import engine_beside
from application.database.failure import DatabaseBusy
from tests.database.counters import build, create_tables, put, value
from tests.database.green import run_green

PROCESSES = 4
ROUNDS = 150


GREEN = 8
GREEN_WRITERS = f"""
import sys, time

from application.database import transaction
from tests.database.counters import build, put, value

app = build(sys.argv[1], pool_size={GREEN})

def count_up():
    with app.app_context(), transaction():
        read = value()
        time.sleep(0.05)
        put(read + 1)

joinall([spawn(count_up) for _ in range({GREEN})], raise_error=True)
"""
"""Each holds the lock while it sleeps; who waited for it in SQLite would keep it from waking."""


def count_up(url: str, gate: Any, failures: Any) -> None:
    """Read a counter and write it back one higher, many times; report every failure."""
    app = build(url)
    gate.wait(timeout=60)
    for _ in range(ROUNDS):
        try:
            with app.app_context(), transaction():
                put(value() + 1)
        except Exception as error:
            failures.put(repr(error))


class TestWriters:
    def test_lose_nothing_on_sqlite(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'writers.db'}"
        app = build(url)
        create_tables(app)
        with app.app_context(), transaction():
            db.session.connection().execute(sa.text("INSERT INTO counter VALUES (1, 'a', 0)"))
        fork = multiprocessing.get_context("spawn")
        gate, failures = fork.Barrier(PROCESSES), fork.SimpleQueue()
        processes = [fork.Process(target=count_up, args=(url, gate, failures)) for _ in range(PROCESSES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(timeout=100)
        assert [process.exitcode for process in processes] == [0] * PROCESSES
        assert failures.empty()
        with app.app_context(), transaction(write=False):
            assert value() == PROCESSES * ROUNDS
        with app.app_context():
            db.engine.dispose()

    def test_of_one_process_wait_in_green_threads_for_one_that_sleeps(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'writers.db'}"
        app = build(url)
        create_tables(app)
        with app.app_context(), transaction():
            db.session.connection().execute(sa.text("INSERT INTO counter VALUES (1, 'a', 0)"))
        assert run_green(GREEN_WRITERS, url) == ""
        with app.app_context(), transaction(write=False):
            assert value() == GREEN
        with app.app_context():
            db.engine.dispose()

    def test_are_told_after_a_while_that_the_database_is_busy(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(beginning, "BUSY_TIMEOUT_SECONDS", 0.2)
        app = build(f"sqlite:///{tmp_path / 'writers.db'}")
        create_tables(app)
        other = sqlite3.connect(tmp_path / "writers.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with app.app_context(), pytest.raises(DatabaseBusy), transaction():
            put(1)
        other.execute("ROLLBACK")
        with app.app_context(), transaction():
            put(1)
        other.close()
        with app.app_context():
            db.engine.dispose()

    @pytest.mark.timed
    def test_of_one_process_wait_no_longer_than_one_would(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(beginning, "BUSY_TIMEOUT_SECONDS", 0.5)
        app = build(f"sqlite:///{tmp_path / 'writers.db'}")
        create_tables(app)
        other = sqlite3.connect(tmp_path / "writers.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        def is_refused(_number: int) -> bool:
            with app.app_context(), pytest.raises(DatabaseBusy), transaction():
                put(1)
            return True

        began = time.monotonic()
        with ThreadPoolExecutor(6) as writers:
            assert list(writers.map(is_refused, range(6))) == [True] * 6
        assert time.monotonic() - began < 2
        other.close()
        with app.app_context():
            db.engine.dispose()


@pytest.mark.usefixtures("context")
class TestPrepareEngine:
    def test_sets_every_connection_up(self, counting: Flask) -> None:
        settings: dict[str, dict[str, object]] = {
            "sqlite": {
                "PRAGMA journal_mode": "wal",
                "PRAGMA busy_timeout": BUSY_TIMEOUT_SECONDS * 1000,
                "PRAGMA foreign_keys": 1,
                "PRAGMA synchronous": 1,
                "PRAGMA wal_autocheckpoint": 4000,
            },
            "postgresql": {"SHOW TimeZone": "UTC", "SHOW lock_timeout": f"{BUSY_TIMEOUT_SECONDS}s"},
            "mysql": {
                "SELECT @@time_zone": "+00:00",
                "SELECT @@innodb_lock_wait_timeout": BUSY_TIMEOUT_SECONDS,
                "SELECT @@tx_isolation": "READ-COMMITTED",
                "SELECT @@character_set_client": "utf8mb4",
                "SELECT FIND_IN_SET('STRICT_ALL_TABLES', @@sql_mode) > 0": 1,
            },
        }
        wanted = settings[db.engine.dialect.name]
        with db.engine.connect() as connection:
            found = {query: connection.exec_driver_sql(query).scalar() for query in wanted}
        assert found == wanted

    def test_waits_a_bounded_time_for_a_connection(self, counting: Flask) -> None:
        options = engine_options(str(db.engine.url), 7)
        assert (options["pool_size"], options["pool_timeout"]) == (7, BUSY_TIMEOUT_SECONDS)

    def test_quotes_no_parameters_in_an_error(self, counting: Flask) -> None:
        with db.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as raised:
            connection.execute(sa.text("INSERT INTO nowhere VALUES (:value)"), {"value": "a hash"})
        assert "a hash" not in str(raised.value)


class TestEngineOptions:
    @pytest.mark.parametrize(
        ("address", "plain"),
        [
            ("root@127.0.0.1/test", True),
            ("root@localhost:3306/test", True),
            ("root@[::1]/test", True),
            ("root@/test?unix_socket=/run/mysqld/mysqld.sock", True),
            ("root@127.0.0.1/test?ssl_ca=/etc/ca.pem", False),
            ("root@192.0.2.1/test", False),
            ("root@localhost.example/test", False),
        ],
    )
    def test_leaves_out_tls_only_where_nothing_leaves_the_machine(self, address: str, plain: bool) -> None:
        arguments = engine_options(f"mysql+pymysql://{address}", 1)["connect_args"]
        assert arguments.get("ssl_disabled", False) is plain


FORK = """
import os, sys
import sqlalchemy as sa
from application.database.engine import engine_beside, engine_options, prepare_engine

engine = sa.create_engine(sys.argv[1], **engine_options(sys.argv[1], 2))
prepare_engine(engine)
beside = engine_beside(engine)

def ask():
    with beside.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        return connection.connection.driver_connection

before = ask()
child = os.fork()
if child == 0:
    engine.dispose(close=False)
    os._exit(0)
os.waitpid(child, 0)
assert ask() is before
"""


class TestInMemory:
    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_has_one_connection(self, url: str) -> None:
        app = build(url)
        create_tables(app)
        with app.app_context(), transaction():
            assert put(1) == 0


@pytest.mark.usefixtures("context")
class TestEngineBeside:
    @pytest.mark.timed
    def test_lends_as_many_connections_as_are_asked_for_and_keeps_a_few(self, counting: Flask) -> None:
        beside = engine_beside(db.engine)
        assert beside is not None
        with ExitStack() as stack:
            started_at = time.monotonic()
            for _reader in range(12):
                stack.enter_context(beside.connect()).exec_driver_sql("SELECT 1")
            assert time.monotonic() - started_at < BUSY_TIMEOUT_SECONDS
        assert isinstance(beside.pool, sa.QueuePool)
        assert beside.pool.checkedin() == 2
        db.engine.dispose()
        assert isinstance(beside.pool, sa.QueuePool)
        assert beside.pool.checkedin() == 0

    def test_leaves_its_connections_to_the_parent_of_a_fork(self, counting: Flask) -> None:
        url = db.engine.url.render_as_string(hide_password=False)
        subprocess.run([sys.executable, "-c", FORK, url], check=True, timeout=30)

    def test_is_none_in_memory(self) -> None:
        memory = sa.create_engine("sqlite://")
        assert engine_beside(memory) is None
        memory.dispose()


class TestRace:
    def test_a_reader_sees_one_moment(self, tmp_path: Path) -> None:
        file = tmp_path / "race.db"
        app = build(f"sqlite:///{file}")
        create_tables(app)
        with sqlite3.connect(file) as other, app.app_context(), transaction(write=False) as unit:
            count = sa.text("SELECT count(*) FROM counter")
            assert unit.connection.execute(count).scalar() == 0
            other.execute("INSERT INTO counter VALUES (1, 'a', 0)")
            other.commit()
            assert unit.connection.execute(count).scalar() == 0
        other.close()
        with app.app_context():
            engine = db.engine
            with transaction(write=False) as unit:
                assert unit.connection.execute(count).scalar() == 1
            engine.dispose()


def test_other_dialects_are_left_alone() -> None:
    engine = sa.create_engine("mysql+pymysql://nobody@127.0.0.1/none")
    prepare_engine(engine)
    engine.dispose()
