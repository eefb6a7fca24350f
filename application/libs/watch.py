"""See which counters stand still, by a clock of our own."""

from collections.abc import Callable, Collection, Mapping


class Watch:
    """Remember since when the beat of each attempt has not moved."""

    def __init__(self, ttl_seconds: float, monotonic: Callable[[], float]) -> None:
        """Give an attempt up after so many seconds of silence."""
        self._ttl_seconds = ttl_seconds
        self._monotonic = monotonic
        self._seen: dict[str, tuple[int, float]] = {}

    def clear(self) -> None:
        """Forget everything: who did not look for a while does not know who was silent."""
        self._seen.clear()

    def silent(self, beats: Mapping[str, int], *, ours: Collection[str]) -> dict[str, float]:
        """Return for how many seconds those beats stand still that do so for the time to live; none of ours does."""
        now, seen = self._monotonic(), {}
        for attempt_id, beat in beats.items():
            before, since = self._seen.get(attempt_id, (beat, now))
            seen[attempt_id] = (beat, since if beat == before else now)
        self._seen = {attempt_id: one for attempt_id, one in seen.items() if attempt_id not in ours}
        return {
            attempt_id: now - since for attempt_id, (_, since) in self._seen.items() if now - since >= self._ttl_seconds
        }
