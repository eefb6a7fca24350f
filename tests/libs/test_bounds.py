"""Which fields of an input have no bound."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import pytest
from pydantic import AnyUrl, Field, HttpUrl, SecretBytes, SecretStr

from application.libs.bounds import unbounded
from application.libs.schema import Float64, Ident, Int32, Int64, Name, PageQuery, Schema, Upload, UtcTime

CURE = "take a text with `max_length`, a number with `ge` and `le`, or a Schema"


class Level(IntEnum):
    LOW = 1


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
    ratio: Float64
    share: Annotated[float, Field(ge=0, lt=1)]
    price: Decimal = Field(max_digits=12, decimal_places=2)
    pause: timedelta = Field(ge=timedelta(0), le=timedelta(days=1))
    password: SecretStr = Field(max_length=128)
    page: HttpUrl
    link: AnyUrl = Field(max_length=200)
    day: date
    uuid: UUID
    address: IPv4Address | None
    level: Level
    free: Any
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
            (float, ["x: give the number `ge` and `le`, or use `Float64`"]),
            (Decimal, ["x: give the number `max_digits` and `decimal_places`, as its column has"]),
            (timedelta, ["x: give the duration `ge` and `le`"]),
            (SecretStr, ["x: give the text a `max_length`, or use `Name` or `Ident`"]),
            (SecretBytes, ["x: give the text a `max_length`, or use `Name` or `Ident`"]),
            (AnyUrl, ["x: give the address a `max_length`"]),
            (object, [f"x: nothing bounds object; {CURE}"]),
            (complex, [f"x: nothing bounds complex; {CURE}"]),
            (time, [f"x: nothing bounds time; {CURE}"]),
            (Path, [f"x: nothing bounds Path; {CURE}"]),
            (type[str], [f"x: nothing bounds type; {CURE}"]),
            (deque[Name], [f"x: nothing bounds deque; {CURE}"]),
            (NewType("Title", str), ["x: give the text a `max_length`, or use `Name` or `Ident`"]),
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
