"""Instants, dates and zones as people write them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from application.libs import trigger
from application.libs.trigger.moment import read_day, read_moment, read_zone

BERLIN = ZoneInfo("Europe/Berlin")
TEN = datetime(2026, 3, 1, 10, tzinfo=BERLIN)


class TestMicros:
    @pytest.mark.parametrize("micros", [0, 1, 1_774_000_000_123_456, 253_000_000_000_000])
    def test_come_back_exactly(self, micros: int) -> None:
        assert trigger.to_micros(trigger.from_micros(micros)) == micros

    @pytest.mark.parametrize("micros", [-1, -(2**63), 2**63 - 1])
    def test_beyond_the_calendar_are_its_end(self, micros: int) -> None:
        assert trigger.from_micros(micros).year in (1970, 9892)


class TestReadMoment:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-03-01T10:00:00+01:00",
            "2026-03-01 10:00",
            "2026-03-01T09:00:00Z",
            "2026-03-01 09:00 GMT",
            "20260301T1000",
            "1 March 2026 10:00",
            "Sun, 01 Mar 2026 09:00:00 +0000",
            "Mar 1 2026 10am",
        ],
    )
    def test_reads_what_dateutil_reads_and_takes_naive_ones_in_the_zone(self, text: str) -> None:
        assert read_moment(text, BERLIN) == TEN

    def test_takes_dates_and_datetimes(self) -> None:
        assert read_moment(TEN, ZoneInfo("Asia/Tokyo")) == TEN
        assert read_moment(TEN.replace(tzinfo=None), BERLIN) == TEN
        assert read_moment(date(2026, 3, 1), BERLIN) == TEN - timedelta(hours=10)

    def test_moves_a_skipped_local_time_by_what_is_skipped(self) -> None:
        assert read_moment("2026-03-29 02:30", BERLIN).isoformat() == "2026-03-29T03:30:00+02:00"

    @pytest.mark.parametrize(
        "value",
        ["tomorrow", "", "2026-02-30", "99999999999999999999", "2026-03-01 10:00 CST", "1" * 300, 5, None, [2026]],
    )
    def test_refuses_what_is_no_date_and_says_what_is(self, value: object) -> None:
        with pytest.raises(ValueError, match="2026-11-20T12:00:00"):
            read_moment(value, BERLIN)

    @pytest.mark.parametrize("value", ["1969-12-31", "9999-12-31", datetime.max.replace(tzinfo=UTC)])
    def test_refuses_what_no_job_waits_for(self, value: object) -> None:
        with pytest.raises(ValueError, match="from 1970-01-02 to 9891-12-31|is no date"):
            read_moment(value, BERLIN)


class TestReadDay:
    def test_gives_the_day_in_its_own_zone(self) -> None:
        assert read_day("2026-03-01T00:00:00+09:00", BERLIN) == date(2026, 3, 1)


class TestReadZone:
    def test_knows_the_names_of_the_database(self) -> None:
        assert (read_zone("UTC"), read_zone("Europe/Berlin")) == (UTC, BERLIN)

    @pytest.mark.parametrize(
        "name", ["Mars/Olympus", "Europe", "../etc", "/etc/localtime", "", "\0", "x" * 300, 5, None]
    )
    def test_refuses_others(self, name: object) -> None:
        with pytest.raises(ValueError, match="such as Europe/Berlin"):
            read_zone(name)
