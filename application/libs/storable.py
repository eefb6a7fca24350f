"""Say what cannot be stored as an argument, where it stands in the value, and what to give instead.

Stored are None, bool, int of 64 bits, finite float, str without NUL and lone surrogates, date, time, datetime,
timedelta, Decimal, UUID, and tuple, list, set, frozenset, dict with text as keys of such; of subclasses none, because
they would come back as something else.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from pydantic_core import TzInfo

from application.libs import strict_json
from application.libs.error import MAX_ERRORS, FieldError, field_error

MAX_BYTES = 60_000
"""How long the JSON of a value may be: a TEXT column of MariaDB holds 65,535 bytes."""

MAX_DEPTH = 24
"""How deep the JSON may nest, so that `strict_json` (32) still reads what it is embedded in."""

PLAIN = (str, int, float, bool, type(None))
"""What JSON has by itself, beside list and dict."""

TYPED = (datetime, date, time, timedelta, Decimal, UUID)
"""What has no parts, and is written with its type."""

COLLECTIONS = (tuple, set, frozenset)
"""What has parts, and is written with its type."""

_MAX_EXPONENT = 6144  # of IEEE 754's decimal128: with a larger one, plain arithmetic takes all memory
_OFFSETS = (timezone, TzInfo)  # the latter is pydantic's, and comes back as the former
_BASES = (dict, list, *COLLECTIONS, *TYPED, str, int, float)
_CURE = "Give text, numbers, dates, or lists and dicts of them"

_Loc = tuple[str | int, ...]


class Unstorable(ValueError):
    """The value cannot be stored; `errors` say each place, what is wrong and the cure."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        """Take the faults, one or more."""
        super().__init__(summary(errors))
        self.errors = list(errors)


def require_storable(value: object) -> None:
    """Raise `Unstorable` with the faults of a value, if there are any."""
    errors = faults(value)
    if errors:
        raise Unstorable(errors)


def faults(value: object, *loc: str | int) -> list[FieldError]:
    """Return why a value cannot be stored, with the place of each fault behind `loc`; empty when it can."""
    return list(islice(_Inspection().look(value, loc, 0), MAX_ERRORS))


def summary(errors: Sequence[FieldError]) -> str:
    """Return faults in one line: the first with its place, and how many others there are."""
    place = ".".join(str(part) for part in errors[0]["loc"])
    others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{place and f'{place}: '}{errors[0]['msg']}{others}"


def too_long(*loc: str | int) -> FieldError:
    """Return the fault of a value whose JSON is too long."""
    msg = f"The value is longer than {MAX_BYTES} bytes of JSON. Store it elsewhere, and give its id"
    return field_error(*loc, msg=msg, type_="too_long")


@cache
def zones() -> frozenset[str]:
    """Return the names of time zones: a closed list, so that no text opens another file or package."""
    return frozenset(available_timezones())


class _Fault(NamedTuple):
    type: str
    msg: str


class _Inspection:
    """Look through one value; one that holds itself, or another very often, comes to an end."""

    def __init__(self) -> None:
        self._room = MAX_BYTES

    def look(self, value: Any, loc: _Loc, depth: int) -> Iterator[FieldError]:
        """Yield the faults of a value that stands within `depth` brackets of JSON."""
        if self._room < 0:  # said already
            return
        self._room -= len(value) if type(value) is str else 1
        depth += _brackets(type(value))
        if self._room < 0:
            yield too_long(*loc)
        elif depth > MAX_DEPTH:
            msg = f"It nests deeper than {MAX_DEPTH} levels. Give it flatter"
            yield field_error(*loc, msg=msg, type_="too_deep")
        else:
            yield from self._look_inside(value, loc, depth)

    def _look_inside(self, value: Any, loc: _Loc, depth: int) -> Iterator[FieldError]:
        kind = type(value)
        if kind is dict:
            yield from self._look_at_members(value, loc, depth)
        elif kind in (list, tuple):
            for index, item in enumerate(value):
                yield from self.look(item, (*loc, index), depth)
        elif kind in COLLECTIONS:
            for item in value:
                yield from self.look(item, loc, depth)
        else:
            fault = _fault(value)
            if fault:
                yield field_error(*loc, msg=fault.msg, type_=fault.type)

    def _look_at_members(self, members: Mapping[Any, Any], loc: _Loc, depth: int) -> Iterator[FieldError]:
        for key, item in members.items():
            if type(key) is str:
                yield from self.look(key, loc, depth)
                yield from self.look(item, (*loc, key.encode("utf-8", "replace").decode()), depth)
            else:
                msg = f"A key is of type {type(key).__name__}. Use text as keys"
                yield field_error(*loc, msg=msg, type_="invalid_key")


def _brackets(kind: type) -> int:
    """Return how deep the JSON of a type nests without its parts."""
    return 2 if kind in COLLECTIONS else 1 if kind in (list, dict, *TYPED) else 0


def _fault(value: Any) -> _Fault | None:
    """Say what is wrong with a value that has no parts."""
    kind = type(value)
    if kind in _CHECKS:
        return _CHECKS[kind](value)
    if kind in TYPED or kind in PLAIN:
        return None
    return _Fault("type_unstorable", f"A value of type {kind.__name__} cannot be stored. {_cure(value)}")


def _cure(value: object) -> str:
    if isinstance(value, Enum):
        return "Give its `value`"
    if isinstance(value, bytes | bytearray | memoryview):
        return "Give base64 text, or the id of where it is stored"
    near = next((kind for kind in _BASES if isinstance(value, kind)), None)
    return _CURE if near is None else f"Make it a plain {near.__name__}"


def _check_text(text: str) -> _Fault | None:
    reason = strict_json.unstorable_text(text)
    return _Fault("text_unstorable", f"{reason}. Leave it out") if reason else None


def _check_int(number: int) -> _Fault | None:
    if strict_json.is_int64(number):
        return None
    return _Fault("integer_too_large", "The integer does not fit 64 bits. Give it as Decimal or text")


def _check_float(number: float) -> _Fault | None:
    if math.isfinite(number):
        return None
    return _Fault("finite_number", "NaN and infinity are no numbers of JSON. Give a finite one or None")


def _check_decimal(number: Decimal) -> _Fault | None:
    if number.is_finite() and abs(number.adjusted()) <= _MAX_EXPONENT:
        return None
    msg = f"The Decimal is not finite or beyond 1E±{_MAX_EXPONENT}. Give one that is nearer to zero, or None"
    return _Fault("finite_number", msg)


def _check_time(moment: time) -> _Fault | None:
    if moment.tzinfo is None or type(moment.tzinfo) in _OFFSETS:
        return _check_offset(moment)
    return _Fault("timezone_unstorable", "A time of day has no offset in this zone. Give the zone's name beside it")


def _check_offset(moment: time | datetime) -> _Fault | None:
    """Refuse an offset of less than a second, which `fromisoformat` of Python 3.11 to 3.14 takes for none."""
    if timedelta() < abs(moment.utcoffset() or timedelta()) < timedelta(seconds=1):
        return _Fault("timezone_unstorable", "The offset is less than a second. Give it in whole minutes")
    return None


def _check_datetime(moment: datetime) -> _Fault | None:
    zone = moment.tzinfo
    if type(zone) in _OFFSETS:
        return _check_offset(moment)
    if zone is None or (type(zone) is ZoneInfo and zone.key in zones()):
        return None
    cure = "Give it with datetime.timezone, or with a zoneinfo.ZoneInfo of the time zone database"
    return _Fault("timezone_unstorable", f"The time zone {str(zone)[:50]!r} cannot be stored. {cure}")


_CHECKS: Mapping[type, Callable[[Any], _Fault | None]] = {
    str: _check_text,
    int: _check_int,
    float: _check_float,
    Decimal: _check_decimal,
    time: _check_time,
    datetime: _check_datetime,
}
