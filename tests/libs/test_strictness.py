"""Which inputs would let something in unseen; the messages are shown whole in test_operation_slips.py."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, create_model

from application.libs.schema import PageQuery, Schema, Upload
from application.libs.strictness import lenient


class Plain(BaseModel):
    pass


class Tree(Schema):
    """Hold itself."""

    children: "list[Tree]" = Field(max_length=2)


NESTED = [
    Plain,
    Plain | None,
    list[Plain],
    dict[str, list[Plain]],
    tuple[Plain, ...],
    Annotated[Plain | None, Field()],
    Annotated[list[Annotated[Plain, "a"]], Field(max_length=1)],
]


def around(kind: Any) -> type[Schema]:
    return create_model("Made", __base__=Schema, field=(kind, ...))


class TestLenient:
    def test_finds_a_plain_model(self) -> None:
        assert list(lenient(Plain)) == ["derive Plain from Schema (libs/schema.py)"]

    @pytest.mark.parametrize("kind", NESTED)
    def test_finds_it_however_deep_it_is(self, kind: Any) -> None:
        assert list(lenient(around(kind))) == ["field: derive Plain from Schema (libs/schema.py)"]
        deeper = ["field.field: derive Plain from Schema (libs/schema.py)"]
        assert list(lenient(around(around(kind)))) == deeper

    @pytest.mark.parametrize(("option", "value"), [("strict", False), ("extra", "ignore"), ("extra", "allow")])
    def test_finds_a_schema_that_was_loosened(self, option: str, value: object) -> None:
        loosened = type("Loosened", (Schema,), {"__module__": __name__, "model_config": {option: value}})
        assert list(lenient(loosened)) == [f"leave `{option}` of Loosened's `model_config` as Schema has it"]

    @pytest.mark.parametrize("schema", [Tree, PageQuery, around(Upload), around(dict[str, int] | None)])
    def test_has_nothing_against_a_schema(self, schema: type[Schema]) -> None:
        assert list(lenient(schema)) == []
