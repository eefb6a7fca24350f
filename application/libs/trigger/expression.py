"""Read the expressions of cron: `*`, `*/a`, `a`, `a-b`, `a-b/c`, lists, names, `xth y`, `last x`, `last`."""

import re
from collections.abc import Mapping

from application.libs.record import Record
from application.libs.trigger.moment import MOST_CHARACTERS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_POSITIONS = ("1st", "2nd", "3rd", "4th", "5th", "last")
LAST = len(_POSITIONS) - 1

_ALL = re.compile(r"\*(?:/([0-9]{1,4}))?")
_RANGE = re.compile(r"([0-9]{1,4}|[a-z]+)(?:-([0-9]{1,4}|[a-z]+))?(?:/([0-9]{1,4}))?")
_POSITION = re.compile(rf"({'|'.join(_POSITIONS)}) +([a-z]+)")


class Scale(Record):
    """Hold what the values of a field are, and what they may be called."""

    low: int
    high: int
    names: Mapping[str, int] = {}
    open_steps: bool = True
    """Whether `5/10` is `5-…/10`, as in APScheduler; cron refuses it."""
    positions: bool = False
    """Whether `3rd fri`, `last fri` and `last` are taken."""


class Expression(Record):
    """Hold what a field says: its values, the days that depend on the month, and its text as it is shown."""

    text: str
    values: frozenset[int]
    positions: tuple[tuple[int, int], ...] = ()
    """Which weekday of the month, and which weekday; both from 0."""
    last_day: bool = False


_WEEKDAY_NAMES = {name: number for number, name in enumerate(WEEKDAYS)}
_MONTH_NAMES = {name: number for number, name in enumerate(MONTHS, 1)}

CRON: Mapping[str, Scale] = {
    "year": Scale(1970, 9890),
    "month": Scale(1, 12, _MONTH_NAMES),
    "day": Scale(1, 31, positions=True),
    "week": Scale(1, 53),
    "day_of_week": Scale(0, 6, _WEEKDAY_NAMES),
    "hour": Scale(0, 23),
    "minute": Scale(0, 59),
    "second": Scale(0, 59),
}
"""The fields of a cron trigger, the most significant first; in `day_of_week` 0 is Monday, as in APScheduler."""


def read(value: object, scale: Scale) -> Expression:
    """Return what a text or an integer says; raise ValueError with the cure."""
    if not _is_short(value):
        raise ValueError(f"this is no expression; give text such as '*/5' of at most {MOST_CHARACTERS} characters")
    parts = [_read_one(part.strip().lower(), scale) for part in str(value).split(",")]
    return Expression(
        text=",".join(part.text for part in parts),
        values=frozenset().union(*(part.values for part in parts)),
        positions=tuple(position for part in parts for position in part.positions),
        last_day=any(part.last_day for part in parts),
    )


def _is_short(value: object) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and -MOST_CHARACTERS < value < 10_000
    return isinstance(value, str) and len(value) <= MOST_CHARACTERS


def _read_one(part: str, scale: Scale) -> Expression:
    everything = _ALL.fullmatch(part)
    if everything:
        values = _stepped(scale.low, scale.high, everything[1], part)
        return Expression(part if everything[1] is None else f"*/{int(everything[1])}", values)
    if scale.positions:
        position = _POSITION.fullmatch(part)
        if position and position[2] in WEEKDAYS:
            pair = (_POSITIONS.index(position[1]), WEEKDAYS.index(position[2]))
            return Expression(f"{position[1]} {position[2]}", frozenset(), positions=(pair,))
        if part == "last":
            return Expression("last", frozenset(), last_day=True)
    return _read_range(part, scale)


def _read_range(part: str, scale: Scale) -> Expression:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise ValueError(f"{part!r} is no expression; {_cure(scale)}")
    first = _number(match[1], scale)
    last = _last(match, first, scale)
    if first > last:
        raise ValueError(f"{part!r} ends before it begins; write it as two, {first}-{scale.high},{scale.low}-{last}")
    values = _stepped(first, last, match[3], part)
    head = match[1] if match[1].isalpha() else str(first)
    tail = "" if match[2] is None or first == last else f"-{match[2] if match[2].isalpha() else last}"
    return Expression(head + tail + ("" if match[3] is None else f"/{int(match[3])}"), values)


def _last(match: re.Match[str], first: int, scale: Scale) -> int:
    if match[2] is not None:
        last = _number(match[2], scale)
        return scale.high if match[2] == "sun" and last < first and scale.names.get("sun") == 0 else last
    if match[3] is None:
        return first
    if not scale.open_steps:
        raise ValueError(f"{match[0]!r} steps through one value; write {match[1]}-{scale.high}/{match[3]}")
    return scale.high


def _number(text: str, scale: Scale) -> int:
    if not text.isdigit():
        if text not in scale.names:
            raise ValueError(f"there is no {text!r} here; {_cure(scale)}")
        return scale.names[text]
    number = int(text)
    if not scale.low <= number <= scale.high:
        raise ValueError(f"{number} is out of range; {_cure(scale)}")
    return number


def _stepped(first: int, last: int, step: str | None, part: str) -> frozenset[int]:
    size = 1 if step is None else int(step)
    if size == 0 or (step is not None and size > max(last - first, 1)):
        raise ValueError(f"the step of {part!r} leads nowhere; give one from 1 to {max(last - first, 1)}")
    return frozenset(range(first, last + 1, size))


def _cure(scale: Scale) -> str:
    names = f" or {', '.join(scale.names)}" if scale.names else ""
    more = ", or '3rd fri', 'last fri', 'last'" if scale.positions else ""
    return f"use {scale.low} to {scale.high}{names}, as in '*', '*/2', 'a-b', 'a-b/c' or a list with commas{more}"
