"""Call functions in processes of their own, which can be killed: by who waits, or when they take too long."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from application.libs.supervisor import die_with

P = ParamSpec("P")
T = TypeVar("T")


class Killed(Exception):
    """The process was killed on request."""


class ProcessDied(Exception):
    """The process ended by itself before the function did."""


class KillablePool:
    """Be a pool of processes that start when they are first needed; `key` names a call, to kill it by."""

    def __init__(self, size: int, prepare: Callable[[], object]) -> None:
        """Keep so many processes; each calls `prepare` before anything else."""
        self._size = size
        self._prepare = prepare
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None
        self._calls: dict[str, ProcessFuture[Any]] = {}

    def call(self, key: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in one of the processes and wait; raise `Killed`, `ProcessDied`, or what it raises."""
        with self._lock:
            future: ProcessFuture[T] = self._started().schedule(function, args=args, kwargs=kwargs)
            self._calls[key] = future
        try:
            return future.result()
        except CancelledError:
            raise Killed from None
        except ProcessExpired as error:
            raise ProcessDied(f"its process ended with exit code {error.exitcode}") from None
        except BrokenProcessPool:  # the process was gone before it had said which call it took up
            raise ProcessDied("its process ended as soon as it began") from None
        finally:
            with self._lock:
                if self._calls.get(key) is future:  # the key may stand for a newer call by now
                    del self._calls[key]

    def has_begun(self, key: str) -> bool:
        """Tell whether a process has taken a call up; until then, one may be starting for it."""
        with self._lock:
            future = self._calls.get(key)
        return future is not None and (future.running() or future.done())

    def kill(self, key: str) -> None:
        """Kill the process of a call, if it is still under way; another process takes its place."""
        with self._lock:
            future = self._calls.get(key)
        if future is not None:
            future.cancel()

    def stop(self) -> None:
        """Kill what is under way and end all processes."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()
            pool.join()

    def _started(self) -> ProcessPool:
        if self._pool is not None and not self._pool.active:
            self._pool.stop()
            self._pool.join()
            self._pool = None
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self._size,
                initializer=_begin,
                initargs=(self._prepare, os.getpid()),
                context=multiprocessing.get_context("spawn"),  # a fork copies the locks of other threads as they are
            )
        return self._pool


def _begin(prepare: Callable[[], object], parent: int) -> None:
    """Make a process ready: it dies with its parent, which alone hears the terminal's Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not die_with(parent):
        os._exit(1)
    prepare()
