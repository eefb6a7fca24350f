"""Compare two JSON schemas of an API document and tell whether what fitted still fits.

What a client sends must go on being accepted: there a narrower schema breaks. What a client reads must go on being
what it knows: there a wider one does. A schema is read as the alternatives it allows by type (`anyOf`, a list of
types, `null`), so the different ways to write one and the same thing are no change.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from application.libs.openapi.schema_alternative import ANY, TEXT, Json, alternatives_of, expanded, resolve


class Position(Enum):
    """Say who reads what a schema describes: the server or the client."""

    INPUT = "input"
    OUTPUT = "output"


class Effect(Enum):
    """Say what a change does to the set of values that fit; the value holds the positions in which it breaks."""

    NARROWER = (Position.INPUT,)
    WIDER = (Position.OUTPUT,)
    OTHER = (Position.INPUT, Position.OUTPUT)
    HARMLESS = ()


class Finding(NamedTuple):
    """Hold one change: where in the schema, what, and whether it breaks clients."""

    where: str
    text: str
    breaking: bool


LIMITS: Mapping[str, int] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"), 1),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"), -1),
}
"""Bounds, and the direction in which they narrow."""

FACETS = ("pattern", "format", "multipleOf", "uniqueItems", "contentEncoding", "contentMediaType")
"""Demands that narrow when they come, widen when they go, and are another matter when they change."""

READ_ELSEWHERE = {"type", "enum", "const", "items", "prefixItems", "properties", "required", "additionalProperties"}


def compare_schemas(
    old: Json | bool, new: Json | bool, position: Position, documents: tuple[Json, Json], *, is_text: bool = False
) -> Iterator[Finding]:
    """Yield the differences of two schemas, whose references lead into the two documents.

    What `is_text`, as a parameter of a query is, can be no null, whatever its schema allows.
    """
    yield from _Comparison(position, *documents, is_text=is_text).compare(old, new, "")


class _Comparison:
    """Walk through two schemas side by side."""

    def __init__(self, position: Position, old: Json, new: Json, *, is_text: bool) -> None:
        self._position = position
        self._is_text = is_text
        self._documents = (old, new)
        self._open: set[tuple[int, int]] = set()

    def compare(self, old: Any, new: Any, where: str) -> Iterator[Finding]:
        """Yield the differences; a schema that holds itself is entered once."""
        key = (id(old), id(new))
        if key in self._open:
            return
        self._open.add(key)
        try:
            yield from self._defaults(old, new, where)
            before = alternatives_of(old, self._documents[0])
            after = alternatives_of(new, self._documents[1])
            if self._is_text and not where:
                for side in (before, after):
                    side.pop("null", None)
            yield from self._types(before, after, where)
        finally:
            self._open.discard(key)

    def _found(self, effect: Effect, where: str, text: str) -> Finding:
        return Finding(where, text, self._position in effect.value)

    def _defaults(self, old: Any, new: Any, where: str) -> Iterator[Finding]:
        before, after = (
            resolve(schema, document) if isinstance(schema, dict) else {}
            for schema, document in zip((old, new), self._documents, strict=True)
        )
        was, now = before.get("default"), after.get("default")  # null stands for what is left out, too
        if was is not None and was != now:
            # What is left out now means something else: a matter of input only.
            yield self._found(Effect.NARROWER, where, f"default {_shown(was)} → {_shown(now)}")

    def _types(self, before: dict[str, list[Json]], after: dict[str, list[Json]], where: str) -> Iterator[Finding]:
        if (ANY in before) != (ANY in after):
            effect, text = (Effect.NARROWER, "no longer any") if ANY in before else (Effect.WIDER, "now any")
            yield self._found(effect, where, f"{text} value")
            return
        yield from self._integers(before, after, where)
        for kind in before.keys() | after.keys():
            if kind not in after:
                yield self._found(Effect.NARROWER, where, f"may no longer be {_named(kind)}")
            elif kind not in before:
                yield self._found(Effect.WIDER, where, f"may now be {_named(kind)}")
            else:
                yield from self._pairs(kind, before[kind], after[kind], where)

    def _integers(self, before: dict[str, list[Json]], after: dict[str, list[Json]], where: str) -> Iterator[Finding]:
        """Treat integers as numbers where the other side has numbers, for every integer is one."""
        for one, other, effect, text in (
            (before, after, Effect.WIDER, "integer → number"),
            (after, before, Effect.NARROWER, "number → integer"),
        ):
            if "integer" in one and "integer" not in other and "number" in other and "number" not in one:
                one["number"] = one.pop("integer")
                yield self._found(effect, where, text)

    def _pairs(self, kind: str, before: list[Json], after: list[Json], where: str) -> Iterator[Finding]:
        for old, new in _matched(before, after):
            if new is None:
                yield self._found(Effect.NARROWER, where, f"the alternative {_title(old)} is gone")
            elif old is None:
                yield self._found(Effect.WIDER, where, f"{_title(new)} is a new alternative")
            else:
                yield from self._one(kind, old, new, where)

    def _one(self, kind: str, old: Json, new: Json, where: str) -> Iterator[Finding]:
        yield from self._enumerations(old, new, where)
        for keyword in sorted((old.keys() | new.keys()) - READ_ELSEWHERE - TEXT):
            before, after = (
                expanded(schema.get(keyword), document)
                for schema, document in zip((old, new), self._documents, strict=True)
            )
            if before != after and not keyword.startswith("x-"):
                yield self._found(
                    _effect(keyword, before, after), where, f"{keyword} {_shown(before)} → {_shown(after)}"
                )
        members: Callable[[Json, Json, str], Iterable[Finding]] | None
        members = {"array": self._items, "object": self._object}.get(kind)
        if members is not None:
            yield from members(old, new, where)

    def _enumerations(self, old: Json, new: Json, where: str) -> Iterator[Finding]:
        before, after = old.get("enum"), new.get("enum")
        if before is None or after is None:
            if before is not after:
                effect, text = (Effect.WIDER, "no longer") if after is None else (Effect.NARROWER, "now only")
                yield self._found(effect, where, f"{text} one of {_listed(before or after or ())}")
            return
        gone, added = (
            [value for value in one if value not in other] for one, other in ((before, after), (after, before))
        )
        if gone:
            yield self._found(Effect.NARROWER, where, f"no longer {_listed(gone)}")
        if added:
            yield self._found(Effect.WIDER, where, f"may now be {_listed(added)}")

    def _items(self, old: Json, new: Json, where: str) -> Iterator[Finding]:
        yield from self.compare(old.get("items", True), new.get("items", True), f"{where}[]")
        before, after = old.get("prefixItems", ()), new.get("prefixItems", ())
        for number in range(max(len(before), len(after))):
            was, now = (
                prefix[number] if number < len(prefix) else schema.get("items", True)
                for prefix, schema in ((before, old), (after, new))
            )
            yield from self.compare(was, now, f"{where}[{number}]")

    def _object(self, old: Json, new: Json, where: str) -> Iterator[Finding]:
        before, after = old.get("properties", {}), new.get("properties", {})
        # Where members have names, silence invites nobody to send others; where none has, anything may come.
        others = old.get("additionalProperties", "properties" not in old)
        demanded, demanding = old.get("required", ()), new.get("required", ())
        for name in dict.fromkeys((*before, *after, *demanded, *demanding)):
            place = f"{where}.{name}" if where else name
            required = (name in demanded, name in demanding)
            if name in before and name not in after:
                yield self._found(Effect.OTHER, place, "removed")
            elif name in after and name not in before:
                # Clients pass over members they do not know, so what is added to an answer breaks nobody.
                effect = Effect.NARROWER if required == (False, True) else Effect.HARMLESS
                yield self._found(effect, place, "added, and required" if required[1] else "added")
                if others is not False:  # which is what came under this name so far
                    yield from self.compare(others, after[name], place)
            else:
                yield from self._required(required, place)
                yield from self.compare(before.get(name, True), after.get(name, True), place)
        yield from self._others(old.get("additionalProperties", True), new.get("additionalProperties", True), where)

    def _required(self, required: tuple[bool, ...], where: str) -> Iterator[Finding]:
        if required == (False, True):
            yield self._found(Effect.NARROWER, where, "now required")
        elif required == (True, False):
            yield self._found(Effect.WIDER, where, "no longer required")

    def _others(self, old: Any, new: Any, where: str) -> Iterator[Finding]:
        before, after = _openness(old), _openness(new)
        if before > after:
            yield self._found(Effect.NARROWER, where, "fewer other members allowed")
        elif before < after:
            yield self._found(Effect.HARMLESS, where, "more other members allowed")
        elif before == 1:
            yield from self.compare(old, new, f"{where}{{}}")


def _openness(others: Any) -> int:
    """Return 0 where no other members may come, 1 where those of a schema may, 2 where any may."""
    return 1 if isinstance(others, dict) and others else 2 * bool(others or others == {})


def _effect(keyword: str, before: Any, after: Any) -> Effect:
    """Return what the change of a keyword does; of one that is not known here, the worst."""
    if keyword in LIMITS:
        sign = LIMITS[keyword]
        if before is None or (after is not None and (after - before) * sign > 0):
            return Effect.NARROWER
        return Effect.WIDER
    if keyword not in FACETS or (before and after):
        return Effect.OTHER
    return Effect.NARROWER if after else Effect.WIDER


def _matched(before: list[Json], after: list[Json]) -> Iterator[tuple[Json | None, Json | None]]:
    """Pair alternatives of one type: a single one with a single one, several by equality, then by title."""
    if len(before) == len(after) == 1:
        yield before[0], after[0]
        return
    left = [schema for schema in after if schema not in before]
    for old in (schema for schema in before if schema not in after):
        new = next((schema for schema in left if "title" in old and schema.get("title") == old["title"]), None)
        if new is not None:
            left.remove(new)
        yield old, new
    yield from ((None, new) for new in left)


def _title(schema: Json | None) -> str:
    return str((schema or {}).get("title") or _shown(schema))


def _named(kind: str) -> str:
    return kind if kind == "null" else f"{'an' if kind[0] in 'aio' else 'a'} {kind}"


def _listed(values: Iterable[object]) -> str:
    return ", ".join(_shown(value) for value in values)


def _shown(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
