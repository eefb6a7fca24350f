"""Read a schedule as Celery's beat takes it, and give its entries to the scheduler as jobs that enqueue tasks.

CELERY_BEAT_SCHEDULE = {"report": {"task": "report.send", "schedule": crontab(hour=7, minute=30), "args": ["all"]}}

Where the schedule is JSON, a crontab is a text of five fields. When an entry fires is what celery/schedules.py and
celery/beat.py say of Celery 5.7: a day of the week counts from Sunday, all fields have to match, the zone is that of
Celery, and what nobody could fire on time is made up for once.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from celery.schedules import ParseException, crontab, schedule
from msgspec import Meta

from application.config.setting import SettingsRefused
from application.libs import tagged_json, trigger
from application.libs.arguments import InvalidArguments
from application.libs.catalogue import NotRegistered
from application.libs.record import Record
from application.libs.task import TASKS, Priority, Queue

_NAME = "CELERY_BEAT_SCHEDULE"
_FUNCTION = "application.modules.task.tasks:enqueue_by_name"
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # in Celery's order
_SHAPE = (
    "an entry holds task, schedule, args, kwargs, and options, which are queue, priority (0 to 9) and expires (seconds)"
)
_SCHEDULES = (
    "give a number of seconds, a timedelta, celery.schedules.schedule or crontab, or five fields such as '*/5 * * * *'"
)

_AS_BEAT = {"misfire": "once", "overlap": "queue"}
"""Celery's beat makes up once for what is late, and leaves no fire out because an earlier one still goes on."""


class _Options(Record, forbid_unknown_fields=True):
    """Hold how an entry's tasks differ from what was declared."""

    queue: Queue | None = None
    priority: Priority | None = None
    expires: Annotated[float, Meta(gt=0)] | None = None


class _Entry(Record, forbid_unknown_fields=True):
    """Hold an entry of the schedule by Celery's names."""

    task: Annotated[str, Meta(min_length=1)]
    schedule: Any
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None
    options: _Options | None = None
    relative: bool = False


def beat_jobs(celery: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the schedule in Celery's keys as SCHEDULER_JOBS takes it; raise `SettingsRefused` for all that is wrong.

    Whether the tasks are there is asked later: `check_tasks`.
    """
    entries = celery.get("beat_schedule") or {}
    if not isinstance(entries, Mapping):
        raise SettingsRefused(f"{_NAME} is no dict or JSON object; give one of names and entries: {_SHAPE}")
    jobs, faults = [], []
    for name, entry in entries.items():
        try:
            jobs.append({"id": name, "func": _FUNCTION, **_job(entry, celery)})
        except ValueError as error:
            faults.append(f"{name!r}: {error}")
    _refuse(faults)
    return jobs


def check_tasks(jobs: Iterable[Mapping[str, Any]]) -> None:
    """Refuse jobs whose tasks nobody has declared, or which these would not take; all that are wrong in one line."""
    faults = []
    for job in jobs:
        fault = _fault_of_task(**job["kwargs"])
        if fault is not None:
            faults.append(f"{job['id']!r}: {fault}")
    _refuse(faults)


def queues_of(jobs: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the queues that the jobs name, which workers have to serve."""
    return {job["kwargs"]["queue"] for job in jobs if "queue" in job["kwargs"]}


def _refuse(faults: list[str]) -> None:
    if faults:
        raise SettingsRefused(" ".join(f"{_NAME} {'; '.join(faults)}".split()))


def _fault_of_task(
    name: str,
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    **_options: object,
) -> str | None:
    try:
        TASKS.get(name).entry.bind(args or [], kwargs or {})
    except NotRegistered as error:
        return str(error)
    except InvalidArguments as error:
        places = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors)
        return f"its arguments do not fit {name}: {', '.join(places)}; give what it takes"
    return None


def _job(given: Any, celery: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job says beside its id and function; raise ValueError with the cure."""
    try:
        entry = msgspec.convert(given, _Entry)
    except msgspec.ValidationError as error:
        raise ValueError(f"{error}; {_SHAPE}") from None
    if entry.relative:
        raise ValueError("relative rounds to the clock, which no interval does here; write a crontab")
    options = entry.options or _Options()
    wanted = {
        "name": entry.task,
        "args": entry.args,
        "kwargs": entry.kwargs,
        "queue": options.queue,
        "priority": options.priority,
        "expires_seconds": options.expires,
    }
    kwargs = {name: value for name, value in wanted.items() if value not in (None, [], {})}
    tagged_json.tag(kwargs)
    return {"kwargs": kwargs, **_AS_BEAT, **_when(entry.schedule, celery)}


def _when(given: Any, celery: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(given, str):
        given = _crontab(given)
    if type(given) is crontab:
        return _cron(given, celery) | _deadline(celery)
    return _interval(given)


def _crontab(text: str) -> crontab:
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"{text[:40]!r} has not the five fields of a crontab; {_SCHEDULES}")
    minute, hour, day_of_month, month_of_year, day_of_week = fields
    try:
        return crontab(minute, hour, day_of_week, day_of_month, month_of_year)
    except (ParseException, LookupError, ValueError) as error:
        raise ValueError(f"{text[:40]!r} is no crontab of Celery's ({error}); correct it, Sunday is 0") from None


def _cron(given: crontab, celery: Mapping[str, Any]) -> dict[str, Any]:
    if given.nowfun is not None:
        raise ValueError("its crontab has a clock of its own; leave out nowfun, and set CELERY_TIMEZONE")
    fields = {
        "month": _expression(given.month_of_year, range(1, 13)),
        "day": _expression(given.day_of_month, range(1, 32)),
        "day_of_week": _expression(given.day_of_week, range(7), _WEEKDAYS),
        "hour": _expression(given.hour, range(24)),
        "minute": _expression(given.minute, range(60)),
    }
    return _checked("cron", {**fields, "timezone": _zone(celery)})


def _expression(values: Iterable[Any], scale: range, names: tuple[str, ...] = ()) -> str:
    """Return the values of a field as APScheduler reads them, where a step counts from the lowest one, too."""
    found = sorted(values)
    if not found or any(type(value) is not int for value in found):
        raise ValueError(f"its crontab has a field of {found!r}; give whole numbers")
    if names:
        return "*" if len(found) == len(scale) else ",".join(names[value] for value in found)
    steps = (step for step in range(1, len(scale) // 2 + 1) if found == list(scale[::step]))
    step = next(steps, None)
    if step is None:
        return ",".join(map(str, found))
    return "*" if step == 1 else f"*/{step}"


def _zone(celery: Mapping[str, Any]) -> str:
    zone = celery.get("timezone")
    if not zone and not celery.get("enable_utc", True):
        raise ValueError("CELERY_ENABLE_UTC is off: it would go by the clock of each machine; set CELERY_TIMEZONE")
    return str(zone or "UTC")


def _deadline(celery: Mapping[str, Any]) -> dict[str, Any]:
    """Return how late a crontab may fire, which Celery has a setting for; without it however late."""
    seconds = celery.get("beat_cron_starting_deadline")
    if seconds is None:
        return {}
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise ValueError("CELERY_BEAT_CRON_STARTING_DEADLINE is no number of seconds; give one")
    return {"misfire": "skip", "misfire_grace_time": max(1, math.ceil(seconds))}


def _interval(given: Any) -> dict[str, Any]:
    if type(given) is schedule:
        if given.relative or given.nowfun is not None:
            raise ValueError("its schedule is relative, or has a clock of its own; write a crontab")
        given = given.run_every
    if isinstance(given, timedelta):
        given = given.total_seconds()
    if not isinstance(given, int | float) or isinstance(given, bool) or not given > 0:
        raise ValueError(f"the {type(given).__name__} {str(given)[:60]} is no schedule here; {_SCHEDULES}")
    return _checked("interval", {"seconds": int(given) if given % 1 == 0 else given})


def _checked(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return a trigger's fields; raise `BadTriggerError`, a ValueError, for what is none."""
    trigger.write(kind, fields, "UTC")
    return {"trigger": kind, **fields}
