"""How what a handler returns becomes bytes."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from flask import Response
from pydantic import Field

from application.libs.answer import Answer, AnswerMismatchError
from application.libs.page import Page
from application.libs.record import Record
from application.libs.schema import Grouped, Renamed, Schema


class Colour(StrEnum):
    RED = "red"


class Owner(Record):
    id: str
    name: str
    secret: str = "swordfish"


class Row(Record):
    id: str
    size: int
    moment: datetime | None
    colour: Colour
    owner: Owner
    friends: Sequence[Owner]
    boss: Owner | None = None
    free: dict[str, Any] = {}


class OwnerOut(Schema):
    id: str
    name: str


class NameOut(Schema):
    name: str


class SecretOut(OwnerOut):
    secret: str


class RowOut(Schema):
    id: str
    size: float
    moment: datetime | None
    colour: str
    owner: OwnerOut
    friends: list[NameOut]
    boss: OwnerOut | None
    free: dict[str, Any]


class BodyOut(Schema):
    format: Literal["text"]
    text: Annotated[str, Renamed("id")]


class LaterOut(Schema):
    """Say the same as RowOut in other words."""

    version: Literal[2]
    body: Annotated[BodyOut, Grouped()]
    width: Annotated[int, Renamed("size"), Field(ge=0)]
    author: Annotated[NameOut, Renamed("owner")]
    company: Annotated[list[OwnerOut], Renamed("friends")]
    chief: Annotated[NameOut | None, Renamed("boss")]


MOMENT = datetime(2030, 1, 31, 12, tzinfo=UTC)
ADA = Owner("1", "ada")
ROW = Row("7", 3, MOMENT, Colour.RED, ADA, [ADA], None)


class TestEncode:
    def test_gives_equal_fields_as_they_are(self) -> None:
        assert json.loads(Answer(Owner, SecretOut).encode(ADA)) == {"id": "1", "name": "ada", "secret": "swordfish"}

    def test_picks_what_the_schema_names(self) -> None:
        assert Answer(Owner, OwnerOut).encode(ADA) == b'{"id":"1","name":"ada"}'

    def test_picks_a_single_field(self) -> None:
        assert Answer(Owner, NameOut).encode(ADA) == b'{"name":"ada"}'

    @pytest.mark.parametrize("boss", [None, ADA])
    def test_picks_within_records_and_lists(self, boss: Owner | None) -> None:
        row = Row("7", 3, MOMENT, Colour.RED, ADA, [ADA, ADA], boss, {"a": 1})
        assert json.loads(Answer(Row, RowOut).encode(row)) == {
            "id": "7",
            "size": 3,
            "moment": "2030-01-31T12:00:00Z",
            "colour": "red",
            "owner": {"id": "1", "name": "ada"},
            "friends": [{"name": "ada"}, {"name": "ada"}],
            "boss": boss and {"id": "1", "name": "ada"},
            "free": {"a": 1},
        }

    def test_never_gives_what_the_schema_does_not_name(self) -> None:
        assert b"swordfish" not in Answer(Row, RowOut).encode(ROW)

    def test_gives_fields_under_another_name_and_nested(self) -> None:
        assert Answer(Row, LaterOut).encode(ROW) == (
            b'{"version":2,"body":{"format":"text","text":"7"},"width":3,"author":{"name":"ada"},'
            b'"company":[{"id":"1","name":"ada"}],"chief":null}'
        )

    def test_nests_the_whole_record(self) -> None:
        class WholeOut(Schema):
            whole: Annotated[SecretOut, Grouped()]
            name: str

        assert Answer(Owner, WholeOut).encode(ADA) == (
            b'{"whole":{"id":"1","name":"ada","secret":"swordfish"},"name":"ada"}'
        )

    def test_gives_two_names_to_one_field(self) -> None:
        class SwappedOut(Schema):
            id: Annotated[str, Renamed("name")]
            name: Annotated[str, Renamed("id")]
            secret: str

        assert Answer(Owner, SwappedOut).encode(ADA) == b'{"id":"ada","name":"1","secret":"swordfish"}'

    def test_prefers_the_records_own_value_to_a_constant(self) -> None:
        class KindOut(Schema):
            name: Literal["grace"]

        assert Answer(Owner, KindOut).encode(ADA) == b'{"name":"ada"}'

    def test_gives_lists(self) -> None:
        assert Answer(list[Owner], NameOut).encode([ADA, ADA]) == b'[{"name":"ada"},{"name":"ada"}]'
        assert Answer(Sequence[Owner], SecretOut).encode([]) == b"[]"

    def test_gives_the_items_of_a_page(self) -> None:
        answer = Answer(Page[Owner], NameOut)
        assert (answer.is_page, answer.is_list) == (True, True)
        assert answer.encode([ADA]) == b'[{"name":"ada"}]'

    def test_gives_schemas(self) -> None:
        answer = Answer(NameOut, None)
        assert answer.schema is NameOut
        assert answer.encode(NameOut(name="é")) == '{"name":"é"}'.encode()
        assert (
            Answer(list[NameOut], None).encode([NameOut(name="a"), NameOut(name="b")]) == b'[{"name":"a"},{"name":"b"}]'
        )

    @pytest.mark.parametrize("returns", [None, type(None)])
    def test_gives_nothing(self, returns: Any) -> None:
        answer = Answer(returns, None)
        assert answer.is_empty
        assert answer.encode(None) == b""

    def test_lets_a_response_pass(self) -> None:
        answer = Answer(Response, None)
        assert answer.is_raw
        assert answer.encode(Response()) == b""


def record(kind: Any) -> type[Record]:
    """Return a record with one field of a type."""
    made: type[Record] = type("Given", (Record,), {"__annotations__": {"x": kind}})
    return made


def schema(kind: Any) -> type[Schema]:
    """Return a schema with one field of a type."""
    return type("Wanted", (Schema,), {"__annotations__": {"x": kind}, "__module__": __name__})


class TestAnswer:
    @pytest.mark.parametrize(
        ("given", "wanted"),
        [
            (int, float),
            (str, Any),
            (str, str | None),
            (str, Literal["a", "b"]),
            (Colour, Colour),
            (Colour, str),
            (Annotated[str, "a note"], Annotated[str, Field(max_length=5)]),
            (tuple[int, ...], list[int]),
            (int | str, str | int),
            (dict[str, int], dict[str, Any]),
        ],
    )
    def test_accepts_what_fits(self, given: Any, wanted: Any) -> None:
        assert Answer(record(given), schema(wanted)).schema is not None

    @pytest.mark.parametrize(
        ("given", "wanted", "message"),
        [
            (str, int, "Wanted.x is str in the record and int in the schema; make them the same"),
            (float, int, "Wanted.x is float in the record and int"),
            (str | None, str, "Wanted.x may be None in the record but not in the schema"),
            (list[str], list[int], r"Wanted.x\[\] is str in the record and int"),
            (list[str | None], list[str], r"Wanted.x\[\] may be None"),
            (str, Colour, "Wanted.x is str in the record and Colour"),
            (str, Literal[1], "Wanted.x is str in the record and"),
            (Owner, str, "Wanted.x is Owner in the record and str"),
            (str, OwnerOut, "Wanted.x is str in the record and OwnerOut"),
            (record(str), OwnerOut, "Given has no field id, name, which Wanted.x gives; fill it with `Renamed`"),
            (str, Annotated[int, Renamed("x")], "Wanted.x is str in the record and int"),
            (str, Annotated[str, Renamed("y")], "Given has no field y, of which Wanted.x is `Renamed`; it has x"),
            (str, Annotated[str, Grouped()], "Wanted.x is `Grouped` and str; annotate it with the Schema"),
            (str, Annotated[OwnerOut, Grouped()], "Given has no field id, name, which Wanted.x gives"),
        ],
    )
    def test_refuses_what_does_not(self, given: Any, wanted: Any, message: str) -> None:
        with pytest.raises(AnswerMismatchError, match=message):
            Answer(record(given), schema(wanted))

    def test_refuses_a_record_that_may_be_none(self) -> None:
        with pytest.raises(
            AnswerMismatchError, match="it returns something or None; where there is nothing, raise a NotFound"
        ):
            Answer(Owner | None, OwnerOut)


class TestMediaType:
    @pytest.mark.parametrize("media_type", ["image/png", "image/*", "*/*", "application/vnd.oasis.opendocument.text"])
    def test_describes_a_response(self, media_type: str) -> None:
        assert Answer(Response, None, media_type).media_type == media_type

    @pytest.mark.parametrize("media_type", ["png", "image/", "IMAGE/PNG", "text/html; charset=utf-8", "*/png"])
    def test_is_one_or_a_range_of_one_kind(self, media_type: str) -> None:
        with pytest.raises(AnswerMismatchError, match="write it as image/png"):
            Answer(Response, None, media_type)

    @pytest.mark.parametrize("returns", [None, OwnerOut])
    def test_is_json_for_everything_else(self, returns: Any) -> None:
        with pytest.raises(AnswerMismatchError, match="drop `media_type=`"):
            Answer(returns, None, "image/png")
