"""Read a crontab's five fields as cron does: 0 and 7 are Sunday, and a day of the month or of the week is enough.

Sources: crontab(5), and entry.c of Vixie cron 4.1, where a field that begins with `*` counts as unrestricted.
"""

from application.libs.record import Record
from application.libs.trigger import expression
from application.libs.trigger.cron import YEARS, Pattern
from application.libs.trigger.expression import MONTHS, Expression, Scale
from application.libs.trigger.fault import BadTriggerError, Fault
from application.libs.trigger.moment import MOST_CHARACTERS

_SUNDAY_FIRST = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

_SCALES = {
    "minute": Scale(0, 59, open_steps=False),
    "hour": Scale(0, 23, open_steps=False),
    "day": Scale(1, 31, open_steps=False),
    "month": Scale(1, 12, {name: number for number, name in enumerate(MONTHS, 1)}, open_steps=False),
    "day_of_week": Scale(0, 7, {name: number for number, name in enumerate(_SUNDAY_FIRST)}, open_steps=False),
}

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class Crontab(Record):
    """Hold a crontab's fields; its `text` as it is shown."""

    text: str
    minute: Expression
    hour: Expression
    day: Expression
    month: Expression
    day_of_week: Expression

    @property
    def weekdays(self) -> frozenset[int]:
        """Return the days of the week, 0 being Monday."""
        return frozenset((value - 1) % 7 for value in self.day_of_week.values)

    @property
    def either(self) -> bool:
        """Tell whether a day of the month or one of the week is enough: both are restricted."""
        return not self.day.text.startswith("*") and not self.day_of_week.text.startswith("*")


def read(value: object) -> Crontab:
    """Return a crontab; raise `BadTriggerError` with the faults of all its fields."""
    text = _five(value)
    parts = dict(zip(_SCALES, text.split(), strict=True))
    found: dict[str, Expression] = {}
    faults = []
    for name, part in parts.items():
        try:
            found[name] = expression.read(part, _SCALES[name])
        except ValueError as error:
            faults.append(Fault("crontab", f"{name}: {error}"))
    if faults:
        raise BadTriggerError(*faults)
    return Crontab(text=" ".join(item.text for item in found.values()), **found)


def pattern(crontab: Crontab) -> Pattern:
    """Return the local times that a crontab names."""
    return Pattern(
        years=YEARS,
        months=tuple(sorted(crontab.month.values)),
        day=crontab.day,
        weeks=frozenset(range(1, 54)),
        weekdays=crontab.weekdays,
        hours=tuple(sorted(crontab.hour.values)),
        minutes=tuple(sorted(crontab.minute.values)),
        seconds=(0,),
        either=crontab.either,
    )


def _five(value: object) -> str:
    cure = f"give minute, hour, day of month, month and day of week, such as '0 5 * * 1', or one of {', '.join(_NAMED)}"
    if not isinstance(value, str) or len(value) > 5 * MOST_CHARACTERS:
        raise BadTriggerError(Fault("crontab", f"this is no text of a crontab; {cure}"))
    text = _NAMED.get(value.strip().lower(), value)
    if len(text.split()) != len(_SCALES):
        raise BadTriggerError(Fault("crontab", f"{value[:40]!r} has not the five fields of a crontab; {cure}"))
    return text
