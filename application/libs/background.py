"""Call functions later, on a few threads of this process: for what may be lost.

@background
def suggest(name: str) -> None:
    with transaction():
        tag.create(name=name)


suggest(name="flask")      # returns at once: True, or False where too much waits
suggest.now(name="flask")  # calls it here, as tests do

A call is dropped when the process is killed, or is stopped before its turn comes. What must not be lost is a task. In
a green worker the threads are greenlets: fit for waiting, not for computing.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context
from functools import partial, update_wrapper
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Generic, ParamSpec, TypeVar

import msgspec
from flask import Flask, current_app

from application.libs.declaration import mistake
from application.libs.edge import REQUEST_ID

P = ParamSpec("P")
R = TypeVar("R")

MOST_THREADS = 4
"""How many calls go on at once: few, for each may hold a connection of the database that requests wait for."""

MOST_WAITING = 1000
"""How many calls wait at most; so many are minutes of work already, and a crowd would take the memory of requests."""

PutOff = Callable[[Callable[[], object]], bool]
"""Call a function once the current unit of work has committed; return False, calling nothing, where there is none."""

_LOG = logging.getLogger(__name__)


class _Call(msgspec.Struct, frozen=True):
    """Hold what is to be called, and on behalf of which request."""

    name: str
    function: Callable[[], object]
    request_id: str


class Background:
    """Hold what waits to be called in the background of one application; a thread lives while there is something."""

    def __init__(self, app: Flask, *, put_off: PutOff) -> None:
        self._app = app
        self._put_off = put_off
        self._changed = threading.Condition()
        self._waiting: deque[_Call] = deque()
        self._threads = 0

    def call(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Call the function later, and return whether it will be; never wait, and raise nothing.

        Called inside a unit of work it begins after the commit, and not at all if that is rolled back.
        """
        call = _described(function, *args, **kwargs)
        if len(self._waiting) < MOST_WAITING and self._put_off(partial(self._take, call)):
            return True
        return self._take(call)

    def call_regardless(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Call the function later as `call` does, but whatever becomes of the unit of work, which it may overtake."""
        return self._take(_described(function, *args, **kwargs))

    def drain(self, seconds: float) -> int:
        """Wait so many seconds at most until nothing waits or goes on; return how many calls are dropped then."""
        with self._changed:
            if self._changed.wait_for(lambda: not self._threads, max(0.0, seconds)):
                return 0
            dropped, going_on = len(self._waiting), self._threads
            self._waiting.clear()
        _LOG.warning("Calls in the background at the end: %d are dropped, %d go on unfinished", dropped, going_on)
        return dropped

    def _take(self, call: _Call) -> bool:
        with self._changed:
            is_full = len(self._waiting) >= MOST_WAITING
            begins = not is_full and self._threads < MOST_THREADS
            self._threads += begins
            if not is_full:
                self._waiting.append(call)
        if is_full:
            _LOG.warning("%s is not called in the background: %d calls wait already", call.name, MOST_WAITING)
            return False
        return not begins or self._begin(call)

    def _begin(self, call: _Call) -> bool:
        """Start a thread; where there can be none, and no other one either, the call is taken back."""
        thread = threading.Thread(target=self._serve, name="background", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            with self._changed:
                self._threads -= 1
                if self._threads or call not in self._waiting:
                    return True
                self._waiting.remove(call)
            _LOG.warning("%s is not called in the background: %s", call.name, error)
            return False
        return True

    def _serve(self) -> None:
        while (call := self._next()) is not None:
            Context().run(self._perform, call)

    def _next(self) -> _Call | None:
        with self._changed:
            if self._waiting:
                return self._waiting.popleft()
            self._threads -= 1
            self._changed.notify_all()
            return None

    def _perform(self, call: _Call) -> None:
        """Call the function in a context of its own: of the caller's, which may have ended, the request id stays."""
        REQUEST_ID.set(call.request_id)
        try:
            with self._app.app_context():
                call.function()
        except BaseException:  # SystemExit too, or the thread would be missing
            _LOG.exception("%s failed in the background", call.name)


def _described(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> _Call:
    name = f"{function.__module__}.{function.__qualname__}"
    return _Call(name, partial(function, *args, **kwargs), REQUEST_ID.get())


class BackgroundFunction(Generic[P, R]):
    """Be a function that is called later; `now` is the function itself."""

    __wrapped__: Callable[P, R]
    now: Callable[P, R]

    def __init__(self, function: Callable[P, R]) -> None:
        update_wrapper(self, function)
        self.now = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Call it later, with the current application; return False where too much waits already."""
        return background_of(current_app).call(self.now, *args, **kwargs)

    def regardless(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Call it later, also if the unit of work that goes on is rolled back."""
        return background_of(current_app).call_regardless(self.now, *args, **kwargs)


def background(function: Callable[P, R]) -> BackgroundFunction[P, R]:
    """Make a function one that is called in the background: a call returns at once, and what comes of it is lost."""
    if iscoroutinefunction(function) or isgeneratorfunction(function) or isasyncgenfunction(function):
        where = f"{function.__module__}.{function.__qualname__}"
        raise mistake(where, "called, it would only make a coroutine or a generator", "Write a plain function")
    return BackgroundFunction(function)


def init_app(app: Flask, *, put_off: PutOff) -> None:
    """Give an application its background; start nothing."""
    app.extensions["background"] = Background(app, put_off=put_off)


def background_of(app: Flask) -> Background:
    """Return what is called in the background of an application."""
    found: Background = app.extensions["background"]
    return found
