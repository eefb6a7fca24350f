"""Run the real server: gunicorn as it is shipped, with a port, a database and a log folder of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import requests

from tests.port import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"
START_SECONDS = 30
WORKER_SECONDS = 10
"""What each further worker may add: all load the application at once."""
STOP_SECONDS = 20


class Server:
    """A server process; `start` and `stop` may alternate, the port and the database stay."""

    process: subprocess.Popen[bytes]
    root = ROOT
    """Where the sources stand that it runs."""
    application = ""
    """What makes another application than the project's, as `module:function`."""

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
            "file_directory": folder / "files",
            "log_console": 1,
            "sample_data": 0,
            "rate_limits_enabled": 0,  # tests ask more often than people
        }
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("GUNICORN_")}
        self.environment |= {name.upper(): str(value) for name, value in (settings | environment).items()}

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manager.py against the server's database."""
        command = [sys.executable, "manager.py", *arguments]
        return subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def command(self) -> list[str]:
        """Return what starts the server."""
        target = f"application.libs.gunicorn_app:load_app('{self.application}')"
        return [sys.executable, "-m", "gunicorn", *([target] if self.application else [])]

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a signal to the whole group then reaches the server only
            )
        seconds = START_SECONDS + WORKER_SECONDS * (int(self.environment.get("WORKERS", 1)) - 1)
        wait_until(self.answers, seconds, lambda: f"no answer from the server; it said: {self.said()}")

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

    def await_leader(self, seconds: float = 20) -> None:
        """Wait until a runner fires: one that is loading still has nothing to finish, and is ended at once."""
        wait_until(lambda: "This process leads the scheduler" in self.log.read_text(), seconds, self.said)

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


def await_end(processes: list[psutil.Process], seconds: float) -> float:
    """Wait until the processes have ended; return how long that took."""
    started_at = time.monotonic()
    wait_until(
        lambda: not any(map(lives, processes)),
        seconds,
        lambda: f"still there: {[process.cmdline() for process in processes if lives(process)]}",
    )
    return time.monotonic() - started_at


@contextmanager
def polling(url: str, *, timeout_seconds: float = 10) -> Iterator[list[int]]:
    """Ask for a page again and again meanwhile, each time on a connection of its own; collect the statuses."""
    statuses: list[int] = []
    enough = threading.Event()

    def poll() -> None:
        while not enough.wait(0.02):
            statuses.append(requests.get(url, timeout=timeout_seconds).status_code)

    with ThreadPoolExecutor(1) as clients:
        asked = clients.submit(poll)
        try:
            yield statuses
        finally:
            enough.set()
        asked.result()
