"""Start and stop what lives beside the requests: the runner, where jobs fire and tasks are done, and the sockets' end.

Under gunicorn the runner is a process of its own, one a host, so that neither can stall the API or a socket.
"""

import hashlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from flask import Flask
from sqlalchemy.engine import make_url

from application.config.setting import ROOT, RunnerMode, Settings
from application.extensions import scheduler, socketio
from application.libs.background import background_of
from application.libs.run_output import copied_prints
from application.libs.socket_door import Door
from application.libs.supervisor import HostLock, Orders, Supervisor

LOOK_SECONDS = 0.2
"""How often a process looks whether it is to stop."""

_NAMES = 2  # of the competitor for the lease, and of who does tasks

_DRAINED_PART = 0.7  # of the time for stopping; the rest is for handing back

WEB_ONLY = frozenset({"PSYCOPG_WAIT_FUNC"})
"""Variables that a web process sets for its async mode and no other process may inherit."""

_LOG = logging.getLogger(__name__)


class Runtime:
    """Hold what was started beside the requests of an application."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.supervisor: Supervisor | None = None
        self.inline = False
        self.stopping_since: float | None = None
        self.ended = False


def start(app: Flask, *, stopping: Callable[[], bool] | None = None) -> None:
    """Start what lives beside the requests of this process; twice does no harm.

    A server that replaces its processes hands in `stopping`, which tells when this one is to end. Without it, as in
    the development server, RUNNER=auto means inline.
    """
    if "runtime" in app.extensions:
        return
    runtime = app.extensions["runtime"] = Runtime()
    settings: Settings = app.extensions["settings"]
    if stopping is not None:
        socketio.start_background_task(_watch_sockets, app.extensions["door"], stopping, runtime)
    if settings.runner is RunnerMode.INLINE or (settings.runner is RunnerMode.AUTO and stopping is None):
        runtime.inline = True
        with app.app_context():
            scheduler.start()
        app.extensions["tasks"].start()
    elif settings.runner is RunnerMode.AUTO and stopping is not None:
        runtime.supervisor = _supervisor(settings)
        scheduler.nudge = app.extensions["tasks"].nudge = runtime.supervisor.nudge
        socketio.start_background_task(runtime.supervisor.run, stopping)


def stop(app: Flask) -> None:
    """Stop it and wait for the end; twice does no harm."""
    runtime: Runtime | None = app.extensions.get("runtime")
    if runtime is None:
        return
    since = runtime.stopping_since or monotonic()
    if runtime.supervisor is not None:
        scheduler.nudge = app.extensions["tasks"].nudge = None
        runtime.supervisor.stop()
    if runtime.inline:
        _stop_work(app)
    else:
        app.extensions["tasks"].stop()
    _drain(app, since)
    runtime.ended = True
    app.extensions.pop("runtime", None)


def _drain(app: Flask, since: float) -> None:
    """Let what was called in the background end, as long as nobody loses patience with a process that stops."""
    patience = app.extensions["settings"].graceful_timeout_seconds
    seconds = max(patience / 2, patience - 1)  # a second before gunicorn kills the worker, as the runner has it
    background_of(app).drain(since + seconds - monotonic())


def run_runner(app: Flask, *, parent: int | None) -> tuple[str, bool]:
    """Fire jobs and do tasks in this process until told to stop; return why it stopped, and whether all have ended.

    `parent` is the process that supervises this one: it holds the other end of the standard input.
    """
    all_ended = False
    tasks = app.extensions["tasks"]
    orders = Orders(None if parent is None else sys.stdin.fileno(), parent)
    with orders, copied_prints(), _succession(app) as note:
        with app.app_context():
            scheduler.start()
        tasks.start()
        note()
        try:
            reason = orders.wait(partial(_wake, tasks))
            _LOG.info("The runner stops: %s", reason)
        finally:
            since = monotonic()
            all_ended = _stop_work(app)
            _drain(app, since)
    return reason, all_ended


def _wake(tasks: Any) -> None:
    scheduler.wakeup()
    tasks.wake()


def _stop_work(app: Flask) -> bool:
    """Let jobs and tasks end side by side, hand back what does not, and return whether all did."""
    tasks, settings = app.extensions["tasks"], app.extensions["settings"]
    deadline = monotonic() + _DRAINED_PART * settings.graceful_timeout_seconds
    tasks.close()
    jobs_ended = scheduler.shutdown(wait=True)
    tasks_ended = tasks.drain(max(0.0, deadline - monotonic()))
    tasks.stop()
    return jobs_ended and bool(tasks_ended)


def runner_lock(settings: Settings) -> HostLock:
    """Return the lock that one runner of this checkout and database holds on this host."""
    return HostLock(_lock_path(settings))


def _lock_path(settings: Settings) -> Path:
    url = make_url(settings.database_url).render_as_string(hide_password=False)  # however it was spelled
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    return ROOT / "instance" / f"runner-{name}.lock"


@contextmanager
def _succession(app: Flask) -> Iterator[Callable[[], object]]:
    """Tell the engines which runner was killed here before this one, and note this one; yield what notes it.

    Else they would wait until the lease of the dead one is stale. Only one runner has the lock of this host, so that
    one has ended; a false name does no harm, for nobody else has it.
    """
    engine: Any = app.extensions.get("scheduler")
    noted = _lock_path(app.extensions["settings"]).with_suffix(".last")
    noted.parent.mkdir(parents=True, exist_ok=True)
    tasks = app.extensions["tasks"]
    before = noted.read_text().split() if noted.exists() else []
    predecessor, tasks.predecessor = before if len(before) == _NAMES else (None, None)
    if engine is not None:
        engine.predecessor = predecessor

    def note() -> None:
        names = (engine.name if engine is not None and engine.started else "-", tasks.name)
        fresh = noted.with_suffix(".new")
        fresh.write_text("\n".join(names))
        fresh.replace(noted)  # in one piece, or not at all

    yield note
    noted.unlink(missing_ok=True)


def _supervisor(settings: Settings) -> Supervisor:
    return Supervisor(
        [sys.executable, "manager.py", "runner"],
        directory=ROOT,
        environment=_environment(os.environ),
        lock=runner_lock(settings),
        sleep=socketio.sleep,
        grace_seconds=max(1, settings.graceful_timeout_seconds - 1),  # before gunicorn kills the worker with it
    )


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in WEB_ONLY}


def _watch_sockets(door: Door, stopping: Callable[[], bool], runtime: Runtime) -> None:
    """Close idle sockets, and all once this process is to stop: an open one would hold it for the whole timeout."""
    while not stopping():
        try:
            door.sweep()
        except Exception:  # whatever a socket does, the others are still to be closed at the end
            _LOG.exception("The sockets cannot be swept; trying again")
        socketio.sleep(LOOK_SECONDS)
    runtime.stopping_since = monotonic()
    while not runtime.ended:  # one may still come in before the door is shut
        for client in list(socketio.server.eio.sockets.values()):
            client.close(wait=False)
        door.sweep()
        socketio.sleep(LOOK_SECONDS)
