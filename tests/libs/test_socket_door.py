"""The door before Socket.IO, with a real server behind it; websockets pass it in tests/e2e/test_sockets_flood.py."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import socketio
from werkzeug.test import EnvironBuilder

from application.libs.error import Unavailable
from application.libs.socket_door import Door

HANDSHAKE = "EIO=4&transport=polling"


@pytest.fixture
def server() -> Iterator[socketio.Server]:
    """Return a Socket.IO server with the namespace `/ws` that leaves no thread behind."""
    server = socketio.Server(async_mode="threading", namespaces=["/ws"], monitor_clients=False, ping_interval=0.1)
    yield server
    for client in server.eio.sockets.values():
        client.close(wait=False)


def door_to(server: socketio.Server, **options: Any) -> Door:
    return Door(socketio.WSGIApp(server), server, namespace="/ws", **({"limit": 2} | options))


def ask(door: Door, query: str, **options: Any) -> str:
    """Send a request; return its status."""
    statuses: list[str] = []
    environ = EnvironBuilder("/socket.io/", query_string=query, **options).get_environ()
    for _ in door(environ, lambda status, *_rest: statuses.append(status)):
        pass
    return statuses[0]


class TestCall:
    def test_lets_in_as_many_as_there_is_room_for(self, server: socketio.Server) -> None:
        door = door_to(server)
        assert [ask(door, HANDSHAKE) for _ in range(2)] == ["200 OK"] * 2
        with pytest.raises(Unavailable) as refused:
            ask(door, HANDSHAKE)
        assert refused.value.headers == {"Retry-After": "5"}
        assert door.inside == 0

    def test_serves_who_is_in_when_it_is_full(self, server: socketio.Server) -> None:
        door = door_to(server, limit=1)
        ask(door, HANDSHAKE)
        (sid,) = server.eio.sockets
        assert ask(door, f"{HANDSHAKE}&sid={sid}", method="POST", data="40/ws,") == "200 OK"


class TestSweep:
    def test_closes_who_has_joined_nothing(self, server: socketio.Server) -> None:
        door = door_to(server, patience_seconds=0)
        for _ in range(2):
            ask(door, HANDSHAKE)
        silent, viewer = list(server.eio.sockets)
        server._handle_connect(viewer, "/ws", None)
        sockets = dict(server.eio.sockets)
        door.sweep()
        door.sweep()
        assert (sockets[silent].closed, sockets[viewer].closed) == (True, False)
        assert ask(door, HANDSHAKE) == "200 OK"

    def test_is_patient(self, server: socketio.Server) -> None:
        door = door_to(server)
        ask(door, HANDSHAKE)
        door.sweep()
        door.sweep()
        assert not any(client.closed for client in server.eio.sockets.values())


class TestWebSocket:
    @pytest.mark.parametrize("mode", ["threading", "gevent"])
    def test_says_goodbye_in_silence_to_who_has_left(self, mode: str) -> None:
        server = socketio.Server(async_mode=mode, namespaces=["/ws"], monitor_clients=False)
        door_to(server)
        ours, theirs = socket.socketpair()
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        headers["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
        environ = EnvironBuilder(headers=list(headers.items())).get_environ()
        environ["gunicorn.socket"] = ours
        closed: list[bool] = []

        def talk(websocket: Any) -> None:
            theirs.close()
            ours.close()  # as its reader does when the client hangs up, a moment before it says so
            websocket.ws.connected = True
            websocket.close()
            closed.append(True)

        with pytest.raises(StopIteration):  # how gunicorn is told that nothing is to be answered
            server.eio._async["websocket"](talk, server.eio)(environ, lambda *_any: None)
        assert closed == [True]
