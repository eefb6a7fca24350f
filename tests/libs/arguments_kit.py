"""Functions and types whose signatures are read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from application.libs.arguments import InvalidArguments, Signature
from application.libs.schema import UtcTime


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(StrEnum):
    SMALL = "s"


class Pair(Enum):
    ONE = (1, 2)


class Order(BaseModel):
    day: date
    count: int = Field(1, ge=1)


class Raw(BaseModel):
    raw: bytes


@dataclass
class Place:
    name: str
    at: Decimal


class Span(TypedDict):
    start: date


class Plain:
    pass


class Zone(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta()

    def dst(self, moment: datetime | None) -> None:
        return None

    def tzname(self, moment: datetime | None) -> str:
        return "Nowhere"


def report(day: date, /, colour: Colour, limit: Annotated[int, Field(ge=1, le=9)] = 3, *, dry: bool = False) -> None:
    """Take every way of passing."""


def collect(first: int, *sizes: Decimal, **days: date) -> None:
    """Take any number."""


def anything(value: Any, other: Any = None) -> None:
    """Say nothing of its types."""


anything.__annotations__.clear()


def taking(annotation: Any) -> Signature:
    """Return the signature of a function with one parameter `value`."""

    def function(value: Any) -> None:
        """Take it."""

    function.__annotations__["value"] = annotation
    return Signature(function, "here")


def found(call: Callable[[], object]) -> list[tuple[list[str | int], str]]:
    with pytest.raises(InvalidArguments) as raised:
        call()
    return [(error["loc"], error["type"]) for error in raised.value.errors]


RING: list[Any] = []
RING.append(RING)

DAY = date(2026, 11, 28)
JSON_FORMS = [
    (date, "2026-11-28", DAY),
    (datetime, "2026-11-28T07:30:00Z", datetime(2026, 11, 28, 7, 30, tzinfo=UTC)),
    (UtcTime, "2026-11-28T07:30:00+01:00", datetime(2026, 11, 28, 6, 30, tzinfo=UTC)),
    (time, "07:30:00", time(7, 30)),
    (timedelta, "PT90S", timedelta(seconds=90)),
    (Decimal, "1.50", Decimal("1.50")),
    (Decimal, 1.5, Decimal("1.5")),
    (UUID, "00000000-0000-0000-0000-000000000001", UUID(int=1)),
    (Colour, "red", Colour.RED),
    (Size, "s", Size.SMALL),
    (tuple[int, date], [1, "2026-11-28"], (1, DAY)),
    (set[int], [1, 2], {1, 2}),
    (frozenset[Colour], ["red"], frozenset({Colour.RED})),
    (dict[int, str], {"1": "a"}, {1: "a"}),
    (dict[str, date], {"$date": "2026-11-28"}, {"$date": DAY}),
    (list[date | None], ["2026-11-28", None], [DAY, None]),
    (float, 5, 5.0),
    (Literal["a", 1], 1, 1),
    (Order, {"day": "2026-11-28"}, Order(day=DAY)),
    (Place, {"name": "x", "at": "1.5"}, Place("x", Decimal("1.5"))),
    (Span, {"start": "2026-11-28"}, {"start": DAY}),
    (Path, "/srv", Path("/srv")),
    (Any, {"a": [1]}, {"a": [1]}),
]
