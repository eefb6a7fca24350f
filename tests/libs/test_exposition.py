"""The text format, read back by Prometheus' own parser."""

from prometheus_client.parser import text_string_to_metric_families

from application.libs.exposition import Distribution, Family, text


def parsed(*figures: Family | Distribution) -> dict[str, dict[str, float]]:
    """Return the samples by name, and by what their label says."""
    samples: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text(figures).decode()):
        for sample in family.samples:
            samples.setdefault(sample.name, {})["".join(sample.labels.values())] = sample.value
    return samples


class TestText:
    def test_writes_counters_and_gauges(self) -> None:
        found = parsed(
            Family("counter", "runs", "Runs.", {"failed": 2, "succeeded": 1}, "status"),
            Family("gauge", "leader", "A leader.", {"": 1}),
        )
        assert found == {"runs_total": {"failed": 2, "succeeded": 1}, "leader": {"": 1}}

    def test_writes_buckets_with_all_below_them(self) -> None:
        found = parsed(Distribution("late_seconds", "Lateness.", (0.1, 1.0), [3, 2, 1], 4.5))
        assert found["late_seconds_bucket"] == {"0.1": 3, "1.0": 5, "+Inf": 6}
        assert (found["late_seconds_count"], found["late_seconds_sum"]) == ({"": 6}, {"": 4.5})

    def test_keeps_odd_labels_and_nothing_of_another_answer(self) -> None:
        odd = 'a "quote"\\ and\na line'
        assert parsed(Family("gauge", "jobs", "Jobs.", {odd: 1}, "state")) == {"jobs": {odd: 1}}
        assert parsed(Family("gauge", "leader", "A leader.", {"": 0})) == {"leader": {"": 0}}
