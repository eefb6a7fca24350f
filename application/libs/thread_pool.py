"""Run functions on threads, of which some may never come back: a thread cannot be killed, but it can be replaced."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

from apscheduler.executors.pool import BasePoolExecutor

P = ParamSpec("P")
T = TypeVar("T")


class ThreadPool(Executor):
    """Be an executor whose size can grow; its threads are daemons, so that none of them holds up the process's end."""

    def __init__(self, size: int, name: str) -> None:
        """Begin without threads; up to `size` start as they are needed."""
        self._size = size
        self._name = name
        self._changed = threading.Condition()
        self._work: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call a function on the next free thread."""
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("The pool is shut down")
            self._work.append((future, partial(fn, *args, **kwargs)))
            self._start_threads()
            self._changed.notify()
        return future

    def grow(self) -> None:
        """Allow one thread more, for one that may be stuck for ever."""
        with self._changed:
            self._size += 1
            self._start_threads()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work; with `wait`, until all that is under way has ended."""
        with self._changed:
            self._closed = True
            if cancel_futures:
                self._work.clear()
            self._changed.notify_all()
            threads = list(self._threads)
        if wait:
            for thread in threads:
                thread.join()

    def _start_threads(self) -> None:
        while len(self._work) > self._idle and len(self._threads) < self._size:
            number = len(self._threads)
            thread = threading.Thread(target=self._serve, name=f"{self._name}_{number}", daemon=True)
            self._threads.append(thread)
            self._idle += 1
            thread.start()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._work or self._closed)
                if not self._work:
                    return
                future, call = self._work.popleft()
                self._idle -= 1
            _carry_out(future, call)
            del future, call  # a thread that waits holds on to nothing
            with self._changed:
                self._idle += 1


def _carry_out(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


class ThreadExecutor(BasePoolExecutor):
    """Be APScheduler's executor on such a pool."""

    def __init__(self, max_workers: int) -> None:
        """Run so many jobs at once."""
        super().__init__(ThreadPool(max_workers, "scheduler-job"))

    def grow(self) -> None:
        """Replace a thread that may be stuck for ever."""
        self._pool.grow()
