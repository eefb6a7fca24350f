"""Run the real server: gunicorn as it is shipped, with a port, a database and a log folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"
START_SECONDS = 30
STOP_SECONDS = 20


class Server:
    """A server process; `start` and `stop` may alternate, the port and the database stay."""

    process: subprocess.Popen[bytes]

    def __init__(self, folder: Path, **environment: object) -> None:
        """Choose a port and write down the settings; nothing runs yet."""
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / "output.txt"
        self.log = folder / "logs" / "application.log"
        settings: dict[str, object] = {
            "environment": "development",
            "host": "127.0.0.1",
            "port": self.port,
            "admin_password": PASSWORD,
            "database_url": f"sqlite:///{folder / 'application.db'}",
            "log_directory": folder / "logs",
            "log_console": 1,
            "sample_data": 0,
        }
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("GUNICORN_")}
        self.environment |= {name.upper(): str(value) for name, value in (settings | environment).items()}

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manager.py against the server's database."""
        command = [sys.executable, "manager.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def command(self) -> list[str]:
        """Return what starts the server."""
        return [sys.executable, "-m", "gunicorn"]

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a signal to the whole group then reaches the server only
            )
        wait_until(self.answers, START_SECONDS, lambda: f"no answer from the server; it said: {self.said()}")

    def answers(self) -> bool:
        """Tell whether the server answers; fail when it has ended."""
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}: {self.said()}"
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/blog", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError(f"the server did not stop; it said: {self.said()}") from None

    def end(self) -> None:
        """Leave no process behind, whatever happened."""
        if self.process.poll() is None:
            for process in [*self.processes(), psutil.Process(self.process.pid)]:
                process.kill()
            self.process.wait(STOP_SECONDS)

    def processes(self) -> list[psutil.Process]:
        """List what the server started: workers and runner."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def workers(self) -> list[psutil.Process]:
        """List the living workers, the oldest first."""
        children = psutil.Process(self.process.pid).children()
        return sorted(filter(lives, children), key=lambda process: process.create_time())

    def runners(self) -> list[psutil.Process]:
        """List the living runners of all workers."""
        return [process for process in self.processes() if "runner" in arguments_of(process)]

    def await_runner(self, seconds: float = 10, *, other_than: int = 0) -> psutil.Process:
        """Wait for the one runner, of another pid than a former one, and return it."""
        wait_until(
            lambda: [process.pid for process in self.runners()] not in ([], [other_than]),
            seconds,
            lambda: f"no runner; the server said: {self.said()}",
        )
        (runner,) = self.runners()
        return runner

    def said(self) -> str:
        """Return what the server wrote on its console."""
        return self.output.read_text(errors="replace")


def lives(process: psutil.Process) -> bool:
    """Tell whether a process has not ended, not even as a zombie."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def arguments_of(process: psutil.Process) -> list[str]:
    """Return the command line of a process, nothing once it has ended."""
    with suppress(psutil.NoSuchProcess):
        arguments: list[str] = process.cmdline()
        return arguments
    return []


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], seconds: float, message: Callable[[], str]) -> None:
    """Wait until the condition holds, or fail with the message."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message()
        time.sleep(0.05)
