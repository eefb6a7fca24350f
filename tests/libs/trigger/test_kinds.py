"""When each trigger fires."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.libs import trigger
from application.libs.trigger import BadTriggerError
from tests.libs.trigger.brute import CHANGES, NIGHT, fires

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def built(kind: str, zone: str = "UTC", **fields: Any) -> trigger.Trigger:
    return trigger.build(trigger.pin(trigger.write(kind, fields, zone), NOON))


ANY = st.one_of(
    st.builds(
        lambda n, j: ("interval", {"minutes": n, "jitter": j}), st.integers(1, 600), st.sampled_from([0, 0.5, 900])
    ),
    st.builds(
        lambda h, j: ("cron", {"hour": h[0], "minute": "*/20", "jitter": j}), NIGHT, st.sampled_from([0, 30, 7200])
    ),
    st.builds(lambda h: ("cron", {"crontab": f"*/30 {h[0]} * * *"}), NIGHT),
    st.builds(
        lambda n, h: ("calendarinterval", {"days": n, "hour": h, "minute": 30}), st.integers(1, 3), st.integers(0, 3)
    ),
    st.builds(
        lambda h: ("or", {"triggers": [{"type": "cron", "hour": h[0]}, {"type": "interval", "minutes": 50}]}), NIGHT
    ),
    st.builds(lambda h: ("and", {"triggers": [{"type": "cron", "hour": h[0]}, {"type": "cron", "minute": 0}]}), NIGHT),
)


class TestTrigger:
    @settings(max_examples=60, deadline=None)
    @given(described=ANY, place=st.sampled_from(CHANGES), minutes=st.integers(-1440, 600))
    def test_fires_later_and_later_over_each_change_of_the_clock(
        self, described: tuple[str, dict[str, Any]], place: tuple[str, datetime], minutes: int
    ) -> None:
        start = place[1] + timedelta(minutes=minutes)
        fields = trigger.pin(trigger.write(*described, place[0]), start)
        found = fires(trigger.build(fields), start, start + 2 * DAY)
        assert found == sorted(set(found))
        assert all(fire >= start for fire in found)

    def test_fires_neither_before_the_start_nor_after_the_end(self) -> None:
        spanned = built("cron", minute=0, start_date="2026-03-01 13:00", end_date="2026-03-01 15:00")
        assert fires(spanned, NOON, NOON + DAY) == [NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]

    def test_is_put_off_by_the_jitter_at_most_and_not_beyond_the_end(self) -> None:
        late = built("cron", minute=0, jitter=600, end_date="2026-03-01 14:00")
        found = fires(late, NOON, NOON + DAY)
        bases = [NOON, NOON + HOUR, NOON + 2 * HOUR]
        assert all(base <= fire <= base + HOUR / 6 for base, fire in zip(bases, found, strict=True))
        assert found[-1] == NOON + 2 * HOUR


class TestIntervalTrigger:
    def test_goes_on_from_the_fire_before(self) -> None:
        hourly = built("interval", hours=1)
        moved = NOON + timedelta(minutes=37)
        assert trigger.next_fire(hourly, moved, moved) == moved + HOUR

    def test_does_not_drift_with_jitter(self) -> None:
        hourly = built("interval", hours=1, jitter=600)
        found = fires(hourly, NOON, NOON + 5 * DAY)
        bases = [NOON + HOUR * step for step in range(1, 120)]
        assert all(base <= fire <= base + HOUR / 6 for base, fire in zip(bases, found, strict=True))

    def test_counts_no_more_than_a_column_holds(self) -> None:
        assert built("interval").count(NOON, NOON + timedelta(days=36_525), 10) == 10**9


class TestCalendarIntervalTrigger:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"months": 1, "start_date": "2026-01-31"}, ["2026-03-31", "2026-05-31", "2026-07-31"]),
            ({"years": 1, "start_date": "2024-02-29"}, ["2028-02-29", "2032-02-29", "2036-02-29"]),
            ({"weeks": 2, "start_date": "2026-01-01"}, ["2026-03-12", "2026-03-26", "2026-04-09"]),
            ({"months": 1, "days": 1, "start_date": "2026-03-30"}, ["2026-03-30", "2026-05-01", "2026-06-02"]),
        ],
    )
    def test_adds_months_until_there_is_such_a_day_and_then_days(
        self, fields: dict[str, Any], expected: list[str]
    ) -> None:
        found = fires(built("calendarinterval", hour=5, **fields), NOON, NOON + 4000 * DAY)
        assert [f"{fire:%Y-%m-%d}" for fire in found[:3]] == expected

    def test_fires_on_the_last_day_too(self) -> None:
        found = fires(
            built("calendarinterval", days=1, hour=23, start_date="2026-03-01", end_date="2026-03-02"),
            NOON,
            NOON + 9 * DAY,
        )
        assert [fire.day for fire in found] == [1, 2]


class TestOrTrigger:
    def test_fires_whenever_one_does(self) -> None:
        parts = [{"type": "cron", "hour": 13}, {"type": "cron", "hour": 15}]
        assert fires(built("or", triggers=parts), NOON, NOON + DAY) == [NOON + HOUR, NOON + 3 * HOUR]


class TestAndTrigger:
    def test_fires_when_all_do(self) -> None:
        parts = [{"type": "cron", "day_of_week": "mon"}, {"type": "cron", "day": 2}]
        assert fires(built("and", triggers=parts), NOON, NOON + DAY) == [NOON + 12 * HOUR]

    def test_gives_up_where_they_never_meet(self) -> None:
        parts = [{"type": "cron", "minute": 1}, {"type": "cron", "minute": 2}]
        with pytest.raises(BadTriggerError, match="combine others"):
            built("and", triggers=parts)
