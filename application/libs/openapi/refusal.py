"""Write the refusals of all operations as components, each once, under names that say what is in them.

All are collected before the first is named: what a component is called, and whether it can show the request of the one
operation that refers to it, depends on the others.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from application.libs.conversion import leaf
from application.libs.error import FieldError, Invalid, NotAcceptable, NotFound, Refusal
from application.libs.fault_wording import faults, found
from application.libs.multilingual import Translate
from application.libs.ok import Json
from application.libs.openapi.header import RATE_LIMIT, REQUEST_ID, References, failure_headers
from application.libs.operation import Operation
from application.libs.redprint import Mounted, Surface
from application.libs.view import implied_errors
from application.libs.wire_name import member

_SCHEMAS = "#/components/schemas/"
_REFUSED_OUTSIDE = frozenset({400, 413, 503})
"""Statuses that a server or a database in trouble answers with codes of its own."""

_WRONG: Mapping[Any, Sequence[object]] = {int: (0, 2**63), str: ("",)}
"""Values at the edge, by type."""


class Request(NamedTuple):
    """Name the request that a refusal answers."""

    method: str
    path: str


ANY_REQUEST = Request("METHOD", "/path/of/the/request")


class Component(NamedTuple):
    """Hold all that tells one refusal in the document from another."""

    surface: str
    """Empty for the first surface of the document, and for others that speak as it does."""
    status: int
    errors: tuple[type[Refusal], ...]
    headers: tuple[str, ...]
    place: str
    """Where the faulty field stands that is shown, empty where none is."""
    fault: str
    """What is wrong with it."""


class Served(NamedTuple):
    """Name an operation and a path that it is asked at."""

    item: Mounted
    path: str


class Refusals:
    """Hold what every operation refuses with; `components` are the answers, written when all are known."""

    def __init__(self, served: Iterable[Served], references: References, translate: Translate) -> None:
        """Collect the refusals of all operations, then name and write them."""
        self._references = references
        self._translate = translate
        self._surfaces: dict[type, str] = {}
        self._of: dict[Mounted, list[Component]] = {}
        self._users: dict[Component, list[Served]] = {}
        for one in served:
            self._of[one.item] = list(self._collected(one.item))
            for component in self._of[one.item]:
                self._users.setdefault(component, []).append(one)
        self._names = named(self._users)
        self.components = {self._names[key]: self._written(key, users) for key, users in self._users.items()}

    def responses(self, item: Mounted) -> Json:
        """Return the entries of one operation, by status."""
        return {
            str(component.status): {"$ref": f"#/components/responses/{self._names[component]}"}
            for component in self._of[item]
        }

    def _collected(self, item: Mounted) -> Iterator[Component]:
        by_status: dict[int, dict[type[Refusal], None]] = {}
        for error in _refusals(item):
            by_status.setdefault(error.status, {})[error] = None
        for status, errors in sorted(by_status.items()):
            fault = _fault(item.operation) if Invalid in errors else None
            yield Component(
                self._surface(item.surface),
                status,
                tuple(errors),
                tuple(failure_headers(item.operation, item.surface, status, tuple(errors))),
                "" if fault is None else _camel(str(part) for part in fault["loc"]),
                "" if fault is None else _camel([fault["type"]]),
            )

    def _surface(self, surface: Surface) -> str:
        """Return what tells the answers of a surface from those of one that speaks another dialect."""
        name = _camel([surface.name]) if self._surfaces else ""
        return self._surfaces.setdefault(type(surface.dialect), name)

    def _written(self, component: Component, users: Sequence[Served]) -> Json:
        """Return the answer; one that several operations refer to shows the request of none."""
        (item, path), *others = users
        request = ANY_REQUEST if others else Request(item.operation.method, path)
        dialect, errors = item.surface.dialect, component.errors
        schema: Json = {"$ref": f"{_SCHEMAS}{dialect.failure_schema}"}
        if component.status not in _REFUSED_OUTSIDE:  # beside the reference: generated clients keep one class for all
            schema["properties"] = {"code": {"enum": [error.code for error in errors]}}
        content: Json = {}
        for error in errors:
            refusal = error(errors=_faults(item.operation) if error is Invalid else ())
            content_type, body = dialect.draw(refusal, **request._asdict(), request_id=REQUEST_ID)
            media_type = content_type.partition(";")[0]
            if media_type.endswith("json"):
                shown = content.setdefault(media_type, {"schema": schema, "examples": {}})["examples"]
                shown[error.code] = {"summary": self._translate(error.title), "value": json.loads(body)}
            else:
                content[media_type] = {"schema": {"type": "string"}, "example": body.decode()}
        return {
            "description": "\n".join(f"- `{error.code}`: {self._translate(error.title)}" for error in errors),
            "headers": self._references.headers(component.headers),
            "content": content,
        }


def named(users: Mapping[Component, Sequence[Served]]) -> dict[Component, str]:
    """Return a name for each component: its errors, and of what tells it from others of these errors only as much."""
    names = {component: _short(component) for component in users}
    for part in _PARTS:
        for group in _of_one_name(names):
            added = {component: part(component, users[component]) for component in group}
            if len(set(added.values())) > 1:
                names |= {component: names[component] + added[component] for component in group}
    for group in _of_one_name(names):
        names |= {component: f"{names[component]}{number}" for number, component in enumerate(group, 1)}
    return names


def _of_one_name(names: Mapping[Component, str]) -> list[list[Component]]:
    groups: dict[str, list[Component]] = {}
    for component, name in names.items():
        groups.setdefault(name, []).append(component)
    return [group for group in groups.values() if len(group) > 1]


def _short(component: Component) -> str:
    """Return the names of the errors; what is not found says more than that there is nothing at the address."""
    says_more = any(issubclass(error, NotFound) and error is not NotFound for error in component.errors)
    shown = [error for error in component.errors if not (says_more and error is NotFound)]
    return component.surface + "Or".join(error.__name__ for error in shown)


def _nothing_there(component: Component, _users: Sequence[Served]) -> str:
    return "OrNotFound" if NotFound in component.errors else ""


def _counted(component: Component, _users: Sequence[Served]) -> str:
    return "WithRateLimit" if RATE_LIMIT[0] in component.headers else ""


def _accepting(component: Component, _users: Sequence[Served]) -> str:
    return "WithAccept" if "Accept" in component.headers else ""


def _shown(component: Component, _users: Sequence[Served]) -> str:
    return component.place + component.fault


def _of_redprints(_component: Component, users: Sequence[Served]) -> str:
    """Return whose it is: two modules may have an error of one name."""
    return "Of" + "And".join(dict.fromkeys(_camel([user.item.redprint]) for user in users))


_PARTS = (_nothing_there, _counted, _accepting, _shown, _of_redprints)
"""What may tell two components of the same errors apart."""


def _camel(words: Iterable[str]) -> str:
    return "".join(word[:1].upper() + word[1:] for text in words for word in text.split("_"))


def _refusals(item: Mounted) -> Iterable[type[Refusal]]:
    """Return every refusal of an operation: its rules', the machinery's, and what its address brings along."""
    operation = item.operation
    yield from operation.errors
    implied = implied_errors(operation)
    yield from (error for error in implied if error is not NotAcceptable or item.surface.dialect.negotiates)
    yield from item.surface.dialect.refusals
    if operation.changes:
        yield from item.surface.refusals
    if operation.path:
        yield NotFound  # an id that is none matches no rule


def _fault(operation: Operation) -> FieldError | None:
    return next(iter(_faults(operation)), None)


def _faults(operation: Operation) -> list[FieldError]:
    """Return an example of what is said about a field: of one that is left out, or given wrong where none need be."""
    inputs = operation.inputs.items()
    tries: list[tuple[str, type[BaseModel], Json]] = [(place, model, {}) for place, model in inputs]
    for place, model in inputs:
        for name, field in model.model_fields.items():
            tries += [(place, model, {member(name, field): value}) for value in _WRONG.get(leaf(field.annotation), ())]
    for place, model, given in tries:
        try:
            model.__pydantic_validator__.validate_python(given, strict=False)
        except ValidationError as error:
            return faults(place, found(error))[:1]
    return []
