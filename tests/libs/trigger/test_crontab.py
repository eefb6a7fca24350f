"""Crontabs as cron reads them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.libs import trigger
from application.libs.trigger import BadTriggerError, crontab
from tests.libs.trigger.brute import ANY_DATE, ANY_DAY, CHANGES, NIGHT, expressions, fires, scan

SUNDAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def days(text: str) -> list[str]:
    """Return the weekdays of the next week on which a crontab fires."""
    built = trigger.build(trigger.write("cron", {"crontab": text}, "UTC"))
    return [f"{fire:%a}" for fire in fires(built, SUNDAY, SUNDAY + timedelta(days=7))]


class TestRead:
    @pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN", "*/7"])
    def test_knows_sunday_by_each_of_its_names(self, sunday: str) -> None:
        assert days(f"0 5 * * {sunday}") == ["Sun"]

    @pytest.mark.parametrize(
        ("weekdays", "expected"),
        [
            ("1-5", ["Mon", "Tue", "Wed", "Thu", "Fri"]),
            ("mon-fri/2", ["Mon", "Wed", "Fri"]),
            ("5-7", ["Fri", "Sat", "Sun"]),
            ("sat-sun", ["Sat", "Sun"]),
            ("0-2", ["Mon", "Tue", "Sun"]),
            ("mon,3,sat", ["Mon", "Wed", "Sat"]),
        ],
    )
    def test_takes_numbers_names_ranges_steps_and_lists(self, weekdays: str, expected: list[str]) -> None:
        assert days(f"0 5 * * {weekdays}") == expected

    @pytest.mark.parametrize(
        ("text", "fields"),
        [("@hourly", "0 * * * *"), ("@Daily", "0 0 * * *"), ("@weekly", "0 0 * * 0"), (" 0  5 * * 01", "0 5 * * 1")],
    )
    def test_echoes_the_five_fields(self, text: str, fields: str) -> None:
        assert trigger.show(trigger.write("cron", {"crontab": text}, "UTC"))["crontab"] == fields

    def test_tells_the_faults_of_all_fields(self) -> None:
        with pytest.raises(BadTriggerError) as raised:
            crontab.read("60 5/2 0 foo 5-1")
        told = [fault.message for fault in raised.value.faults]
        assert [message.partition(":")[0] for message in told] == ["minute", "hour", "day", "month", "day_of_week"]
        assert "0 to 59" in told[0]
        assert "5-23/2" in told[1]
        assert "jan" in told[3]
        assert "5-7,0-1" in told[4]

    @pytest.mark.parametrize("value", ["@reboot", "* * * *", "* * * * * *", "", 5, None, "* * * * *" * 1000])
    def test_refuses_what_is_none(self, value: object) -> None:
        with pytest.raises(BadTriggerError, match="'0 5 \\* \\* 1'"):
            crontab.read(value)


class TestPattern:
    def test_takes_a_day_of_the_month_or_one_of_the_week_where_both_are_restricted(self) -> None:
        assert days("0 5 4 * 1") == ["Mon", "Wed"]

    @pytest.mark.parametrize("text", ["0 5 */2 * 1,2", "0 5 3-31/2 * */2"])
    def test_asks_for_both_where_one_begins_with_a_star(self, text: str) -> None:
        assert set(days(text)) <= {"Tue", "Thu", "Sat", "Sun"}

    @settings(max_examples=40, deadline=None)
    @given(
        minute=expressions(0, 59, open_steps=False),
        hour=NIGHT | expressions(0, 23, open_steps=False),
        day=ANY_DATE | expressions(1, 31, open_steps=False),
        weekday=ANY_DAY | expressions(0, 7, open_steps=False),
        place=st.sampled_from(CHANGES),
        offset=st.integers(-1440, 1440),
    )
    def test_fires_as_a_look_at_every_minute_says(
        self, minute: Any, hour: Any, day: Any, weekday: Any, place: tuple[str, datetime], offset: int
    ) -> None:
        zone, changed = place
        start = changed + timedelta(minutes=offset)
        end = start + timedelta(days=2)
        restricted = not day[0].startswith("*") and not weekday[0].startswith("*")

        def matches(wall: datetime) -> bool:
            of_month, of_week = wall.day in day[1], bool({wall.isoweekday(), wall.isoweekday() % 7} & weekday[1])
            on_day = of_month or of_week if restricted else of_month and of_week
            return wall.minute in minute[1] and wall.hour in hour[1] and on_day

        text = f"{minute[0]} {hour[0]} {day[0]} * {weekday[0]}"
        built = trigger.build(trigger.write("cron", {"crontab": text}, zone))
        assert fires(built, start, end) == scan(matches, zone, start, end, every_hour=len(hour[1]) == 24)
