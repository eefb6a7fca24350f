"""Write triggers down as plain fields, build them again, and say when they fire.

{"type": "interval", "timezone": "UTC", "minutes": 10, "start_date": "2026-11-20T12:00:00+00:00"}
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Protocol

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from application.libs.record import Record

Fields = dict[str, Any]

MOST_FIRES = 1000
"""How many instants of one job are looked at in one go: a tick's transaction stays short."""

_INTERVAL = ("weeks", "days", "hours", "minutes", "seconds")
_SPAN = ("start_date", "end_date", "timezone", "jitter")
_CRON = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")

FIELDS: Mapping[str, tuple[str, ...]] = {
    "date": ("run_date", "timezone"),
    "interval": (*_INTERVAL, *_SPAN),
    "cron": (*_CRON, *_SPAN),
}
"""What each type of trigger takes."""

_FAULTS = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError)  # of APScheduler's triggers

_SHORTEST = timedelta(seconds=1)
_MOST_JITTER_SECONDS = 86_400

_TYPES: Mapping[str, Any] = {"date": DateTrigger, "interval": IntervalTrigger, "cron": CronTrigger}


class Trigger(Protocol):
    """Be any of APScheduler's triggers."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the instant after the previous one, or None when the trigger has ended."""


class BadTriggerError(ValueError):
    """The fields give no trigger."""


class Plan(Record):
    """Hold what a job that is due has to do: `runs` to fire, what was `late` or `merged`, and the instant `after`."""

    runs: list[datetime]
    late: list[datetime]
    """The first instant that is older than the grace, and nothing more."""
    late_count: int
    merged: list[datetime]
    after: datetime | None


def write(kind: str, fields: Mapping[str, Any], timezone: str) -> Fields:
    """Return the trigger's fields as JSON takes them, with its zone; raise `BadTriggerError` with the cure."""
    if kind not in FIELDS:
        raise BadTriggerError(f"there is no trigger {kind!r}; use one of {', '.join(FIELDS)}")
    unknown = set(fields) - set(FIELDS[kind])
    if unknown:
        raise BadTriggerError(f"a {kind} trigger takes no {sorted(unknown)[0]!r}; use {', '.join(FIELDS[kind])}")
    written = {"type": kind, "timezone": timezone} | {name: _plain(value) for name, value in fields.items()}
    build(written)
    return written


def build(fields: Mapping[str, Any]) -> Trigger:
    """Return the trigger that was written down; raise `BadTriggerError` when it cannot be one."""
    options = dict(fields)
    try:
        trigger: Trigger = _TYPES[options.pop("type")](**options)
        _check_jitter(fields.get("jitter"))
    except _FAULTS as error:
        raise BadTriggerError(f"these fields give no trigger: {type(error).__name__}: {error}") from None
    if isinstance(trigger, IntervalTrigger) and trigger.interval < _SHORTEST:
        raise BadTriggerError(f"an interval of {trigger.interval} is too short; give at least a second")
    return trigger


def pin(fields: Mapping[str, Any], now: datetime) -> Fields:
    """Write down the start, which else would be counted from whenever the trigger is built again."""
    trigger: Any = build(fields)
    if fields["type"] == "date":
        return {"run_date": now.isoformat()} | dict(fields)
    if fields["type"] == "interval":
        return {"start_date": (now + trigger.interval).isoformat()} | dict(fields)
    return dict(fields)


def show(fields: Mapping[str, Any]) -> Fields:
    """Return the trigger as Flask-APScheduler shows it: its type as `trigger`, its fields beside it."""
    trigger: Any = build(fields)
    shown: Fields = {"trigger": fields["type"], "timezone": fields.get("timezone")}
    if isinstance(trigger, DateTrigger):
        return shown | {"run_date": trigger.run_date}
    shown |= {name: getattr(trigger, name) for name in ("start_date", "end_date", "jitter") if getattr(trigger, name)}
    if isinstance(trigger, IntervalTrigger):
        return shown | _parts(trigger.interval)
    return shown | {field.name: str(field) for field in trigger.fields if not field.is_default}


def plan(trigger: Trigger, due: datetime, now: datetime, *, grace: timedelta | None, coalesce: bool) -> Plan:
    """Say what to do for a trigger that is due since `due`.

    Instants older than the grace are late and do not run. With `coalesce` all others but the last are merged into it.
    """
    first, late_count, fire = _skip_late(trigger, due, now, grace)
    runs: list[datetime] = []
    while fire is not None and fire <= now and len(runs) < MOST_FIRES:
        runs.append(fire)
        fire = next_fire(trigger, fire, now)
    merged = runs[:-1] if coalesce else []
    return Plan(runs=runs[len(merged) :], late=first, late_count=late_count, merged=merged, after=fire)


def _skip_late(
    trigger: Trigger, due: datetime, now: datetime, grace: timedelta | None
) -> tuple[list[datetime], int, datetime | None]:
    """Return the first late instant, how many there are (at most MOST_FIRES are counted), and the first in time."""
    if grace is None or due >= now - grace:
        return [], 0, due
    horizon, count = now - grace, 0
    fire: datetime | None = due
    while fire is not None and fire < horizon and count < MOST_FIRES:
        count += 1
        fire = next_fire(trigger, fire, now)
    if fire is not None and fire < horizon:
        fire = next_fire(trigger, None, horizon)
    return [due], count, fire


def next_fire(trigger: Trigger, previous: datetime | None, now: datetime) -> datetime | None:
    """Return the instant after the previous one, None when there is none; raise `BadTriggerError` if it cannot.

    In UTC: in one zone Python compares the hands of the clock, which go back in autumn.
    """
    try:
        fire = trigger.get_next_fire_time(previous, now)
        after = None if fire is None else fire.astimezone(UTC)
    except _FAULTS as error:
        raise BadTriggerError(f"it cannot say when it fires: {type(error).__name__}: {error}") from None
    if after is not None and previous is not None and after <= previous:
        raise BadTriggerError(f"after {previous.isoformat()} it fires at {after.isoformat()}; time must go forward")
    return after


def _check_jitter(jitter: object) -> None:
    if jitter is not None and (not isinstance(jitter, int | float) or not 0 <= jitter <= _MOST_JITTER_SECONDS):
        raise ValueError(f"a jitter of {jitter!r} is no number of seconds from 0 to {_MOST_JITTER_SECONDS}")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tzinfo):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise BadTriggerError(f"{value!r} is no value of a trigger; give text, a number or a date")


def _parts(interval: timedelta) -> Fields:
    """Split an interval as people say it: 90 s is one minute and 30 seconds."""
    weeks, days = divmod(interval.days, 7)
    minutes, seconds = divmod(interval.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = dict(zip(_INTERVAL, (weeks, days, hours, minutes, seconds), strict=True))
    return {name: value for name, value in parts.items() if value > 0}


def to_micros(moment: datetime) -> int:
    """Return an instant as microseconds since 1970 in UTC, exactly."""
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Return the instant in UTC; one that no calendar holds is the nearest that it does."""
    return _EPOCH + timedelta(microseconds=min(max(micros, 0), _LAST_MICROS))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MICROS = 250_000_000_000_000_000  # the year 9892, far enough from what datetime can hold for any zone
