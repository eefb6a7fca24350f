"""Cron's local times, beside a look at every minute and beside APScheduler."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given, settings
from hypothesis import strategies as st

from application.libs import trigger
from application.libs.trigger import cron
from application.libs.trigger.expression import CRON, read
from tests.libs.trigger.brute import ANY_DAY, CHANGES, NIGHT, expressions, fires, scan

DAY = timedelta(days=1)


def pattern(**fields: object) -> cron.Pattern:
    return cron.pattern({name: read(value, CRON[name]) for name, value in fields.items()})


class TestPattern:
    @settings(max_examples=40, deadline=None)
    @given(
        minute=expressions(0, 59),
        hour=NIGHT | expressions(0, 23),
        weekday=ANY_DAY | expressions(0, 6),
        place=st.sampled_from(CHANGES),
        offset=st.integers(-1440, 1440),
    )
    def test_fires_as_a_look_at_every_minute_says(
        self, minute: Any, hour: Any, weekday: Any, place: tuple[str, datetime], offset: int
    ) -> None:
        zone, day = place
        start = day + timedelta(minutes=offset)
        end = start + 2 * DAY

        def matches(wall: datetime) -> bool:
            return wall.minute in minute[1] and wall.hour in hour[1] and wall.weekday() in weekday[1]

        fields = trigger.write("cron", {"minute": minute[0], "hour": hour[0], "day_of_week": weekday[0]}, zone)
        expected = scan(matches, zone, start, end, every_hour=len(hour[1]) == 24)
        assert fires(trigger.build(fields), start, end) == expected

    @settings(max_examples=40, deadline=None)
    @given(
        fields=st.fixed_dictionaries(
            {},
            optional={
                "month": expressions(1, 12),
                "day": expressions(1, 31),
                "week": expressions(1, 53),
                "day_of_week": expressions(0, 6),
                "hour": expressions(0, 23),
                "minute": expressions(0, 59),
                "second": expressions(0, 59),
            },
        ),
        start=st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    )
    def test_agrees_with_apscheduler_where_the_clock_never_changes(
        self, fields: dict[str, tuple[str, set[int]]], start: date
    ) -> None:
        texts = {name: text for name, (text, _values) in fields.items()}
        theirs, ours = CronTrigger(**texts, timezone=UTC), cron.pattern({n: read(t, CRON[n]) for n, t in texts.items()})
        moment = datetime(start.year, start.month, start.day, 7, 30, 30, 5, tzinfo=UTC)
        for _fire in range(5):
            wall = ours.next_wall(moment.replace(tzinfo=None))
            if wall is None or wall.year > start.year + 5:
                return  # to find that a pattern never fires takes APScheduler minutes
            expected = theirs.get_next_fire_time(None, moment)
            assert wall == expected.replace(tzinfo=None)
            moment = expected + timedelta(microseconds=1)

    @pytest.mark.parametrize(
        ("day", "expected"),
        [
            ("3rd fri", [16, 20, 20]),
            ("last sun", [25, 22, 29]),
            ("last", [31, 28, 31]),
            ("5th mon", [30]),
            ("1st thu, last", [1, 31, 5, 28, 5, 31]),
        ],
    )
    def test_finds_the_days_that_depend_on_the_month(self, day: str, expected: list[int]) -> None:
        found = pattern(day=day)
        wall = datetime.combine(date(2026, 1, 1), datetime.min.time())
        days = []
        while (fire := found.next_wall(wall)) is not None and fire.date() < date(2026, 4, 1):
            days.append(fire.day)
            wall = fire + DAY
        assert days == expected

    def test_takes_the_lowest_below_the_last_field_given_and_all_above(self) -> None:
        found = pattern(day=15)
        assert found.next_wall(datetime.fromisoformat("2026-01-15T00:00:01")) == datetime.fromisoformat("2026-02-15")
        assert pattern().next_wall(datetime.fromisoformat("2026-01-15T00:00:01.5")) == datetime.fromisoformat(
            "2026-01-15T00:00:02"
        )

    @pytest.mark.parametrize(
        "fields", [{"month": 2, "day": 30}, {"month": "4,6", "day": 31}, {"year": 2025, "month": 2, "day": 29}]
    )
    def test_holds_no_day_that_no_calendar_has(self, fields: dict[str, Any]) -> None:
        assert pattern(**fields).next_wall(datetime.fromisoformat("2024-01-01")) is None

    def test_waits_decades_for_a_rare_day(self) -> None:
        rare = pattern(month=2, day=29, day_of_week="mon")
        assert rare.next_wall(datetime.fromisoformat("2025-01-01")) == datetime.fromisoformat("2044-02-29")

    def test_goes_by_the_hands_in_every_hour_of_the_day(self) -> None:
        assert pattern(minute=5).by_the_hands
        assert pattern(hour="0-11,12/1", minute=5).by_the_hands
        assert not pattern(hour="*/2").by_the_hands
