"""Measure how the API grows: with more blogs, connections, workers and routes; each figure beside that of the smallest.

    python -m benchmarks.growth [--full] [--blogs 1000,10000] [--questions blogs,routes] [--json FILE]

Prints a table a question, and writes all figures to a file of JSON, which `benchmarks/plotting.py` draws. Blogs and
routes cost the processor's time in this process; connections and workers get the load of wrk, beside FastAPI.
"""

import argparse
import json
import logging
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from application.config.setting import ROOT
from benchmarks import growth_blogs, growth_routes
from benchmarks.contestant import CONTESTANTS, WORKERS, Contestant
from benchmarks.growth_load import WORKERS_CONNECTIONS, LoadRun
from benchmarks.growth_table import Column, Figure, long, wide
from benchmarks.master import KINDS
from benchmarks.web import say, there, whole_path

QUESTIONS = ("blogs", "connections", "workers", "routes")
PEER = "FastAPI, ORM"

BLOGS, MOST_BLOGS = (1_000, 10_000, 100_000), 1_000_000

_CPU = Column("microseconds", "CPU, µs")
_LOAD = (
    Column("per_second", "req/s, best"),
    Column("median", "median"),
    Column("p50", "p50, ms", ",.1f", has_ratio=False),
    Column("p99", "p99, ms", ",.1f", has_ratio=False),
)
_ROUTES = (_CPU, Column("seconds", "building the application, CPU s", ",.2f"))

TABLES: Mapping[str, tuple[str, Callable[[Sequence[Figure]], str]]] = {
    "blogs": ("Blogs", lambda figures: wide(figures, _CPU, "CPU a request, in process, µs", "blogs")),
    "connections": (
        f"Connections, before {WORKERS} workers",
        lambda figures: long(figures, _LOAD, "", "connections"),
    ),
    "workers": (
        f"Workers, on {WORKERS_CONNECTIONS} connections",
        lambda figures: long(figures, _LOAD, "", "workers"),
    ),
    "routes": ("Routes", lambda figures: long(figures, _ROUTES, "", "routes more")),
}
"""The heading of each question, and what writes its table."""


def measure(asked: argparse.Namespace) -> dict[str, list[Figure]]:
    """Return the figures of the questions that are asked, the quiet ones first."""
    found: dict[str, list[Figure]] = {}
    if "routes" in asked.questions:
        found["routes"] = growth_routes.measure(asked.routes, asked.rounds, asked.folder, say)
    if "blogs" in asked.questions:
        found["blogs"] = growth_blogs.measure(asked.blogs, asked.rounds, asked.folder, say)
    if _is_loaded(asked.questions):
        with TemporaryDirectory(dir=asked.folder) as name:
            run = LoadRun(
                contestants=contestants(asked.peers),
                connections=asked.connections if "connections" in asked.questions else [],
                workers=asked.workers if "workers" in asked.questions else [],
                rounds=asked.rounds,
                seconds=asked.seconds,
                folder=Path(name),
                peers_python=asked.peers,
                our_python=asked.ours,
                say=say,
            )
            run.measure(asked.database)
        found |= {"connections": run.by_connections(), "workers": run.by_workers()}
    return {question: found[question] for question in QUESTIONS if found.get(question)}


def contestants(peers_python: Path) -> list[Contestant]:
    """Return ours and the peer; without the peers' Python say that ours is alone."""
    if not peers_python.exists():
        say(f"{peers_python} is not there, so {PEER} is left out: `make bench-growth` installs it")
        return [one for one in CONTESTANTS if one.is_ours]
    return [one for one in CONTESTANTS if one.is_ours or one.name == PEER]


def report(found: Mapping[str, Sequence[Figure]], machine: str) -> str:
    """Write a table a question."""
    parts = [f"{machine}; in brackets: times the smallest of this run"]
    for question, figures in found.items():
        heading, write = TABLES[question]
        parts.append(f"### {heading}\n\n{write(figures)}")
    return "\n\n".join(parts)


def machine(asked: argparse.Namespace) -> str:
    """Say what was measured on, and how."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    how = f"{asked.rounds} rounds, loads of {asked.seconds} s on {asked.database}"
    return f"{platform.platform()}, {cores} cores, Python {platform.python_version()}; {how}"


def main() -> None:
    """Read what is asked, measure, print the tables and keep the figures."""
    asked = read_arguments()
    logging.disable(logging.ERROR)
    asked.folder.mkdir(parents=True, exist_ok=True)
    found = measure(asked)
    print(report(found, machine(asked)), flush=True)
    figures = {question: [asdict(figure) for figure in mine] for question, mine in found.items()}
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps({"machine": machine(asked), **figures}, indent=1), encoding="utf-8")
    say(f"figures: {asked.json}")


def read_arguments() -> argparse.Namespace:
    """Read the command line, and refuse what cannot be measured here."""
    parser = argparse.ArgumentParser(description="Measure how the API grows.")
    parser.add_argument("--questions", type=_questions, default=QUESTIONS, help=f"some of {','.join(QUESTIONS)}")
    parser.add_argument("--blogs", type=_numbers(40), default=BLOGS, metavar="SIZES", help="40 or more each, by commas")
    parser.add_argument("--full", action="store_true", help=f"{MOST_BLOGS:,} blogs too: minutes, and 2 GB of disk")
    parser.add_argument("--connections", type=_numbers(1), default=(1, 4, 16, 64))
    parser.add_argument("--workers", type=_numbers(1), default=(1, 2))
    parser.add_argument("--routes", type=_numbers(0), default=(0, 10, 100, 500), help="how many more are registered")
    parser.add_argument("--database", choices=KINDS, default=KINDS[0], help="of the servers under load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="how long each load lasts")
    parser.add_argument("--peers", type=whole_path, default=ROOT / ".venv-bench/bin/python", help="the peer's Python")
    parser.add_argument("--ours", type=there, default=Path(sys.executable), help="a Python that only serves ours")
    parser.add_argument("--folder", type=Path, default=ROOT / "dist/bench", help="where the databases are; not in /tmp")
    parser.add_argument("--json", type=Path, default=ROOT / "dist/growth.json", help="the file for all figures")
    asked = parser.parse_args()
    if asked.full:
        asked.blogs = sorted({*asked.blogs, MOST_BLOGS})
    if _is_loaded(asked.questions) and shutil.which("wrk") is None:
        parser.error(
            "wrk is not there, which makes the load (Debian, Ubuntu: apt install wrk); or ask --questions blogs,routes"
        )
    return asked


def _is_loaded(questions: Sequence[str]) -> bool:
    return not {"connections", "workers"}.isdisjoint(questions)


def _numbers(least: int) -> Callable[[str], list[int]]:
    def read(text: str) -> list[int]:
        numbers = sorted({int(part) for part in text.split(",")})
        if numbers[0] < least:
            raise argparse.ArgumentTypeError(f"{least} is the least")
        return numbers

    return read


def _questions(text: str) -> list[str]:
    questions = text.split(",")
    if not set(questions) <= set(QUESTIONS):
        raise argparse.ArgumentTypeError(f"there are {','.join(QUESTIONS)}")
    return questions


if __name__ == "__main__":
    main()
