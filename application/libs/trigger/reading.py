"""Read a trigger's fields as they are given, bring each into the form that is stored, and tell all that are wrong."""

import math
from collections.abc import Callable, Mapping
from datetime import timedelta, tzinfo
from functools import partial
from typing import Any

from application.libs.trigger import crontab, expression
from application.libs.trigger.expression import CRON
from application.libs.trigger.fault import BadTriggerError, Fault, bad_trigger
from application.libs.trigger.moment import read_day, read_moment, read_zone

Fields = dict[str, Any]

MOST_JITTER_SECONDS = 86_400
MOST_PARTS = 10  # of an `and` or `or`; each is asked for every fire

SHORTEST = timedelta(seconds=1)  # the scheduler looks twice a second
LONGEST = timedelta(days=36_525)  # a century

UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_SPAN = ("start_date", "end_date", "timezone", "jitter")

FIELDS: Mapping[str, tuple[str, ...]] = {
    "date": ("run_date", "timezone"),
    "interval": (*UNITS, *_SPAN),
    "cron": (*CRON, "crontab", *_SPAN),
    "calendarinterval": ("years", "months", "weeks", "days", "hour", "minute", "second", *_SPAN),
    "and": ("triggers", "timezone", "jitter"),
    "or": ("triggers", "timezone", "jitter"),
}
"""What each type of trigger takes."""

READ_ONLY = frozenset({"in_words"})
"""What is shown beside the fields; given back, it is passed over."""

_Read = Callable[[Any, tzinfo], Any]


def read(kind: object, fields: Mapping[str, Any], timezone: object) -> Fields:
    """Return the fields in their stored form; raise `BadTriggerError` with each fault and its cure."""
    if not isinstance(kind, str) or kind not in FIELDS:
        raise bad_trigger("trigger", f"there is no trigger {str(kind)[:40]!r}; use one of {', '.join(FIELDS)}")
    faults: list[Fault] = []
    zone_name = fields.get("timezone") or timezone
    zone = _collect(faults, "timezone", lambda: read_zone(zone_name)) or read_zone("UTC")
    stored: Fields = {"type": kind, "timezone": zone_name}
    for name, value in fields.items():
        if value is not None and name != "timezone" and name not in READ_ONLY:
            found = _collect(faults, name, partial(_read_one, kind, name, value, zone))
            stored |= {} if found is None else {name: found}
    faults += _TOGETHER.get(kind, _nothing)(fields, stored)
    if faults:
        raise BadTriggerError(*faults)
    return stored


def interval_of(fields: Mapping[str, Any]) -> timedelta:
    """Return the length of an interval; without any it is a second, as in APScheduler."""
    length = timedelta(**{name: fields[name] for name in UNITS if name in fields})
    return length or SHORTEST


def _collect(faults: list[Fault], name: str, reading: Callable[[], Any]) -> Any:
    """Return what is read, or note why it cannot be."""
    try:
        return reading()
    except BadTriggerError as error:
        faults += error.faults
    except ValueError as error:
        faults.append(Fault(name, str(error)))
    return None


def _read_one(kind: str, name: str, value: Any, zone: tzinfo) -> Any:
    return _reader(kind, name)(value, zone)


def _reader(kind: str, name: str) -> _Read:
    if name not in FIELDS[kind]:
        raise ValueError(f"{kind} takes no {str(name)[:40]!r}; use {', '.join(FIELDS[kind])}")
    readers = _CALENDAR if kind == "calendarinterval" else _READERS
    return readers.get(name, _READERS.get(name, _expression_of(name)))


def _expression_of(name: str) -> _Read:
    return lambda value, _zone: expression.read(value, CRON[name]).text


def _moment(value: Any, zone: tzinfo) -> str:
    return read_moment(value, zone).isoformat()


def _day(value: Any, zone: tzinfo) -> str:
    return read_day(value, zone).isoformat()


def _number(value: Any, _zone: tzinfo) -> float:
    most = LONGEST.total_seconds()
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"{str(value)[:40]!r} is no length; give a number from 0 to {most:.0f}")
    return value


def _whole(most: int) -> _Read:
    def read_whole(value: Any, _zone: tzinfo) -> int:
        text = str(value)[:10]
        if isinstance(value, int | str) and text.isascii() and text.isdigit() and int(text) <= most:
            return int(text)
        raise ValueError(f"{text!r} is no whole number from 0 to {most}; give one")

    return read_whole


def _jitter(value: Any, _zone: tzinfo) -> float:
    most = MOST_JITTER_SECONDS
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"{str(value)[:40]!r} is no jitter; give a number of seconds from 0 to {most}")
    return value


def _crontab(value: Any, _zone: tzinfo) -> str:
    return crontab.read(value).text


def _parts(value: Any, zone: tzinfo) -> list[Fields]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_PARTS:
        raise ValueError(f"give a list of 1 to {MOST_PARTS} triggers")
    parts: list[Fields] = []
    faults: list[Fault] = []
    for index, part in enumerate(value):
        try:
            parts.append(_part(part, zone))
        except BadTriggerError as error:
            faults += (Fault(f"triggers.{index}.{fault.field}", fault.message) for fault in error.faults)
    if faults:
        raise BadTriggerError(*faults)
    return parts


def _part(part: Any, zone: tzinfo) -> Fields:
    if not isinstance(part, Mapping):
        raise bad_trigger("type", "a part is an object with its type and fields; give that")
    fields = {name: value for name, value in part.items() if name not in ("type", "trigger")}
    kind = part.get("type", part.get("trigger"))
    if kind in ("and", "or"):
        raise bad_trigger("type", "a combination holds no other one; write it flat")
    if fields.get("jitter"):
        raise bad_trigger("jitter", "a part has none; give it to the whole")
    return read(kind, fields, str(zone))


_CALENDAR: Mapping[str, _Read] = {
    **{name: _whole(10_000) for name in ("years", "months", "weeks", "days")},
    **{name: _whole(CRON[name].high) for name in ("hour", "minute", "second")},
    "start_date": _day,
    "end_date": _day,
}
_READERS: Mapping[str, _Read] = {
    **dict.fromkeys(("run_date", "start_date", "end_date"), _moment),
    **dict.fromkeys(UNITS, _number),
    "jitter": _jitter,
    "crontab": _crontab,
    "triggers": _parts,
}


def _nothing(_given: Mapping[str, Any], _stored: Fields) -> list[Fault]:
    return []


def _of_interval(_given: Mapping[str, Any], stored: Fields) -> list[Fault]:
    """Check the units together; each is a number already, the sum may be none."""
    seconds = math.fsum(stored[name] * unit for name, unit in _SECONDS.items() if name in stored)
    if 0 < seconds < SHORTEST.total_seconds():
        return [Fault("seconds", f"an interval of {seconds:g} s is too short; give at least a second")]
    if seconds > LONGEST.total_seconds():
        return [Fault("weeks", "the interval is too long; give at most a century")]
    if seconds % 1:
        return [Fault("seconds", f"an interval of {seconds:g} s has parts of a second; give whole ones")]
    return []


def _of_cron(given: Mapping[str, Any], _stored: Fields) -> list[Fault]:
    beside = ", ".join(name for name in CRON if given.get(name) is not None)
    if given.get("crontab") is not None and beside:
        return [Fault("crontab", f"it says all about when; leave out {beside}, or leave out the crontab")]
    return []


def _of_calendar(given: Mapping[str, Any], _stored: Fields) -> list[Fault]:
    if any(given.get(name) for name in ("years", "months", "weeks", "days")):
        return []
    return [Fault("days", "the interval is less than a day; give years, months, weeks or days")]


def _of_parts(given: Mapping[str, Any], _stored: Fields) -> list[Fault]:
    return (
        []
        if given.get("triggers") is not None
        else [Fault("triggers", "there is nothing to combine; give a list of triggers")]
    )


_TOGETHER: Mapping[str, Callable[[Mapping[str, Any], Fields], list[Fault]]] = {
    "interval": _of_interval,
    "cron": _of_cron,
    "calendarinterval": _of_calendar,
    "and": _of_parts,
    "or": _of_parts,
}
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
