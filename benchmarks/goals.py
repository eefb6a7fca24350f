"""Say of each goal what was measured, and whether it is reached."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.table import Figure, Start, markdown

FASTAPI, LITESTAR = "FastAPI, ORM", "Litestar, msgspec"


@dataclass(frozen=True)
class Speed:
    """Be how many times as many requests a second as a peer ours is to answer, best round to best round."""

    title: str
    cell: str
    peer: str
    least: float


SPEEDS = (
    Speed("GET one blog", "one", FASTAPI, 5.0),
    Speed("GET a page of 20", "page", FASTAPI, 8.0),
    Speed("POST with 3 tags", "create", FASTAPI, 5.5),
    Speed("GET one blog", "one", LITESTAR, 2.4),
    Speed("GET a page of 20", "page", LITESTAR, 4.6),
    Speed("POST with 3 tags", "create", LITESTAR, 3.2),
)

KNOWN_SHARE = 0.5
"""What telling a client that it has the page may cost of the processor, of what the page costs."""

FIRST_ANSWER_SECONDS = 1.5

Row = tuple[str, str, str, str]


def of_goals(figures: Sequence[Figure], starts: Sequence[Start], ours: str) -> str:
    """Write a line for each goal of which both sides were measured."""
    rows = [*_speeds(figures, ours), *_latencies(figures, ours), *_known(figures, ours), *_starts(starts, ours)]
    return markdown(("goal", "asked", "measured", "reached"), rows)


def _speeds(figures: Sequence[Figure], ours: str) -> Iterator[Row]:
    for goal in SPEEDS:
        own, others = (_of(figures, name, goal.cell, lambda one: one.per_second) for name in (ours, goal.peer))
        if own and others:
            ratio = max(own) / max(others)
            what = f"{goal.title}, requests a second to {goal.peer}"
            yield what, f"≥ {goal.least:.1f}", f"{ratio:.2f}", _told(ratio >= goal.least)


def _latencies(figures: Sequence[Figure], ours: str) -> Iterator[Row]:
    for goal in SPEEDS:
        own, others = (_of(figures, name, goal.cell, lambda one: one.p99_milliseconds) for name in (ours, goal.peer))
        if own and others:
            mine, theirs = statistics.median(own), statistics.median(others)
            what = f"{goal.title}, p99 to {goal.peer}, ms"
            yield what, f"≤ {theirs:.1f}", f"{mine:.1f}", _told(mine <= theirs)


def _known(figures: Sequence[Figure], ours: str) -> Iterator[Row]:
    known, page = (_of(figures, ours, cell, lambda one: one.cpu_microseconds) for cell in ("known", "page"))
    if known and page:
        share = statistics.median(known) / statistics.median(page)
        yield "304 of a known page, CPU of the page's", f"< {KNOWN_SHARE}", f"{share:.2f}", _told(share < KNOWN_SHARE)


def _starts(starts: Sequence[Start], ours: str) -> Iterator[Row]:
    seconds = [start.seconds for start in starts if start.contestant == ours]
    if seconds:
        first = statistics.median(seconds)
        asked = f"< {FIRST_ANSWER_SECONDS}"
        yield "first answer after a start, s", asked, f"{first:.2f}", _told(first < FIRST_ANSWER_SECONDS)


def _of(figures: Sequence[Figure], name: str, cell: str, take: Callable[[Figure], float]) -> list[float]:
    return [take(figure) for figure in figures if (figure.contestant, figure.cell) == (name, cell)]


def _told(is_reached: bool) -> str:
    return "yes" if is_reached else "no"
