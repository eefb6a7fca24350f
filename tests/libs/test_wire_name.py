"""What fields are called; over HTTP it stands in tests/contract/test_names.py."""

from typing import Any

import pytest
from pydantic import AliasChoices, AliasPath, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

from application.libs.schema import Schema
from application.libs.strictness import misspoken
from application.libs.wire_name import member, members, misnamed, wire_name


class Spoken(Schema):
    from_: str = Field(alias="from", max_length=5)
    x_source: str = Field(max_length=5)


class Camel(Schema):
    model_config = ConfigDict(alias_generator=to_camel)

    created_by: str = Field(max_length=5)


def made(**options: Any) -> type[Schema]:
    return create_model("Made", __base__=Schema, one=(str, Field(max_length=5, **options)))


class TestWireName:
    def test_is_the_field_s_unless_it_has_an_alias(self) -> None:
        fields = Spoken.model_fields.items()
        assert [member(*item) for item in fields] == ["from", "x_source"]
        assert [wire_name(*item, "query") for item in fields] == ["from", "x_source"]
        assert [wire_name(*item, "headers") for item in fields] == ["from", "x-source"]
        assert members(Spoken) == {"from": "from_", "x_source": "x_source"}

    def test_may_be_made_for_all_fields(self) -> None:
        assert members(Camel) == {"createdBy": "created_by"}
        assert list(misnamed(Camel)) == []


class TestMisnamed:
    @pytest.mark.parametrize("schema", [Spoken, made(), made(alias="two", validation_alias="two")])
    def test_has_nothing_against_one_name(self, schema: type[Schema]) -> None:
        assert list(misnamed(schema)) == []

    @pytest.mark.parametrize(
        "options",
        [
            {"validation_alias": "two"},
            {"serialization_alias": "two"},
            {"alias": "two", "serialization_alias": "three"},
            {"validation_alias": AliasPath("two", 0)},
            {"validation_alias": AliasChoices("two", "three")},
        ],
    )
    def test_finds_two_names(self, options: Any) -> None:
        assert list(misnamed(made(**options))) == ["one: give it one name for both ways, `alias=` alone"]
        inner: Any = made(**options)
        nested = create_model("Nested", __base__=Schema, within=(list[inner], ...))
        assert list(misspoken(nested)) == ["within.one: give it one name for both ways, `alias=` alone"]

    def test_finds_a_name_that_is_taken(self) -> None:
        class Twice(Schema):
            two: str = Field(max_length=5)
            one: str = Field(alias="two", max_length=5)

        assert list(misnamed(Twice)) == ["one: `two` is called `two` too; choose another `alias`"]
