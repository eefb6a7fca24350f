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


class TestPin:
    def test_keeps_the_grid_of_an_interval(self) -> None:
        pinned = trigger.pin(trigger.write("interval", {"minutes": 10}, "UTC"), NOON)
        fire = trigger.next_fire(trigger.build(pinned), None, NOON + timedelta(minutes=31))
        assert fire == NOON + timedelta(minutes=40)

    def test_keeps_a_start_that_was_given(self) -> None:
        fields = trigger.write("interval", {"minutes": 10, "start_date": "2026-03-02 00:00:00"}, "Europe/Berlin")
        assert trigger.pin(fields, NOON) == fields


class TestShow:
    def test_splits_an_interval_as_people_say_it(self) -> None:
        shown = trigger.show(trigger.pin(trigger.write("interval", {"seconds": 90}, "UTC"), NOON))
        assert shown == {
            "trigger": "interval",
            "timezone": "UTC",
            "start_date": NOON + timedelta(seconds=90),
            "minutes": 1,
            "seconds": 30,
        }

    def test_gives_only_the_explicit_fields_of_cron(self) -> None:
        shown = trigger.show(trigger.write("cron", {"hour": "*/2", "day": "3rd fri"}, "UTC"))
        assert shown == {"trigger": "cron", "timezone": "UTC", "hour": "*/2", "day": "3rd fri"}


class TestPlan:
    def test_runs_what_is_due(self) -> None:
        plan = trigger.plan(every(seconds=10), NOON, NOON + SECOND, grace=MINUTE, coalesce=True)
        assert (plan.runs, plan.late, plan.merged) == ([NOON], [], [])
        assert plan.after == NOON + 10 * SECOND

    def test_merges_those_in_time_into_the_last(self) -> None:
        plan = trigger.plan(every(seconds=10), NOON, NOON + 35 * SECOND, grace=MINUTE, coalesce=True)
        assert plan.runs == [NOON + 30 * SECOND]
        assert plan.merged == [NOON, NOON + 10 * SECOND, NOON + 20 * SECOND]

    def test_runs_each_without_merging(self) -> None:
        plan = trigger.plan(every(seconds=10), NOON, NOON + 35 * SECOND, grace=MINUTE, coalesce=False)
        assert len(plan.runs) == 4
        assert plan.merged == []

    def test_leaves_out_what_is_older_than_the_grace(self) -> None:
        plan = trigger.plan(every(seconds=10), NOON, NOON + 95 * SECOND, grace=MINUTE, coalesce=True)
        assert (plan.late, plan.late_count) == ([NOON], 4)
        assert plan.runs == [NOON + 90 * SECOND]

    def test_spans_a_week_of_seconds_in_one_go(self) -> None:
        plan = trigger.plan(every(seconds=1), NOON, NOON + timedelta(days=7), grace=MINUTE, coalesce=True)
        assert (plan.late, plan.late_count) == ([NOON], trigger.MOST_FIRES)
        assert plan.runs == [NOON + timedelta(days=7)]
        assert plan.after == NOON + timedelta(days=7) + SECOND

    def test_goes_on_later_with_more_than_it_looks_at(self) -> None:
        plan = trigger.plan(every(seconds=1), NOON, NOON + timedelta(hours=1), grace=None, coalesce=False)
        assert len(plan.runs) == trigger.MOST_FIRES
        assert plan.after == NOON + trigger.MOST_FIRES * SECOND

    def test_ends_after_the_only_date(self) -> None:
        once = trigger.build(trigger.write("date", {"run_date": NOON}, "UTC"))
        assert trigger.plan(once, NOON, NOON, grace=MINUTE, coalesce=True).after is None
        late = trigger.plan(once, NOON, NOON + 2 * MINUTE, grace=MINUTE, coalesce=True)
        assert (late.runs, late.late_count, late.after) == ([], 1, None)

    @pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
    def test_fires_each_half_hour_of_a_day_whose_clock_changes(self, day: datetime) -> None:
        often = trigger.build(trigger.write("cron", {"minute": "*/30"}, "Europe/Berlin"))
        plan = trigger.plan(often, day, day + timedelta(hours=23), grace=None, coalesce=False)
        assert plan.runs == [day + 30 * MINUTE * step for step in range(47)]


class TestMicros:
    @pytest.mark.parametrize("micros", [0, 1, 1_774_000_000_123_456, 253_000_000_000_000])
    def test_come_back_exactly(self, micros: int) -> None:
        assert trigger.to_micros(trigger.from_micros(micros)) == micros

    @pytest.mark.parametrize("micros", [-1, -(2**63), 2**63 - 1])
    def test_beyond_the_calendar_are_its_end(self, micros: int) -> None:
        assert trigger.from_micros(micros).year in (1970, 9892)
