"""Fires where the clock changes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from application.libs import trigger
from application.libs.trigger.offset import changes
from tests.libs.trigger.brute import fires

SPRING, AUTUMN = datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 21, tzinfo=UTC)


def shown(kind: str, fields: dict[str, Any], start: datetime, zone: str = "Europe/Berlin") -> list[str]:
    """Return what the clock shows at the fires of 24 hours."""
    built = trigger.build(trigger.pin(trigger.write(kind, fields, zone), start))
    found = [fire.astimezone(ZoneInfo(zone)) for fire in fires(built, start, start + timedelta(days=1))]
    return [f"{fire:%H:%M%z}"[:8] for fire in found]


class TestFirstInZone:
    @pytest.mark.parametrize(
        ("kind", "fields", "spring", "autumn"),
        [
            ("cron", {"hour": 2, "minute": 30}, ["03:30+02"], ["02:30+02"]),
            ("cron", {"crontab": "30 2 * * *"}, ["03:30+02"], ["02:30+02"]),
            ("cron", {"hour": 2, "minute": "*/30"}, ["03:00+02", "03:30+02"], ["02:00+02", "02:30+02"]),
            ("cron", {"hour": "2-3", "minute": 30}, ["03:30+02"], ["02:30+02", "03:30+01"]),
            ("cron", {"hour": "2,4"}, ["03:00+02", "04:00+02"], ["02:00+02", "04:00+01"]),
            ("calendarinterval", {"days": 1, "hour": 2, "minute": 30}, ["03:30+02"], ["02:30+02"]),
        ],
    )
    def test_fires_once_whether_the_local_time_is_skipped_or_repeated(
        self, kind: str, fields: dict[str, Any], spring: list[str], autumn: list[str]
    ) -> None:
        assert shown(kind, fields, SPRING) == spring
        assert shown(kind, fields, AUTUMN) == autumn

    @pytest.mark.parametrize("fields", [{"crontab": "30 * * * *"}, {"minute": 30}, {"hour": "0-23", "minute": 30}])
    def test_fires_in_both_of_the_repeated_hours_what_fires_in_every_hour(self, fields: dict[str, Any]) -> None:
        assert shown("cron", fields, SPRING)[1:5] == ["00:30+01", "01:30+01", "03:30+02", "04:30+02"]
        assert shown("cron", fields, AUTUMN)[1:6] == ["00:30+02", "01:30+02", "02:30+02", "02:30+01", "03:30+01"]

    def test_keeps_an_interval_whatever_the_clock_shows(self) -> None:
        for start in (SPRING, AUTUMN):
            assert len(shown("interval", {"hours": 1}, start)) == 23  # the first is an hour after the start

    def test_fires_a_whole_skipped_day_on_the_next(self) -> None:
        start = datetime(2011, 12, 29, 12, tzinfo=UTC)
        built = trigger.build(trigger.write("cron", {"day": 30, "hour": 5}, "Pacific/Apia"))
        assert [
            fire.astimezone(ZoneInfo("Pacific/Apia")).isoformat() for fire in fires(built, start, start + timedelta(5))
        ] == ["2011-12-31T05:00:00+14:00"]


class TestChanges:
    def test_finds_those_of_a_year(self) -> None:
        found = changes(ZoneInfo("Europe/Berlin"), datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
        assert [change.at.isoformat() for change in found] == ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"]
        assert [change.skipped for change in found] == [timedelta(hours=1), timedelta(hours=-1)]

    def test_finds_the_four_of_a_year_with_ramadan(self) -> None:
        zone = ZoneInfo("Africa/Cairo")
        assert len(changes(zone, datetime(2014, 1, 1, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC))) == 4

    def test_finds_none_where_there_is_none(self) -> None:
        assert changes(UTC, datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)) == []
