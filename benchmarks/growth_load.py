"""Measure how many requests are answered on more and more connections, and by more and more workers.

Of each load the best round is told, beside the median: others on the machine can only make a round worse.
"""

import shutil
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cell import CELLS, Cell
from benchmarks.checks import Examiner
from benchmarks.contestant import WORKERS, Contestant, Place
from benchmarks.growth_table import Figure, Say
from benchmarks.load import Load, run_wrk
from benchmarks.master import Master, master
from benchmarks.serving import Served, serving
from tests.port import free_port

WORKERS_CONNECTIONS = 32
"""On how many connections workers are compared."""

WARM_UP_SECONDS = 1

KEYS = ("one", "page")
READS = [cell for cell in CELLS if cell.key in KEYS]


@dataclass(frozen=True)
class Setting:
    """Say what one load is: of whom, on what, how many at once, before how many workers."""

    contestant: str
    cell: str
    workers: int
    connections: int

    @property
    def series(self) -> str:
        """Return who is asked for what."""
        return f"{self.contestant}: {self.cell}"


@dataclass
class LoadRun:
    """Hold what is measured, and the loads that came of it so far, one a round."""

    contestants: Sequence[Contestant]
    connections: Sequence[int]
    workers: Sequence[int]
    rounds: int
    seconds: int
    folder: Path
    peers_python: Path
    our_python: Path
    say: Say
    found: dict[Setting, list[Load]] = field(default_factory=dict)

    def measure(self, kind: str) -> None:
        """Start everybody in each round with each number of workers, on a fresh copy of the same rows."""
        with master(kind, self.folder) as filled:
            for number in range(1, self.rounds + 1):
                for workers in sorted({*self.workers, *([WORKERS] if self.connections else [])}):
                    for contestant in self.contestants:
                        self._measure_one(contestant, filled, workers, examined=number > 1)
                        self.say(f"round {number} of {self.rounds}: {contestant.name}, {workers} workers")

    def _measure_one(self, contestant: Contestant, filled: Master, workers: int, *, examined: bool) -> None:
        folder = self.folder / "server"
        with filled.copied() as url:
            place = Place(free_port(), url, folder, self.peers_python, workers, self.our_python)
            with serving(contestant, place) as server:
                server.await_answer()
                server.await_workers()
                if not examined:
                    Examiner(contestant, server.url).examine()
                for cell in READS:
                    self._put_load(server, cell, WORKERS_CONNECTIONS, WARM_UP_SECONDS)
                    for connections in self._at_once(workers):
                        setting = Setting(contestant.name, cell.title, workers, connections)
                        load = self._put_load(server, cell, connections, self.seconds)
                        self.found.setdefault(setting, []).append(load)
        shutil.rmtree(folder, ignore_errors=True)

    def _at_once(self, workers: int) -> list[int]:
        """Return on how many connections so many workers are asked."""
        compared = [WORKERS_CONNECTIONS] if workers in self.workers else []
        return sorted({*compared, *(self.connections if workers == WORKERS else [])})

    def _put_load(self, server: Served, cell: Cell, connections: int, seconds: int) -> Load:
        return run_wrk(
            server.url,
            [(f"{server.contestant.prefix}{path}", body) for path, body in cell.requests()],
            self.folder,
            method=cell.method,
            headers=cell.headers(),
            connections=connections,
            seconds=seconds,
        )

    def by_connections(self) -> list[Figure]:
        """Return what came of all rounds by the number of connections."""
        return [
            Figure(setting.series, setting.connections, values)
            for setting, values in self._told()
            if setting.workers == WORKERS and setting.connections in self.connections
        ]

    def by_workers(self) -> list[Figure]:
        """Return what came of all rounds by the number of workers."""
        return [
            Figure(setting.series, setting.workers, values)
            for setting, values in self._told()
            if setting.connections == WORKERS_CONNECTIONS and setting.workers in self.workers
        ]

    def _told(self) -> Iterator[tuple[Setting, dict[str, float]]]:
        for setting in sorted(self.found, key=self._place):
            yield setting, told(self.found[setting])

    def _place(self, setting: Setting) -> int:
        return [contestant.name for contestant in self.contestants].index(setting.contestant)


def told(loads: Sequence[Load]) -> dict[str, float]:
    """Return the requests a second of the best round with its percentiles in milliseconds, and those of the median."""
    best = max(loads, key=lambda load: load.per_second)
    median = statistics.median(load.per_second for load in loads)
    return {"per_second": best.per_second, "median": median, "p50": best.p50 / 1000, "p99": best.p99 / 1000}
