"""Live memory over Socket.IO: who is let in, what is sent, and that the sampler stops with the last viewer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_socketio.test_client import SocketIOTestClient as Viewer

from application.config.setting import Environment
from application.database import change, transaction
from application.extensions import socketio
from application.libs.background import background_of
from application.libs.clock import now
from application.libs.remote import SOMEBODY
from application.modules.monitor.sockets import MonitorNamespace
from application.modules.session import business as sessions
from application.modules.session.models import Session
from application.modules.user import business as user_business
from application.permissions import Permission
from tests.applications import migrated
from tests.conftest import Caller, SignIn
from tests.services import DATABASES, fresh_database
from tests.tables import count_rows
from tests.waiting import wait_until

MOST_SECONDS = 2.0
"""After which nobody is connected by a session that has ended: one, and as much again for a busy machine."""


@pytest.fixture
def viewers(app: Flask) -> Iterator[list[Viewer]]:
    """Collect clients and disconnect them afterwards."""
    socketio.on_namespace(MonitorNamespace("/ws", app))  # the one there is belongs to the application built last
    connected: list[Viewer] = []
    yield connected
    for viewer in connected:
        if viewer.is_connected("/ws"):
            viewer.disconnect("/ws")


def _connect(app: Flask, viewers: list[Viewer], auth: Any, cookie: str | None = None) -> Viewer:
    headers = None if cookie is None else {"Cookie": cookie}
    viewer = Viewer(app, socketio, namespace="/ws", auth=auth, headers=headers)
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

    def test_refuses_an_expired_token(self, app: Flask, viewers: list[Viewer], ada: Caller) -> None:
        with app.app_context(), transaction():
            change(sa.update(Session).values(access_expires_at=now()))
        assert not _connect(app, viewers, {"token": ada.token}).is_connected("/ws")

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


class TestCookie:
    """Pages of this site are known by their cookie, and a token beside it that no other page can read."""

    @pytest.fixture
    def cookie(self, app: Flask, ada: Caller) -> str:
        """Sign a user in by a browser."""
        with app.app_context(), transaction():
            return sessions.begin_in_browser(ada.id, client=SOMEBODY).token

    @staticmethod
    def csrf(app: Flask, cookie: str) -> str:
        found: str = app.extensions["browser_sessions"].csrf(cookie)
        return found

    def test_lets_in_beside_its_token(self, app: Flask, viewers: list[Viewer], cookie: str) -> None:
        auth = {"csrf": self.csrf(app, cookie)}
        for header in (f"redprint={cookie}", f'theirs={{"a": 1}}; redprint={cookie}'):
            received = _connect(app, viewers, auth, header).get_received("/ws")
            assert [event["name"] for event in received] == ["connected", "server_response"]

    @pytest.mark.parametrize("csrf", [None, "", "another", "\xe9", "\ud800", 1, ["{}"], "{}x"], ids=repr)
    def test_refuses_a_wrong_token_or_none(self, app: Flask, viewers: list[Viewer], cookie: str, csrf: object) -> None:
        shown = csrf.format(self.csrf(app, cookie)) if isinstance(csrf, str) else csrf
        assert not _connect(app, viewers, {"csrf": shown}, f"redprint={cookie}").is_connected("/ws")

    @pytest.mark.parametrize("auth", [None, {}, [], "text"])
    def test_refuses_a_cookie_by_itself(self, app: Flask, viewers: list[Viewer], cookie: str, auth: Any) -> None:
        assert not _connect(app, viewers, auth, f"redprint={cookie}").is_connected("/ws")

    def test_refuses_a_token_by_itself(self, app: Flask, viewers: list[Viewer], cookie: str) -> None:
        auth = {"csrf": self.csrf(app, cookie)}
        for header in (None, "redprint=", "redprint=another", f"__Host-redprint={cookie}", "\x00"):
            assert not _connect(app, viewers, auth, header).is_connected("/ws")

    def test_is_no_token_of_a_client(self, app: Flask, viewers: list[Viewer], cookie: str, ada: Caller) -> None:
        assert not _connect(app, viewers, {"token": cookie}).is_connected("/ws")
        auth = {"csrf": self.csrf(app, ada.token)}
        assert not _connect(app, viewers, auth, f"redprint={ada.token}").is_connected("/ws")

    def test_refuses_one_that_has_ended(self, app: Flask, viewers: list[Viewer], cookie: str, ada: Caller) -> None:
        with app.app_context(), transaction():
            change(sa.update(Session).where(Session.user_id == ada.id).values(access_expires_at=now()))
        assert not _connect(app, viewers, {"csrf": self.csrf(app, cookie)}, f"redprint={cookie}").is_connected("/ws")

    def test_that_ends_closes_the_connection(
        self, app: Flask, viewers: list[Viewer], cookie: str, ada: Caller, bob: Caller
    ) -> None:
        going = _connect(app, viewers, {"csrf": self.csrf(app, cookie)}, f"redprint={cookie}")
        staying = _connect(app, viewers, {"token": bob.token})
        with app.app_context(), transaction():
            sessions.revoke_all(ada.id)
        wait_until(lambda: not going.is_connected("/ws"), MOST_SECONDS)
        assert staying.is_connected("/ws")

    @pytest.mark.one_database
    def test_that_is_wrong_is_refused_where_anybody_may_look(self, tmp_path: Path, viewers: list[Viewer]) -> None:
        settings = {"environment": Environment.TESTING, "ws_open": True}
        with fresh_database(DATABASES[0], tmp_path) as url, migrated(url, tmp_path, **settings) as app:
            assert _connect(app, viewers, None).is_connected("/ws")
            assert _connect(app, viewers, None, "redprint=ended").is_connected("/ws")
            for auth in ({"token": "wrong"}, {"csrf": "wrong"}):
                assert not _connect(app, viewers, auth, "redprint=ended").is_connected("/ws")
            for viewer in viewers:
                if viewer.is_connected("/ws"):
                    viewer.disconnect("/ws")
