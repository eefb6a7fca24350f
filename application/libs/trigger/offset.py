"""Bring the hands of the clock into the line of time: zones change their offset, and fires must not go wrong over it.

A zone's history is a row of periods with one offset each. Where one begins, hours are skipped or repeated:

- A local time that is skipped counts by the offset before, as in RFC 5545 §3.3.5: 02:30 becomes 03:30, and fires once.
- A local time that is repeated fires the first time.
- What fires in every hour of the day goes by the hands: in both of the repeated hours, and not in a skipped one.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from application.libs.record import Record
from application.libs.trigger.moment import LATEST

NextWall = Callable[[datetime], datetime | None]
"""Return the first local time, without zone, at or after a local time."""

_DAY = timedelta(days=1)  # the largest change: Apia left out the 30th of December 2011
_WEEK = timedelta(weeks=1)  # the shortest period is some four weeks, the summer without Ramadan's
_SECOND = timedelta(seconds=1)
_NO_CHANGE = timedelta()


class Change(Record):
    """Hold the instant at which a zone's offset from UTC changes."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def skipped(self) -> timedelta:
        """Return how much of the clock is left out; what is repeated is negative."""
        return self.after - self.before


class _Period(Record):
    offset: timedelta
    end: datetime
    begun_by: Change | None
    """The change at its begin, while that is less than a day ago."""


def changes(zone: tzinfo, start: datetime, end: datetime) -> list[Change]:
    """Return the changes of a zone's offset between two instants."""
    years = range(start.astimezone(UTC).year, end.astimezone(UTC).year + 1)
    return [change for year in years for change in _changes_of(zone, year) if start <= change.at < end]


def first_in_zone(next_wall: NextWall, zone: tzinfo, at: datetime, *, by_the_hands: bool) -> datetime | None:
    """Return the first instant at or after another whose local time is one of `next_wall`, in UTC."""
    while at <= LATEST:
        period = _period(zone, at)
        fire = _in_period(next_wall, period, at, by_the_hands=by_the_hands)
        if fire is None or fire < period.end:
            return fire
        # No local time fires until then, so that nothing but the changes near the fire matters.
        far = period.end - at > _DAY
        at = max(period.end, fire - 2 * _DAY) if far else period.end
    return None


def _in_period(next_wall: NextWall, period: _Period, at: datetime, *, by_the_hands: bool) -> datetime | None:
    """Return the first fire, as if the period had no end."""
    skipped = _NO_CHANGE if by_the_hands or period.begun_by is None else period.begun_by.skipped
    begin = at if period.begun_by is None else max(at, period.begun_by.at - min(skipped, _NO_CHANGE))
    fire = _by_offset(next_wall, begin, period.offset)
    if period.begun_by is not None and skipped > _NO_CHANGE:
        late = _by_offset(next_wall, at, period.begun_by.before)
        if late is not None and late < period.begun_by.at + skipped:
            return late if fire is None else min(fire, late)
    return fire


def _by_offset(next_wall: NextWall, at: datetime, offset: timedelta) -> datetime | None:
    wall = next_wall((at + offset).replace(tzinfo=None))
    return None if wall is None else wall.replace(tzinfo=UTC) - offset


def _period(zone: tzinfo, at: datetime) -> _Period:
    known = [*_changes_of(zone, (at - _DAY).year), *(_changes_of(zone, at.year) if (at - _DAY).year != at.year else ())]
    index = bisect_right(known, at, key=lambda change: change.at)
    begun_by = known[index - 1] if index and at - known[index - 1].at < _DAY else None
    year_end = datetime(at.year + 1, 1, 1, tzinfo=UTC)
    end = known[index].at if index < len(known) else year_end
    return _Period(offset=_offset(zone, at), end=end, begun_by=begun_by)


@lru_cache(maxsize=2048)
def _changes_of(zone: tzinfo, year: int) -> tuple[Change, ...]:
    """Find a year's changes; Python's zones do not tell them."""
    found = []
    probe, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    while probe < end:
        later = min(probe + _WEEK, end)
        before, after = _offset(zone, probe), _offset(zone, later)
        if before != after:
            found.append(Change(_change_between(zone, probe, later), before, after))
        probe = later
    return tuple(found)


def _change_between(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    before = _offset(zone, low)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or _NO_CHANGE
