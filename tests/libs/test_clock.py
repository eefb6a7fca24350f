"""The time."""

from datetime import UTC, datetime, timedelta

from application.libs.clock import now


class TestNow:
    def test_is_aware_and_in_utc(self) -> None:
        assert now().tzinfo is UTC
        assert abs(now() - datetime.now(UTC)) < timedelta(seconds=5)
