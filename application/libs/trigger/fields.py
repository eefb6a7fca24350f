"""Write triggers down as plain fields, and build them again."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from application.libs import clock
from application.libs.trigger import cron, crontab, expression, taken
from application.libs.trigger.expression import CRON
from application.libs.trigger.fault import bad_trigger
from application.libs.trigger.kinds import (
    AndTrigger,
    CalendarIntervalTrigger,
    CronTrigger,
    DateTrigger,
    IntervalTrigger,
    OrTrigger,
    Span,
    Step,
    Trigger,
)
from application.libs.trigger.moment import EARLIEST, LATEST, read_zone
from application.libs.trigger.reading import Fields, interval_of, read


def write(kind: object, fields: Mapping[str, Any], timezone: str) -> Fields:
    """Return the trigger's fields as JSON takes them, with its zone; raise `BadTriggerError` with every fault.

    The kind may be the text by which `show` names one, or a trigger object of APScheduler, which says all by itself.
    """
    if isinstance(kind, BaseTrigger):
        if fields:
            raise bad_trigger(next(iter(fields)), "the trigger object says when; leave this out")
        fields = taken.fields_of(kind)
        kind = fields.pop("type")
    written = read(kind.partition("[")[0] if isinstance(kind, str) else kind, fields, timezone)
    if _make(_pinned(written, EARLIEST)).first(EARLIEST) is None:
        raise bad_trigger("trigger", "it never fires; give days that the calendar has, and an end after the start")
    return written


def build(fields: Mapping[str, Any]) -> Trigger:
    """Return the trigger that was written down; raise `BadTriggerError` when it cannot be one."""
    return _make(_stored(fields))


def pin(fields: Mapping[str, Any], now: datetime) -> Fields:
    """Write down the start, which else would be counted from whenever the trigger is built again."""
    return _pinned(_stored(fields), now)


def _pinned(stored: Fields, now: datetime) -> Fields:
    if stored["type"] == "date":
        return {"run_date": now.isoformat()} | stored
    if stored["type"] == "interval":
        return {"start_date": (now + interval_of(stored)).isoformat()} | stored
    if stored["type"] == "calendarinterval":
        return {"start_date": now.astimezone(read_zone(stored["timezone"])).date().isoformat()} | stored
    if "triggers" in stored:
        return stored | {"triggers": [_pinned(part, now) for part in stored["triggers"]]}
    return stored


def _stored(fields: Mapping[str, Any]) -> Fields:
    return read(fields.get("type"), {name: value for name, value in fields.items() if name != "type"}, "UTC")


def _make(stored: Fields) -> Trigger:
    return _MAKERS[stored["type"]](stored)


def _date(stored: Fields) -> Trigger:
    return DateTrigger(datetime.fromisoformat(stored["run_date"]) if "run_date" in stored else clock.now())


def _interval(stored: Fields) -> Trigger:
    interval = interval_of(stored)
    start = (clock.now() + interval).isoformat()
    return IntervalTrigger(interval, _span({"start_date": start} | stored))


def _cron(stored: Fields) -> Trigger:
    if "crontab" in stored:
        pattern = crontab.pattern(crontab.read(stored["crontab"]))
    else:
        pattern = cron.pattern({name: expression.read(stored[name], CRON[name]) for name in CRON if name in stored})
    return CronTrigger(pattern, read_zone(stored["timezone"]), _span(stored))


def _calendar(stored: Fields) -> Trigger:
    zone = read_zone(stored["timezone"])
    hour, minute, second = (stored.get(name, 0) for name in ("hour", "minute", "second"))
    start = date.fromisoformat(stored["start_date"]) if "start_date" in stored else clock.now().astimezone(zone).date()
    end = LATEST
    if "end_date" in stored:
        end = datetime.combine(date.fromisoformat(stored["end_date"]), time.max, tzinfo=zone).astimezone(UTC)
    step = Step(
        months=12 * stored.get("years", 0) + stored.get("months", 0),
        days=7 * stored.get("weeks", 0) + stored.get("days", 0),
        time=time(hour, minute, second),
    )
    return CalendarIntervalTrigger(step, start, zone, Span(end=end, jitter=stored.get("jitter", 0)))


def _and(stored: Fields) -> Trigger:
    return AndTrigger([_make(part) for part in stored["triggers"]], _span(stored))


def _or(stored: Fields) -> Trigger:
    return OrTrigger([_make(part) for part in stored["triggers"]], _span(stored))


def _span(stored: Fields) -> Span:
    start, end = (stored.get(name) for name in ("start_date", "end_date"))
    return Span(
        start=EARLIEST if start is None else datetime.fromisoformat(start).astimezone(UTC),
        end=LATEST if end is None else datetime.fromisoformat(end).astimezone(UTC),
        jitter=stored.get("jitter", 0),
    )


_MAKERS: Mapping[str, Callable[[Fields], Trigger]] = {
    "date": _date,
    "interval": _interval,
    "cron": _cron,
    "calendarinterval": _calendar,
    "and": _and,
    "or": _or,
}
