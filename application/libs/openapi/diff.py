"""Compare two API documents (OpenAPI 3.x) and say of every change whether it breaks clients.

What breaks: whatever a client that was made from the old document sends is no longer accepted or means something
else, or an answer holds what that client does not know how to read. So an answer may gain members, but no value of
an enumeration and no null. An `operationId` counts, since generated clients call their functions by it; texts, tags
and examples do not. What is not understood here is reported as breaking, for somebody to look at.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Set
from itertools import chain
from typing import Any, NamedTuple

from application.libs.openapi.schema_alternative import Json, expanded, resolve
from application.libs.openapi.schema_diff import Position, compare_schemas

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")

STYLE: Mapping[str, Any] = {"style": None, "explode": None, "allowReserved": False, "allowEmptyValue": False}
"""How a parameter is written, and what it is where nothing is said."""

_TEXT = {"description", "summary", "example", "examples", "externalDocs", "tags"}

READ: Mapping[str, Set[str]] = {
    "document": {"openapi", "info", "paths", "components", "security", "servers"} | _TEXT,
    "path": {*METHODS, "parameters", "servers", "$ref"} | _TEXT,
    "operation": {"operationId", "deprecated", "parameters", "requestBody", "responses", "security"} | _TEXT,
    "parameter": {"name", "in", "required", "deprecated", "schema", "content", *STYLE} | _TEXT,
    "body": {"required", "content"} | _TEXT,
    "response": {"headers", "content"} | _TEXT,
    "media type": {"schema"} | _TEXT,
}
"""Members that are compared by their meaning, or decide nothing; all others are compared as a whole."""

_CODE = re.compile(r"^(?:- )?`([a-z0-9_]+)`:", re.MULTILINE)
_TEMPLATE = re.compile(r"\{([^{}]+)\}")


class Change(NamedTuple):
    """Hold one change of a document."""

    breaking: bool
    operation: str
    place: str
    text: str

    def __str__(self) -> str:
        """Return the line that the command prints."""
        verdict = "breaking" if self.breaking else "ok"
        place = f"{self.place}: " if self.place else ""
        return f"{verdict:<9} {self.operation}  {place}{self.text}"


class NotADocumentError(ValueError):
    """What was read is no API document."""


class _Side(NamedTuple):
    """Hold one operation with all that decides about it, from its path and its document too."""

    operation: Json
    path: str
    item: Json
    document: Json

    def parameters(self) -> dict[tuple[str, str], Json]:
        """Return the parameters by place and name, those of the path by position: no client sends their names."""
        found: dict[tuple[str, str], Json] = {}
        positions = {name: str(number) for number, name in enumerate(_TEMPLATE.findall(self.path), 1)}
        for parameter in (*self.item.get("parameters", ()), *self.operation.get("parameters", ())):
            described = resolve(parameter, self.document)
            name, location = described["name"], described["in"]
            key = positions.get(name, name) if location == "path" else name
            found[location, key.lower() if location == "header" else key] = described
        return found

    def whole(self) -> Json:
        """Return the operation with what it takes over from its path, if it says nothing itself."""
        taken = {"servers": self.item["servers"]} if "servers" in self.item else {}
        return taken | self.operation

    def security(self) -> list[frozenset[str]]:
        """Return the ways to be let in, each as the schemes and scopes it asks for at once; to ask for none is one."""
        ways: list[Json] = self.operation.get("security", self.document.get("security", [])) or [{}]
        return [
            frozenset(
                chain.from_iterable(
                    [scheme, *(f"{scheme}:{scope}" for scope in scopes)] for scheme, scopes in way.items()
                )
            )
            for way in ways
        ]


class _Pair(NamedTuple):
    """Hold an operation as it was and as it is."""

    name: str
    old: _Side
    new: _Side

    def change(self, place: str, text: str, *, breaking: bool) -> Change:
        return Change(breaking, self.name, place, text)

    def unread(self, what: str, old: Json, new: Json, place: str = "") -> Iterator[Change]:
        """Yield the members that are not understood and have changed."""
        for member, was, now in _unread(what, (old, new), (self.old.document, self.new.document)):
            if was != now:
                where = f"{place}: {member}" if place else member
                yield self.change(where, "changed, and not understood here", breaking=True)

    def schemas(self, old: Any, new: Any, position: Position, place: str, *, is_text: bool = False) -> Iterator[Change]:
        """Yield the differences of the schemas of two media types, parameters or headers."""
        before, after = old.get("schema", True), new.get("schema", True)
        documents = (self.old.document, self.new.document)
        for finding in compare_schemas(before, after, position, documents, is_text=is_text):
            where = f"{place}: {finding.where}" if finding.where else place
            yield Change(finding.breaking, self.name, where, finding.text)

    def contents(self, old: Json, new: Json, position: Position, place: str) -> Iterator[Change]:
        """Yield the differences of two bodies, each described by media type."""
        before, after = old.get("content", {}), new.get("content", {})
        for media_type in {**before, **after}:
            if media_type not in after:
                yield self.change(place, f"{media_type} removed", breaking=True)
            elif media_type not in before:
                yield self.change(place, f"{media_type} added", breaking=False)
            else:
                here = place if len(before) == len(after) == 1 else f"{place} ({media_type})"
                yield from self.schemas(before[media_type], after[media_type], position, here)
                yield from self.unread("media type", before[media_type], after[media_type], here)


def check_document(document: object) -> Json:
    """Return a document; raise `NotADocumentError` for what is none."""
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise NotADocumentError("it has no `paths`")
    if not str(document.get("openapi", "")).startswith("3."):
        raise NotADocumentError("it does not say `openapi: 3.…`")
    return document


def compare_documents(old: Json, new: Json) -> list[Change]:
    """Return every change from the old document to the new one, those that break first within each operation."""
    before, after = _operations(old), _operations(new)
    changes = [*_schemes(old, new), *_rest_of_document(old, new)]
    for key in {**before, **after}:
        found: list[Change] = []
        if key not in after:
            found = [Change(True, _name(key, before[key]), "", "removed")]
        elif key not in before:
            found = [Change(False, _name(key, after[key]), "", "added")]
        else:
            pair = _Pair(_name(key, after[key]), before[key], after[key])
            found = [change for aspect in ASPECTS for change in aspect(pair)]
        changes += sorted(dict.fromkeys(found), key=lambda change: not change.breaking)
    return changes


def _operations(document: Json) -> dict[tuple[str, str], _Side]:
    """Return the operations by method and path, the names of the path's parameters taken out."""
    found = {}
    for path, item in document["paths"].items():
        described = resolve(item, document)
        for method in METHODS:
            if method in described:
                key = (method.upper(), _TEMPLATE.sub("{}", path))
                found[key] = _Side(described[method], path, described, document)
    return found


def _name(key: tuple[str, str], side: _Side) -> str:
    return f"{key[0]} {side.path}"


def _schemes(old: Json, new: Json) -> Iterator[Change]:
    before, after = (document.get("components", {}).get("securitySchemes", {}) for document in (old, new))
    for name in {**before, **after}:
        was, now = (
            {key: value for key, value in expanded(schemes.get(name, {}), document).items() if key != "description"}
            for schemes, document in ((before, old), (after, new))
        )
        if name not in before:
            yield Change(False, "document", "security scheme", f"{name} added")
        elif was != now:
            text = "removed" if name not in after else "changed"
            yield Change(True, "document", "security scheme", f"{name} {text}")


def _rest_of_document(old: Json, new: Json) -> Iterator[Change]:
    servers = [
        [{**server, "description": None} for server in document.get("servers", [{"url": "/"}])]
        for document in (old, new)
    ]
    for server in [server for server in servers[0] if server not in servers[1]]:
        yield Change(True, "document", "servers", f"{server.get('url')} removed, or changed")
    for member, was, now in _unread("document", (old, new), (old, new)):
        if was != now:
            yield Change(True, "document", member, "changed, and not understood here")


def _unread(what: str, nodes: tuple[Json, Json], documents: tuple[Json, Json]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the members that are not read, as they were and as they are, references filled in."""
    for member in sorted((nodes[0].keys() | nodes[1].keys()) - READ[what]):
        if not member.startswith("x-"):
            was, now = (expanded(node.get(member), document) for node, document in zip(nodes, documents, strict=True))
            yield member, was, now


def _identity(pair: _Pair) -> Iterator[Change]:
    before, after = (side.operation.get("operationId") for side in (pair.old, pair.new))
    if before is not None and before != after:
        yield pair.change("operationId", f"{before} → {after}", breaking=True)
    if pair.new.operation.get("deprecated") and not pair.old.operation.get("deprecated"):
        yield pair.change("", "deprecated", breaking=False)
    yield from pair.unread("operation", pair.old.whole(), pair.new.whole())
    yield from pair.unread("path", pair.old.item, pair.new.item)


def _parameters(pair: _Pair) -> Iterator[Change]:
    before, after = pair.old.parameters(), pair.new.parameters()
    for key in {**before, **after}:
        place = f"{key[0]} {(after.get(key) or before[key])['name']}"
        if key not in after:
            yield pair.change(place, "removed", breaking=True)
        elif key not in before:
            required = bool(after[key].get("required"))
            yield pair.change(place, "added, and required" if required else "added", breaking=required)
        else:
            yield from _parameter(pair, before[key], after[key], place)


def _parameter(pair: _Pair, old: Json, new: Json, place: str, position: Position = Position.INPUT) -> Iterator[Change]:
    """Compare two parameters, or two headers of an answer."""
    yield from _required(pair, old, new, place, position)
    yield from pair.unread("parameter", old, new, place)
    for member, default in STYLE.items():
        was, now = old.get(member, default), new.get(member, default)
        if was != now:
            yield pair.change(place, f"{member} {was} → {now}", breaking=True)
    kinds = ["content" if "content" in described else "schema" for described in (old, new)]
    if kinds[0] != kinds[1]:  # written in another way, whatever the schemas say
        yield pair.change(place, f"{kinds[0]} → {kinds[1]}", breaking=True)
    elif kinds[0] == "content":
        yield from pair.contents(old, new, position, place)
    else:
        yield from pair.schemas(old, new, position, place, is_text=True)


def _required(pair: _Pair, old: Json, new: Json, place: str, position: Position) -> Iterator[Change]:
    before, after = bool(old.get("required")), bool(new.get("required"))
    if before != after:
        text = "now required" if after else "no longer required"
        yield pair.change(place, text, breaking=after is (position is Position.INPUT))


def _body(pair: _Pair) -> Iterator[Change]:
    before, after = (resolve(side.operation.get("requestBody"), side.document) for side in (pair.old, pair.new))
    place = "request body"
    if before is None or after is None:
        if before is not None:
            yield pair.change(place, "removed", breaking=True)
        elif after is not None:
            required = bool(after.get("required"))
            yield pair.change(place, "added, and required" if required else "added", breaking=required)
        return
    yield from _required(pair, before, after, place, Position.INPUT)
    yield from pair.unread("body", before, after, place)
    yield from pair.contents(before, after, Position.INPUT, place)


def _responses(pair: _Pair) -> Iterator[Change]:
    before, after = (side.operation.get("responses", {}) for side in (pair.old, pair.new))
    for status in {**before, **after}:
        place = f"response {status}"
        if status not in after:
            yield pair.change(place, "removed", breaking=True)
        elif status not in before:
            yield pair.change(place, "added", breaking=False)
        else:
            was, now = resolve(before[status], pair.old.document), resolve(after[status], pair.new.document)
            yield from pair.unread("response", was, now, place)
            yield from pair.contents(was, now, Position.OUTPUT, place)
            yield from _headers(pair, was.get("headers", {}), now.get("headers", {}), place)
            yield from _codes(pair, was, now, place)


def _headers(pair: _Pair, old: Json, new: Json, place: str) -> Iterator[Change]:
    before, after = ({name.lower(): name for name in headers} for headers in (old, new))
    for key in {**before, **after}:
        here = f"{place} header {after.get(key) or before[key]}"
        if key not in after:
            yield pair.change(here, "removed", breaking=True)
        elif key not in before:
            yield pair.change(here, "added", breaking=False)
        else:
            was, now = resolve(old[before[key]], pair.old.document), resolve(new[after[key]], pair.new.document)
            yield from _parameter(pair, was, now, here, Position.OUTPUT)


def _codes(pair: _Pair, old: Json, new: Json, place: str) -> Iterator[Change]:
    """Compare the codes of errors, which our documents list in a response's description."""
    before, after = (dict.fromkeys(_CODE.findall(response.get("description", ""))) for response in (old, new))
    for code in {**before, **after}:
        if code not in after:
            yield pair.change(place, f"error {code} removed", breaking=True)
        elif code not in before:
            yield pair.change(place, f"error {code} added", breaking=False)


def _security(pair: _Pair) -> Iterator[Change]:
    before, after = pair.old.security(), pair.new.security()
    for way in before:
        if not any(now <= way for now in after):
            text = f"{' and '.join(sorted(way))} no longer suffices" if way else "a caller must now sign in"
            yield pair.change("security", text, breaking=True)
    for way in after:
        if not any(was <= way for was in before):
            yield pair.change(
                "security", f"{' and '.join(sorted(way))} suffices now, too" if way else "now open", breaking=False
            )
    was, now = (side.operation.get("x-permission") for side in (pair.old, pair.new))
    if was != now:
        yield pair.change("permission", f"{was or 'none'} → {now or 'none'}", breaking=now is not None)


ASPECTS: tuple[Callable[[_Pair], Iterator[Change]], ...] = (_identity, _parameters, _body, _responses, _security)
"""What is compared of an operation that both documents have."""
