"""gunicorn with a worker class of ours and an application of a few lines, away from the project's configuration."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

from tests.e2e.server import ROOT, lives
from tests.port import free_port
from tests.waiting import wait_until

APPLICATION = """
import os
import time
from urllib.parse import parse_qs

def application(environ, start_response):
    asked = parse_qs(environ["QUERY_STRING"])
    time.sleep(float(asked.get("sleep", ["0"])[0]))
    until = time.perf_counter() + float(asked.get("busy", ["0"])[0])
    while time.perf_counter() < until:
        pass
    environ["wsgi.input"].read()
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""


class Gunicorn:
    """A server that runs."""

    def __init__(self, folder: Path, worker_class: str, *arguments: str) -> None:
        (folder / "specimen.py").write_text(APPLICATION)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.output = folder / "output.txt"
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--no-control-socket"]
        command += ["--worker-class", f"application.libs.{worker_class}", *arguments]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "specimen:application"],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_until(self._answers, 20, self.output.read_text)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        try:
            return requests.get(self.url, timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def get(self, sleep: float = 0) -> str:
        answer = requests.get(self.url, params={"sleep": sleep}, timeout=20)
        assert answer.status_code == 200
        return answer.text

    def workers(self) -> list[psutil.Process]:
        return [child for child in psutil.Process(self.process.pid).children() if lives(child)]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


Serve = Callable[..., Gunicorn]


@contextmanager
def starting(folder: Path, worker_class: str) -> Iterator[Serve]:
    """Start servers as they are asked for, and end all that are left."""
    started: list[Gunicorn] = []

    class Noted(Gunicorn):
        def __init__(self, *arguments: str) -> None:
            started.append(self)
            super().__init__(folder, worker_class, *arguments)

    yield Noted
    for server in started:
        if server.process.poll() is None:
            for process in [*server.workers(), psutil.Process(server.process.pid)]:
                process.kill()
            server.process.wait()
