"""Examples made from schemas."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from application.libs.ok import Json
from application.libs.openapi.example import example, has_example

SCHEMAS: Json = {"Colour": {"type": "string", "enum": ["red", "blue"]}}


class TestExample:
    @pytest.mark.parametrize(
        ("schema", "wanted"),
        [
            ({"type": "string", "examples": ["a", "b"], "default": "c"}, "a"),
            ({"type": "string", "default": "c"}, "c"),
            ({"const": 0}, 0),
            ({"$ref": "#/components/schemas/Colour"}, "red"),
            ({"$ref": "#/components/schemas/Colour", "examples": ["blue"]}, "blue"),
            ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, True),
            ({"type": "array", "items": {"type": "integer", "minimum": 5}}, [5]),
            ({"type": "object"}, {}),
            ({"type": ["string", "null"]}, "text"),
        ],
    )
    def test_is_what_the_schema_says(self, schema: Json, wanted: Any) -> None:
        assert example(schema, SCHEMAS) == wanted

    @pytest.mark.parametrize("format_", ["uuid", "date-time", "uri"])
    def test_is_of_the_format(self, format_: str) -> None:
        schema = {"type": "string", "format": format_}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(example(schema, {}))

    def test_of_an_object_leaves_out_what_nobody_shows(self) -> None:
        schema = {
            "type": "object",
            "required": ["must"],
            "properties": {"must": {"type": "integer"}, "may": {"type": "integer"}, "shown": {"examples": [7]}},
        }
        assert example(schema, {}) == {"must": 1, "shown": 7}


class TestHasExample:
    def test_looks_behind_references(self) -> None:
        assert has_example({"$ref": "#/components/schemas/A"}, {"A": {"examples": [1]}})
        assert not has_example({"$ref": "#/components/schemas/Colour"}, SCHEMAS)
