"""A trigger's fields, and what may be wrong with them."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.libs import trigger
from application.libs.trigger import FIELDS, BadTriggerError

NAMES = sorted({name for names in FIELDS.values() for name in names})
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers()),
    st.just({"a": 1}),
)


class TestRead:
    def test_tells_every_fault_with_its_cure(self) -> None:
        fields = {"hour": "25", "minuet": 5, "start_date": "soon", "timezone": "Mars", "jitter": -1, "day": "6th fri"}
        with pytest.raises(BadTriggerError) as raised:
            trigger.write("cron", fields, "UTC")
        assert sorted(fault.field for fault in raised.value.faults) == sorted(fields)

    @pytest.mark.parametrize(
        ("kind", "fields", "field", "cure"),
        [
            ("weekly", {}, "trigger", "use one of date, interval, cron"),
            (5, {}, "trigger", "use one of date"),
            ("interval", {"fortnights": 1}, "fortnights", "weeks, days"),
            ("interval", {"seconds": 0.5}, "seconds", "at least a second"),
            ("interval", {"seconds": 1.5}, "seconds", "give whole ones"),
            ("interval", {"seconds": float("nan")}, "seconds", "give a number"),
            ("interval", {"seconds": True}, "seconds", "give a number"),
            ("interval", {"weeks": 10_000}, "weeks", "at most a century"),
            ("cron", {"crontab": "0 5 * * 1", "hour": 5, "minute": 0}, "crontab", "leave out hour, minute"),
            ("cron", {"crontab": "0 5 * * 8"}, "crontab", "0 to 7"),
            ("interval", {"crontab": "0 5 * * 1"}, "crontab", "takes no 'crontab'"),
            ("calendarinterval", {"hour": 5}, "days", "give years, months"),
            ("calendarinterval", {"days": 1, "hour": 24}, "hour", "from 0 to 23"),
            ("and", {}, "triggers", "give a list"),
            ("or", {"triggers": []}, "triggers", "a list of 1 to 10"),
            (
                "or",
                {"triggers": [{"type": "cron", "hour": 5}, {"type": "cron", "hour": 25}]},
                "triggers.1.hour",
                "0 to 23",
            ),
            ("or", {"triggers": [5]}, "triggers.0.type", "give that"),
        ],
    )
    def test_names_the_field_and_the_cure(self, kind: object, fields: dict[str, Any], field: str, cure: str) -> None:
        with pytest.raises(BadTriggerError, match=cure) as raised:
            trigger.write(kind, fields, "UTC")
        assert [fault.field for fault in raised.value.faults] == [field]

    def test_passes_over_null_and_what_is_read_only(self) -> None:
        assert trigger.write("cron", {"hour": 5, "minute": None, "in_words": "At 05:00."}, "UTC") == {
            "type": "cron",
            "timezone": "UTC",
            "hour": "5",
        }

    @settings(max_examples=150, deadline=None)
    @given(kind=st.sampled_from(sorted(FIELDS)), fields=st.dictionaries(st.sampled_from(NAMES), JUNK, max_size=4))
    def test_lets_nothing_else_through(self, kind: str, fields: dict[str, Any]) -> None:
        with suppress(BadTriggerError):
            trigger.build(trigger.write(kind, fields, "UTC"))
