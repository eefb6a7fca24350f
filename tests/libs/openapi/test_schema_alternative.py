"""Follow references, and read what a schema allows."""

from typing import Any

import pytest

from application.libs.openapi.schema_alternative import (
    OPAQUE,
    ReferenceMissingError,
    alternatives_of,
    expanded,
    resolve,
)

Json = dict[str, Any]

SHORT: Json = {"type": "string", "maxLength": 5}
COMPONENTS: Json = {
    "components": {
        "schemas": {
            "Short": SHORT,
            "Node": {"properties": {"next": {"$ref": "#/components/schemas/Node"}}},
            "a/b~c": {"type": "boolean"},
        }
    }
}


class TestResolve:
    def test_reads_escaped_names(self) -> None:
        assert resolve({"$ref": "#/components/schemas/a~1b~0c"}, COMPONENTS) == {"type": "boolean"}

    @pytest.mark.parametrize(
        "reference", ["#/components/schemas/None", "other.json#/a", "#/components/schemas/Short/type/x"]
    )
    def test_refuses_what_is_not_there(self, reference: str) -> None:
        with pytest.raises(ReferenceMissingError, match="is not in the document"):
            resolve({"$ref": reference}, COMPONENTS)

    def test_refuses_a_circle(self) -> None:
        with pytest.raises(ReferenceMissingError, match="refers to itself"):
            resolve({"$ref": "#/a"}, {"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}})

    def test_adds_what_stands_beside(self) -> None:
        assert resolve({"$ref": "#/components/schemas/Short", "minLength": 1}, COMPONENTS) == SHORT | {"minLength": 1}


class TestExpanded:
    def test_stops_at_a_schema_that_holds_itself(self) -> None:
        node = {"$ref": "#/components/schemas/Node"}
        assert expanded([node], COMPONENTS) == [{"properties": {"next": node}}]


class TestAlternativesOf:
    @pytest.mark.parametrize(
        ("schema", "expected"),
        [
            pytest.param(True, {"any": [{}]}, id="anything"),
            pytest.param({"type": ["string", "null"], "maxLength": 5}, {"string": 5, "null": None}, id="two types"),
            pytest.param({"anyOf": [SHORT, {"type": "null"}]}, {"string": 5, "null": None}, id="anyOf"),
            pytest.param({"$ref": "#/components/schemas/Short"}, {"string": 5}, id="reference"),
            pytest.param({"allOf": [{"type": "string"}, {"maxLength": 5}]}, {"string": 5}, id="allOf"),
            pytest.param({"maxLength": 5}, {"string": 5}, id="spoken of"),
            pytest.param({"allOf": [{"type": "string"}, {"type": "null"}]}, {OPAQUE: None}, id="contradiction"),
            pytest.param({"allOf": [SHORT, {"maxLength": 4}]}, {OPAQUE: None}, id="two bounds"),
            pytest.param(
                {"allOf": [{"anyOf": [SHORT, {"type": "null"}]}, SHORT]}, {OPAQUE: None}, id="either inside all"
            ),
            pytest.param(
                {"allOf": [{"properties": {"a": SHORT}}, {"additionalProperties": False}]},
                {OPAQUE: None},
                id="closed by another",
            ),
        ],
    )
    def test_reads_them_by_type(self, schema: Any, expected: dict[str, Any]) -> None:
        found = alternatives_of(schema, COMPONENTS)
        assert found.keys() == expected.keys()
        for kind, bound in expected.items():
            assert kind == "any" or [part.get("maxLength") for part in found[kind]] == [bound]

    def test_reads_constants_as_one_enumeration(self) -> None:
        schema = {"anyOf": [{"const": "a"}, {"const": "b"}, {"const": None}]}
        found = alternatives_of(schema, {})
        assert {kind: parts[0]["enum"] for kind, parts in found.items()} == {"string": ["a", "b"], "null": [None]}
