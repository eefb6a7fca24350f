"""Triggers as fields, and what they have to do when they are due."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.libs import trigger
from application.libs.trigger import BadTriggerError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def every(**fields: Any) -> trigger.Trigger:
    return trigger.build(trigger.pin(trigger.write("interval", fields, "UTC"), NOON))


class TestWrite:
    def test_gives_plain_fields(self) -> None:
        fields = trigger.write("date", {"run_date": NOON}, "UTC")
        assert fields == {"type": "date", "timezone": "UTC", "run_date": "2026-03-01T12:00:00+00:00"}

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("weekly", {}),
            ("interval", {"fortnights": 1}),
            ("interval", {"seconds": -5}),
            ("interval", {"seconds": "often"}),
            ("interval", {"seconds": 10**20}),
            ("interval", {"minutes": 1, "jitter": "much"}),
            ("interval", {"minutes": 1, "jitter": -1}),
            ("interval", {"start_date": [2026]}),
            ("cron", {"hour": "25"}),
            ("cron", {"timezone": "Mars/Olympus"}),
            ("date", {"run_date": "tomorrow"}),
        ],
    )
    def test_refuses_what_is_no_trigger(self, kind: str, fields: dict[str, Any]) -> None:
        with pytest.raises(BadTriggerError):
            trigger.write(kind, fields, "UTC")

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("cron", {"month": 2, "day": 30}),
            ("cron", {"crontab": "0 0 31 4 *"}),
            ("cron", {"hour": 5, "start_date": "2026-03-02", "end_date": "2026-03-01"}),
            ("interval", {"hours": 1, "start_date": "2026-03-02", "end_date": "2026-03-01"}),
            ("calendarinterval", {"days": 1, "start_date": "2026-03-02", "end_date": "2026-03-01"}),
        ],
    )
    def test_refuses_what_never_fires(self, kind: str, fields: dict[str, Any]) -> None:
        with pytest.raises(BadTriggerError, match="it never fires"):
            trigger.write(kind, fields, "UTC")

    @pytest.mark.parametrize("kind", ["interval", "cron", "calendarinterval"])
    def test_takes_what_is_over_for_the_caller_knows_what_late_is(self, kind: str) -> None:
        fields = {"days" if kind != "cron" else "hour": 1, "end_date": "2001-01-01"}
        assert trigger.write(kind, fields, "UTC")["end_date"].startswith("2001-01-01")


class TestPin:
    def test_keeps_the_grid_of_an_interval(self) -> None:
        pinned = trigger.pin(trigger.write("interval", {"minutes": 10}, "UTC"), NOON)
        fire = trigger.next_fire(trigger.build(pinned), None, NOON + timedelta(minutes=31))
        assert fire == NOON + timedelta(minutes=40)

    def test_keeps_a_start_that_was_given(self) -> None:
        fields = trigger.write("interval", {"minutes": 10, "start_date": "2026-03-02 00:00:00"}, "Europe/Berlin")
        assert trigger.pin(fields, NOON) == fields

    def test_pins_each_part_of_a_combination_and_today_for_a_calendar(self) -> None:
        parts = [{"type": "interval", "hours": 1}, {"type": "calendarinterval", "days": 1}]
        pinned = trigger.pin(trigger.write("or", {"triggers": parts}, "Asia/Tokyo"), NOON + timedelta(hours=6))
        assert [part["start_date"] for part in pinned["triggers"]] == ["2026-03-01T19:00:00+00:00", "2026-03-02"]


class TestBuild:
    @pytest.mark.parametrize("fields", [{}, {"type": ["interval"]}, {"type": "interval", "seconds": -1}])
    def test_refuses_what_was_not_written(self, fields: dict[str, Any]) -> None:
        with pytest.raises(BadTriggerError):
            trigger.build(fields)
