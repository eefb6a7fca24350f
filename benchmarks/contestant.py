"""Name who is measured, and how each is served: two processes, as its own documentation serves it."""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from application.config.setting import ROOT

WORKERS = 2


@dataclass(frozen=True)
class Place:
    """Say where a server finds what it needs (a port, a database, a folder, the Pythons), and its size.

    Ours should be one that has what is served with and no more: libraries import others for being there.
    """

    port: int
    database_url: str
    folder: Path
    peers_python: Path
    workers: int = WORKERS
    our_python: Path = Path(sys.executable)


@dataclass(frozen=True)
class Contestant:
    """Be a program that does the tasks."""

    name: str
    command: Callable[[Place], list[str]]
    server: str
    prefix: str = ""
    is_ours: bool = False
    validates: bool = True
    """Whether it refuses a body that lacks a field."""

    has_tags: bool = False
    """Whether its framework answers 304 to who knows the answer."""

    def environment(self, place: Place) -> Mapping[str, str]:
        """Return the variables of its process; nothing of ours is read from a file."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GUNICORN_", "PYTHON"))}
        common = {"PYTHONPATH": str(ROOT), "DATABASE_URL": place.database_url}
        return kept | common | (_settings(place) if self.is_ours else {})

    def directory(self, place: Place) -> Path:
        """Return where it is started: gunicorn takes our configuration from the folder it starts in, if it finds it."""
        return ROOT if self.is_ours else place.folder


def _settings(place: Place) -> dict[str, str]:
    """Return what production sets; all else is as it comes, so gevent, limits, log and scheduler are on."""
    return {
        "ENVIRONMENT": "production",
        "HOST": "127.0.0.1",
        "PORT": str(place.port),
        "WORKERS": str(place.workers),
        "SECRET_KEY": secrets.token_hex(32),
        "TRUSTED_HOSTS": "127.0.0.1",
        "LOG_DIRECTORY": str(place.folder / "logs"),
        "FILE_DIRECTORY": str(place.folder / "files"),
    }


def _ours(place: Place) -> list[str]:
    return [str(place.our_python), "-m", "gunicorn", "benchmarks.ours:load_app()"]


def _uvicorn(module: str) -> Callable[[Place], list[str]]:
    """Serve by uvicorn with its fast parts, and without its access log, which costs."""

    def command(place: Place) -> list[str]:
        options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
        app = [f"benchmarks.peers.{module}:app", "--host", "127.0.0.1", "--port", str(place.port)]
        return [str(place.peers_python), "-m", "uvicorn", *app, "--workers", str(place.workers), *options]

    return command


def _gunicorn(module: str, *options: str) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        app = [f"benchmarks.peers.{module}:app", "--bind", f"127.0.0.1:{place.port}", "--workers", str(place.workers)]
        return [
            str(place.peers_python),
            "-m",
            "gunicorn",
            *app,
            *options,
            "--no-control-socket",
            "--log-level",
            "error",
        ]

    return command


THREADS = ("--worker-class", "gthread", "--threads", "16")
"""For who waits for a database by a driver that blocks: what Django and Flask advise where nothing else is said."""

GREEN = ("--worker-class", "gevent")
"""As ours is served, so that what is left is the work itself."""

CONTESTANTS = (
    Contestant("Redprint", _ours, "gunicorn gevent", "/api/v1", is_ours=True, has_tags=True),
    Contestant("FastAPI, ORM", _uvicorn("fastapi_orm"), "uvicorn"),
    Contestant("FastAPI, columns", _uvicorn("fastapi_columns"), "uvicorn"),
    Contestant("Litestar, msgspec", _uvicorn("litestar_msgspec"), "uvicorn"),
    Contestant("Django REST framework", _gunicorn("django_drf.wsgi", *THREADS), "gunicorn gthread", has_tags=True),
    Contestant("APIFlask", _gunicorn("apiflask_orm", *THREADS), "gunicorn gthread"),
    Contestant("Flask, naive", _gunicorn("naive_flask", *THREADS), "gunicorn gthread", validates=False),
    Contestant("Flask, naive, green", _gunicorn("naive_flask", *GREEN), "gunicorn gevent", validates=False),
    Contestant("Flask, bare", _gunicorn("bare_flask", *THREADS), "gunicorn gthread", validates=False),
    Contestant("Flask, bare, green", _gunicorn("bare_flask", *GREEN), "gunicorn gevent", validates=False),
    Contestant("WSGI, raw", _gunicorn("raw_wsgi", *THREADS), "gunicorn gthread", validates=False),
    Contestant("WSGI, raw, green", _gunicorn("raw_wsgi", *GREEN), "gunicorn gevent", validates=False),
)

PACKAGES = (
    *(
        "fastapi",
        "starlette",
        "litestar",
        "django",
        "djangorestframework",
        "apiflask",
        "flask",
        "werkzeug",
        "sqlalchemy",
    ),
    *(
        "pydantic",
        "msgspec",
        "marshmallow",
        "orjson",
        "uvicorn",
        "uvloop",
        "httptools",
        "gunicorn",
        "gevent",
        "psycopg",
    ),
)
"""Whose versions the table names."""
