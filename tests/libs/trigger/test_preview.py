"""What a trigger will do."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from application.config.language import chinese
from application.libs import trigger
from application.libs.trigger import BadTriggerError, Preview, preview

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = {"server": "Asia/Shanghai", "utc": "UTC"}


def look(kind: str, fields: dict[str, Any], zone: str = "Europe/Berlin", **options: Any) -> Preview:
    written = trigger.write(kind, fields, zone)
    given: dict[str, Any] = {"now": NEW_YEAR, "count": 5, "zones": ZONES} | options
    return preview(written, **given)


class TestPreview:
    def test_tells_the_next_fires_in_each_zone(self) -> None:
        fires = look("cron", {"hour": 5}, count=2).fires
        assert [fire.at.isoformat() for fire in fires] == ["2026-01-01T04:00:00+00:00", "2026-01-02T04:00:00+00:00"]
        assert {label: moment.isoformat() for label, moment in fires[0].local.items()} == {
            "job": "2026-01-01T05:00:00+01:00",
            "server": "2026-01-01T12:00:00+08:00",
            "utc": "2026-01-01T04:00:00+00:00",
        }

    def test_ends_with_the_trigger(self) -> None:
        assert len(look("cron", {"hour": 5, "end_date": "2026-01-03"}).fires) == 2
        assert len(look("date", {"run_date": "2026-01-03"}).fires) == 1
        assert look("date", {"run_date": "2025-01-03"}).fires == []

    def test_counts_an_interval_from_now(self) -> None:
        assert look("interval", {"hours": 1}).fires[0].at == NEW_YEAR + timedelta(hours=1)

    @pytest.mark.parametrize(
        ("fields", "kinds", "says"),
        [
            ({"hour": 2, "minute": 30}, ["skipped", "repeated"], "02:00 to 03:00: what is due at 02:30 fires at 03:30"),
            ({"crontab": "30 * * * *"}, ["skipped", "repeated"], "02:00 to 03:00: nothing fires then"),
            ({"hour": 5}, [], ""),
        ],
    )
    def test_warns_of_both_changes_of_the_clock(self, fields: dict[str, Any], kinds: list[str], says: str) -> None:
        cautions = look("cron", fields).cautions
        assert [caution.kind for caution in cautions] == kinds
        assert says in "".join(caution.message for caution in cautions)
        assert [caution.at.isoformat() for caution in cautions if caution.at] == [
            f"2026-{day}T01:00:00+00:00" for day in ("03-29", "10-25")[: len(kinds)]
        ]

    def test_warns_in_chinese(self) -> None:
        assert "时钟会跳过 02:00 至 03:00" in look("cron", {"hour": 2}, gettext=chinese).cautions[0].message

    @pytest.mark.parametrize(
        ("weekday", "kinds"),
        [("0", ["numeric_weekday"]), ("1-5", ["numeric_weekday"]), ("mon-fri", []), ("*/2", []), ("mon-fri/2", [])],
    )
    def test_warns_of_numeric_weekdays(self, weekday: str, kinds: list[str]) -> None:
        assert [caution.kind for caution in look("cron", {"day_of_week": weekday}).cautions] == kinds

    def test_warns_of_jitter(self) -> None:
        assert [caution.kind for caution in look("cron", {"hour": 5, "jitter": 30}).cautions] == ["jitter"]

    def test_names_the_jobs_that_fire_at_the_same_instant(self) -> None:
        others = {
            "daily": trigger.write("cron", {"hour": 5}, "Europe/Berlin"),
            "often": trigger.write("cron", {"minute": "*/10"}, "UTC"),
            "apart": trigger.write("cron", {"minute": 7}, "UTC"),
            "broken": {"type": "weekly"},
        }
        cautions = look("cron", {"hour": "5,6"}, others=others).cautions
        assert [(caution.job_id, caution.message) for caution in cautions] == [
            ("daily", "Job daily fires at the same instant, 3 of 5 times."),
            ("often", "Job often fires at the same instant, 5 of 5 times."),
        ]

    def test_names_twenty_such_jobs_and_says_that_there_may_be_more(self) -> None:
        others = {str(number): trigger.write("cron", {"hour": 5}, "Europe/Berlin") for number in range(30)}
        cautions = look("cron", {"hour": 5}, others=others).cautions
        assert [caution.kind for caution in cautions] == ["collision"] * 20 + ["incomplete"]

    def test_tells_a_hundred_at_most(self) -> None:
        assert len(look("cron", {}, count=10**9).fires) == 100

    def test_ends_when_the_time_is_up_and_says_so(self) -> None:
        found = look("cron", {"hour": 5}, count=100, monotonic=count(0, 0.1).__next__)
        assert 0 < len(found.fires) < 100
        assert found.cautions[-1].kind == "incomplete"

    def test_refuses_a_zone_that_is_none(self) -> None:
        with pytest.raises(BadTriggerError, match="zones.server"):
            look("cron", {"hour": 5}, zones={"server": "Mars"})
