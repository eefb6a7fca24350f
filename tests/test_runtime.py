"""What lives beside the requests."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from flask import Flask

from application import runtime
from application.cli import database
from application.config.setting import Environment, RunnerMode, load_settings
from application.database import db
from application.extensions import scheduler
from application.factory import create_app
from application.libs.background import background_of
from tests.e2e.server import lives
from tests.waiting import wait_until


def build(folder: Path, **given: object) -> Flask:
    settings = load_settings(
        environment=Environment.TESTING,
        database_url=f"sqlite:///{folder / 'a.db'}",
        log_directory=folder / "logs",
        _env_file=None,
        **given,
    )
    app = create_app(settings)
    database.init_app(app)
    with app.app_context():
        database.upgrade_database()
        db.engine.dispose()
    return app


def runners() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if lives(child) and "runner" in child.cmdline()]


class Stopping:
    """Tell, as gunicorn's worker does, whether the process is to end."""

    def __init__(self) -> None:
        self.now = False

    def __call__(self) -> bool:
        return self.now


@pytest.fixture
def stopping() -> Iterator[Stopping]:
    before = set(threading.enumerate())
    flag = Stopping()
    yield flag
    flag.now = True
    wait_until(lambda: not runners(), 10, lambda: "a runner is left")
    wait_until(lambda: set(threading.enumerate()) <= before, 10, lambda: f"left: {threading.enumerate()}")


class TestStart:
    def test_fires_in_this_process_without_a_server_that_stops_it(self, tmp_path: Path) -> None:
        app = build(tmp_path)
        runtime.start(app)
        runtime.start(app)
        assert scheduler.running
        assert runners() == []
        runtime.stop(app)
        runtime.stop(app)
        assert not scheduler.running

    def test_fires_in_a_process_of_its_own_under_a_server(
        self, tmp_path: Path, stopping: Stopping, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app = build(tmp_path)
        for name in ("database_url", "log_directory"):
            monkeypatch.setenv(name.upper(), str(getattr(app.extensions["settings"], name)))
        monkeypatch.setenv("PSYCOPG_WAIT_FUNC", "wait_selector")
        runtime.start(app, stopping=stopping)
        wait_until(runners, 10, lambda: "no runner")
        (runner,) = runners()
        assert not scheduler.running
        assert "PSYCOPG_WAIT_FUNC" not in runner.environ()
        assert scheduler.nudge is not None
        scheduler.wakeup()
        runtime.stop(app)
        assert not lives(runner)
        assert scheduler.nudge is None

    def test_fires_nowhere_when_told_so(self, tmp_path: Path, stopping: Stopping) -> None:
        app = build(tmp_path, runner=RunnerMode.NONE)
        runtime.start(app, stopping=stopping)
        assert not scheduler.running
        assert runners() == []
        runtime.stop(app)

    def test_fires_inline_under_a_server_when_told_so(self, tmp_path: Path, stopping: Stopping) -> None:
        app = build(tmp_path, runner=RunnerMode.INLINE)
        runtime.start(app, stopping=stopping)
        assert scheduler.running
        runtime.stop(app)
        assert not scheduler.running


class TestStop:
    @pytest.mark.parametrize("starts", [runtime.start, lambda app: runtime.start(app, stopping=lambda: True)])
    def test_waits_for_what_was_called_in_the_background(self, tmp_path: Path, starts: Callable[[Flask], None]) -> None:
        app, heard = build(tmp_path, runner=RunnerMode.NONE), list[int]()

        def work(number: int) -> None:
            time.sleep(0.2)
            heard.append(number)

        starts(app)
        for number in range(6):
            assert background_of(app).call(work, number)
        runtime.stop(app)
        assert sorted(heard) == list(range(6))


class TestRunRunner:
    def test_waits_for_what_jobs_called_in_the_background(self, tmp_path: Path) -> None:
        app, heard = build(tmp_path, scheduler_enabled=False), list[str]()

        def work() -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.5)
            heard.append("done")

        threading.Timer(0.3, background_of(app).call, [work]).start()
        reason, all_ended = runtime.run_runner(app, parent=None)
        assert (reason, all_ended, heard) == ("signal SIGTERM", True, ["done"])


class TestRunnerLock:
    def test_is_one_for_each_database(self, tmp_path: Path) -> None:
        settings = [
            load_settings(database_url=f"sqlite:///{tmp_path / name}", _env_file=None)
            for name in ("a.db", "a.db", "b.db")
        ]
        first, same, other = map(runtime.runner_lock, settings)
        assert first.take()
        assert not same.take()
        assert other.take()
        first.release()
        other.release()
