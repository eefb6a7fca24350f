"""Measure what requests cost of the processor when there are more and more blogs, in this process and on SQLite.

All sizes are asked in turns, each on a database of its own, so that a ratio of two of them is not one of two moments.
"""

import heapq
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask

from application.libs.page import encode_cursor
from benchmarks import data
from benchmarks.cell import WORD
from benchmarks.driving import Application, Call, ask, mean_microseconds
from benchmarks.growth_table import Figure, Say
from benchmarks.in_process import WrongAnswer, application

A_PAGE = 20
DEEP = 10_000
"""The number of the page that is as deep as people's tools go."""

FILL_SECONDS = 1_200
"""How long filling one database may take."""

LEAST, MOST = 3, 300
"""How often a task is asked in a round: as often as a second allows, between these."""


class FillTooSlow(RuntimeError):
    """The rows of one size took too long to write; choose smaller ones by `--blogs`."""


@dataclass(frozen=True)
class Look:
    """Be a task: how it is asked for the n-th time, and the ids of what is answered then, by the number of blogs."""

    title: str
    call: Callable[[int, int], Call]
    expected: Callable[[int, int], list[str]]


def _one(blogs: int, turn: int) -> int:
    """Return another blog each time, from all of the table."""
    return turn * 7_919 % blogs


def pages(blogs: int) -> int:
    """Return how many full pages there are."""
    return blogs // A_PAGE


def middle(blogs: int, turn: int) -> int:
    """Return the number of a page of the middle half, another each time."""
    return pages(blogs) // 4 + 1 + turn * 7_919 % max(pages(blogs) // 2, 1)


def deep(blogs: int) -> int:
    """Return the number of the deep page: 10,000, or the last where there are fewer."""
    return min(DEEP, pages(blogs))


def page_call(blogs: int, number: int) -> Call:
    """Ask for a page of the newest by the cursor behind the one before it, without walking there."""
    query = {"limit": str(A_PAGE)}
    if number > 1:
        last = blogs - A_PAGE * (number - 1)
        moment = data.BEGINNING + timedelta(minutes=last)
        query["after"] = encode_cursor("-created_at", [moment.isoformat(), data.blog_id(last)])
    return _list(query)


def page_ids(blogs: int, number: int) -> list[str]:
    """Return the ids of the blogs on a page of the newest."""
    newest = blogs - 1 - A_PAGE * (number - 1)
    return [data.blog_id(number) for number in range(newest, newest - A_PAGE, -1)]


def _list(query: Mapping[str, str]) -> Call:
    return Call("/api/v1/blog", query=urlencode(query))


def _since(blogs: int, _turn: int) -> Call:
    moment = data.BEGINNING + timedelta(minutes=blogs // 2)
    return _list({"limit": str(A_PAGE), "created_at__gte": moment.isoformat(), "sort": "created_at"})


def _containing(_blogs: int, _turn: int) -> Call:
    return _list({"limit": str(A_PAGE), "title__contains": WORD, "sort": "title"})


def _titled(blogs: int, _turn: int) -> list[str]:
    found = ((data.title(number), number) for number in range(blogs) if WORD in data.title(number))
    return [data.blog_id(number) for _title, number in heapq.nsmallest(A_PAGE, found)]


def _words(blogs: int, _turn: int) -> Call:
    return _list({"limit": str(A_PAGE), "q": data.title(blogs // 2)})


LOOKS = (
    Look(
        "GET one",
        lambda blogs, turn: Call(f"/api/v1/blog/{data.blog_id(_one(blogs, turn))}"),
        lambda blogs, turn: [data.blog_id(_one(blogs, turn))],
    ),
    Look("page 1", lambda blogs, _turn: page_call(blogs, 1), lambda blogs, _turn: page_ids(blogs, 1)),
    Look(
        "a page in the middle",
        lambda blogs, turn: page_call(blogs, middle(blogs, turn)),
        lambda blogs, turn: page_ids(blogs, middle(blogs, turn)),
    ),
    Look(
        "page 10,000, or the last",
        lambda blogs, _turn: page_call(blogs, deep(blogs)),
        lambda blogs, _turn: page_ids(blogs, deep(blogs)),
    ),
    Look(
        "a page since a time, sorted by it",
        _since,
        lambda blogs, _turn: [data.blog_id(blogs // 2 + place) for place in range(A_PAGE)],
    ),
    Look("a page whose titles contain a word, sorted by title", _containing, _titled),
    Look("the blog with a number and two words, by search", _words, lambda blogs, _turn: [data.blog_id(blogs // 2)]),
)


def measure(sizes: Sequence[int], rounds: int, folder: Path, say: Say) -> list[Figure]:
    """Fill a database for each size, and return what each task costs on each: the median of all rounds."""
    with ExitStack() as stack:
        apps = {}
        for blogs in sizes:
            apps[blogs] = stack.enter_context(application(blogs, folder, _progress(blogs, say)))
            check(apps[blogs], blogs)
        costs: dict[tuple[str, int], list[float]] = {}
        for number in range(1, rounds + 1):
            for look in LOOKS:
                for blogs, app in apps.items():
                    costs.setdefault((look.title, blogs), []).append(_microseconds(app.wsgi_app, look, blogs))
            say(f"blogs, round {number} of {rounds}")
    return [
        Figure(series=title, at=blogs, values={"microseconds": statistics.median(found)})
        for (title, blogs), found in costs.items()
    ]


def check(app: Flask, blogs: int) -> None:
    """Raise `WrongAnswer` unless every task is answered with the blogs that it asks for."""
    for look in LOOKS:
        status, body = ask(app.wsgi_app, look.call(blogs, 1))
        content = json.loads(body).get("data")
        items = [content] if isinstance(content, dict) else content or []
        found, expected = [item["id"] for item in items], look.expected(blogs, 1)
        if (status, found) != (200, expected):
            message = f"{look.title} of {blogs:,} blogs: {status} {found!r:.200} instead of {expected!r:.200}"
            raise WrongAnswer(message)


def _microseconds(asked: Application, look: Look, blogs: int) -> float:
    """Return what a request costs, after some that do not count."""
    warm_up = [look.call(blogs, turn) for turn in range(LEAST)]
    guess = mean_microseconds(asked, warm_up)
    times = max(LEAST, min(MOST, int(1_000_000 / guess)))
    return mean_microseconds(asked, [look.call(blogs, turn) for turn in range(times)])


def _progress(blogs: int, say: Say) -> Callable[[int], None]:
    began = time.monotonic()

    def tell(written: int) -> None:
        passed = time.monotonic() - began
        say(f"{written:,} of {blogs:,} blogs written, {passed:.0f} s")
        if passed > FILL_SECONDS:
            raise FillTooSlow(f"{written:,} of {blogs:,} blogs took {passed:.0f} s; choose smaller sizes by --blogs")

    return tell
