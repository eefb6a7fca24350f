"""What a list of specimens can be asked: one filter of every operator."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from application.libs.filter import (
    After,
    AtLeast,
    AtMost,
    AtOrAfter,
    AtOrBefore,
    Before,
    Contains,
    Equals,
    FilterText,
    Flag,
    GreaterThan,
    LessThan,
    NotEquals,
    OneOf,
    StartsWith,
)
from application.libs.schema import Int32, PageQuery

Ratio = Annotated[float, Field(ge=-1e9, le=1e9)]


class Colour(StrEnum):
    """Be one of few."""

    RED = "red"
    BLUE = "blue"


class SpecimenQuery(PageQuery):
    sort: str = Field("name", max_length=50)
    q: str | None = Field(None, max_length=50)
    name: Equals[FilterText] = None
    name__contains: Contains = None
    name__startswith: StartsWith = None
    small: Equals[Int32] = None
    small__ne: NotEquals[Int32] = None
    small__gt: GreaterThan[Int32] = None
    small__gte: AtLeast[Int32] = None
    small__lt: LessThan[Int32] = None
    small__lte: AtMost[Int32] = None
    ratio__gt: GreaterThan[Ratio] = None
    ratio__gte: AtLeast[Ratio] = None
    ratio__lt: LessThan[Ratio] = None
    ratio__lte: AtMost[Ratio] = None
    flag: Flag = None
    moment__gt: After = None
    moment__gte: AtOrAfter = None
    moment__lt: Before = None
    moment__lte: AtOrBefore = None
    colour: Colour | None = None
    colour__in: OneOf[Colour] = None
    maybe__contains: Contains = None
    maybe__ne: NotEquals[FilterText] = None
