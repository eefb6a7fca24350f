"""Tell beforehand when a trigger will fire, and of what one should beware."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal

from application.libs.record import Record
from application.libs.trigger.fault import BadTriggerError, bad_trigger
from application.libs.trigger.fields import build, pin
from application.libs.trigger.kinds import Trigger, WallTrigger
from application.libs.trigger.moment import read_zone
from application.libs.trigger.offset import Change, changes
from application.libs.trigger.reading import Fields
from application.libs.trigger.words import Translate

MOST_FIRES = 100
"""How many fires are told at most."""

HORIZON = timedelta(days=366)
"""How far changes of the clock are looked for: a year has each of them."""

MOST_COLLISIONS = 20
"""How many collisions are named at most."""

MOST_SECONDS = 1.0
"""How long a preview may take; then it ends with what it has."""

Kind = Literal["skipped", "repeated", "numeric_weekday", "jitter", "collision", "incomplete"]


class Fire(Record):
    """Hold one instant in UTC, and how each zone writes it: `job`, and those that were asked for by their labels."""

    at: datetime
    local: dict[str, datetime]


class Caution(Record):
    """Hold what one should beware of, in a sentence; when it is, if that is one instant, and which job it meets."""

    kind: Kind
    message: str
    at: datetime | None = None
    job_id: str | None = None


class Preview(Record):
    """Hold the next fires, and the cautions."""

    fires: list[Fire]
    cautions: list[Caution]


class _Deadline:
    """Say whether the time is up."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds
        self.passed = False

    def is_over(self) -> bool:
        self.passed = self.passed or self._monotonic() >= self._end
        return self.passed


def preview(
    fields: Mapping[str, Any],
    *,
    now: datetime,
    count: int,
    zones: Mapping[str, str],
    others: Mapping[str, Mapping[str, Any]] | None = None,
    gettext: Translate = str,
    monotonic: Callable[[], float] = time.monotonic,
) -> Preview:
    """Return the next fires of a trigger, jitter apart, and its cautions; raise `BadTriggerError` when it is none.

    `zones` holds names of zones by labels, such as the server's; `others` the fields of other jobs by their ids.
    At most MOST_FIRES are told, and work ends after MOST_SECONDS: a caution says so.
    """
    deadline = _Deadline(MOST_SECONDS, monotonic)
    pinned = pin(fields, now)
    trigger = build(pinned)
    shown = {"job": read_zone(pinned["timezone"]), **_read_zones(zones)}
    instants = list(_fires(trigger, now, min(count, MOST_FIRES), deadline))
    cautions = [
        *_of_fields(pinned, gettext),
        *_of_the_clock(trigger, now, gettext),
        *_collisions(instants, others or {}, deadline, gettext),
    ]
    if deadline.passed:
        cautions.append(Caution("incomplete", gettext("This took too long: later fires and collisions are left out.")))
    return Preview(fires=[_shown(instant, shown) for instant in instants], cautions=cautions)


def _read_zones(zones: Mapping[str, str]) -> dict[str, tzinfo]:
    found = {}
    for label, name in zones.items():
        try:
            found[label] = read_zone(name)
        except ValueError as error:
            raise bad_trigger(f"zones.{label}", str(error)) from None
    return found


def _fires(trigger: Trigger, now: datetime, count: int, deadline: _Deadline) -> Iterator[datetime]:
    fire = trigger.first(now)
    for _number in range(count):
        if fire is None or deadline.is_over():
            return
        yield fire
        fire = trigger.following(fire)


def _shown(instant: datetime, zones: Mapping[str, tzinfo]) -> Fire:
    return Fire(at=instant, local={label: instant.astimezone(zone) for label, zone in zones.items()})


def _of_fields(fields: Fields, gettext: Translate) -> Iterator[Caution]:
    for part in (fields, *fields.get("triggers", ())):
        if re.search("[0-9]", re.sub(r"/[0-9]+", "", str(part.get("day_of_week", "")))):
            yield Caution("numeric_weekday", gettext("In day_of_week 0 is Monday here, not Sunday as in a crontab."))
    if fields.get("jitter"):
        message = gettext("Each run is put off by up to {seconds} seconds.")
        yield Caution("jitter", message.format(seconds=fields["jitter"]))


def _of_the_clock(trigger: Trigger, now: datetime, gettext: Translate) -> Iterator[Caution]:
    """Name the hours that the clock skips or repeats, where the trigger would fire in them."""
    end = min(now + HORIZON, trigger.span.end)
    for part in getattr(trigger, "triggers", (trigger,)):
        if isinstance(part, WallTrigger):
            for change in changes(part.zone, max(now, trigger.span.start), end):
                yield from _of_change(part, change, gettext)


def _of_change(part: WallTrigger, change: Change, gettext: Translate) -> Iterator[Caution]:
    walls = sorted((change.at + offset).replace(tzinfo=None) for offset in (change.before, change.after))
    first = part.next_wall(walls[0])
    if first is None or first >= walls[1]:
        return
    skips = change.skipped > timedelta()
    texts = {
        (True, True): gettext("On {day} the clock skips {start} to {end}: nothing fires then."),
        (True, False): gettext("On {day} the clock skips {start} to {end}: what is due at {wall} fires at {late}."),
        (False, True): gettext("On {day} the clock repeats {start} to {end}: what is due then fires both times."),
        (False, False): gettext("On {day} the clock repeats {start} to {end}: what is due then fires the first time."),
    }
    start, end, wall, late = (f"{moment:%H:%M}" for moment in (*walls, first, first + change.skipped))
    message = texts[skips, part.by_the_hands].format(day=walls[0].date(), start=start, end=end, wall=wall, late=late)
    yield Caution("skipped" if skips else "repeated", message, at=change.at)


def _collisions(
    instants: list[datetime], others: Mapping[str, Mapping[str, Any]], deadline: _Deadline, gettext: Translate
) -> Iterator[Caution]:
    """Name the jobs that fire at the same instant; those that cannot be built collide with nothing."""
    named = 0
    for job_id, fields in others.items():
        if deadline.is_over():
            return
        if named == MOST_COLLISIONS:
            yield Caution("incomplete", gettext("There may be more jobs that fire at the same instant."))
            return
        try:
            met = _meeting(build(fields), instants)
        except BadTriggerError:
            continue
        if met:
            named += 1
            message = gettext("Job {job_id} fires at the same instant, {count} of {total} times.")
            said = message.format(job_id=job_id, count=len(met), total=len(instants))
            yield Caution("collision", said, at=met[0], job_id=job_id)


def _meeting(other: Trigger, instants: list[datetime]) -> list[datetime]:
    return [instant for instant in instants if other.first(instant) == instant]
