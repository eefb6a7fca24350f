"""Types of input, and what they refuse."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from application.libs.schema import Ident, Int32, Int64, Name, PageQuery, Schema, Upload, UtcTime, absent, unbounded

TIME: TypeAdapter[datetime] = TypeAdapter(UtcTime)
IDENT: TypeAdapter[str] = TypeAdapter(Ident)
KEY = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


class TestUtcTime:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2030-01-31T12:00:00Z", datetime(2030, 1, 31, 12, tzinfo=UTC)),
            ("2030-01-31t12:00:00.5z", datetime(2030, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)),
            ("2030-01-31 12:00:00.123456789+08:00", datetime(2030, 1, 31, 4, 0, 0, 123_456, tzinfo=UTC)),
            ("1970-01-01T00:00:00+14:00", datetime(1969, 12, 31, 10, tzinfo=UTC)),
        ],
    )
    def test_reads_rfc_3339(self, text: str, moment: datetime) -> None:
        read = TIME.validate_python(text)
        assert (read, read.tzinfo) == (moment, UTC)

    def test_takes_an_aware_time(self) -> None:
        moment = datetime(2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=8)))
        assert TIME.validate_python(moment).isoformat() == "2030-01-31T04:00:00+00:00"

    @pytest.mark.parametrize(
        "value",
        ["", "now", "2030-01-31", "2030-01-31T12:00Z", "2030-01-31T12:00:00", "2030-01-31T12:00:00.Z", 5, None, b"x"]
        + [
            "2030-02-30T12:00:00Z",
            "2030-01-31T25:00:00Z",
            "9000-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2030-W05-4T12:00:00Z",
        ]
        + [datetime(2030, 1, 31, tzinfo=UTC).replace(tzinfo=None)],
    )
    def test_refuses_everything_else(self, value: object) -> None:
        with pytest.raises(ValidationError):
            TIME.validate_python(value)


class TestIdent:
    def test_gives_the_canonical_form(self) -> None:
        assert IDENT.validate_python(KEY.upper()) == KEY

    @pytest.mark.parametrize(
        "text", ["", "42", KEY + "\n", KEY[:-1], KEY.replace("-", ""), "{" + KEY + "}", "g" + KEY[1:]]
    )
    def test_refuses_everything_else(self, text: str) -> None:
        with pytest.raises(ValidationError):
            IDENT.validate_python(text)


class Patch(Schema):
    name: Name = absent()


class TestAbsent:
    def test_may_be_left_out(self) -> None:
        assert Patch().model_dump(exclude_unset=True) == {}
        assert Patch(name="a").model_dump(exclude_unset=True) == {"name": "a"}

    def test_is_not_null(self) -> None:
        with pytest.raises(ValidationError):
            Patch.model_validate({"name": None})


class Good(Schema):
    name: Name
    text: str = Field(max_length=5)
    maybe: Annotated[str | None, Field(max_length=5)] = None
    small: Int32
    large: Int64
    positive: int = Field(gt=0, lt=10)
    moment: UtcTime
    key: Ident
    flag: bool
    ratio: float
    choice: Literal["a", 1]
    names: list[Name] = Field(max_length=3)
    pairs: dict[Name, Int32] = Field(max_length=3)
    row: tuple[Int32, ...] = Field(max_length=3)
    file: Upload
    child: "Good | None" = None


def model(kind: Any) -> type[Schema]:
    """Return a schema with one field of a type."""
    return type("Model", (Schema,), {"__annotations__": {"x": kind}, "__module__": __name__})


NUMBER: Any = model(int)


class TestUnbounded:
    def test_finds_nothing_where_everything_is_bounded(self) -> None:
        assert list(unbounded(Good)) == []
        assert list(unbounded(PageQuery)) == []

    @pytest.mark.parametrize(
        ("kind", "cures"),
        [
            (str, ["x: give the text a `max_length`, or use `Name` or `Ident`"]),
            (bytes, ["x: give the text a `max_length`, or use `Name` or `Ident`"]),
            (str | None, ["x: give the text a `max_length`, or use `Name` or `Ident`"]),
            (Annotated[str, Field(min_length=1)], ["x: give the text a `max_length`, or use `Name` or `Ident`"]),
            (int, ["x: give the number `ge` and `le`, or use `Int32`"]),
            (Annotated[int, Field(ge=0)], ["x: give the number `ge` and `le`, or use `Int32`"]),
            (Annotated[int, Field(le=5)], ["x: give the number `ge` and `le`, or use `Int32`"]),
            (datetime, ["x: use `UtcTime`"]),
            (list, ["x: give it a `max_length`"]),
            (dict, ["x: give it a `max_length`"]),
            (list[Name], ["x: give it a `max_length`"]),
            (Sequence[Name], ["x: give it a `max_length`"]),
            (Mapping[Name, Name], ["x: give it a `max_length`"]),
            (
                Annotated[dict[str, int], Field(max_length=3)],
                [
                    "x[]: give the text a `max_length`, or use `Name` or `Ident`",
                    "x[]: give the number `ge` and `le`, or use `Int32`",
                ],
            ),
            (model(str), ["x.x: give the text a `max_length`, or use `Name` or `Ident`"]),
            (
                Annotated[list[NUMBER], Field(max_length=3)],
                ["x[].x: give the number `ge` and `le`, or use `Int32`"],
            ),
        ],
    )
    def test_names_the_field_and_the_cure(self, kind: Any, cures: list[str]) -> None:
        assert list(unbounded(model(kind))) == cures
