"""Make examples from schemas: of what their fields say with `Field(examples=…)`."""

from collections.abc import Mapping
from typing import Any

from application.libs.ok import Json
from application.libs.openapi.schema import follow

_FORMATS = {
    "uuid": "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
    "date-time": "2030-01-31T12:00:00Z",
    "uri": "https://example.com/",
    "binary": "",
}
"""Values that are as good as any other of their format."""


def example(schema: Json, definitions: Mapping[str, Any]) -> Any:
    """Return a value that shows what the schema means.

    An object shows what it must have, and what it may have where the field names an example.
    """
    schema = follow(schema, definitions)
    if schema.get("examples") or "enum" in schema:
        return (schema.get("examples") or schema["enum"])[0]
    known = [schema[key] for key in ("const", "default") if key in schema]
    return known[0] if known else _made(schema, definitions)


def _made(schema: Json, definitions: Mapping[str, Any]) -> Any:
    members = schema.get("anyOf") or schema.get("oneOf")
    if members:
        return example(members[0], definitions)
    if "properties" in schema:
        return _object(schema, definitions)
    match schema.get("type"):
        case "object":
            return {}
        case "array":
            return [example(schema.get("items", {}), definitions)]
        case "boolean":
            return True
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
    return _FORMATS.get(schema.get("format", ""), "text")


def _object(schema: Json, definitions: Mapping[str, Any]) -> Json:
    required = schema.get("required", ())
    return {
        name: example(member, definitions)
        for name, member in schema.get("properties", {}).items()
        if name in required or has_example(member, definitions)
    }


def has_example(schema: Json, definitions: Mapping[str, Any]) -> bool:
    """Tell whether a field names an example of itself."""
    return bool(follow(schema, definitions).get("examples"))
