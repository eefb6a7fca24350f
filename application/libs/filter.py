"""Type the filters of lists on the wire; each is a field of a query's schema, called `column__operator`.

    class BlogQuery(PageQuery):
        title__contains: Contains = None
        created_at__gte: AtOrAfter = None

A filter that is left out is None. Those with brackets take the type of what is compared (`Equals[Int32]`); for what is
true or false there is `Flag`. The API document names the column where a description says `{column}`. What is stored is
in microseconds; a time finer than that finds what it should all the same.
"""

from typing import Annotated, TypeVar, get_args

from pydantic import Field

from application.libs.schema import UtcTime, UtcTimeUp

T = TypeVar("T")

COLUMN = "{column}"
"""Where a description names the column; it is filled in behind the translation."""

MAX_CHOICES = 20
"""How many values a filter takes of which one must match."""

_TIME = "2030-01-31T12:00:00Z"

FilterText = Annotated[str, Field(max_length=200, examples=["hello"])]
"""A text to compare with; 200 is the longest column there is to compare."""

Equals = Annotated[T | None, Field(description="Only what has exactly this {column}.")]
NotEquals = Annotated[T | None, Field(description="Only what has another {column} than this, or none.")]
Flag = Annotated[
    bool | None,
    Field(description="With `true` only what is {column}, with `false` only what is not.", examples=[True]),
]
OneOf = Annotated[
    list[T] | None, Field(max_length=MAX_CHOICES, description="Only what has one of these as its {column}; repeat it.")
]
Contains = Annotated[
    FilterText | None, Field(description="Only what has this text in its {column}, in either case.", examples=["hel"])
]
StartsWith = Annotated[
    FilterText | None,
    Field(description="Only what has a {column} that starts with this text, in either case.", examples=["hel"]),
]
GreaterThan = Annotated[T | None, Field(description="Only what has a larger {column}.")]
AtLeast = Annotated[T | None, Field(description="Only what has this {column} or a larger one.")]
LessThan = Annotated[T | None, Field(description="Only what has a smaller {column}.")]
AtMost = Annotated[T | None, Field(description="Only what has this {column} or a smaller one.")]
After = Annotated[UtcTime | None, Field(description="Only what has a later {column}.", examples=[_TIME])]
AtOrAfter = Annotated[
    UtcTimeUp | None, Field(description="Only what has this {column} or a later one.", examples=[_TIME])
]
Before = Annotated[UtcTimeUp | None, Field(description="Only what has an earlier {column}.", examples=[_TIME])]
AtOrBefore = Annotated[
    UtcTime | None, Field(description="Only what has this {column} or an earlier one.", examples=[_TIME])
]

DESCRIPTIONS: tuple[str, ...] = tuple(
    get_args(kind)[1].description
    for kind in (
        *(Equals, NotEquals, OneOf, Flag, Contains, StartsWith),
        *(GreaterThan, AtLeast, LessThan, AtMost, After, AtOrAfter, Before, AtOrBefore),
    )
)
"""What the filters say of themselves."""
