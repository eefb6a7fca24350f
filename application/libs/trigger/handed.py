"""Hand triggers out as objects of APScheduler, for code that looks into them or gives them to another job."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from application.libs.trigger.fields import build
from application.libs.trigger.moment import read_zone
from application.libs.trigger.reading import Fields
from application.libs.trigger.taken import HandedTrigger

_ENDS = ("start_date", "end_date")


def handed(fields: Mapping[str, Any]) -> BaseTrigger:
    """Return stored fields as an object of APScheduler's class of the type."""
    if "crontab" in fields or any("crontab" in part for part in fields.get("triggers", ())):
        return HandedTrigger(dict(fields), build(fields))
    given = {name: value for name, value in fields.items() if name not in ("type", "timezone")}
    return _HANDED[fields["type"]](given, read_zone(fields["timezone"]))


def _date(given: Fields, zone: Any) -> BaseTrigger:
    return DateTrigger(run_date=_moment(given.get("run_date")), timezone=zone)


def _spanned(kind: Callable[..., BaseTrigger]) -> Callable[[Fields, Any], BaseTrigger]:
    def hand(given: Fields, zone: Any) -> BaseTrigger:
        ends = {name: _moment(given[name]) for name in _ENDS if name in given}
        return kind(**(given | ends), timezone=zone)

    return hand


def _calendar(given: Fields, zone: Any) -> BaseTrigger:
    ends = {name: date.fromisoformat(given[name]) for name in _ENDS if name in given}
    return CalendarIntervalTrigger(**(given | ends), timezone=zone)


def _combined(kind: Callable[..., BaseTrigger]) -> Callable[[Fields, Any], BaseTrigger]:
    return lambda given, _zone: kind([handed(part) for part in given["triggers"]], jitter=given.get("jitter"))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


_HANDED: Mapping[str, Callable[[Fields, Any], BaseTrigger]] = {
    "date": _date,
    "interval": _spanned(IntervalTrigger),
    "cron": _spanned(CronTrigger),
    "calendarinterval": _calendar,
    "and": _combined(AndTrigger),
    "or": _combined(OrTrigger),
}
