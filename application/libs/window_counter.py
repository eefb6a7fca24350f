"""Count in windows of fixed length, in the memory of this process.

The memory storage of `limits` starts a thread every ten milliseconds to tidy up, which takes longer than the counting.
"""

import time
from threading import Lock

TIDY_EVERY = 1000
"""After how many new windows those that are over are forgotten."""


class WindowCounters:
    """Hold a counter for each key, until its window is over."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._windows: dict[str, tuple[int, float]] = {}
        self._lock = Lock()
        self._tidy_at = TIDY_EVERY

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, in a new window of so many seconds if there is none; return how many that makes."""
        moment = time.time()
        with self._lock:
            count, ends_at = self._windows.get(key, (0, 0.0))
            if ends_at <= moment:
                count, ends_at = 0, moment + expiry
                self._tidy(moment)
            self._windows[key] = (count + amount, ends_at)
            return count + amount

    def get_expiry(self, key: str) -> float:
        """Return when the window of a key ends, in seconds since the epoch: now, if there is none."""
        window = self._windows.get(key)
        return time.time() if window is None else window[1]

    def reset(self) -> int:
        """Forget all; return how many windows there were."""
        with self._lock:
            number = len(self._windows)
            self._windows.clear()
            return number

    def _tidy(self, moment: float) -> None:
        if len(self._windows) < self._tidy_at:
            return
        self._windows = {key: window for key, window in self._windows.items() if window[1] > moment}
        self._tidy_at = len(self._windows) + TIDY_EVERY
