"""Read where SCHEDULER_JOBSTORES says that jobs are kept, as APScheduler does: nothing is asked, no driver imported."""

import json
import re
from collections.abc import Mapping
from typing import Any

from application.libs.error import Unavailable
from application.libs.record import Record


class StoreUnavailable(Unavailable):
    """The store of this job does not answer; try again soon."""


OPTIONS: Mapping[str, frozenset[str]] = {
    "database": frozenset(),
    "memory": frozenset(),
    "redis": frozenset({"url", "host", "port", "db", "username", "password", "ssl", "jobs_key", "run_times_key"}),
    "mongodb": frozenset({"host", "port", "username", "password", "tls", "database", "collection"}),
    "zookeeper": frozenset({"hosts", "path"}),
    "rethinkdb": frozenset({"host", "port", "user", "password", "database", "table"}),
}
"""The kinds of stores, and what each may be told."""

_ALSO = {"sqlalchemy": "database"}
_INSTANCES = {f"apscheduler.jobstores.{name}": name for name in ("sqlalchemy", *OPTIONS)}
_ABOUT_PICKLES = frozenset({"pickle_protocol"})
_EXAMPLE = "give {'type': 'redis', 'url': 'redis://127.0.0.1:6379/0'}"


class JobStorePlace(Record):
    """Hold of which kind a store is, what it is told, and the instance of APScheduler's whose connection it takes."""

    kind: str
    options: Mapping[str, Any]
    instance: Any = None


def read_places(given: Mapping[str, Any] | None) -> dict[str, JobStorePlace]:
    """Return the stores by alias, `default` among them; raise ValueError with the cure.

    Each is a dict with `type`, the name of one, or an instance of APScheduler's, whose connection and names it takes.
    """
    places = {"default": JobStorePlace("database", {})}
    for alias, one in (given or {}).items():
        try:
            places[_alias(alias)] = _place(one)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{alias!r}: {error}") from None
    if sum(place.kind == "database" for place in places.values()) > 1:
        raise ValueError("only one can be the database; its jobs stand in one table")
    return places


def read_json(text: str) -> dict[str, Any]:
    """Return what a variable says, a JSON object of stores by alias; raise ValueError with the cure."""
    try:
        given: dict[str, Any] = {**json.loads(text)}
    except (ValueError, TypeError):
        raise ValueError('it is no JSON object; write {"default": {"type": "redis", "url": "redis://…"}}') from None
    return given


def passwords(text: str) -> list[str]:
    """Return the passwords in what a variable says, for whoever must keep them out of sight."""
    try:
        given = read_json(text)
    except ValueError:
        return []
    found: list[str] = []
    for one in given.values():
        if isinstance(one, Mapping):
            found += [str(one["password"])] if one.get("password") else []
            found += re.findall(r"//[^/@:]*:([^/@]+)@", str(one.get("url", "")) + str(one.get("host", "")))
    return found


def _alias(alias: object) -> str:
    if not isinstance(alias, str) or not 1 <= len(alias) <= 50 or not alias.isprintable():
        raise ValueError("an alias is a text of 1 to 50 characters")
    return alias


def _place(one: Any) -> JobStorePlace:
    module = type(one).__module__
    if module in _INSTANCES:
        kind = _INSTANCES[module]
        return JobStorePlace(_ALSO.get(kind, kind), {}, one)
    given = {"type": one} if isinstance(one, str) else one
    if not isinstance(given, Mapping):
        raise TypeError(f"{one!r} is neither a job store nor a dict; {_EXAMPLE}")
    kind = _ALSO.get(given.get("type", ""), given.get("type", ""))
    if kind not in OPTIONS:
        raise ValueError(f"there is no type {kind!r}; use one of {', '.join(OPTIONS)}")
    options = {name: value for name, value in given.items() if name != "type" and name not in _ABOUT_PICKLES}
    unknown = sorted(options.keys() - OPTIONS[kind])
    if unknown:
        raise ValueError(_fault_of_option(kind, unknown[0]))
    return JobStorePlace(kind, options)


def _fault_of_option(kind: str, name: str) -> str:
    if kind == "database":
        return f"it takes no {name}: its jobs stand in the application's database, which DATABASE_URL names"
    return f"a store of type {kind} takes no {name}; it takes {', '.join(sorted(OPTIONS[kind])) or 'nothing'}"
