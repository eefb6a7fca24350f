"""Measure what more routes cost: a request for one that was always there, and building the application."""

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

from flask import Flask
from pydantic import Field

from application.config.setting import Environment, load_settings
from application.database import db
from application.factory import create_app
from application.libs.ok import Envelope
from application.libs.record import Record
from application.libs.redprint import Redprint, Surface
from application.libs.schema import Schema
from benchmarks import data
from benchmarks.driving import Call, ask, microseconds
from benchmarks.growth_table import Figure, Say
from benchmarks.in_process import WARM_UP, WrongAnswer, application

BLOGS = 1_000
BLOG = data.blog_id(321)
ONE = Call(f"/api/v1/blog/{BLOG}")
REQUESTS = 500

ThingId = Annotated[str, Field(description="The thing's id.")]


class ThingRow(Record):
    """Hold what a route answers."""

    id: str
    route: int


class ThingOut(Schema):
    """Show what a route answers."""

    id: str = Field(examples=["019b76da-a800-7000-8000-000300000000"])
    route: int = Field(examples=[17])


def surface(routes: int) -> Surface:
    """Return a surface of its own with so many handlers, each at an address of its own with an id in it."""
    things = Redprint("growth", __name__, url_prefix="")
    for number in range(routes):
        _declare(things, number)
    grown = Surface("growth", __name__, url_prefix="/api/growth", dialect=Envelope())
    grown.register_blueprint(things)
    return grown


def _declare(things: Redprint, number: int) -> None:
    def show(thing_id: ThingId) -> ThingRow:
        """Read a thing."""
        return ThingRow(id=thing_id, route=number)

    show.__name__ = show.__qualname__ = f"show_{number}"
    things.get(f"/thing-{number}/<id:thing_id>", public=True, answer=ThingOut)(show)


@contextmanager
def grown(url: str, folder: Path, routes: int) -> Iterator[tuple[Flask, float]]:
    """Build the application with so many routes more for a block; tell how many seconds of the processor it took."""
    settings = load_settings(
        _env_file=None,
        environment=Environment.DEVELOPMENT,  # production refuses a database in a temporary folder
        log_console=False,
        database_url=url,
        log_directory=folder / "logs",
        file_directory=folder / "files",
    )
    began = time.process_time()
    app = create_app(settings)
    if routes:
        app.register_blueprint(surface(routes))
    seconds = time.process_time() - began
    try:
        yield app, seconds
    finally:
        with app.app_context():
            db.engine.dispose()


def measure(counts: Sequence[int], rounds: int, folder: Path, say: Say) -> list[Figure]:
    """Return what each number of routes costs, asked in turns: the medians of all rounds."""
    costs: dict[int, list[float]] = {routes: [] for routes in counts}
    builds: dict[int, list[float]] = {routes: [] for routes in counts}
    with ExitStack() as stack:
        filled = stack.enter_context(application(BLOGS, folder))
        with filled.app_context():
            url = db.engine.url.render_as_string(hide_password=False)
        place = Path(filled.extensions["settings"].log_directory).parent
        apps = {routes: stack.enter_context(grown(url, place, routes))[0] for routes in counts}
        for routes, app in apps.items():
            check(app, routes)
            microseconds(app.wsgi_app, ONE, WARM_UP)
        for number in range(1, rounds + 1):
            for routes, app in apps.items():
                costs[routes].append(microseconds(app.wsgi_app, ONE, REQUESTS))
            for routes in counts:
                with grown(url, place, routes) as (_app, seconds):
                    builds[routes].append(seconds)
            say(f"routes, round {number} of {rounds}")
    return [
        Figure(
            series="GET one",
            at=routes,
            values={"microseconds": statistics.median(costs[routes]), "seconds": statistics.median(builds[routes])},
        )
        for routes in counts
    ]


def check(app: Flask, routes: int) -> None:
    """Raise `WrongAnswer` unless the blog is answered, and the last of the routes; the one behind it is not there."""
    for path, expected in ((ONE.path, 200), (_path(routes - 1), 200 if routes else 404), (_path(routes), 404)):
        status, body = ask(app.wsgi_app, Call(path))
        if status != expected or (status == 200 and json.loads(body)["data"]["id"] != BLOG):
            raise WrongAnswer(f"{path} with {routes} routes more: {status} {body!r:.300} instead of {expected}")


def _path(number: int) -> str:
    return f"/api/growth/thing-{number}/{BLOG}"
