"""Counting in windows of fixed length."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from application.libs import window_counter as module
from application.libs.window_counter import TIDY_EVERY, WindowCounters


class Clock:
    def __init__(self) -> None:
        self.moment = 1000.0

    def time(self) -> float:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


class TestWindowCounters:
    def test_count_each_key_apart(self) -> None:
        counters = WindowCounters()
        assert [counters.incr(key, 60) for key in ("a", "a", "b", "a")] == [1, 2, 1, 3]

    def test_begin_anew_when_the_window_is_over(self, clock: Clock) -> None:
        counters = WindowCounters()
        counters.incr("a", 60)
        clock.moment += 59
        assert counters.incr("a", 60) == 2
        assert counters.get_expiry("a") == 1060
        clock.moment += 1
        assert counters.incr("a", 60) == 1
        assert counters.get_expiry("a") == 1120

    def test_of_an_unknown_key_end_now(self, clock: Clock) -> None:
        assert WindowCounters().get_expiry("a") == clock.moment

    def test_forget(self) -> None:
        counters = WindowCounters()
        counters.incr("a", 60)
        assert counters.reset() == 1
        assert counters.incr("a", 60) == 1

    def test_keep_only_windows_that_go_on(self, clock: Clock) -> None:
        counters = WindowCounters()
        for number in range(5 * TIDY_EVERY):
            clock.moment += 1
            counters.incr(f"caller {number}", 60)
        counters.incr("lasting", 10**6)
        for number in range(2 * TIDY_EVERY):
            clock.moment += 1
            counters.incr(f"other {number}", 60)
        assert counters.incr("lasting", 60) == 2
        assert counters.reset() <= TIDY_EVERY + 62

    def test_lose_nothing_when_many_count_at_once(self) -> None:
        counters = WindowCounters()
        with ThreadPoolExecutor(8) as callers:
            list(callers.map(lambda _number: counters.incr("a", 60), range(4000)))
        assert counters.incr("a", 60) == 4001
