"""Write down the trigger objects of APScheduler that code gives."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from application.libs import clock
from application.libs.trigger.fault import bad_trigger

_START_OF_A_PROCESS = timedelta(minutes=10)


class HandedTrigger(BaseTrigger):
    """Be a trigger that APScheduler has no class for: a crontab as cron reads it, and what holds one."""

    def __init__(self, fields: Mapping[str, Any], trigger: Any) -> None:
        """Take the fields as they are stored, and what fires by them."""
        self.stored = dict(fields)
        self._trigger = trigger

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return when it fires next."""
        fire: datetime | None = self._trigger.get_next_fire_time(previous_fire_time, now)
        return fire

    def __str__(self) -> str:
        return f"{self.stored['type']}[{self.stored.get('crontab', '')}]"

    def __repr__(self) -> str:
        return f"<HandedTrigger ({self})>"


def fields_of(given: BaseTrigger) -> dict[str, Any]:
    """Return the fields of a trigger object, with its `type`; raise `BadTriggerError` where it has none."""
    if isinstance(given, HandedTrigger):
        return dict(given.stored)
    for kind, taken in _TAKEN.items():
        if type(given) is kind:
            return {name: value for name, value in taken(given).items() if value is not None}
    known = ", ".join(kind.__name__ for kind in _TAKEN)
    raise bad_trigger("trigger", f"a {type(given).__name__} cannot be written down; use one of {known}")


def _date(given: Any) -> dict[str, Any]:
    return {"type": "date", "run_date": given.run_date}


def _interval(given: Any) -> dict[str, Any]:
    length = given.interval
    return {"type": "interval", "days": length.days, "seconds": length.seconds + length.microseconds / 1e6} | {
        **_span(given),
        "start_date": None if _is_from_the_clock(given) else given.start_date,
    }


def _cron(given: Any) -> dict[str, Any]:
    named = {field.name: str(field) for field in given.fields if not field.is_default}
    return {"type": "cron", **named, **_span(given)}


def _calendar(given: Any) -> dict[str, Any]:
    state = given.__getstate__()
    hour, minute, second = state["time"]
    length = {name: getattr(given, name) or None for name in ("years", "months", "weeks", "days")}
    today = given.start_date == clock.now().astimezone(given.timezone).date()
    return {"type": "calendarinterval", **length, "hour": hour, "minute": minute, "second": second} | {
        **_span(given),
        "start_date": None if today else given.start_date,
    }


def _combined(kind: str) -> Callable[[Any], dict[str, Any]]:
    def take(given: Any) -> dict[str, Any]:
        return {"type": kind, "triggers": [fields_of(part) for part in given.triggers], "jitter": given.jitter}

    return take


_TAKEN: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    DateTrigger: _date,
    IntervalTrigger: _interval,
    CronTrigger: _cron,
    CalendarIntervalTrigger: _calendar,
    AndTrigger: _combined("and"),
    OrTrigger: _combined("or"),
}


def _span(given: Any) -> dict[str, Any]:
    return {
        "start_date": given.start_date,
        "end_date": given.end_date,
        "jitter": given.jitter,
        "timezone": _name(given.timezone),
    }


def _is_from_the_clock(given: Any) -> bool:
    """Tell whether nobody gave the start of an interval, so that it is another one in each process."""
    start: datetime = given.start_date
    age = clock.now() + given.interval - start
    return bool(start.microsecond) and timedelta() <= age < _START_OF_A_PROCESS


def _name(zone: tzinfo) -> str:
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    if zone == UTC:
        return "UTC"
    raise bad_trigger("timezone", f"{zone!r} has no name; give one of the IANA database: ZoneInfo('Europe/Berlin')")
