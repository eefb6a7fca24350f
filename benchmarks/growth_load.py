"""Measure how many requests are answered on more and more connections, and by more and more workers."""

import shutil
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cell import CELLS, Cell
from benchmarks.checks import Examiner
from benchmarks.contestant import WORKERS, Contestant, Place
from benchmarks.growth_table import Figure, Say
from benchmarks.load import run_wrk
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
    """Hold what is measured, and what came of it so far: requests a second, and milliseconds of two percentiles."""

    contestants: Sequence[Contestant]
    connections: Sequence[int]
    workers: Sequence[int]
    rounds: int
    seconds: int
    folder: Path
    peers_python: Path
    say: Say
    found: dict[Setting, list[dict[str, float]]] = field(default_factory=dict)

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
            place = Place(free_port(), url, folder, self.peers_python, workers)
            with serving(contestant, place) as server:
                server.await_answer()
                server.await_workers()
                if not examined:
                    Examiner(contestant, server.url).examine()
                for cell in READS:
                    self._put_load(server, cell, WORKERS_CONNECTIONS, WARM_UP_SECONDS)
                    for connections in self._at_once(workers):
                        setting = Setting(contestant.name, cell.title, workers, connections)
                        values = self._put_load(server, cell, connections, self.seconds)
                        self.found.setdefault(setting, []).append(values)
        shutil.rmtree(folder, ignore_errors=True)

    def _at_once(self, workers: int) -> list[int]:
        """Return on how many connections so many workers are asked."""
        compared = [WORKERS_CONNECTIONS] if workers in self.workers else []
        return sorted({*compared, *(self.connections if workers == WORKERS else [])})

    def _put_load(self, server: Served, cell: Cell, connections: int, seconds: int) -> dict[str, float]:
        load = run_wrk(
            server.url,
            [(f"{server.contestant.prefix}{path}", body) for path, body in cell.requests()],
            self.folder,
            method=cell.method,
            headers=cell.headers(),
            connections=connections,
            seconds=seconds,
        )
        return {"per_second": load.per_second, "p50": load.p50 / 1000, "p99": load.p99 / 1000}

    def by_connections(self) -> list[Figure]:
        """Return the medians of all rounds by the number of connections."""
        return [
            Figure(setting.series, setting.connections, values)
            for setting, values in self._medians()
            if setting.workers == WORKERS and setting.connections in self.connections
        ]

    def by_workers(self) -> list[Figure]:
        """Return the medians of all rounds by the number of workers."""
        return [
            Figure(setting.series, setting.workers, values)
            for setting, values in self._medians()
            if setting.connections == WORKERS_CONNECTIONS and setting.workers in self.workers
        ]

    def _medians(self) -> Iterator[tuple[Setting, dict[str, float]]]:
        for setting in sorted(self.found, key=self._place):
            yield setting, _medians(self.found[setting])

    def _place(self, setting: Setting) -> int:
        return [contestant.name for contestant in self.contestants].index(setting.contestant)


def _medians(rounds: Iterable[dict[str, float]]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for values in rounds:
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in found.items()}
