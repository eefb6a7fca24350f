"""Measure the web API beside others on the same tasks, the same rows and the same machine, in turns.

    python -m benchmarks.web [--database sqlite|postgresql] [--rounds 5] [--seconds 3] [--only NAME] [--cells one,page]

In each round everybody is started on a fresh copy of the database, every answer is looked at (in the first round), and
every cell gets the load of wrk. Ours has all on that production has. Servers of several threads are bimodal on small
machines, so both the best round and the median are told; the processor's time a request repeats best.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from application.config.address import is_temporary
from application.config.setting import ROOT
from benchmarks.cell import CELLS, Cell
from benchmarks.checks import Examiner
from benchmarks.contestant import CONTESTANTS, PACKAGES, Contestant, Place
from benchmarks.goals import of_goals
from benchmarks.importing import measure_import
from benchmarks.load import LoadFailed, run_wrk
from benchmarks.master import KINDS, Master, master
from benchmarks.serving import Served, serving
from benchmarks.table import Figure, Start, of_cell, of_starts
from tests.port import free_port

WARM_UP_SECONDS = 1
OWN = ("gunicorn", "gevent", "flask", "sqlalchemy", "psycopg", "msgspec", "pydantic")

_TELL_VERSIONS = (
    "import json, platform, sys; from importlib.metadata import version; "
    "print(json.dumps({'Python': platform.python_version()} | {name: version(name) for name in sys.argv[1:]}))"
)


@dataclass
class Run:
    """Hold what is measured, how, and what came of it so far."""

    database: str
    rounds: int
    seconds: int
    contestants: Sequence[Contestant]
    cells: Sequence[Cell]
    folder: Path
    peers_python: Path
    our_python: Path
    figures: list[Figure] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    failures: list[tuple[Contestant, str]] = field(default_factory=list)
    """Who did not answer every request of a load well, and what happened."""

    def measure(self) -> None:
        """Measure everybody in turns, as often as there are rounds."""
        say(f"{self.database}: filling the tables")
        with master(self.database, self.folder) as filled:
            for number in range(1, self.rounds + 1):
                for contestant in self.contestants:
                    self._measure_one(contestant, filled, number)

    def _measure_one(self, contestant: Contestant, filled: Master, number: int) -> None:
        with filled.copied() as url:
            folder = self.folder / "server"
            place = Place(free_port(), url, folder, self.peers_python, our_python=self.our_python)
            with serving(contestant, place) as server:
                seconds = server.await_answer()
                server.await_workers()
                examiner = Examiner(contestant, server.url)
                if number == 1:
                    examiner.examine()
                told = [self._measure_cell(server, cell, examiner, number) for cell in self.cells]
                self.starts.append(Start(contestant.name, number, seconds, server.worker_megabytes()))
        shutil.rmtree(folder, ignore_errors=True)
        say(f"{self.database}, round {number} of {self.rounds}, {contestant.name}: {', '.join(told)}")

    def _measure_cell(self, server: Served, cell: Cell, examiner: Examiner, number: int) -> str:
        tag = examiner.find_tag() if cell.conditional else None
        if cell.conditional and tag is None:
            return f"{cell.key} -"

        def put_load(seconds: int) -> Figure:
            before = server.cpu_seconds()
            load = run_wrk(
                server.url,
                [(f"{server.contestant.prefix}{path}", body) for path, body in cell.requests()],
                self.folder,
                method=cell.method,
                headers=cell.headers(tag),
                connections=cell.connections,
                seconds=seconds,
            )
            cost = (server.cpu_seconds() - before) / load.requests * 1_000_000
            name = server.contestant.name
            return Figure(name, cell.key, number, load.per_second, cost, load.p50 / 1000, load.p99 / 1000)

        try:
            if number == 1:
                put_load(WARM_UP_SECONDS)
            figure = put_load(self.seconds)
        except LoadFailed as failed:
            self.failures.append((server.contestant, f"{cell.title}, round {number}: {failed}"))
            return f"{cell.key} failed"
        self.figures.append(figure)
        return f"{cell.key} {figure.per_second:,.0f}/s"

    def report(self) -> str:
        """Write all tables, and what was measured with."""
        names = [contestant.name for contestant in self.contestants]
        ours = next(contestant.name for contestant in CONTESTANTS if contestant.is_ours)
        machine = f"{platform.platform()}, {os.cpu_count()} cores"
        parts = [f"## {self.database}: {self.rounds} rounds of {self.seconds} s\n\n{machine}"]
        for cell in self.cells:
            mine = [figure for figure in self.figures if figure.cell == cell.key]
            parts.append(f"### {cell.title}\n\n{of_cell(mine, names, ours)}")
        servers = {contestant.name: contestant.server for contestant in self.contestants}
        parts.append(f"### Goals\n\n{of_goals(self.figures, self.starts, ours)}")
        cost = measure_import(self.our_python)
        imported = f"Importing ours takes {cost.seconds:.2f} s and {cost.megabytes:.0f} MB."
        parts.append(f"### Starts\n\n{of_starts(self.starts, servers)}\n\n{imported}")
        if self.failures:
            failed = "\n".join(f"- {contestant.name}: {what}" for contestant, what in self.failures)
            parts.append(f"### Not measured\n\n{failed}")
        parts.append(
            "\n".join(
                f"{who}: {', '.join(f'{name} {number}' for name, number in found.items())}"
                for who, found in self.versions().items()
            )
        )
        return "\n\n".join(parts)

    def versions(self) -> dict[str, dict[str, str]]:
        """Return the versions of Python and the packages, ours and the peers'."""
        command = [str(self.peers_python), "-c", _TELL_VERSIONS, *PACKAGES]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        python = {"Python": platform.python_version()}
        return {"Ours": python | {name: version(name) for name in OWN}, "Peers": json.loads(told.stdout)}

    def raw(self) -> dict[str, object]:
        """Return all figures, for programs."""
        return {
            "database": self.database,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "machine": {"platform": platform.platform(), "cores": os.cpu_count()},
            "versions": self.versions(),
            "failures": [[contestant.name, what] for contestant, what in self.failures],
            "figures": [asdict(figure) for figure in self.figures],
            "starts": [asdict(start) for start in self.starts],
        }


def say(text: str) -> None:
    """Tell how far it is, beside the tables."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Read what to measure, measure it and print the tables."""
    asked = read_arguments()
    runs, failed = [], False
    for kind in asked.database or KINDS[:1]:
        run = Run(
            kind,
            asked.rounds,
            asked.seconds,
            asked.only or CONTESTANTS,
            asked.cells or CELLS,
            asked.folder,
            asked.peers,
            asked.ours,
        )
        asked.folder.mkdir(parents=True, exist_ok=True)
        run.measure()
        print(f"{run.report()}\n", flush=True)
        runs.append(run.raw())
        failed |= any(contestant.is_ours for contestant, _what in run.failures)
    if asked.json is not None:
        asked.json.write_text(json.dumps(runs, indent=1), encoding="utf-8")
    if failed:
        sys.exit("Ours did not answer every request well: see `Not measured`")


def read_arguments() -> argparse.Namespace:
    """Read the command line, and refuse what cannot be measured here."""
    parser = argparse.ArgumentParser(description="Measure the web API beside others.")
    parser.add_argument("--database", action="append", choices=KINDS, help="sqlite (the default), postgresql; or both")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="how long each cell gets its load")
    parser.add_argument("--quick", action="store_true", help="one round of two seconds: whether all works")
    parser.add_argument("--only", type=_contestants, metavar="NAMES", help="beginnings of names, by commas")
    parser.add_argument("--cells", type=_cells, metavar="KEYS", help=f"some of {','.join(cell.key for cell in CELLS)}")
    parser.add_argument("--peers", type=whole_path, default=ROOT / ".venv-bench/bin/python", help="the peers' Python")
    parser.add_argument("--ours", type=there, default=Path(sys.executable), help="a Python that only serves ours")
    parser.add_argument(
        "--folder", type=whole_path, default=ROOT / "dist/bench", help="where the databases are; not in /tmp"
    )
    parser.add_argument("--json", type=Path, help="a file for all figures")
    asked = parser.parse_args()
    if asked.quick:
        asked.rounds, asked.seconds = 1, 2
    if is_temporary(asked.folder):
        parser.error(f"{asked.folder} is temporary, and production keeps no database there: name another --folder")
    if shutil.which("wrk") is None:
        parser.error(
            "wrk is not there, which makes the load: apt install wrk (Debian, Ubuntu), brew install wrk (macOS)"
        )
    if not asked.peers.exists():
        parser.error(f"{asked.peers} is not there, which runs the peers: `make bench` installs it")
    return asked


def whole_path(text: str) -> Path:
    """Return a path from the root, for servers run in folders of their own; links stay, as of a virtual environment."""
    return Path(text).absolute()


def there(text: str) -> Path:
    """Return the whole path of a program, or refuse one that is not there."""
    path = whole_path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{path} is not there: `make bench-web` and `make bench-growth` install it")
    return path


def _contestants(text: str) -> list[Contestant]:
    """Return those whose names begin so."""
    found = [one for one in CONTESTANTS if one.name.casefold().startswith(tuple(text.casefold().split(",")))]
    if not found:
        raise argparse.ArgumentTypeError(f"there are {'; '.join(one.name for one in CONTESTANTS)}")
    return found


def _cells(text: str) -> list[Cell]:
    """Return the cells of these keys."""
    keys = text.split(",")
    if not set(keys) <= {cell.key for cell in CELLS}:
        raise argparse.ArgumentTypeError(f"there are {','.join(cell.key for cell in CELLS)}")
    return [cell for cell in CELLS if cell.key in keys]


if __name__ == "__main__":
    main()
