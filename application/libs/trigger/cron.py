"""Find the local times that a cron trigger names."""

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from application.libs.record import Record
from application.libs.trigger import expression
from application.libs.trigger.expression import CRON, LAST, Expression

_CYCLE_YEARS = 400  # the Gregorian calendar repeats with its weekdays: what has not come by then never comes

YEARS = range(CRON["year"].low, CRON["year"].high + 1)
_EVERY = {name: expression.read("*", scale) for name, scale in CRON.items()}
_LOWEST = _EVERY | {
    name: expression.read(CRON[name].low, CRON[name]) for name in ("month", "day", "hour", "minute", "second")
}
"""What a field is that is left out and less significant than the last one given, as in APScheduler; else it is `*`."""


class Pattern(Record):
    """Hold the values of each field, in order; `either` lets a day be one of the month's or one of the week's."""

    years: Sequence[int]
    months: tuple[int, ...]
    day: Expression
    weeks: frozenset[int]
    weekdays: frozenset[int]
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    either: bool = False

    @property
    def by_the_hands(self) -> bool:
        """Tell whether it fires in every hour of the day, and so in both of an hour that is repeated."""
        return len(self.hours) == 24

    def next_wall(self, wall: datetime) -> datetime | None:
        """Return the first local time at or after another; None where the calendar holds none."""
        if wall.microsecond:
            wall = wall.replace(microsecond=0) + timedelta(seconds=1)
        for day in self._days(wall.date()):
            moment = (wall.hour, wall.minute, wall.second) if day == wall.date() else (0, 0, 0)
            found = self._next_time(*moment)
            if found is not None:
                return datetime.combine(day, time(*found))
        return None

    def _next_time(self, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
        if hour in self.hours:
            later = _from(self.seconds, second)
            if minute in self.minutes and later is not None:
                return hour, minute, later
            later = _from(self.minutes, minute + 1)
            if later is not None:
                return hour, later, self.seconds[0]
        later = _from(self.hours, hour + 1)
        return None if later is None else (later, self.minutes[0], self.seconds[0])

    def _days(self, first: date) -> Iterator[date]:
        begin = bisect_left(self.years, first.year)
        for year in self.years[begin : begin + _CYCLE_YEARS + 1]:
            for month in self.months:
                if (year, month) >= (first.year, first.month):
                    yield from self._days_of(year, month, first)

    def _days_of(self, year: int, month: int, first: date) -> Iterator[date]:
        last = monthrange(year, month)[1]
        begin = first.day if (year, month) == (first.year, first.month) else 1
        for number in range(begin, last + 1):
            day = date(year, month, number)
            if self._fits(day, last):
                yield day

    def _fits(self, day: date, last: int) -> bool:
        if len(self.weeks) < 53 and day.isocalendar().week not in self.weeks:
            return False
        of_week = day.weekday() in self.weekdays
        of_month = day.day in self.day.values or (self.day.last_day and day.day == last) or self._is_placed(day, last)
        return of_month or of_week if self.either else of_month and of_week

    def _is_placed(self, day: date, last: int) -> bool:
        return any(
            weekday == day.weekday() and (day.day + 7 > last if position == LAST else (day.day - 1) // 7 == position)
            for position, weekday in self.day.positions
        )


def pattern(fields: Mapping[str, Expression]) -> Pattern:
    """Return the pattern of the fields that are given."""
    given = [index for index, name in enumerate(CRON) if name in fields]
    lowest = max(given, default=len(CRON))
    whole = {name: fields.get(name) or (_LOWEST if index > lowest else _EVERY)[name] for index, name in enumerate(CRON)}
    return Pattern(
        years=_row(fields["year"]) if "year" in fields else YEARS,
        months=_row(whole["month"]),
        day=whole["day"],
        weeks=whole["week"].values,
        weekdays=whole["day_of_week"].values,
        hours=_row(whole["hour"]),
        minutes=_row(whole["minute"]),
        seconds=_row(whole["second"]),
    )


def _row(found: Expression) -> tuple[int, ...]:
    return tuple(sorted(found.values))


def _from(row: tuple[int, ...], value: int) -> int | None:
    index = bisect_left(row, value)
    return row[index] if index < len(row) else None
