"""Totals as they are stored."""

import pytest

from application.modules.scheduler.business import totals
from application.modules.scheduler.business.totals import BOUNDS, Histogram, Totals


class TestHistogram:
    @pytest.mark.parametrize(("seconds", "bucket"), [(-1.0, 0), (0.01, 0), (0.011, 1), (1800, 12), (1e9, 13)])
    def test_counts_up_to_and_with_a_bound(self, seconds: float, bucket: int) -> None:
        histogram = Histogram()
        histogram.add(seconds)
        assert histogram.counts[bucket] == sum(histogram.counts) == 1
        assert histogram.sum == max(0, seconds)


class TestDecode:
    def test_gives_back_what_was_stored(self) -> None:
        counted = Totals()
        counted.count(counted.runs, "failed")
        counted.lateness.add(0.2)
        assert totals.decode(counted.encode()) == counted

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"runs": 1}', '{"runs": {"failed": "x"}}'])
    def test_begins_anew_where_it_cannot_read(self, text: str) -> None:
        assert totals.decode(text) == Totals()

    @pytest.mark.parametrize("text", ['{"bounds": [1.0], "counts": [1, 2]}', '{"counts": [1, 2]}'])
    def test_begins_a_histogram_of_other_buckets_anew(self, text: str) -> None:
        read = totals.decode(f'{{"runs": {{"failed": 2}}, "duration": {text}}}')
        assert read.runs == {"failed": 2}
        assert read.duration.counts == [0] * (len(BOUNDS) + 1)
