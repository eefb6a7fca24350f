"""Say when expressions fire by looking at every minute, and make expressions up together with what they mean."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from application.libs import trigger

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),  # half an hour
    ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, tzinfo=UTC)),  # at midnight
    ("America/Sao_Paulo", datetime(2018, 2, 18, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, tzinfo=UTC)),  # a whole day
    ("Asia/Kolkata", datetime(2026, 1, 1, tzinfo=UTC)),
]
"""Zones, and a day on which their clock changes."""


def fires(trig: trigger.Trigger, start: datetime, end: datetime) -> list[datetime]:
    """Return all fires between two instants, as the scheduler asks for them."""
    found = []
    fire = trigger.next_fire(trig, None, start)
    while fire is not None and fire < end:
        found.append(fire)
        fire = trigger.next_fire(trig, fire, fire)
    return found


def scan(
    matches: Callable[[datetime], bool], zone: str, start: datetime, end: datetime, *, every_hour: bool
) -> list[datetime]:
    """Return the minutes that match: those the clock shows, or each local time at its first instant."""
    place = ZoneInfo(zone)
    if every_hour:
        minutes = [start + MINUTE * step for step in range((end - start) // MINUTE)]
        return [minute for minute in minutes if matches(minute.astimezone(place))]
    first = start.astimezone(place).replace(tzinfo=None) - DAY - HOUR
    walls = [first + MINUTE * step for step in range((end - start + 2 * (DAY + HOUR)) // MINUTE)]
    found = {wall.replace(tzinfo=place).astimezone(UTC) for wall in walls if matches(wall)}
    return sorted(instant for instant in found if start <= instant < end)


NIGHT = st.sampled_from(
    [(str(hour), {hour}) for hour in (0, 1, 2, 3, 23)]
    + [("0-1", {0, 1}), ("1-2", {1, 2}), ("2-3", {2, 3}), ("0,2", {0, 2}), ("*/2", set(range(0, 24, 2)))]
)
"""Hours in which clocks change, and what they mean."""

ANY_DATE = st.just(("*", set(range(1, 32))))
ANY_DAY = st.just(("*", set(range(8))))


@st.composite
def expressions(draw: st.DrawFn, low: int, high: int, *, open_steps: bool = True) -> tuple[str, set[int]]:
    """Make an expression up, and the values it means."""
    parts, values = [], set[int]()
    for _part in range(draw(st.integers(1, 3))):
        kinds = ["all", "step", "one", "range", "range_step", *(["open_step"] if open_steps else [])]
        kind = draw(st.sampled_from(kinds))
        first = draw(st.integers(low, high - 1))
        last = draw(st.integers(first + 1, high))
        step = draw(st.integers(1, last - first))
        text, meant = {
            "all": ("*", range(low, high + 1)),
            "step": (f"*/{step}", range(low, high + 1, step)),
            "one": (f"{first:02}", range(first, first + 1)),
            "range": (f"{first}-{last}", range(first, last + 1)),
            "range_step": (f"{first}-{last}/{step}", range(first, last + 1, step)),
            "open_step": (f"{first}/{step}", range(first, high + 1, step)),
        }[kind]
        parts.append(text)
        values.update(meant)
    return ", ".join(parts) if draw(st.booleans()) and open_steps else ",".join(parts), values
