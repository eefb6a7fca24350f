"""Start and stop a contestant's server, and look at what it uses."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any

import psutil

from benchmarks.cell import ONE
from benchmarks.contestant import Contestant, Place

START_SECONDS = 30
STOP_SECONDS = 20


class DidNotStart(RuntimeError):
    """The server gave no answer."""


class Served:
    """Be a running server."""

    def __init__(self, contestant: Contestant, place: Place) -> None:
        """Start it; `await_answer` says when it is ready."""
        self.contestant = contestant
        self.port = place.port
        self.workers = place.workers
        self.output = place.folder / "output.txt"
        self._began = time.perf_counter()
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                contestant.command(place),
                cwd=contestant.directory(place),
                env=dict(contestant.environment(place)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def url(self) -> str:
        """Return where the contestant's paths begin."""
        return f"http://127.0.0.1:{self.port}{self.contestant.prefix}"

    def await_answer(self) -> float:
        """Wait for the first answer; return how many seconds after the start it came."""
        while not self._answers():
            passed = time.perf_counter() - self._began
            if self._process.poll() is not None or passed > START_SECONDS:
                said = self.output.read_text(errors="replace")[-3000:]
                raise DidNotStart(f"{self.contestant.name} gave no answer; it said: {said}")
            time.sleep(0.01)
        return time.perf_counter() - self._began

    def await_workers(self) -> None:
        """Wait until every worker has loaded: none takes a processor's time while nothing is asked."""
        deadline = time.monotonic() + START_SECONDS
        before = -1.0
        while time.monotonic() < deadline:
            spent = self.cpu_seconds()
            if len(self._workers()) >= self.workers and spent - before < 0.02:
                return
            before = spent
            time.sleep(0.3)

    def cpu_seconds(self) -> float:
        """Return how much of a processor all its processes have used so far, the runner of ours too."""
        total = 0.0
        for process in self._processes():
            times = process.cpu_times()
            total += times.user + times.system
        return total

    def worker_megabytes(self) -> float:
        """Return how much memory the larger worker has (resident, with what it shares)."""
        sizes: list[int] = [process.memory_info().rss for process in self._workers()]
        return max(sizes) / 2**20

    def stop(self) -> None:
        """Ask it to stop, and end it if it does not."""
        processes = self._processes()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        _gone, left = psutil.wait_procs(processes, STOP_SECONDS)
        for process in left:
            process.kill()
        self._process.wait(STOP_SECONDS)

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            connection.request("GET", f"{self.contestant.prefix}/blog/{ONE}")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _workers(self) -> list[Any]:
        """Return the largest of the first process' children; uvicorn's has a small one that tracks resources.

        Without children the first process is the one worker: so uvicorn serves with one.
        """
        first = psutil.Process(self._process.pid)
        return sorted(first.children() or [first], key=lambda child: child.memory_info().rss)[-self.workers :]

    def _processes(self) -> list[Any]:
        if self._process.poll() is not None:
            return []
        first = psutil.Process(self._process.pid)
        return [first, *first.children(recursive=True)]


@contextmanager
def serving(contestant: Contestant, place: Place) -> Iterator[Served]:
    """Run a contestant's server for a block."""
    place.folder.mkdir(parents=True, exist_ok=True)
    server = Served(contestant, place)
    try:
        yield server
    finally:
        server.stop()
