"""Cut lists into pages by key: page 10,000 costs what page 1 costs.

A cursor is opaque to the client: the order and the sort values of the last item, as base64url.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from application.libs.error import Invalid, field_error
from application.libs.record import Record
from application.libs.strict_json import is_int64, unstorable_text

T = TypeVar("T")

MAX_CURSOR = 2048
"""How long a cursor is at most, in characters."""

MAX_SORT_TEXT = 200
"""How long a text is at most that a list is sorted by: a character takes up to six bytes as JSON, eight as base64."""


class BadCursor(Invalid):
    """The cursor is not one of ours; start again without `after`."""


class UnknownOrder(Invalid):
    """The list cannot be sorted like that."""


class Page(Record, Generic[T]):
    """Hold one page of a list; `next` is the cursor of the following page, None on the last."""

    items: Sequence[T]
    limit: int
    next: str | None = None
    total: int | None = None


def encode_cursor(order: str, values: Sequence[str | int]) -> str:
    """Return the cursor behind an item with these sort values."""
    return base64.urlsafe_b64encode(msgspec.json.encode([order, *values])).decode("ascii").rstrip("=")


def decode_cursor(cursor: str, order: str, kinds: Sequence[type]) -> list[str | int]:
    """Return the sort values of a cursor made for the same order; raise `BadCursor` for any other."""
    made_for, values = read_cursor(cursor)
    if made_for != order or len(values) != len(kinds):
        raise bad_cursor()
    if not all(type(value) is kind and _storable(value) for value, kind in zip(values, kinds, strict=True)):
        raise bad_cursor()
    return values


def read_cursor(cursor: str) -> tuple[str | int, list[str | int]]:
    """Return the order that a cursor was made for and its values; raise `BadCursor` for what is none."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        made_for, *values = msgspec.json.decode(raw, type=list[str | int])
    except (binascii.Error, ValueError, msgspec.MsgspecError, UnicodeError):
        raise bad_cursor() from None
    return made_for, values


def _storable(value: str | int) -> bool:
    return unstorable_text(value) is None if isinstance(value, str) else is_int64(value)


def bad_cursor() -> BadCursor:
    """Return the refusal of a cursor that is not ours."""
    return BadCursor(errors=[field_error("query", "after", msg=BadCursor.title, type_="cursor")])
