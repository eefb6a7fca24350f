"""Serve with eventlet's green threads under gunicorn, which has no such worker of its own since version 26."""

import errno
import os
import socket
import warnings
from collections.abc import Callable
from contextlib import suppress
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


class Connection(GreenSocket):
    """Hang up on `close`, so that a green thread which reads meanwhile wakes; eventlet would leave it waiting.

    The worker gives the descriptor back when the conversation is over.
    """

    close: Callable[[], None]
    release: Callable[[], None]

    def __init__(self, client: socket.socket) -> None:
        """Take an accepted connection."""
        super().__init__(client)
        self.release = self.close  # GreenSocket keeps such methods on the instance
        self.close = self._hang_up

    def _hang_up(self) -> None:
        with suppress(OSError):  # the other side was first
            self.shutdown(socket.SHUT_RDWR)


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
        doors = [GreenSocket(taken.family, taken.type, fileno=taken.sock.detach()) for taken in self.sockets]
        keepers = [eventlet.spawn(self._accept, door, pool) for door in doors]
        while self.alive and not any(keeper.dead for keeper in keepers):
            self.notify()
            eventlet.sleep(TICK_SECONDS)
        self.alive = False
        for keeper, door in zip(keepers, doors, strict=True):
            keeper.kill()
            door.close()
        with eventlet.Timeout(self.cfg.graceful_timeout, False):
            while pool.running():
                self.notify()
                eventlet.sleep(TICK_SECONDS)

    def _accept(self, door: GreenSocket, pool: Any) -> None:
        """Take one connection each time the hub comes round, so that other workers get theirs."""
        while True:
            hubs.trampoline(door, read=True)
            try:
                client, address = door.fd.accept()
            except BlockingIOError:
                continue  # another worker was first
            except OSError as error:
                if error.errno not in SHORT_OF_FILES:
                    raise
                self.log.warning("No connection can be accepted: %s", error)
                eventlet.sleep(TICK_SECONDS)
                continue
            hubs.notify_opened(client.fileno())
            pool.spawn_n(self._converse, door, Connection(client), address)

    def _converse(self, door: GreenSocket, client: Connection, address: object) -> None:
        try:
            self.handle(door, client, address)
        finally:
            client.release()

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
