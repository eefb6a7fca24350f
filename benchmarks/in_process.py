"""Measure what a request costs of the processor in this process: our whole stack, and the same statements bare.

    python -m benchmarks.in_process [--rounds 60] [--requests 45] [--check] [--json FILE]

Both take turns in one run, and the median of all ratios is told: two short turns that follow each other meet the same
neighbours, who took the ratio of two medians from 1.18 to 1.34 in one hour. Of all figures this one repeats best, so
the check for regressions in `make check` stands on it; requests a second could not.
"""

import argparse
import gc
import json
import logging
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask

from application.config.setting import Environment
from application.database import db
from application.libs.conditional import entity_tag
from benchmarks import data
from benchmarks.bare import bare_app
from benchmarks.cell import BEARER, ONE, blog_body
from benchmarks.driving import Application, Call, ask, microseconds
from benchmarks.ours import raise_limits
from benchmarks.table import markdown
from tests.applications import migrated

WARM_UP = 50

KNOWN = "a known page (304), beside our page of 20"

LIMITS = {"GET one": 1.1, "page of 20": 1.25, "GET one + token": 1.0, "POST + token": 1.05, KNOWN: 0.35}
"""How many times as much as the bare view ours may cost before `--check` fails: a tenth or so above what it does."""


@dataclass(frozen=True)
class Task:
    """Be what is asked of both: of ours under /api/v1, of the bare ones privately where ours looks at a token."""

    title: str
    ours: Call
    bare: Call
    status: int = 200


@dataclass(frozen=True)
class Cost:
    """Hold what a request costs, in microseconds: ours and the bare view, in each round."""

    title: str
    pairs: Sequence[tuple[float, float]]

    @property
    def ours(self) -> float:
        """Return the median of ours."""
        return statistics.median(ours for ours, _bare in self.pairs)

    @property
    def bare(self) -> float:
        """Return the median of the bare view."""
        return statistics.median(bare for _ours, bare in self.pairs)

    @property
    def ratio(self) -> float:
        """Return how many times as much ours costs, in the median round."""
        return statistics.median(ours / bare for ours, bare in self.pairs)

    def figures(self) -> dict[str, object]:
        """Return all of it, for programs."""
        return {"title": self.title, "ours": self.ours, "bare": self.bare, "ratio": self.ratio}


_BODY = blog_body().encode()
TASKS = (
    Task("GET one", Call(f"/api/v1/blog/{ONE}"), Call(f"/blog/{ONE}")),
    Task("page of 20", Call("/api/v1/blog", query="limit=20"), Call("/blog", query="limit=20")),
    Task(
        "GET one + token",
        Call(f"/api/v1/blog/{ONE}", headers=BEARER),
        Call(f"/private/blog/{ONE}", headers=BEARER),
    ),
    Task(
        "POST + token",
        Call("/api/v1/blog", "POST", body=_BODY, headers=BEARER),
        Call("/private/blog", "POST", body=_BODY, headers=BEARER),
        status=201,
    ),
)


class WrongAnswer(AssertionError):
    """One of both does not do the task."""


@contextmanager
def application(
    blogs: int = data.BLOGS, place: Path | None = None, tell: Callable[[int], None] | None = None
) -> Iterator[Flask]:
    """Build our application with all on that production has, on a filled SQLite database of its own.

    The database lies in a folder of its own in `place`, else in that for temporary files; `tell` hears how many blogs
    are written.
    """
    raise_limits()
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'application.db'}"
        # production refuses a database in a temporary folder; nothing that a request meets is otherwise in development
        with migrated(url, folder, environment=Environment.DEVELOPMENT, log_console=False) as app:
            with app.app_context():
                data.fill(blogs, tell)
            yield app


def check(task: Task, ours: Application, bare: Application) -> None:
    """Raise `WrongAnswer` unless both do the task, and alike."""
    status, body = ask(ours, task.ours)
    bare_status, bare_body = ask(bare, task.bare)
    if (status, bare_status) != (task.status, task.status):
        raise WrongAnswer(
            f"{task.title}: ours says {status} {body!r:.300}, the bare view {bare_status} {bare_body!r:.300}"
        )
    content, bare_content = json.loads(body)["data"], json.loads(bare_body)
    if task.status == 200 and content != bare_content:
        raise WrongAnswer(f"{task.title}: ours says {content!r:.300}, the bare view {bare_content!r:.300}")


def measure(app: Flask, rounds: int, requests: int) -> list[Cost]:
    """Return what each task costs, with both asked in turns, and what telling a client costs that it has a page."""
    with app.app_context():
        bare = bare_app(db.engine).wsgi_app
    ours: Application = app.wsgi_app
    for task in TASKS:
        check(task, ours, bare)
        microseconds(ours, task.ours, WARM_UP)
        microseconds(bare, task.bare, WARM_UP)

    def cost(title: str, one: tuple[Application, Call], other: tuple[Application, Call]) -> Cost:
        return Cost(title, [(microseconds(*one, requests), microseconds(*other, requests)) for _round in range(rounds)])

    page = TASKS[1].ours
    gc.collect()
    gc.freeze()  # as a worker does; or what is loaded would be looked through for garbage before each turn
    try:
        costs = [cost(task.title, (ours, task.ours), (bare, task.bare)) for task in TASKS]
        return [*costs, cost(KNOWN, (ours, _known(ours, page)), (ours, page))]
    finally:
        gc.unfreeze()


def _known(ours: Application, page: Call) -> Call:
    """Return the call of a client that has the page and was told so once."""
    _status, body = ask(ours, page)
    known = replace(page, headers={"If-None-Match": entity_tag(body)})
    status, _nothing = ask(ours, known)
    if status != 304:
        raise WrongAnswer(f"{KNOWN}: ours says {status}")
    return known


def excess(costs: Iterable[Cost]) -> list[str]:
    """Say which costs exceed their limits."""
    return [
        f"{cost.title} costs {cost.ratio:.2f} times the bare view, more than {LIMITS[cost.title]:.2f}"
        for cost in costs
        if cost.ratio > LIMITS[cost.title]
    ]


def lower(first: Iterable[Cost], second: Iterable[Cost]) -> list[Cost]:
    """Return of two measurements the one of the lower ratio, for each task: others on the machine only raise it."""
    return [min(pair, key=lambda cost: cost.ratio) for pair in zip(first, second, strict=True)]


def report(costs: list[Cost]) -> str:
    """Write the table."""
    rows = [[cost.title, f"{cost.ours:.0f}", f"{cost.bare:.0f}", f"{cost.ratio:.2f}"] for cost in costs]
    return markdown(("CPU a request, in process", "ours, µs", "bare view, µs", "ratio"), rows)


def main() -> None:
    """Read how often to ask, measure and print."""
    parser = argparse.ArgumentParser(description="Measure what a request costs beside a bare view.")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--requests", type=int, default=45, help="in each round, of each side")
    parser.add_argument("--check", action="store_true", help="fail where ours costs more than it may")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    asked = parser.parse_args()
    logging.disable(logging.ERROR)
    with application() as app:
        costs = measure(app, asked.rounds, asked.requests)
        if asked.check and excess(costs):
            costs = lower(costs, measure(app, asked.rounds, asked.requests))
    print(report(costs))
    if asked.json is not None:
        asked.json.write_text(json.dumps([cost.figures() for cost in costs]), encoding="utf-8")
    found = excess(costs) if asked.check else []
    if found:
        sys.exit(
            "\n".join([*found, "`make profile` shows where the time goes; docs/performance.md says what is known"])
        )


if __name__ == "__main__":
    main()
