"""What a job that is due has to do."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from application.libs import trigger
from application.libs.trigger.kinds import CronTrigger
from application.libs.trigger.plan import MOST_CAUGHT_UP

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DAY = timedelta(days=1)


def every(**fields: Any) -> trigger.Trigger:
    return trigger.build(trigger.pin(trigger.write("interval", fields, "UTC"), NOON))


class Counted(CronTrigger):
    """Fire every second, and count how often one asks."""

    asked = 0

    def _first(self, at: datetime) -> datetime | None:
        self.asked += 1
        return super()._first(at)


@pytest.fixture
def counted() -> Counted:
    built = trigger.build(trigger.write("cron", {}, "UTC"))
    assert isinstance(built, CronTrigger)
    return Counted(built.pattern, built.zone, built.span)


class TestPlan:
    def test_runs_what_is_due(self) -> None:
        plan = trigger.plan(every(seconds=10), NOON, NOON + SECOND, grace=MINUTE, coalesce=True)
        assert (plan.runs, plan.late, plan.merged) == ([NOON], [], [])
        assert plan.after == NOON + 10 * SECOND

    def test_merges_those_in_time_into_the_last(self) -> None:
        plan = trigger.plan(every(seconds=10), NOON, NOON + 35 * SECOND, grace=MINUTE, coalesce=True)
        assert plan.runs == [NOON + 30 * SECOND]
        assert (plan.merged, plan.merged_count, plan.merged_into) == ([NOON], 3, NOON + 30 * SECOND)

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
        assert (plan.late, plan.late_count) == ([NOON], 7 * 86_400 - 60)
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


class TestMisfire:
    LATE = NOON + 95 * SECOND

    def plan(
        self, misfire: Literal["skip", "once", "all"], *, coalesce: bool = True, now: datetime = LATE
    ) -> trigger.Plan:
        often = every(seconds=10)
        return trigger.plan(often, NOON, now, grace=MINUTE, coalesce=coalesce, misfire=misfire)

    def test_skips_what_is_late(self) -> None:
        plan = self.plan("skip", coalesce=False)
        assert (plan.late, plan.late_count) == ([NOON], 4)
        assert plan.runs[0] == NOON + 40 * SECOND

    def test_runs_once_for_all_that_are_due_with_coalescing(self) -> None:
        plan = self.plan("once")
        assert (plan.runs, plan.merged, plan.merged_count) == ([NOON + 90 * SECOND], [NOON], 9)
        assert plan.late == []

    def test_runs_once_for_the_late_ones_beside_those_in_time(self) -> None:
        plan = self.plan("once", coalesce=False)
        assert plan.runs == [NOON + SECOND * late for late in (30, 40, 50, 60, 70, 80, 90)]
        assert (plan.merged, plan.merged_count, plan.merged_into) == ([NOON], 3, NOON + 30 * SECOND)

    def test_runs_once_where_the_next_is_not_due(self) -> None:
        hourly = every(hours=1)
        plan = trigger.plan(hourly, NOON, NOON + 2 * MINUTE, grace=MINUTE, coalesce=False, misfire="once")
        assert (plan.runs, plan.after) == ([NOON], NOON + timedelta(hours=1))

    def test_runs_each_and_merges_those_in_time(self) -> None:
        plan = self.plan("all")
        assert plan.runs == [NOON + SECOND * late for late in (0, 10, 20, 30, 90)]
        assert (plan.merged, plan.merged_count) == ([NOON + 40 * SECOND], 5)

    def test_bounds_how_many_late_ones_run(self) -> None:
        plan = self.plan("all", now=NOON + DAY)
        assert plan.runs[:MOST_CAUGHT_UP] == [NOON + 10 * SECOND * step for step in range(MOST_CAUGHT_UP)]
        assert (plan.late, plan.late_count) == ([NOON + 10 * SECOND * MOST_CAUGHT_UP], 8640 - 6 - MOST_CAUGHT_UP)
        assert len(plan.runs) == MOST_CAUGHT_UP + 1

    @pytest.mark.parametrize("misfire", ["skip", "once", "all"])
    @pytest.mark.parametrize("away", [DAY, 300 * DAY])
    def test_looks_at_no_more_the_longer_nobody_did(
        self, counted: Counted, misfire: Literal["skip", "once", "all"], away: timedelta
    ) -> None:
        plan = trigger.plan(counted, NOON, NOON + away, grace=MINUTE, coalesce=True, misfire=misfire)
        assert plan.after == NOON + away + SECOND
        assert counted.asked <= trigger.MOST_FIRES + 2 * MOST_CAUGHT_UP

    def test_coalesces_any_gap_into_one_run(self, counted: Counted) -> None:
        plan = trigger.plan(counted, NOON, NOON + DAY, grace=None, coalesce=True)
        assert (plan.runs, plan.after) == ([NOON + DAY], NOON + DAY + SECOND)
        assert counted.asked <= trigger.MOST_FIRES + MOST_CAUGHT_UP


class TestNextFire:
    def test_lets_time_go_forward_only(self) -> None:
        class Backwards(CronTrigger):
            def following(self, fire: datetime) -> datetime | None:
                return fire

        built = trigger.build(trigger.write("cron", {}, "UTC"))
        assert isinstance(built, CronTrigger)
        with pytest.raises(trigger.BadTriggerError, match="time must go forward"):
            trigger.next_fire(Backwards(built.pattern, built.zone, built.span), NOON, NOON)
