"""What functions take, and what they cannot take."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field, ImportString, InstanceOf

from application.libs.arguments import Signature
from application.libs.declaration import DeclarationError
from tests.libs.arguments_kit import (
    DAY,
    JSON_FORMS,
    Colour,
    Pair,
    Plain,
    Raw,
    collect,
    found,
    report,
    taking,
)


class TestSchema:
    def test_describes_parameters_in_the_order_and_words_of_the_signature(self) -> None:
        assert Signature(report, "here").schema == {
            "type": "object",
            "properties": {
                "day": {"type": "string", "format": "date", "x-kind": "positional-only"},
                "colour": {"$ref": "#/$defs/Colour"},
                "limit": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
                "dry": {"type": "boolean", "x-kind": "keyword-only", "default": False},
            },
            "required": ["day", "colour"],
            "additionalProperties": False,
            "$defs": {"Colour": {"enum": ["red", "blue"], "title": "Colour", "type": "string"}},
        }

    def test_describes_those_that_take_any_number(self) -> None:
        number = {"anyOf": [{"type": "number"}, {"type": "string"}]}
        schema = Signature(collect, "here").schema
        assert schema["properties"]["sizes"] == {"type": "array", "items": number, "x-kind": "variadic positional"}
        assert schema["additionalProperties"] == {"type": "string", "format": "date", "x-kind": "variadic keyword"}
        assert schema["required"] == ["first"]

    def test_takes_texts_and_examples_from_the_annotations(self) -> None:
        (described,) = (
            taking(Annotated[int, Field(description="How many.", examples=[5])]).schema["properties"].values()
        )
        assert described == {"type": "integer", "description": "How many.", "examples": [5]}

    def test_shows_defaults_as_they_are_given_on_the_wire(self) -> None:
        mark: Any = object()

        def function(
            day: date = DAY,
            colour: Colour = Colour.RED,
            sizes: tuple[int, ...] = (1,),
            absent: Any = mark,
            no: None = None,
        ) -> None:
            """Have defaults of every kind."""

        properties = Signature(function, "here").schema["properties"]
        assert {name: schema.get("default", "none") for name, schema in properties.items()} == {
            "day": "2026-11-28",
            "colour": "red",
            "sizes": [1],
            "absent": "none",
            "no": None,
        }

    @pytest.mark.parametrize(("annotation", "given", "_typed"), JSON_FORMS)
    def test_accepts_what_is_bound(self, annotation: Any, given: Any, _typed: Any) -> None:
        schema = taking(annotation).schema
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate({"value": given})

    @pytest.mark.parametrize(
        "given", [{}, {"value": "5"}, {"value": 5.5}, {"value": True}, {"value": 0}, {"valu": 1}, {"value": 1, "x": 1}]
    )
    def test_refuses_what_is_not_bound(self, given: dict[str, Any]) -> None:
        signature = taking(Annotated[int, Field(ge=1)])
        assert not Draft202012Validator(signature.schema).is_valid(given)
        assert found(lambda: signature.bind([], given))

    def test_is_an_empty_object_for_a_function_without_parameters(self) -> None:
        schema = Signature(lambda: None, "here").schema
        assert schema == {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


class TestSignature:
    @pytest.mark.parametrize(
        ("annotation", "why"),
        [
            (Plain, "Unable to generate pydantic-core schema for"),
            (InstanceOf[Plain], "core_schema.IsInstanceSchema"),
            (Callable[[], None], "core_schema.CallableSchema"),
            (Callable[[], None] | None, "core_schema.CallableSchema"),
            (type[int], "a class"),
            (bytes, "bytes; take base64 text"),
            (str | bytes, "bytes; take base64 text"),
            (Raw, "bytes; take base64 text"),
            (Pair, "Pair.ONE has a value that is neither text nor a number"),
            (ImportString, "text would be imported"),
            (list[ImportString[Any]], "text would be imported"),
        ],
    )
    def test_refuses_parameters_without_json_form(self, annotation: Any, why: str) -> None:
        with pytest.raises(DeclarationError) as raised:
            taking(annotation)
        assert str(raised.value).startswith(f"here: its parameter `value` has no JSON form ({why}")
        assert str(raised.value).endswith(
            "Annotate it with text, numbers, dates, Enums, or lists, dicts or models of them"
        )

    def test_refuses_defaults_within_field(self) -> None:
        def first(value: int = Field(1)) -> None:
            """Give pydantic's mark where it is called."""

        def second(value: Annotated[int, Field(default=1)]) -> None:
            """Have a default that Python does not see."""

        for function in (first, second):
            with pytest.raises(DeclarationError, match=r"the default of its parameter `value` stands in Field\(\)"):
                Signature(function, "here")

    def test_refuses_annotations_that_are_not_defined(self) -> None:
        with pytest.raises(DeclarationError, match="here: an annotation is not defined .*Nowhere"):
            taking("Nowhere")

    def test_reads_annotations_that_are_text(self) -> None:
        assert taking("date").convert(["2026-11-28"], {}) == ([DAY], {})
