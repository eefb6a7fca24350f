"""Be the triggers: when each of them fires, in UTC."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from random import SystemRandom

from apscheduler.triggers.base import BaseTrigger

from application.libs.record import Record
from application.libs.trigger.cron import Pattern
from application.libs.trigger.fault import bad_trigger
from application.libs.trigger.moment import EARLIEST, LATEST
from application.libs.trigger.offset import first_in_zone

MOST_STEPS = 1000
"""How often the parts of an `and` are brought together before it is given up."""

_MOST_COUNTED = 10**9  # an INTEGER column holds twice that; seconds of a clock that has jumped may be more
_MICROSECOND = timedelta(microseconds=1)
_RANDOM = SystemRandom()


class Span(Record):
    """Hold from when to when a trigger fires, both included, and by how many seconds at most a fire is put off."""

    start: datetime = EARLIEST
    end: datetime = LATEST
    jitter: float = 0


class Trigger(BaseTrigger):
    """Say when to fire. It is one of APScheduler's, for its executors and listeners."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def first(self, at: datetime) -> datetime | None:
        """Return the first fire at or after an instant, None when there is none; jitter apart."""
        fire = self._first(max(at, self.span.start).astimezone(UTC))
        return None if fire is None or fire > self.span.end else fire

    def following(self, fire: datetime) -> datetime | None:
        """Return the fire after another, jitter apart."""
        return self.first(fire + _MICROSECOND)

    def resumed(self, fire: datetime, at: datetime) -> datetime | None:
        """Return the first at or after an instant, of the fires that go on from a given one; jitter apart."""
        return self.first(max(fire, at))

    def latest(self, fire: datetime, until: datetime) -> datetime:
        """Return the last fire up to an instant, of those that go on from a given one; jitter apart."""
        low, high = fire, until + _MICROSECOND  # the fires that begin at low reach until, those at high do not
        while high - low > _MICROSECOND:
            middle = low + (high - low) // 2
            later = self.resumed(fire, middle)
            low, high = (low, middle) if later is None or later > until else (later, high)
        return low

    def count(self, fire: datetime, until: datetime, most: int) -> int:
        """Count the fires that go on from a given one, before an instant; at most so many are looked at."""
        counted = 0
        later: datetime | None = fire
        while later is not None and later < until and counted < most:
            counted += 1
            later = self.following(later)
        return counted

    def delayed(self, fire: datetime | None) -> datetime | None:
        """Put a fire off by the jitter, so that not all do the same at once."""
        if fire is None or not self.span.jitter:
            return fire
        return min(fire + timedelta(seconds=_RANDOM.uniform(0, self.span.jitter)), self.span.end)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the fire after the previous one, or the first from now on."""
        return self.delayed(self.opening(now) if previous_fire_time is None else self.following(previous_fire_time))

    def opening(self, now: datetime) -> datetime | None:
        """Return the fire that a job which has never fired is due for; jitter apart."""
        return self.first(now)

    @abstractmethod
    def _first(self, at: datetime) -> datetime | None:
        """Return the first fire at or after an instant, in UTC; the span is looked after."""


class DateTrigger(Trigger):
    """Fire once."""

    def __init__(self, run_date: datetime) -> None:
        super().__init__(Span())
        self.run_date = run_date

    def opening(self, now: datetime) -> datetime | None:
        """Return the instant, also where it is over: how late a run may be, others say."""
        return self.first(min(now, self.run_date))

    def _first(self, at: datetime) -> datetime | None:
        run_date = self.run_date.astimezone(UTC)
        return run_date if run_date >= at else None


class IntervalTrigger(Trigger):
    """Fire again and again after the same time, whatever the clock shows."""

    def __init__(self, interval: timedelta, span: Span) -> None:
        super().__init__(span)
        self.interval = interval

    def following(self, fire: datetime) -> datetime | None:
        """Return the fire after another: an interval later, as in APScheduler.

        With jitter it is the next on the grid from the start, or each fire would put off all that come.
        """
        return super().following(fire) if self.span.jitter else self.resumed(fire, fire + _MICROSECOND)

    def resumed(self, fire: datetime, at: datetime) -> datetime | None:
        """Return the first at or after an instant, counting on from a fire."""
        if self.span.jitter:
            return super().resumed(fire, at)
        later = fire + -((fire - max(fire, at)) // self.interval) * self.interval
        return None if later > self.span.end else later

    def count(self, fire: datetime, until: datetime, most: int) -> int:
        """Count the fires before an instant, which takes no looking."""
        if self.span.jitter:
            return super().count(fire, until, most)
        last = min(until, self.span.end + _MICROSECOND)
        return min(max(0, -((fire - last) // self.interval)), _MOST_COUNTED)

    def _first(self, at: datetime) -> datetime | None:
        return self.span.start + -((self.span.start - at) // self.interval) * self.interval


class WallTrigger(Trigger):
    """Fire at local times of a zone; `by_the_hands` is whether both of an hour that is repeated count."""

    by_the_hands = False

    def __init__(self, zone: tzinfo, span: Span) -> None:
        super().__init__(span)
        self.zone = zone

    @abstractmethod
    def next_wall(self, wall: datetime) -> datetime | None:
        """Return the first local time, without zone, at or after another."""

    def _first(self, at: datetime) -> datetime | None:
        return first_in_zone(self.next_wall, self.zone, at, by_the_hands=self.by_the_hands)


class CronTrigger(WallTrigger):
    """Fire at the local times of a pattern."""

    def __init__(self, pattern: Pattern, zone: tzinfo, span: Span) -> None:
        super().__init__(zone, span)
        self.pattern = pattern
        self.by_the_hands = pattern.by_the_hands

    def next_wall(self, wall: datetime) -> datetime | None:
        """Return the first local time of the pattern at or after another."""
        return self.pattern.next_wall(wall)


class Step(Record):
    """Hold how a calendar goes on: months first, until there is such a day, then days; and the time of day."""

    months: int
    days: int
    time: time


class CalendarIntervalTrigger(WallTrigger):
    """Fire at one time of day, each time some years, months, weeks or days later."""

    def __init__(self, step: Step, start: date, zone: tzinfo, span: Span) -> None:
        super().__init__(zone, span)
        self.step = step
        self.start = start

    def next_wall(self, wall: datetime) -> datetime | None:
        """Return the first local time at or after another."""
        day: date | None = self.start
        least = wall.date() if wall.time() <= self.step.time else wall.date() + timedelta(days=1)
        if not self.step.months and least > self.start:
            day = self.start + -((self.start - least).days // self.step.days) * timedelta(days=self.step.days)
        while day is not None and day < least:
            day = self._next_day(day)
        return None if day is None else datetime.combine(day, self.step.time)

    def _next_day(self, day: date) -> date | None:
        year, month = day.year, day.month
        while True:
            years, month = divmod(month - 1 + self.step.months, 12)
            year, month = year + years, month + 1
            if year > LATEST.year:
                return None
            try:
                return date(year, month, day.day) + timedelta(days=self.step.days)
            except ValueError:
                continue  # there is no 31st of June


class OrTrigger(Trigger):
    """Fire whenever one of several does."""

    def __init__(self, triggers: Sequence[Trigger], span: Span) -> None:
        super().__init__(span)
        self.triggers = triggers

    def _first(self, at: datetime) -> datetime | None:
        fires = [trigger.first(at) for trigger in self.triggers]
        return min((fire for fire in fires if fire is not None), default=None)


class AndTrigger(Trigger):
    """Fire when all of several do."""

    def __init__(self, triggers: Sequence[Trigger], span: Span) -> None:
        super().__init__(span)
        self.triggers = triggers

    def _first(self, at: datetime) -> datetime | None:
        for _step in range(MOST_STEPS):
            fires = [fire for trigger in self.triggers if (fire := trigger.first(at)) is not None]
            if len(fires) < len(self.triggers):
                return None
            if min(fires) == max(fires):
                return fires[0]
            at = max(fires)
        raise bad_trigger("triggers", f"they fire together at none of {MOST_STEPS} instants; combine others")
