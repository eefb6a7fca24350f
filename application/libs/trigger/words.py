"""Say a crontab in words, in the reader's language."""

from collections.abc import Callable, Iterable, Iterator

from application.libs.trigger import crontab
from application.libs.trigger.crontab import Crontab

Translate = Callable[[str], str]
"""Return a text in the reader's language. It is called `gettext` here, by which Babel finds the texts."""

_MOST_TIMES = 4  # times of day that are told one by one


def describe(text: str, gettext: Translate) -> str:
    """Return a sentence that says when a crontab fires; raise `BadTriggerError` for what is none."""
    found = crontab.read(text)
    parts = {"time": _time(found, gettext), "days": _days(found, gettext)}
    if len(found.month.values) == 12:
        return gettext("{time}, {days}.").format(**parts)
    months = _names(found.month.values, _months(gettext), gettext)
    return gettext("{time}, {days}, in {months}.").format(**parts, months=months)


def _time(found: Crontab, gettext: Translate) -> str:
    minutes, hours = sorted(found.minute.values), sorted(found.hour.values)
    if len(minutes) == 1 and len(hours) <= _MOST_TIMES:
        times = [f"{hour:02}:{minutes[0]:02}" for hour in hours]
        return gettext("At {times}").format(times=gettext(", ").join(times))
    return _of_hours(_minutes(minutes, gettext), hours, gettext, plain=len(minutes) != 60 and not _step(minutes, 60))


def _minutes(minutes: list[int], gettext: Translate) -> str:
    if len(minutes) == 60:
        return gettext("Every minute")
    step = _step(minutes, 60)
    if step:
        return gettext("Every {step} minutes").format(step=step)
    return gettext("At minute {minutes}").format(minutes=_numbers(minutes, gettext))


def _of_hours(time: str, hours: list[int], gettext: Translate, *, plain: bool) -> str:
    if len(hours) == 24:
        return gettext("{time} of every hour").format(time=time) if plain else time
    step = _step(hours, 24)
    if step:
        return gettext("{time} of every hour that {step} divides").format(time=time, step=step)
    return gettext("{time} of hour {hours}").format(time=time, hours=_numbers(hours, gettext))


def _days(found: Crontab, gettext: Translate) -> str:
    days = _numbers(found.day.values, gettext)
    weekdays = _names(found.weekdays, _weekdays(gettext), gettext)
    all_days, all_weekdays = len(found.day.values) == 31, len(found.weekdays) == 7
    if found.either:
        return gettext("on day {days} of the month or on {weekdays}").format(days=days, weekdays=weekdays)
    if all_days and all_weekdays:
        return gettext("every day")
    if all_days:
        return gettext("on {weekdays}").format(weekdays=weekdays)
    if all_weekdays:
        return gettext("on day {days} of the month").format(days=days)
    return gettext("on day {days} of the month if it is {weekdays}").format(days=days, weekdays=weekdays)


def _step(values: list[int], end: int) -> int:
    """Return the step where the values are all its multiples and it divides the whole; else 0."""
    step = values[1] if len(values) > 1 else 0
    return step if step > 1 and end % step == 0 and values == list(range(0, end, step)) else 0


def _numbers(values: Iterable[int], gettext: Translate) -> str:
    return _join(values, str, gettext)


def _names(values: Iterable[int], names: list[str], gettext: Translate) -> str:
    return _join(values, names.__getitem__, gettext)


def _join(values: Iterable[int], name: Callable[[int], str], gettext: Translate) -> str:
    """List the values; three neighbours or more are told by the first and the last."""
    parts: list[str] = []
    for first, last in _rows(sorted(values)):
        if last - first < 2:
            parts += [name(value) for value in range(first, last + 1)]
        else:
            parts.append(gettext("{first} to {last}").format(first=name(first), last=name(last)))
    return gettext(", ").join(parts)


def _rows(values: list[int]) -> Iterator[tuple[int, int]]:
    first = last = values[0]
    for value in values[1:]:
        if value != last + 1:
            yield first, last
            first = value
        last = value
    yield first, last


def _months(gettext: Translate) -> list[str]:
    """Return the names of the months, behind an empty one for there is no month 0."""
    return [
        "",
        gettext("January"),
        gettext("February"),
        gettext("March"),
        gettext("April"),
        gettext("May"),
        gettext("June"),
        gettext("July"),
        gettext("August"),
        gettext("September"),
        gettext("October"),
        gettext("November"),
        gettext("December"),
    ]


def _weekdays(gettext: Translate) -> list[str]:
    return [
        gettext("Monday"),
        gettext("Tuesday"),
        gettext("Wednesday"),
        gettext("Thursday"),
        gettext("Friday"),
        gettext("Saturday"),
        gettext("Sunday"),
    ]
