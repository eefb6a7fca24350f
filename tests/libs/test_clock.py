"""The time."""

from datetime import UTC, datetime, timedelta

from application.libs.clock import now, ruled_by


class TestNow:
    def test_is_aware_and_in_utc(self) -> None:
        assert now().tzinfo is UTC
        assert abs(now() - datetime.now(UTC)) < timedelta(seconds=5)


class TestRuledBy:
    def test_sets_the_time_until_the_block_ends(self) -> None:
        moment = datetime(2027, 1, 1, tzinfo=UTC)
        with ruled_by(lambda: moment):
            assert now() == moment
        assert now() != moment
