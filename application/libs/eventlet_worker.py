"""Serve with eventlet's green threads under gunicorn, which has no such worker of its own since version 26."""

import errno
import os
import warnings
from types import FrameType
from typing import Any

from gunicorn.config import Config
from gunicorn.errors import ConfigError
from gunicorn.workers.base_async import AsyncWorker

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")  # the mode is chosen on purpose
    import eventlet
    from eventlet import hubs
    from eventlet.greenio import GreenSocket
    from eventlet.wsgi import WSGI_LOCAL

TICK_SECONDS = 0.25
"""How often the worker shows that it lives and looks whether it is to stop."""

SHORT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class EventletWorker(AsyncWorker):
    """Give each connection a green thread, `worker_connections` of them at most.

    Everything is patched after the fork and before the application is loaded: the master stays as it is, and what the
    application imports is green from the first line.
    """

    alive: bool

    @classmethod
    def check_config(cls, config: Config, _log: object) -> None:
        """Refuse what this worker does not do; gunicorn asks before the first fork."""
        if config.preload_app:
            raise ConfigError("preload_app loads the application before it can be patched: leave it off for eventlet")
        if config.is_ssl:
            raise ConfigError("the eventlet worker speaks no TLS: let a proxy in front do it, or use gevent")

    def init_process(self) -> None:
        """Turn this process green, then go the common way: signals, application, `run`."""
        hubs.use_hub()
        eventlet.monkey_patch()
        os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")  # else psycopg 3 waits in C and stops every client
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then let open requests finish within `graceful_timeout`."""
        pool = eventlet.GreenPool(self.worker_connections)
        doors = [eventlet.spawn(self._accept, GreenSocket(listener.sock), pool) for listener in self.sockets]
        while self.alive and not any(door.dead for door in doors):
            self.notify()
            eventlet.sleep(TICK_SECONDS)
        self.alive = False
        for door in doors:
            door.kill()
        for listener in self.sockets:
            listener.close()
        with eventlet.Timeout(self.cfg.graceful_timeout, False):
            while pool.running():
                self.notify()
                eventlet.sleep(TICK_SECONDS)

    def _accept(self, listener: GreenSocket, pool: Any) -> None:
        """Take one connection each time the hub comes round, so that other workers get theirs."""
        while True:
            hubs.trampoline(listener, read=True)
            try:
                client, address = listener.fd.accept()
            except BlockingIOError:
                continue  # another worker was first
            except OSError as error:
                if error.errno not in SHORT_OF_FILES:
                    raise
                self.log.warning("No connection can be accepted: %s", error)
                eventlet.sleep(TICK_SECONDS)
                continue
            pool.spawn_n(self.handle, listener, GreenSocket(client), address)

    def notify(self) -> None:
        """Show the master that this worker lives; end when the master does not."""
        super().notify()
        if self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False

    def timeout_ctx(self) -> Any:
        """Bound the wait for the next request on an open connection."""
        return eventlet.Timeout(self.cfg.keepalive or None, False)

    def is_already_handled(self, answer: object) -> bool:
        """Tell whether the answer is out; a websocket has had the connection, so there is nothing more to read."""
        if getattr(WSGI_LOCAL, "already_handled", False):
            WSGI_LOCAL.already_handled = False
            raise StopIteration
        handled: bool = super().is_already_handled(answer)
        return handled

    def handle_quit(self, signal: int, frame: FrameType | None) -> None:
        """Stop at once; in a green thread, because a signal handler may not wait."""
        eventlet.spawn(super().handle_quit, signal, frame)

    def handle_usr1(self, signal: int, frame: FrameType | None) -> None:
        """Reopen the log files, in a green thread for the same reason."""
        eventlet.spawn(super().handle_usr1, signal, frame)
