"""Read instants as RFC 3339 writes them; ours are in UTC and in microseconds, as every database keeps them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_LOCAL = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,30})?"
_RFC3339 = re.compile(rf"{_LOCAL}([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_SIGNLESS = re.compile(rf"{_LOCAL} \d\d:\d\d", re.ASCII)
_FINER = re.compile(r"(?<=\.\d{6})\d+", re.ASCII)
_YEARS = range(1970, 9000)


def instant(value: object) -> datetime:
    """Return the instant without what is finer than a microsecond; raise `PydanticCustomError` with the cure."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        moment = value
    elif isinstance(value, str) and _RFC3339.fullmatch(value):
        moment = _parse(value)
    elif isinstance(value, str) and _SIGNLESS.fullmatch(value):  # which a form or a query makes of an unescaped plus
        raise PydanticCustomError("time", "The offset lacks its sign; in an address write + as %2B")
    else:
        raise PydanticCustomError("time", "Give a time with its offset, such as 2030-01-31T12:00:00Z (RFC 3339)")
    if moment.year not in _YEARS:
        raise PydanticCustomError("time_range", "The year must lie between 1970 and 8999")
    return moment.astimezone(UTC)


def instant_up(value: object) -> datetime:
    """Return the first microsecond that is not before the instant."""
    moment = instant(value)
    finer = _FINER.search(value) if isinstance(value, str) else None
    return moment + timedelta(microseconds=1) if finer and finer[0].strip("0") else moment


def _parse(value: str) -> datetime:
    whole, dot, rest = value.upper().replace(" ", "T").partition(".")
    if dot:  # fromisoformat takes at most six digits of a second
        digits = re.match(r"\d+", rest)
        length = digits.end() if digits else 0
        whole = f"{whole}.{rest[:length][:6]:0<6}{rest[length:]}"
    try:
        return datetime.fromisoformat(whole)
    except ValueError:
        raise PydanticCustomError("time", "There is no such time") from None


Instant = Annotated[datetime, BeforeValidator(instant)]
"""An instant as `instant` reads it."""
