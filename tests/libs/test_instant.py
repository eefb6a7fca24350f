"""Instants: what is finer than a microsecond is cut off, or rounded up where a bound needs it.

What is refused stands in test_schema.py.
"""

from datetime import UTC, datetime

import pytest

from application.libs.instant import instant, instant_up

SECOND = datetime(2030, 1, 31, 12, tzinfo=UTC)
HALF = SECOND.replace(microsecond=500_000)


class TestInstant:
    @pytest.mark.parametrize("text", ["2030-01-31T12:00:00.5Z", "2030-01-31T12:00:00.500000" + "9" * 24 + "Z"])
    def test_cuts_off_what_is_finer(self, text: str) -> None:
        assert instant(text) == HALF


class TestInstantUp:
    @pytest.mark.parametrize(
        ("value", "microseconds"),
        [
            ("2030-01-31T12:00:00.5Z", 0),
            ("2030-01-31T12:00:00.500000000Z", 0),
            ("2030-01-31T12:00:00.5000001Z", 1),
            ("2030-01-31T20:00:00.500000" + "0" * 20 + "1+08:00", 1),
            (HALF, 0),
        ],
    )
    def test_is_never_before_the_instant(self, value: object, microseconds: int) -> None:
        assert instant_up(value) == HALF.replace(microsecond=500_000 + microseconds)

    def test_carries_over(self) -> None:
        assert instant_up("2030-01-31T11:59:59.9999999Z") == SECOND
        assert instant_up("8999-12-31T23:59:59.9999999Z").year == 9000
