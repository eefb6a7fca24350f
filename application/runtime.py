"""Start and stop what lives beside the requests: the runner, where jobs fire, and the end of the sockets.

Under gunicorn the runner is a process of its own, one a host, so that no job can stall the API or a socket.
"""

import hashlib
import logging
import os
import sys
from collections.abc import Callable, Mapping

from flask import Flask

from application.config.setting import ROOT, RunnerMode, Settings
from application.extensions import scheduler, socketio
from application.libs.door import Door
from application.libs.supervisor import HostLock, Orders, Supervisor

LOOK_SECONDS = 0.2
"""How often a process looks whether it is to stop."""

WEB_ONLY = frozenset({"PSYCOPG_WAIT_FUNC"})
"""Variables that a web process sets for its async mode and no other process may inherit."""

_LOG = logging.getLogger(__name__)


class Runtime:
    """Hold what was started beside the requests of an application."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.supervisor: Supervisor | None = None
        self.inline = False
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
        socketio.start_background_task(_watch_sockets, app.extensions["door"], stopping, lambda: runtime.ended)
    if settings.runner is RunnerMode.INLINE or (settings.runner is RunnerMode.AUTO and stopping is None):
        runtime.inline = True
        with app.app_context():
            scheduler.start()
    elif settings.runner is RunnerMode.AUTO and stopping is not None:
        runtime.supervisor = _supervisor(settings)
        scheduler.nudge = runtime.supervisor.nudge
        socketio.start_background_task(runtime.supervisor.run, stopping)


def stop(app: Flask) -> None:
    """Stop it and wait for the end; twice does no harm."""
    runtime: Runtime | None = app.extensions.get("runtime")
    if runtime is None:
        return
    if runtime.supervisor is not None:
        scheduler.nudge = None
        runtime.supervisor.stop()
    if runtime.inline:
        scheduler.shutdown(wait=True)
    runtime.ended = True
    app.extensions.pop("runtime", None)


def run_runner(app: Flask, *, parent: int | None) -> str:
    """Fire jobs in this process until told to stop; return why it stopped.

    `parent` is the process that supervises this one: it holds the other end of the standard input.
    """
    with app.app_context():
        scheduler.start()
    try:
        reason = Orders(None if parent is None else sys.stdin.fileno(), parent).wait(scheduler.wakeup)
        _LOG.info("The runner stops: %s", reason)
    finally:
        scheduler.shutdown(wait=True)
    return reason


def runner_lock(settings: Settings) -> HostLock:
    """Return the lock that one runner of this checkout and database holds on this host."""
    name = hashlib.sha256(settings.database_url.encode()).hexdigest()[:16]
    return HostLock(ROOT / "instance" / f"runner-{name}.lock")


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


def _watch_sockets(door: Door, stopping: Callable[[], bool], ended: Callable[[], bool]) -> None:
    """Close idle sockets, and all once this process is to stop: an open one would hold it for the whole timeout."""
    while not stopping():
        try:
            door.sweep()
        except Exception:  # whatever a socket does, the others are still to be closed at the end
            _LOG.exception("The sockets cannot be swept; trying again")
        socketio.sleep(LOOK_SECONDS)
    while not ended():  # one may still come in before the door is shut
        for client in list(socketio.server.eio.sockets.values()):
            client.close(wait=False)
        door.sweep()
        socketio.sleep(LOOK_SECONDS)
