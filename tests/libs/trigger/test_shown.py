"""Triggers as they are shown, and sent back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.config.language import chinese
from application.libs import trigger
from tests.libs.trigger.brute import NIGHT, expressions

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

PARTS = [{"type": "cron", "hour": 5}, {"type": "interval", "hours": 1, "start_date": "2026-03-01"}]
ANY = st.one_of(
    st.builds(lambda n: ("interval", {"minutes": n}), st.integers(1, 10_000)),
    st.builds(lambda h, m: ("cron", {"hour": h[0], "minute": m[0], "jitter": 3}), NIGHT, expressions(0, 59)),
    st.builds(lambda m: ("cron", {"crontab": f"{m[0]} 5 * jan,mar 1-5"}), expressions(0, 59, open_steps=False)),
    st.builds(lambda n, h: ("calendarinterval", {"months": n, "hour": h}), st.integers(1, 30), st.integers(0, 23)),
    st.just(("date", {"run_date": "1 March 2026 10:00"})),
    st.just(("or", {"triggers": PARTS, "jitter": 5})),
    st.just(("and", {"triggers": PARTS})),
)


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

    @pytest.mark.parametrize(("gettext", "words"), [(str, "At 05:00, on Monday."), (chinese, "每逢星期一，05:00。")])
    def test_says_a_crontab_in_words(self, gettext: Any, words: str) -> None:
        written = trigger.write("cron", {"crontab": "0 5 * * 1"}, "UTC")
        assert trigger.show(written, gettext) == {
            "trigger": "cron",
            "timezone": "UTC",
            "crontab": "0 5 * * 1",
            "in_words": words,
        }

    def test_names_a_combination_by_its_text(self) -> None:
        shown = trigger.show(trigger.write("or", {"triggers": [PARTS[0], {"type": "cron", "minute": 5}]}, "UTC"))
        assert shown["trigger"] == "or[cron[hour='5'], cron[minute='5']]"

    @settings(max_examples=60, deadline=None)
    @given(described=ANY, zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Shanghai"]))
    def test_can_be_sent_back(self, described: tuple[str, dict[str, Any]], zone: str) -> None:
        written = trigger.pin(trigger.write(*described, zone), NOON)
        shown = trigger.show(written)
        again = trigger.write(shown["trigger"], {k: v for k, v in shown.items() if k != "trigger"}, "Asia/Tokyo")
        assert trigger.show(again) == shown
        assert trigger.write(again["type"], {k: v for k, v in again.items() if k != "type"}, "UTC") == again
        assert trigger.build(again).first(NOON) == trigger.build(written).first(NOON)
