"""The commands that serve, as a newcomer and a terminal use them: real processes."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from application.cli.run import CannotListen, check_free
from application.config.setting import ROOT
from tests.e2e.server import Server, lives
from tests.port import free_port
from tests.waiting import wait_until


class Command(Server):
    """A command of manager.py that serves."""

    def __init__(self, folder: Path, *arguments: str, **environment: object) -> None:
        super().__init__(folder, admin_password="", sample_data="", **environment)
        self.arguments = arguments

    def command(self) -> list[str]:
        return [sys.executable, "manager.py", *self.arguments]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[type[Command]]:
    started: list[Command] = []

    class Noted(Command):
        def start(self) -> None:
            started.append(self)
            super().start()

    yield Noted
    for served in started:
        served.end()


class TestRun:
    def test_takes_a_newcomer_to_a_token(self, command: type[Command], tmp_path: Path) -> None:
        served = command(tmp_path, "run")
        served.start()
        said = served.said()
        password = re.search(r"administrator is admin, password (\S+) \(shown this once\)", said)
        assert password is not None, said
        assert f"{served.url}/api/v1/openapi.json" in said
        body = {"name": "admin", "password": password[1]}
        assert requests.post(f"{served.url}/api/v1/auth/login", json=body, timeout=10).status_code == 200
        blogs = requests.get(f"{served.url}/api/v1/blog?count=true", timeout=10).json()
        assert blogs["page"]["total"] == 7
        assert served.process.pid == psutil.Process(served.process.pid).children()[0].ppid()
        assert served.stop(signal.SIGINT) == 0
        assert "Traceback" not in served.said()
        served.start()
        assert served.said().count("administrator is admin") == 1
        assert served.stop(signal.SIGTERM) == 0

    def test_says_in_one_line_that_the_port_is_in_use(self, command: type[Command], tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            served = command(tmp_path, "run", port=taken.getsockname()[1])
            result = served.manage("run")
        assert result.returncode == 1
        assert result.stderr.startswith(f"Error: Port {served.environment['PORT']} is in use")
        assert len(result.stderr.splitlines()) == 1

    def test_says_in_one_line_why_it_refuses(self, command: type[Command], tmp_path: Path) -> None:
        served = command(tmp_path, "run", environment="production", secret_key="secret!")
        result = served.manage("run")
        assert result.returncode == 78
        assert len(result.stderr.splitlines()) == 1
        assert "SECRET_KEY" in result.stderr


class TestGunicorn:
    def test_refuses_with_one_line_too(self, command: type[Command], tmp_path: Path) -> None:
        environment = command(tmp_path, workers=0).environment
        result = subprocess.run(
            [sys.executable, "-m", "gunicorn"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 78
        assert result.stderr.startswith("redprint does not start: WORKERS")
        assert len(result.stderr.splitlines()) == 1


class TestRunserver:
    def test_serves_and_fires_in_one_process(self, command: type[Command], tmp_path: Path) -> None:
        served = command(tmp_path, "runserver", "--no-reload")
        served.start()
        assert served.processes() == []
        assert "This process leads the scheduler" in served.log.read_text()
        assert served.stop(signal.SIGINT) == 0
        assert "Traceback" not in served.said()

    def test_starts_again_when_a_file_changes(self, command: type[Command], tmp_path: Path) -> None:
        served = command(tmp_path, "runserver")
        served.start()
        (child,) = served.processes()
        os.utime(ROOT / "application" / "runtime.py")
        wait_until(lambda: not lives(child), 20, served.said)
        wait_until(served.answers, 20, served.said)
        family = served.processes()
        for process in family:  # as the terminal does
            process.send_signal(signal.SIGINT)
        assert served.stop(signal.SIGINT) == 0
        wait_until(lambda: not any(map(lives, family)), 10, served.said)

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [(("--host", "192.0.2.1"), "add --no-debugger"), (("--port", "70000"), "not in the range")],
    )
    def test_refuses_what_is_unsafe(
        self, command: type[Command], tmp_path: Path, arguments: tuple[str, ...], reason: str
    ) -> None:
        result = command(tmp_path).manage("runserver", *arguments)
        assert result.returncode == 2
        assert reason in result.stderr

    @pytest.mark.parametrize("debugger", ["--debugger", "--no-debugger"])
    def test_is_not_for_production(self, command: type[Command], tmp_path: Path, debugger: str) -> None:
        key = os.urandom(32).hex()
        safe = {"secret_key": key, "database_url": "postgresql:///x", "file_directory": ROOT / "files"}
        served = command(tmp_path, environment="production", **safe)
        result = served.manage("runserver", debugger)
        assert result.returncode != 0
        assert "production" in result.stderr


class TestRunner:
    def test_runs_by_itself_until_told_to_stop(self, command: type[Command], tmp_path: Path) -> None:
        served = command(tmp_path)
        assert served.manage("upgrade").returncode == 0
        with subprocess.Popen(
            [sys.executable, "manager.py", "runner"],
            cwd=ROOT,
            env=served.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as runner:
            wait_until(lambda: served.log.exists() and "leads the scheduler" in served.log.read_text(), 20, str)
            second = served.manage("runner")
            runner.send_signal(signal.SIGTERM)
            assert runner.communicate(timeout=10)[0] == "The runner has stopped: signal SIGTERM.\n"
        assert runner.returncode == 0
        assert second.returncode == 1
        assert second.stderr == "Error: A runner for this database is at work on this host; stop it first\n"


class TestCheckFree:
    def test_is_content_with_a_free_port(self) -> None:
        check_free("127.0.0.1", free_port())

    def test_names_the_cure_for_an_address_of_elsewhere(self) -> None:
        with pytest.raises(CannotListen, match="set HOST to an address of this machine"):
            check_free("192.0.2.1", 5000)

    def test_names_the_cure_for_a_name_that_is_unknown(self) -> None:
        with pytest.raises(CannotListen, match="set HOST"):
            check_free("no-such-host.invalid", 5000)
