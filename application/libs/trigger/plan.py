"""Say when a trigger fires next, and what a job that is due has to do."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from application.libs.record import Record
from application.libs.trigger.fault import bad_trigger
from application.libs.trigger.kinds import Trigger

Misfire = Literal["skip", "once", "all"]
"""What becomes of the fires that are later than the grace: none runs, one for all of them, or each."""

MISFIRES: tuple[str, ...] = get_args(Misfire)

MOST_FIRES = 1000
"""How many instants of one job are looked at in one go: a tick's transaction stays short."""

MOST_CAUGHT_UP = 100
"""How many late fires of one job run by `all`, the oldest first: a queue that is longer would be late for ever."""

_MICROSECOND = timedelta(microseconds=1)


class Plan(Record):
    """Hold what a job that is due has to do: `runs` to fire, what was `late` or `merged`, and the instant `after`."""

    runs: list[datetime]
    after: datetime | None
    late: list[datetime] = []
    """The first instant that is older than the grace and does not run, and nothing more."""
    late_count: int = 0
    merged: list[datetime] = []
    """The first instant that a run stands for, and nothing more."""
    merged_count: int = 0
    merged_into: datetime | None = None


def next_fire(trigger: Trigger, previous: datetime | None, now: datetime) -> datetime | None:
    """Return the instant after the previous one in UTC, None when there is none; raise `BadTriggerError` if it cannot.

    Time goes forward, whatever a trigger does: a job that is due again at once would never rest.
    """
    fire = trigger.get_next_fire_time(previous, now)
    after = None if fire is None else fire.astimezone(UTC)
    if after is not None and previous is not None and after <= previous:
        raise bad_trigger(
            "trigger", f"after {previous.isoformat()} it fires at {after.isoformat()}; time must go forward"
        )
    return after


def plan(
    trigger: Trigger,
    due: datetime,
    now: datetime,
    *,
    grace: timedelta | None,
    coalesce: bool,
    misfire: Misfire = "skip",
) -> Plan:
    """Say what to do for a trigger that is due since `due`.

    Fires later than the grace go by `misfire`. With `coalesce` those in time are one run: the last, which stands for
    all, and with `once` for the late ones too. The work grows with what is to run, and not with how long nobody did;
    a count that is no division ends at MOST_FIRES.
    """
    horizon = due if grace is None else now - grace
    if due >= horizon:
        return _in_time(trigger, due, now, coalesce=coalesce)
    if misfire == "once" and coalesce:
        return _one(trigger, due, now)
    late = _LATE[misfire](trigger, due, horizon)
    fire = trigger.delayed(trigger.resumed(due, horizon))
    in_time = Plan(runs=[], after=None) if fire is None else _in_time(trigger, fire, now, coalesce=coalesce)
    return _joined(late, in_time)


def _in_time(trigger: Trigger, fire: datetime, now: datetime, *, coalesce: bool) -> Plan:
    if fire > now:
        return Plan(runs=[], after=fire)
    if coalesce:
        return _one(trigger, fire, now)
    runs: list[datetime] = []
    after: datetime | None = fire
    while after is not None and after <= now and len(runs) < MOST_FIRES:
        runs.append(after)
        after = next_fire(trigger, after, now)
    return Plan(runs=runs, after=after)


def _one(trigger: Trigger, fire: datetime, until: datetime) -> Plan:
    """Let the last fire run for all from the first one."""
    last = trigger.latest(fire, until)
    after = next_fire(trigger, last, until)
    if last == fire:
        return Plan(runs=[fire], after=after)
    merged_count = trigger.count(fire, last, MOST_FIRES)
    return Plan(runs=[last], after=after, merged=[fire], merged_count=merged_count, merged_into=last)


def _none_late(trigger: Trigger, fire: datetime, horizon: datetime) -> Plan:
    return Plan(runs=[], after=None, late=[fire], late_count=trigger.count(fire, horizon, MOST_FIRES))


def _one_late(trigger: Trigger, fire: datetime, horizon: datetime) -> Plan:
    return _one(trigger, fire, horizon - _MICROSECOND)


def _each_late(trigger: Trigger, fire: datetime, horizon: datetime) -> Plan:
    runs: list[datetime] = []
    later: datetime | None = fire
    while later is not None and later < horizon:
        if len(runs) == MOST_CAUGHT_UP:
            left = _none_late(trigger, later, horizon)
            return _joined(Plan(runs=runs, after=None), left)
        runs.append(later)
        later = trigger.following(later)
    return Plan(runs=runs, after=None)


_LATE: Mapping[Misfire, Callable[[Trigger, datetime, datetime], Plan]] = {
    "skip": _none_late,
    "once": _one_late,
    "all": _each_late,
}


def _joined(late: Plan, rest: Plan) -> Plan:
    """Put two plans together, of which one at most leaves something out, and one at most merges."""
    leaving = late if late.late else rest
    merging = late if late.merged else rest
    return Plan(
        runs=late.runs + rest.runs,
        after=rest.after,
        late=leaving.late,
        late_count=leaving.late_count,
        merged=merging.merged,
        merged_count=merging.merged_count,
        merged_into=merging.merged_into,
    )
