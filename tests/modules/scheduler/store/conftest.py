"""Lend each kind of store, on a real server where it has one."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from flask import Flask

from application.libs.jobstore import StoreUnavailable, read_places
from application.modules.scheduler.store import JobStore, make_stores
from tests.private_redis import private_redis
from tests.private_zookeeper import private_zookeeper
from tests.services import DATABASES

Server = Callable[[], AbstractContextManager[Any]]

SERVERS: dict[str, Server] = {"redis": private_redis, "zookeeper": private_zookeeper}

ELSEWHERE = {
    "mongodb": ("TEST_MONGODB_URL", "mongodb://127.0.0.1:27017/", "host"),
    "rethinkdb": ("TEST_RETHINKDB_HOST", "127.0.0.1", "host"),
}
"""Servers that no package index offers: what is reachable is tested."""

KINDS = ("database", "memory", *SERVERS, *ELSEWHERE)


@pytest.fixture(scope="session")
def places() -> Iterator[Callable[[str], dict[str, Any]]]:
    """Return a function that says where a kind of store is, under names of its own; each server is started once."""
    started: dict[str, Any] = {}
    contexts: list[AbstractContextManager[Any]] = []

    def place(kind: str) -> dict[str, Any]:
        name = f"redprint-test-{secrets.token_hex(4)}"
        if kind in SERVERS and kind not in started:
            contexts.append(SERVERS[kind]())
            started[kind] = contexts[-1].__enter__()
        match kind:
            case "redis":
                return {"type": kind, "url": started[kind].url, "jobs_key": name, "run_times_key": f"{name}.due"}
            case "zookeeper":
                return {"type": kind, "hosts": started[kind].hosts, "path": f"/{name}"}
            case "mongodb" | "rethinkdb":
                variable, default, option = ELSEWHERE[kind]
                return {"type": kind, option: os.environ.get(variable, default), "database": name.replace("-", "_")}
        return {"type": kind}

    yield place
    for context in contexts:
        context.__exit__(None, None, None)


_ABSENT: set[str] = set()
"""The kinds whose servers did not answer once: the other tests do not wait for them again."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the stores beside the database but on the first one: the database has no part in them."""
    config.hook.pytest_deselected(items=[item for item in items if _is_doubled(item)])
    items[:] = [item for item in items if not _is_doubled(item)]


def _is_doubled(item: pytest.Item) -> bool:
    given = getattr(item, "callspec", None)
    kind, database = (given.params.get("place"), given.params.get("migrated_app")) if given else (None, None)
    return kind in KINDS[1:] and database in DATABASES[1:]


@contextmanager
def opened(place: dict[str, Any]) -> Iterator[JobStore]:
    """Open the store of a place, or skip the test where its server is none that could be installed here."""
    store = make_stores(read_places({"default": place}))["default"]
    try:
        kind = place["type"]
        if kind in ELSEWHERE and not _answers(kind, store):
            variable, default, _option = ELSEWHERE[kind]
            pytest.skip(f"no {kind} at {os.environ.get(variable, default)}; name one in {variable}")
        yield store
    finally:
        store.close()


def _answers(kind: str, store: JobStore) -> bool:
    if kind not in _ABSENT:
        try:
            store.count()
        except StoreUnavailable:
            _ABSENT.add(kind)
    return kind not in _ABSENT


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, places: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Return where an empty store is."""
    return places(request.param)


@pytest.fixture
def store(place: dict[str, Any], app: Flask) -> Iterator[JobStore]:
    """Return an empty store of each kind; it is asked inside a unit of work."""
    with opened(place) as one, app.app_context():
        yield one
