"""Let only so many connections in to Socket.IO, and show out who joins no namespace.

Engine.IO takes a connection before anybody asks for a token, and in threading mode each one keeps a thread: without a
limit here, strangers could take them all.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from socket import SHUT_RDWR
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

from simple_websocket import ConnectionClosed

from application.libs.error import Unavailable

RETRY_AFTER_SECONDS = 5

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(slots=True)
class _Guest:
    client: Any
    connection: Any
    since: float
    closed_at: float | None = None


class Door:
    """Wrap Socket.IO's WSGI application; `server` is the Socket.IO server behind it.

    At most `limit` requests, websockets among them, are inside at once, and as many sessions exist. Who has not joined
    `namespace` after `patience_seconds` is closed; who does not hang up `farewell_seconds` later is cut off, because
    the thread of a websocket waits for the client's own goodbye.
    """

    def __init__(
        self,
        app: Application,
        server: Any,
        *,
        namespace: str,
        limit: int,
        patience_seconds: float = 5.0,
        farewell_seconds: float = 1.0,
    ) -> None:
        self._app = app
        self._server = server
        if server.eio.async_mode != "eventlet":  # which brings websockets of its own
            eio = server.eio
            eio._async = {**eio._async, "websocket": partial(_parting, eio._async["websocket"])}  # noqa: SLF001 -- no setting names it
        self._namespace = namespace
        self._limit = limit
        self._patience_seconds = patience_seconds
        self._farewell_seconds = farewell_seconds
        self._lock = Lock()
        self._guests: dict[str, _Guest] = {}
        self.inside = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on, or raise `Unavailable`."""
        new = "sid" not in parse_qs(environ.get("QUERY_STRING", ""))
        with self._lock:
            if self.inside >= self._limit or (new and self._sessions() >= self._limit):
                raise Unavailable(
                    "There is no room for another socket", headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
                )
            self.inside += 1
        try:
            return self._app(environ, start_response)  # a websocket lasts for as long as this call
        finally:
            with self._lock:
                self.inside -= 1

    def sweep(self) -> None:
        """Close who has joined nothing for too long, and cut off who was closed and stays; call it now and then."""
        now = monotonic()
        for sid, client in list(self._server.eio.sockets.items()):
            if sid not in self._guests:
                self._guests[sid] = _Guest(client, self._connection(sid), now)
        for sid, guest in list(self._guests.items()):
            if guest.client.closed:
                self._see_off(sid, guest, now)
            elif now - guest.since > self._patience_seconds and not self._has_joined(sid):
                guest.client.close(wait=False)

    def _see_off(self, sid: str, guest: _Guest, now: float) -> None:
        if guest.closed_at is None:
            guest.closed_at = now
        elif now - guest.closed_at > self._farewell_seconds:
            del self._guests[sid]
            if guest.connection is not None:
                with suppress(OSError):  # it is gone already, as it should be
                    guest.connection.shutdown(SHUT_RDWR)

    def _sessions(self) -> int:
        return sum(not client.closed for client in list(self._server.eio.sockets.values()))

    def _connection(self, sid: str) -> Any:
        """Return the connection of a websocket; one that polls may share its own with other requests of a proxy."""
        environ = self._server.environ.get(sid, {})
        return environ.get("gunicorn.socket") if "HTTP_UPGRADE" in environ else None

    def _has_joined(self, sid: str) -> bool:
        manager = self._server.manager
        return bool(manager.is_connected(manager.sid_from_eio_sid(sid, self._namespace), self._namespace))


def _parting(make: Callable[[Any, Any], Any], handler: Any, server: Any) -> Any:
    """Return a websocket whose client may hang up while it says goodbye: Engine.IO's thread would die of it."""
    websocket = make(handler, server)
    say_goodbye = websocket.close

    def close() -> None:
        with suppress(OSError, ConnectionClosed):
            say_goodbye()

    websocket.close = close
    return websocket
