"""Read the JSON schemas of an API document: follow references, and say what a schema allows, by type."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

Json = dict[str, Any]

NUMERIC = {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "format"}
KEYWORDS: Mapping[str, set[str]] = {
    "string": {"minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"},
    "integer": NUMERIC,
    "number": NUMERIC,
    "array": {"minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "items", "prefixItems", "contains"},
    "object": {
        *("properties", "required", "additionalProperties", "minProperties", "maxProperties", "patternProperties"),
        *("propertyNames", "dependentRequired", "dependentSchemas", "unevaluatedProperties"),
    },
}
"""Keywords that speak of one type only (JSON Schema 2020-12), by type."""

BOUND_TO_A_TYPE = frozenset(chain.from_iterable(KEYWORDS.values()))

TEXT = {"title", "description", "examples", "example", "deprecated", "$comment", "externalDocs", "default", "$defs"}
"""Keywords that decide nothing about a value; `default` is compared before the alternatives."""

TYPES: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
ANY = "any"
OPAQUE = "value that is not understood here"


class ReferenceMissingError(ValueError):
    """A document refers to something that it does not hold."""


def resolve(node: Any, document: Json) -> Any:
    """Return what a node refers to, keywords beside the reference added."""
    seen: list[str] = []
    while isinstance(node, dict) and "$ref" in node:
        reference = node["$ref"]
        if reference in seen:
            raise ReferenceMissingError(f"{reference} refers to itself")
        seen.append(reference)
        beside = {key: value for key, value in node.items() if key != "$ref"}
        target = _find(reference, document)
        node = target | beside if beside else target
        if "properties" in beside:  # which narrow the target's, and do not stand for them
            node["properties"] = _narrowed(target.get("properties", {}), beside["properties"])
    return node


def _narrowed(properties: Json, beside: Json) -> Json:
    return properties | {name: {**properties.get(name, {}), **schema} for name, schema in beside.items()}


def expanded(node: Any, document: Json, within: tuple[str, ...] = ()) -> Any:
    """Return a node with all its references filled in; one that leads back into itself stays."""
    if isinstance(node, list):
        return [expanded(member, document, within) for member in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        if reference in within:
            return node
        return expanded(resolve(node, document), document, (*within, reference))
    return {key: expanded(value, document, within) for key, value in node.items()}


def _find(reference: str, document: Json) -> Any:
    found: Any = document
    try:
        start, *names = reference.split("/")
        if start != "#":
            raise KeyError(start)
        for name in names:
            found = found[name.replace("~1", "/").replace("~0", "~")]
    except (KeyError, TypeError):
        raise ReferenceMissingError(f"{reference} is not in the document") from None
    return found


def alternatives_of(schema: Any, document: Json) -> dict[str, list[Json]]:
    """Return what a schema allows, by type; `any` where it says no type."""
    found: dict[str, list[Json]] = {}
    for part in _flattened(schema, document):
        for kind in _kinds(part):
            foreign = set() if kind == ANY else BOUND_TO_A_TYPE - KEYWORDS.get(kind, set())
            own = {key: value for key, value in part.items() if key not in foreign}
            if "enum" in own:
                own = own | {"enum": [value for value in own["enum"] if kind == ANY or _fits(value, kind)]}
            found.setdefault(kind, []).append(own)
    return {kind: _joined(parts) for kind, parts in found.items()}


def _flattened(schema: Any, document: Json) -> Iterator[Json]:
    """Yield the alternatives of a schema, references followed, `allOf` merged into one."""
    schema = resolve(schema, document)
    if isinstance(schema, bool):
        schema = {} if schema else {"not": {}}
    if "const" in schema:
        schema = {key: value for key, value in schema.items() if key != "const"} | {"enum": [schema["const"]]}
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in schema:
            rest = {key: value for key, value in schema.items() if key not in (keyword, "title", "description")}
            parts = [list(_flattened(part, document)) for part in schema[keyword]]
            groups = [_merged(parts)] if keyword == "allOf" else chain.from_iterable(parts)
            for part in groups:
                yield from _flattened(_merged([[rest], [part]]), document)
            return
    yield schema


def _merged(parts: Sequence[Sequence[Json]]) -> Json:
    """Return one schema for several that all hold, or what stands for them where they cannot be written as one."""
    merged: Json = {}
    for alternatives in parts:
        if len(alternatives) != 1 or _collide(merged, alternatives[0]):
            return {"type": OPAQUE, "schemas": list(parts)}
        part = alternatives[0]
        properties = merged.get("properties", {}) | part.get("properties", {})
        required = [*merged.get("required", ()), *part.get("required", ())]
        merged = merged | part
        merged |= {key: value for key, value in (("properties", properties), ("required", required)) if value}
    return merged


def _collide(one: Json, other: Json) -> bool:
    """Tell whether two schemas say different things by one keyword, or by keywords that depend on each other."""
    if any(one[key] != other[key] for key in one.keys() & other.keys() - TEXT - {"properties", "required"}):
        return True
    before, after = one.get("properties", {}), other.get("properties", {})
    if any(before[name] != after[name] for name in before.keys() & after.keys()):
        return True
    pairs = ((one, other), (other, one))
    return any(
        ("additionalProperties" in first and second.get("properties", {}).keys() - first.get("properties", {}).keys())
        or ("items" in first and "prefixItems" in second)
        for first, second in pairs
    )


def _kinds(schema: Json) -> list[str]:
    kinds = schema.get("type")
    if isinstance(kinds, str):
        return [kinds]
    if kinds is not None:
        return list(kinds)
    if "enum" in schema:
        return list(dict.fromkeys(_kind(value) for value in schema["enum"]))
    spoken = [kind for kind in ("object", "array", "string") if not KEYWORDS[kind].isdisjoint(schema)]
    return spoken[:1] or [ANY]


def _kind(value: object) -> str:
    return "null" if value is None else TYPES.get(type(value), "object")


def _fits(value: object, kind: str) -> bool:
    return _kind(value) == kind or (kind == "number" and _kind(value) == "integer")


def _joined(parts: list[Json]) -> list[Json]:
    """Return one list of values for alternatives that are each nothing but such a list."""
    if len(parts) > 1 and all(not part.keys() - TEXT - {"type", "enum"} and "enum" in part for part in parts):
        return [{"enum": [value for part in parts for value in part["enum"]]}]
    return parts
