"""Reading parameters; what hostile clients send stands in tests/contract."""

from enum import StrEnum
from io import BytesIO
from typing import Annotated, Any

import pytest
from flask import Flask, request
from pydantic import Field

from application.libs.binding import Binder, reader
from application.libs.error import Invalid, UnsupportedMediaType
from application.libs.schema import Ident, Int32, Schema, Upload, UtcTime
from application.libs.strict_json import MalformedJson


class Colour(StrEnum):
    RED = "red"


class Query(Schema):
    """Every way to write a type."""

    text: Annotated[str, Field(max_length=5)] = "none"
    number: Int32 | None = None
    annotated: Annotated[int | None, Field(ge=0, le=5)] = None
    ratio: float = 0.0
    flag: bool = False
    colour: Colour | None = None
    moment: UtcTime | None = None
    key: Ident | None = None
    either: Annotated[int | str, Field(max_length=5)] = "x"
    words: list[Annotated[str, Field(max_length=5)]] = Field(default_factory=list, max_length=3)
    unique: set[int] = Field(default_factory=set, max_length=3)


class Body(Schema):
    name: str = Field(max_length=5)


class Files(Schema):
    file: Upload


APP = Flask("binding")


def bind(
    place: str, schema: type[Schema], *, media_types: tuple[str, ...] = ("application/json",), **request: Any
) -> Any:
    """Bind a request that carries what is given."""
    with APP.test_request_context("/", **request):
        return Binder(place, schema, media_types=media_types).bind()


class TestFields:
    @pytest.mark.parametrize(
        ("query", "values"),
        [
            ("", {}),
            ("text=&number=-5&annotated=5", {"text": "", "number": -5, "annotated": 5}),
            ("ratio=1e-3&flag=1&colour=red", {"ratio": 0.001, "flag": True, "colour": Colour.RED}),
            ("flag=False", {"flag": False}),
            ("either=12", {"either": "12"}),
            ("words=a&words=b", {"words": ["a", "b"]}),
            ("unique=1&unique=2&unique=1", {"unique": {1, 2}}),
        ],
    )
    def test_are_converted(self, query: str, values: dict[str, object]) -> None:
        assert bind("query", Query, query_string=query) == Query.model_construct(**(Query().model_dump() | values))

    def test_of_headers_are_found_by_their_names(self) -> None:
        assert bind("headers", Query, headers={"Number": "7", "Unasked": "x"}).number == 7

    @pytest.mark.parametrize(
        ("query", "type_"),
        [
            ("number=1.5", "parsing"),
            ("number=%2B1", "parsing"),
            ("number=", "parsing"),
            ("number=1&number=2", "repeated"),
            ("text=a%00", "parsing"),
            ("text=too+long", "string_too_long"),
            ("ratio=.5", "parsing"),
            ("ratio=1e999", "parsing"),
            ("flag=on", "parsing"),
            ("unknown=1", "extra_forbidden"),
        ],
    )
    def test_are_refused_with_a_stable_type(self, query: str, type_: str) -> None:
        with pytest.raises(Invalid) as raised:
            bind("query", Query, query_string=query)
        assert [error["type"] for error in raised.value.errors] == [type_]

    def test_hide_what_cannot_be_printed(self) -> None:
        with pytest.raises(Invalid) as raised:
            bind("query", Query, query_string="a%00b=1")
        assert raised.value.errors[0]["loc"] == ["query", "a�b"]


class TestBody:
    def test_is_read(self) -> None:
        assert bind("body", Body, data=b'{"name":"a"}', content_type="application/json") == Body(name="a")

    def test_needs_no_media_type_where_the_dialect_says_so(self) -> None:
        assert bind("body", Body, media_types=(), data=b'{"name":"a"}') == Body(name="a")

    def test_is_refused_before_it_is_read(self) -> None:
        with pytest.raises(UnsupportedMediaType):
            bind("body", Body, data=b"{")
        with pytest.raises(MalformedJson):
            bind("body", Body, data=b"{", content_type="application/json")


class TestFiles:
    def test_are_read_from_their_beginning(self) -> None:
        with APP.test_request_context("/", method="POST", data={"file": (BytesIO(b"abc"), "a")}):
            binder = Binder("files", Files, media_types=())
            for _attempt in range(2):
                files: Any = binder.bind()
                assert files.file.read() == b"abc"


class TestReader:
    @pytest.mark.parametrize("inputs", [["body"], ["form"], ["files", "query"]])
    def test_takes_what_is_wanted(self, inputs: list[str]) -> None:
        read = reader(inputs)
        assert read is not None
        with APP.test_request_context("/", method="POST", data={"a": "b"}):
            read()
            assert request.environ["wsgi.input"].read() == b""

    def test_takes_nothing_where_nothing_is_wanted(self) -> None:
        assert reader(["query", "headers"]) is None
