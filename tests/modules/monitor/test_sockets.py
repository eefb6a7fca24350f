"""Live memory over Socket.IO: who is let in, what is sent, and that the sampler stops with the last viewer."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_socketio.test_client import SocketIOTestClient as Viewer

from application.database import transaction
from application.extensions import socketio
from application.libs.background import background_of
from application.modules.user import business as user_business
from application.permissions import Permission
from tests.conftest import Caller, SignIn
from tests.tables import count_rows


@pytest.fixture
def viewers(app: Flask) -> Iterator[list[Viewer]]:
    """Collect clients and disconnect them afterwards."""
    connected: list[Viewer] = []
    yield connected
    for viewer in connected:
        if viewer.is_connected("/ws"):
            viewer.disconnect("/ws")


def _connect(app: Flask, viewers: list[Viewer], auth: Any) -> Viewer:
    viewer = Viewer(app, socketio, namespace="/ws", auth=auth)
    viewers.append(viewer)
    return viewer


class TestOnConnect:
    def test_greets_and_sends_memory_at_once(self, app: Flask, viewers: list[Viewer], ada: Caller) -> None:
        received = _connect(app, viewers, {"token": ada.token}).get_received("/ws")
        assert [event["name"] for event in received] == ["connected", "server_response"]
        assert received[0]["args"] == [{"data": "连接成功"}]
        assert received[1]["args"][0]["data"]["total"] > 0

    @pytest.mark.parametrize("auth", [None, {}, {"token": "no such token"}, {"token": 1}, [], "text", {"token": None}])
    def test_refuses_who_shows_no_valid_token(self, app: Flask, viewers: list[Viewer], auth: Any) -> None:
        assert not _connect(app, viewers, auth).is_connected("/ws")

    def test_refuses_who_lacks_the_permission(self, app: Flask, viewers: list[Viewer], sign_in: SignIn) -> None:
        nobody = sign_in("nobody")
        with app.app_context(), transaction():
            user_business.update(nobody.id, roles=[])
        assert not _connect(app, viewers, {"token": nobody.token}).is_connected("/ws")

    def test_lets_keys_in_that_are_for_it(self, app: Flask, viewers: list[Viewer], ada: Caller) -> None:
        for permission in (Permission.MONITOR_VIEW, Permission.TAG_CREATE):
            body = {"name": "screen", "permissions": [permission]}
            made = ada.client.post("/api/v1/key", json=body).get_json()["data"]
            viewer = _connect(app, viewers, {"token": made["key"]})
            assert viewer.is_connected("/ws") == (permission == Permission.MONITOR_VIEW)
        assert background_of(app).drain(10) == 0
        assert count_rows(app, "api_key", last_used_at=None) == 0

    def test_keeps_threads_free_for_requests(self, app: Flask, viewers: list[Viewer], ada: Caller) -> None:
        room = app.extensions["settings"].socket_limit - 1
        connected = [_connect(app, viewers, {"token": ada.token}).is_connected("/ws") for _ in range(room + 1)]
        assert connected == [True] * room + [False]
