"""Tables of two schemas and the verdict; a witness that fits the one and not the other shows that a row is right."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from application.libs.openapi.schema_alternative import expanded
from application.libs.openapi.schema_diff import Finding, Position, compare_schemas

Json = dict[str, Any]

STRING: Json = {"type": "string"}
NULL: Json = {"type": "null"}
MEMBERS: Json = {"type": "object", "properties": {"a": STRING, "b": {"type": "integer"}}}
INTEGER: Json = {"type": "integer"}
OPEN: Json = {"type": "object", "additionalProperties": True}
NUMBERS: Json = {"type": "object", "additionalProperties": INTEGER}
CLOSED = MEMBERS | {"additionalProperties": False}
COMPONENTS: Json = {
    "components": {
        "schemas": {
            "Node": {"type": "object", "properties": {"name": STRING, "next": {"$ref": "#/components/schemas/Node"}}},
            "Short": {"type": "string", "maxLength": 5},
            "a/b~c": {"type": "boolean"},
        }
    }
}
SHORT: Json = {"$ref": "#/components/schemas/Short"}
NODE: Json = {"$ref": "#/components/schemas/Node"}

NARROWED: dict[str, tuple[Any, Any, Any, str]] = {
    # wide, narrow, a value that fits only the wide one, a part of the line
    "one of two types": ({"type": ["string", "integer"]}, STRING, 1, "may no longer be an integer"),
    "null in anyOf": ({"anyOf": [STRING, NULL]}, STRING, None, "may no longer be null"),
    "null in type": ({"type": ["string", "null"]}, STRING, None, "may no longer be null"),
    "number to integer": ({"type": "number"}, {"type": "integer"}, 1.5, "number → integer"),
    "any value": ({}, STRING, 1, "no longer any value"),
    "true": (True, STRING, 1, "no longer any value"),
    "enumeration": ({"enum": ["a", "b"]}, {"enum": ["a"]}, "b", "no longer b"),
    "enumeration comes": (STRING, STRING | {"enum": ["a"]}, "b", "now only one of a"),
    "constants": ({"anyOf": [{"const": "a"}, {"const": "b"}]}, {"const": "a"}, "b", "no longer b"),
    "minLength": (STRING, STRING | {"minLength": 1}, "", "minLength none → 1"),
    "maxLength": (STRING | {"maxLength": 9}, STRING | {"maxLength": 5}, "sixsix", "maxLength 9 → 5"),
    "minimum": ({"type": "integer"}, {"type": "integer", "minimum": 0}, -1, "minimum none → 0"),
    "maximum": ({"type": "integer", "maximum": 100}, {"type": "integer", "maximum": 50}, 51, "maximum 100 → 50"),
    "exclusive": ({"type": "number"}, {"type": "number", "exclusiveMinimum": 0}, 0, "exclusiveMinimum none → 0"),
    "multipleOf": ({"type": "integer"}, {"type": "integer", "multipleOf": 2}, 3, "multipleOf none → 2"),
    "pattern": (STRING, STRING | {"pattern": "^a"}, "b", "pattern none → ^a"),
    "items": (
        {"type": "array", "items": STRING},
        {"type": "array", "items": STRING | {"maxLength": 1}},
        ["ab"],
        "maxLength none → 1",
    ),
    "maxItems": ({"type": "array"}, {"type": "array", "maxItems": 1}, [1, 2], "maxItems none → 1"),
    "uniqueItems": ({"type": "array"}, {"type": "array", "uniqueItems": True}, [1, 1], "uniqueItems none → True"),
    "prefixItems": ({"type": "array"}, {"type": "array", "prefixItems": [STRING]}, [1], "no longer any value"),
    "required": (MEMBERS, MEMBERS | {"required": ["a"]}, {}, "now required"),
    "member": (
        MEMBERS,
        MEMBERS | {"properties": {"a": STRING | {"maxLength": 1}, "b": {"type": "integer"}}},
        {"a": "ab"},
        "maxLength",
    ),
    "other members": (
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
        {"x": -1},
        "minimum none → 0",
    ),
    "maxProperties": ({"type": "object"}, {"type": "object", "maxProperties": 1}, {"x": 1, "y": 2}, "maxProperties"),
    "reference": (STRING, SHORT, "sixsix", "maxLength none → 5"),
    "beside a reference": (SHORT, SHORT | {"minLength": 1}, "", "minLength none → 1"),
    "allOf": (STRING, {"allOf": [SHORT, {"minLength": 1}]}, "", "minLength none → 1"),
    "oneOf by title": (
        {"oneOf": [CLOSED | {"title": "A"}, CLOSED | {"title": "B", "required": ["a"]}], "unevaluatedItems": False},
        {"oneOf": [CLOSED | {"title": "B", "required": ["a"]}], "unevaluatedItems": False},
        {"b": 1},
        "the alternative A is gone",
    ),
}

EQUAL: dict[str, tuple[Any, Any]] = {
    "titles": ({"type": "string", "title": "A", "description": "…"}, {"type": "string", "examples": ["x"]}),
    "null in two ways": ({"anyOf": [STRING, NULL]}, {"type": ["null", "string"]}),
    "constant": ({"const": "a"}, {"type": "string", "enum": ["a"]}),
    "constants": ({"anyOf": [{"const": "a"}, {"const": "b"}]}, {"enum": ["b", "a"]}),
    "order of required": (MEMBERS | {"required": ["a", "b"]}, MEMBERS | {"required": ["b", "a"]}),
    "reference": (SHORT, {"type": "string", "maxLength": 5}),
    "allOf of one": ({"allOf": [SHORT], "description": "…"}, SHORT),
    "true": (True, {}),
    "extension": (STRING | {"x-order": 1}, STRING | {"x-order": 2}),
    "keyword of another type": (STRING | {"minimum": 1}, STRING),
    "recursion": (NODE, {"type": "object", "properties": {"name": STRING, "next": NODE}}),
    "open by silence": (MEMBERS | {"additionalProperties": True}, MEMBERS),
}


def found(old: Any, new: Any, position: Position) -> list[Finding]:
    return list(compare_schemas(old, new, position, (COMPONENTS, COMPONENTS)))


def breaks(old: Any, new: Any, position: Position) -> bool:
    return any(finding.breaking for finding in found(old, new, position))


def fits(value: Any, schema: Any) -> bool:
    return bool(Draft202012Validator(expanded(schema, COMPONENTS)).is_valid(value))


class TestCompareSchemas:
    @pytest.mark.parametrize(("wide", "narrow", "witness", "text"), NARROWED.values(), ids=NARROWED)
    def test_finds_what_a_client_may_no_longer_send_or_must_now_read(
        self, wide: Any, narrow: Any, witness: Any, text: str
    ) -> None:
        assert fits(witness, wide)
        assert not fits(witness, narrow)
        assert breaks(wide, narrow, Position.INPUT)
        assert not breaks(narrow, wide, Position.INPUT)
        assert breaks(narrow, wide, Position.OUTPUT)
        assert not breaks(wide, narrow, Position.OUTPUT)
        assert text in " ".join(finding.text for finding in found(wide, narrow, Position.INPUT))

    @pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
    def test_finds_nothing_in_two_ways_to_say_the_same(self, one: Any, other: Any) -> None:
        for position in Position:
            assert found(one, other, position) == []
            assert found(other, one, position) == []

    @pytest.mark.parametrize(
        ("old", "new", "in_input", "in_output"),
        [
            pytest.param(MEMBERS, MEMBERS | {"properties": {"a": STRING}}, True, True, id="member removed"),
            pytest.param(MEMBERS | {"properties": {"a": STRING}}, MEMBERS, False, False, id="member added"),
            pytest.param(
                CLOSED | {"properties": {"a": STRING}},
                CLOSED | {"required": ["b"]},
                True,
                False,
                id="required one added",
            ),
            pytest.param(OPEN, OPEN | {"properties": {"c": STRING}}, True, False, id="member of those that were any"),
            pytest.param(
                OPEN | {"additionalProperties": {}},
                OPEN | {"properties": {"c": STRING}},
                True,
                False,
                id="in other words",
            ),
            pytest.param(OPEN, OPEN | {"properties": {"c": True}}, False, False, id="member of any type"),
            pytest.param(NUMBERS, NUMBERS | {"properties": {"c": STRING}}, True, True, id="member of another type"),
            pytest.param(NUMBERS, NUMBERS | {"properties": {"c": INTEGER}}, False, False, id="member of their type"),
            pytest.param(MEMBERS, CLOSED, True, False, id="closed"),
            pytest.param(CLOSED, MEMBERS, False, False, id="opened: clients pass over what they do not know"),
            pytest.param(STRING | {"default": "a"}, STRING | {"default": "b"}, True, False, id="other default"),
            pytest.param(STRING | {"default": "a"}, STRING, True, False, id="default removed"),
            pytest.param(STRING, STRING | {"default": None}, False, False, id="default added"),
            pytest.param(STRING | {"pattern": "^a"}, STRING | {"pattern": "^b"}, True, True, id="other pattern"),
            pytest.param(STRING | {"format": "uuid"}, STRING | {"format": "date"}, True, True, id="other format"),
            pytest.param(STRING, {"type": "integer"}, True, True, id="other type"),
            pytest.param({"not": STRING}, {"not": SHORT}, True, True, id="a keyword that is not understood"),
            pytest.param(
                {"type": "object", "patternProperties": {"^a": STRING}},
                {"type": "object", "patternProperties": {"^a": SHORT}},
                True,
                True,
                id="the same behind a reference",
            ),
        ],
    )
    def test_judges_by_position(self, old: Any, new: Any, in_input: bool, in_output: bool) -> None:
        assert (breaks(old, new, Position.INPUT), breaks(old, new, Position.OUTPUT)) == (in_input, in_output)
        assert found(old, new, Position.INPUT) or "default" in new

    def test_knows_that_text_is_never_null(self) -> None:
        nullable = {"anyOf": [STRING, NULL], "default": None}
        documents = (COMPONENTS, COMPONENTS)
        assert list(compare_schemas(nullable, STRING, Position.INPUT, documents, is_text=True)) == []
        listed = {"type": "array", "items": nullable}
        inside = compare_schemas(listed, {"type": "array", "items": STRING}, Position.INPUT, documents, is_text=True)
        assert [finding.breaking for finding in inside] == [True]

    def test_says_where(self) -> None:
        old = {"type": "object", "properties": {"a": {"type": "array", "items": MEMBERS}}}
        new = {"type": "object", "properties": {"a": {"type": "array", "items": MEMBERS | {"required": ["b"]}}}}
        assert found(old, new, Position.INPUT) == [Finding("a[].b", "now required", True)]

    def test_follows_a_schema_that_holds_itself_once(self) -> None:
        longer = {"type": "object", "properties": {"name": {"type": "integer"}, "next": {"$ref": "#/c"}}}
        documents = (COMPONENTS, {"c": longer})
        findings = list(compare_schemas(NODE, {"$ref": "#/c"}, Position.INPUT, documents))
        assert {finding.where for finding in findings} == {"name", "next.name"}

    def test_follows_references_into_each_document_of_its_own(self) -> None:
        new = {"components": {"schemas": {"Short": {"type": "string", "maxLength": 4}}}}
        (finding,) = compare_schemas(SHORT, SHORT, Position.INPUT, (COMPONENTS, new))
        assert finding == Finding("", "maxLength 5 → 4", True)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, "", "a", "ab", "b"]),
    lambda members: st.lists(members, max_size=2) | st.dictionaries(st.sampled_from("abc"), members, max_size=2),
    max_leaves=4,
)
SIZES = st.integers(0, 2)
PLAIN: st.SearchStrategy[Any] = st.one_of(
    st.just(True),
    st.just(NULL),
    st.just({"type": "boolean"}),
    st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": SIZES, "maxLength": SIZES}),
    st.fixed_dictionaries({"type": st.just("string")}, optional={"pattern": st.sampled_from(["^a", "b$"])}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number", ["integer", "null"], ["string", "number"]])},
        optional={"minimum": st.integers(-2, 2), "maximum": st.integers(-2, 2), "multipleOf": st.just(2)},
    ),
    st.fixed_dictionaries({"enum": st.lists(st.sampled_from(["a", "b", 1, None, True]), min_size=1, unique_by=repr)}),
    st.fixed_dictionaries({"const": st.sampled_from(["a", 1])}),
)


def _compound(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from("abc")
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("array")}, optional={"items": schemas, "maxItems": SIZES}),
        st.fixed_dictionaries({"type": st.just("array"), "prefixItems": st.lists(schemas, min_size=1, max_size=2)}),
        # A record is closed, or says that it is open: where it is silent, a field that comes is harmless by convention.
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(names, schemas, max_size=2),
                "additionalProperties": st.booleans() | schemas,
            },
            optional={"required": st.lists(names, max_size=2, unique=True)},
        ),
        st.fixed_dictionaries(
            {"type": st.just("object")},
            optional={"additionalProperties": schemas, "maxProperties": SIZES, "required": st.lists(names, max_size=1)},
        ),
        st.fixed_dictionaries({"anyOf": st.lists(schemas, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(schemas, min_size=1, max_size=2)}),
    )


SCHEMAS = st.recursive(PLAIN, _compound, max_leaves=5)


class TestSoundness:
    """Compare the verdict with what a validator says of values."""

    @given(old=SCHEMAS, new=SCHEMAS, values=st.lists(VALUES, min_size=5, max_size=15))
    @settings(max_examples=300, deadline=None)
    def test_calls_nothing_harmless_that_refuses_what_was_accepted(self, old: Any, new: Any, values: list[Any]) -> None:
        lost = [value for value in values if fits(value, old) and not fits(value, new)]
        if lost:
            assert breaks(old, new, Position.INPUT), lost

    def test_takes_an_object_whose_members_have_no_names_for_free(self) -> None:
        named = {"type": "object", "properties": {"a": NULL}, "additionalProperties": True}
        assert breaks({"type": "object"}, named, Position.INPUT)
        assert not breaks({"type": "object", "properties": {}}, named, Position.INPUT)

    @given(schema=SCHEMAS)
    def test_finds_nothing_in_a_schema_and_itself(self, schema: Any) -> None:
        for position in Position:
            assert found(schema, deepcopy(schema), position) == []
