"""Threads that can be replaced."""

import threading
from collections.abc import Iterator

import pytest

from application.libs.thread_pool import ThreadPool


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    """Return a pool of two threads, which are stopped in the end."""
    started = ThreadPool(2, "test")
    yield started
    started.shutdown()


class TestThreadPool:
    def test_gives_what_a_function_returns_or_raises(self, pool: ThreadPool) -> None:
        assert pool.submit(pow, 2, 3).result(5) == 8
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result(5)

    def test_starts_no_more_threads_than_it_may(self, pool: ThreadPool) -> None:
        gate, names = threading.Event(), set[str]()

        def note() -> None:
            names.add(threading.current_thread().name)
            gate.wait(5)

        futures = [pool.submit(note) for _call in range(6)]
        gate.set()
        for future in futures:
            future.result(5)
        assert names <= {"test_0", "test_1"}

    def test_grows_for_one_that_is_stuck(self, pool: ThreadPool) -> None:
        gate = threading.Event()
        stuck = [pool.submit(gate.wait, 20) for _thread in range(2)]
        waiting = pool.submit(pow, 2, 3)
        assert not waiting.done()
        pool.grow()
        assert waiting.result(5) == 8
        gate.set()
        assert all(future.result(5) for future in stuck)

    def test_takes_nothing_once_it_is_shut_down(self) -> None:
        pool = ThreadPool(1, "test")
        kept = pool.submit(pow, 2, 3)
        pool.shutdown()
        assert kept.result(0) == 8
        with pytest.raises(RuntimeError, match="shut down"):
            pool.submit(pow, 2, 3)
