"""Trigger objects of APScheduler, written down."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from application.libs import trigger
from application.libs.trigger import BadTriggerError

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 1, 12, tzinfo=BERLIN)
SPAN = {"timezone": "Europe/Berlin"}


class Own(IntervalTrigger):
    """Be a trigger that somebody has written."""


class TestFieldsOf:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (DateTrigger(NOON), {"type": "date", "timezone": "UTC", "run_date": "2026-03-01T12:00:00+01:00"}),
            (
                IntervalTrigger(minutes=90, start_date=NOON, jitter=5, timezone=BERLIN),
                {"type": "interval", "days": 0, "seconds": 5400, "start_date": NOON.isoformat(), "jitter": 5} | SPAN,
            ),
            (
                CronTrigger(day="3rd fri", hour="*/2", end_date=NOON, timezone=BERLIN),
                {"type": "cron", "day": "3rd fri", "hour": "*/2", "end_date": NOON.isoformat()} | SPAN,
            ),
            (
                CronTrigger.from_crontab("0 5 * * 0", timezone=UTC),
                {
                    "type": "cron",
                    "minute": "0",
                    "hour": "5",
                    "day": "*",
                    "month": "*",
                    "day_of_week": "0",
                    "timezone": "UTC",
                },
            ),
            (
                CalendarIntervalTrigger(months=1, hour=5, start_date=date(2026, 3, 1), timezone=BERLIN),
                {
                    "type": "calendarinterval",
                    "months": 1,
                    "hour": 5,
                    "minute": 0,
                    "second": 0,
                    "start_date": "2026-03-01",
                }
                | SPAN,
            ),
            (
                OrTrigger([CronTrigger(hour=5, timezone=BERLIN), CronTrigger(hour=7, timezone=UTC)], jitter=3),
                {
                    "type": "or",
                    "timezone": "UTC",
                    "jitter": 3,
                    "triggers": [
                        {"type": "cron", "hour": "5"} | SPAN,
                        {"type": "cron", "hour": "7", "timezone": "UTC"},
                    ],
                },
            ),
        ],
    )
    def test_says_the_same(self, given: BaseTrigger, expected: dict[str, Any]) -> None:
        written = trigger.write(given, {}, "UTC")
        assert written == expected
        start = NOON - timedelta(hours=8)
        assert trigger.next_fire(trigger.build(written), None, start) == given.get_next_fire_time(None, start) or (
            "jitter" in expected
        )

    def test_leaves_out_a_start_that_nobody_gave(self) -> None:
        assert "start_date" not in trigger.write(IntervalTrigger(hours=1, timezone=UTC), {}, "UTC")
        assert "start_date" not in trigger.write(CalendarIntervalTrigger(days=1, timezone=UTC), {}, "UTC")

    @pytest.mark.parametrize(
        ("given", "cure"),
        [
            (Own(hours=1, timezone=UTC), "use one of DateTrigger, IntervalTrigger"),
            (CronTrigger(hour=5, timezone=timezone(timedelta(hours=2))), r"ZoneInfo\('Europe/Berlin'\)"),
            (AndTrigger([CronTrigger(hour=5, timezone=UTC), Own(timezone=UTC)]), "use one of DateTrigger"),
            (OrTrigger([CronTrigger(hour=5, timezone=UTC, jitter=5)]), "give it to the whole"),
            (OrTrigger([OrTrigger([CronTrigger(hour=5, timezone=UTC)])]), "write it flat"),
        ],
    )
    def test_refuses_what_cannot_be_written_down(self, given: BaseTrigger, cure: str) -> None:
        with pytest.raises(BadTriggerError, match=cure):
            trigger.write(given, {}, "UTC")

    def test_takes_no_fields_beside(self) -> None:
        with pytest.raises(BadTriggerError, match="hour: the trigger object says when"):
            trigger.write(CronTrigger(hour=5, timezone=UTC), {"hour": 6}, "UTC")
