"""Totals: what became of all runs there ever were, counted from the events and independent of what the ledger keeps."""

from bisect import bisect_left

import msgspec

BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Upper bounds of the histograms' buckets in seconds; what is longer has a bucket of its own."""


class Histogram(msgspec.Struct):
    """Count durations in seconds by buckets, each without those below it."""

    bounds: tuple[float, ...] = BOUNDS
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one; a clock that was set back gives no negative ones."""
        seconds = max(0.0, seconds)
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum = round(self.sum + seconds, 6)


class Totals(msgspec.Struct):
    """Count runs by how they ended, alerts by their kind, and how long runs took and were late."""

    runs: dict[str, int] = {}
    alerts: dict[str, int] = {}
    duration: Histogram = msgspec.field(default_factory=Histogram)
    lateness: Histogram = msgspec.field(default_factory=Histogram)

    def count(self, of: dict[str, int], name: str) -> None:
        """Count one more of a name."""
        of[name] = of.get(name, 0) + 1

    def encode(self) -> str:
        """Return the totals as they are stored."""
        return msgspec.json.encode(self).decode()


def decode(text: str) -> Totals:
    """Return stored totals; counters begin anew where they cannot be read."""
    try:
        totals = msgspec.json.decode(text, type=Totals)
    except (msgspec.MsgspecError, ValueError):
        return Totals()
    for name in ("duration", "lateness"):
        histogram: Histogram = getattr(totals, name)
        if histogram.bounds != BOUNDS or len(histogram.counts) != len(BOUNDS) + 1:
            setattr(totals, name, Histogram())  # of another version, with other buckets
    return totals
