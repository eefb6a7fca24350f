"""Show a trigger as Flask-APScheduler does: its type as `trigger`, its fields beside it."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from application.libs.trigger.expression import CRON
from application.libs.trigger.moment import read_zone
from application.libs.trigger.reading import UNITS, Fields, interval_of, read
from application.libs.trigger.words import Translate, describe


def show(fields: Mapping[str, Any], gettext: Translate = str) -> Fields:
    """Return the trigger as it is shown, its crontab in words too; raise `BadTriggerError` when it is none."""
    stored = read(fields.get("type"), {name: value for name, value in fields.items() if name != "type"}, "UTC")
    shown: Fields = {"trigger": stored["type"], "timezone": stored["timezone"]}
    if "triggers" in stored:
        parts = [show(part, gettext) for part in stored["triggers"]]
        shown |= {"trigger": f"{stored['type']}[{', '.join(map(_text, parts))}]", "triggers": parts}
    elif stored["type"] == "interval":
        shown |= _interval(stored)
    elif stored["type"] == "calendarinterval":
        shown |= _calendar(stored)
    else:
        shown |= {name: stored[name] for name in (*CRON, "crontab") if name in stored}
    if "crontab" in stored:
        shown["in_words"] = describe(stored["crontab"], gettext)
    return shown | _moments(stored) | ({"jitter": stored["jitter"]} if stored.get("jitter") else {})


def _moments(stored: Fields) -> Fields:
    zone = read_zone(stored["timezone"])
    moments: Fields = {}
    for name in ("run_date", "start_date", "end_date"):
        if name in stored:
            calendar = stored["type"] == "calendarinterval"
            day = datetime.combine(date.fromisoformat(stored[name]), time(), tzinfo=zone) if calendar else None
            moments[name] = day or datetime.fromisoformat(stored[name])
    return moments


def _interval(stored: Fields) -> Fields:
    """Split an interval as people say it: 90 s is one minute and 30 seconds."""
    interval = interval_of(stored)
    weeks, days = divmod(interval.days, 7)
    minutes, seconds = divmod(interval.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = dict(zip(UNITS, (weeks, days, hours, minutes, seconds), strict=True))
    return {name: value for name, value in parts.items() if value > 0}


def _calendar(stored: Fields) -> Fields:
    lengths = {name: stored[name] for name in ("years", "months", "weeks", "days") if stored.get(name)}
    return lengths | {name: str(stored.get(name, 0)) for name in ("hour", "minute", "second")}


def _text(shown: Fields) -> str:
    """Say a part of a combination in the form of APScheduler: cron[hour='5', minute='0']."""
    told = (f"{name}='{value}'" for name, value in shown.items() if name not in ("trigger", "timezone", "in_words"))
    return f"{shown['trigger']}[{', '.join(told)}]"
