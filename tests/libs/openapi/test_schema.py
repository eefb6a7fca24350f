"""Walking through JSON schemas."""

import pytest

from application.libs.ok import Json
from application.libs.openapi.schema import follow, rewritten, standalone, translated, unwrapped, without_null
from application.libs.schema import Int32, Schema


class Inner(Schema):
    """Be within."""

    size: Int32


class Outer(Schema):
    """Hold another."""

    title: Inner
    many: list[Inner]


class TestRewritten:
    def test_reaches_every_schema_and_nothing_else(self) -> None:
        schema: Json = {
            "properties": {"title": {"title": "Title", "type": "string"}, "items": {"anyOf": [{"a": 1}, {"a": 2}]}},
            "items": {"a": 3},
            "examples": [{"a": 4}],
            "additionalProperties": False,
        }
        seen = []

        def change(node: Json) -> Json:
            seen.append(node.get("a"))
            return node

        result = rewritten(schema, change)
        assert sorted(item for item in seen if item is not None) == [1, 2, 3]
        assert result["properties"]["title"] == {"type": "string"}
        assert schema["properties"]["title"] == {"title": "Title", "type": "string"}


class TestTranslated:
    def test_changes_descriptions_only(self) -> None:
        schema = {"description": "a\nb", "properties": {"description": {"type": "string", "description": "c"}}}
        assert translated(schema, str.upper) == {
            "description": "A B",
            "properties": {"description": {"type": "string", "description": "C"}},
        }


class TestUnwrapped:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("One\n    two.", "One two."),
            ("One.\n\n`two`\nthree", "One.\n\n`two` three"),
            ("Either\n\n- a\n- b", "Either\n\n- a\n- b"),
            ("From\n431 on", "From 431 on"),
            ("\n## Head\n\nBody\n", "## Head\n\nBody"),
        ],
    )
    def test_joins_lines_to_paragraphs(self, text: str, wanted: str) -> None:
        assert unwrapped(text) == wanted


class TestStandalone:
    def test_refers_to_nothing(self) -> None:
        schema = standalone(Outer)
        assert "$defs" not in schema
        assert schema["properties"]["title"]["properties"]["size"]["type"] == "integer"
        assert schema["properties"]["many"]["items"]["description"] == "Be within."


class TestWithoutNull:
    @pytest.mark.parametrize(
        ("schema", "wanted"),
        [
            ({"anyOf": [{"type": "a"}, {"type": "null"}], "default": None}, {"type": "a"}),
            (
                {"anyOf": [{"type": "a"}, {"type": "b"}, {"type": "null"}], "default": "x"},
                {"anyOf": [{"type": "a"}, {"type": "b"}], "default": "x"},
            ),
            ({"anyOf": [{"type": "a"}, {"type": "b"}]}, {"anyOf": [{"type": "a"}, {"type": "b"}]}),
            ({"type": "a", "default": 1}, {"type": "a", "default": 1}),
        ],
    )
    def test_leaves_what_can_be_sent(self, schema: Json, wanted: Json) -> None:
        assert without_null(schema) == wanted


class TestFollow:
    def test_keeps_what_stands_beside_the_reference(self) -> None:
        schemas = {"A": {"$ref": "#/components/schemas/B"}, "B": {"type": "string", "default": "b"}}
        schema = {"$ref": "#/components/schemas/A", "default": "a"}
        assert follow(schema, schemas) == {"type": "string", "default": "a"}
