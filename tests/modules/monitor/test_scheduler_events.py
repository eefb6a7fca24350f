"""What the scheduler does, over Socket.IO: who is told, from where on, and that nothing is left out."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_socketio.test_client import SocketIOTestClient as Viewer

from application.config.setting import Environment
from application.database import transaction
from application.extensions import socketio
from application.libs import clock
from application.modules.monitor.sockets import EVENT_SECONDS, MonitorNamespace
from application.modules.scheduler.business import event
from application.modules.scheduler.models import EventBatch
from application.modules.session.models import Session
from application.modules.user import business as user_business
from application.permissions import Role
from tests.conftest import Caller, SignIn
from tests.modules.scheduler.conftest import Ledger

MOST_SECONDS = 2.0
"""After which nobody is connected by a session that has ended: one, and as much again for a busy machine."""


def end_token(ledger: Ledger, caller: Caller) -> None:
    """Sign out."""
    assert caller.client.post("/api/v1/auth/logout").status_code == 204


def let_expire(ledger: Ledger, caller: Caller) -> None:
    """Let time pass."""
    ledger.change(sa.update(Session).where(Session.user_id == caller.id).values(expires_at=clock.now()))


def take_role(ledger: Ledger, caller: Caller) -> None:
    """Make an administrator a user."""
    with ledger.app.app_context(), transaction():
        user_business.update(caller.id, roles=[Role.USER])


def take_all_roles(ledger: Ledger, caller: Caller) -> None:
    """Leave a user without any permission."""
    with ledger.app.app_context(), transaction():
        user_business.update(caller.id, roles=[])


def delete_user(ledger: Ledger, caller: Caller) -> None:
    """Delete the account."""
    with ledger.app.app_context(), transaction():
        user_business.delete(caller.id)


LOSSES: dict[str, Callable[[Ledger, Caller], None]] = {
    "token": end_token,
    "time": let_expire,
    "role": take_role,
    "every role": take_all_roles,
    "user": delete_user,
}
"""What lets a viewer see the scheduler's events no longer; only who keeps the role of a user stays connected."""

Connect = Callable[[dict[str, Any]], Viewer]


@pytest.fixture
def connect(app: Flask) -> Iterator[Connect]:
    """Return a function that connects with an `auth` payload; all are disconnected in the end."""
    connected: list[Viewer] = []
    socketio.on_namespace(MonitorNamespace("/ws", app))  # the one there is belongs to the application built last

    def connect(auth: dict[str, Any]) -> Viewer:
        connected.append(Viewer(app, socketio, namespace="/ws", auth=auth))
        return connected[-1]

    yield connect
    for viewer in connected:
        if viewer.is_connected("/ws"):
            viewer.disconnect("/ws")


@pytest.fixture
def ledger(app: Flask) -> Ledger:
    return Ledger(app)


def happen(app: Flask, *kinds: str) -> None:
    """Let something happen, and a leader number it."""
    with app.app_context(), transaction():
        for kind in kinds:
            event.note(kind, job_id="nightly", by="root")
        event.number()


def received(viewer: Viewer, *, until: Callable[[list[Any]], bool], seconds: float = 5) -> list[Any]:
    """Return the messages of the scheduler once there are enough of them."""
    messages: list[Any] = []
    deadline = time.monotonic() + seconds
    while True:
        messages += [one["args"][0] for one in viewer.get_received("/ws") if one["name"] == "scheduler_event"]
        if until(messages):
            return messages
        assert time.monotonic() < deadline, messages
        time.sleep(0.02)


def kinds(messages: list[Any]) -> list[str]:
    return [one["kind"] for message in messages for one in message["events"]]


class TestSchedulerEvents:
    def test_says_where_the_numbers_stand_and_then_what_happens(
        self, app: Flask, admin: Caller, connect: Connect
    ) -> None:
        happen(app, "added")
        viewer = connect({"token": admin.token})
        assert received(viewer, until=bool) == [{"events": [], "last": 1, "reset": False}]
        happen(app, "paused", "resumed")
        (message,) = received(viewer, until=bool)
        assert (message["last"], message["reset"]) == (3, False)
        assert [(one["number"], one["kind"], one["by"]) for one in message["events"]] == [
            (2, "paused", "root"),
            (3, "resumed", "root"),
        ]
        assert message["events"][0]["at"].endswith("Z")

    def test_sends_what_was_missed_to_who_comes_back(self, app: Flask, admin: Caller, connect: Connect) -> None:
        happen(app, "added")
        first = connect({"token": admin.token})
        last = received(first, until=bool)[-1]["last"]
        first.disconnect("/ws")
        happen(app, *["paused"] * 1500)
        happen(app, "removed")
        messages = received(connect({"token": admin.token, "after": last}), until=lambda got: len(kinds(got)) >= 1501)
        numbers = [one["number"] for message in messages for one in message["events"]]
        assert numbers == list(range(last + 1, last + 1502))

    def test_resets_who_was_away_for_too_long(
        self, app: Flask, admin: Caller, connect: Connect, ledger: Ledger
    ) -> None:
        happen(app, "added", "paused")
        ledger.change(sa.update(EventBatch).values(at=clock.now() - timedelta(days=2)))
        happen(app, "resumed")
        with app.app_context(), transaction():
            event.prune(clock.now())
        viewer = connect({"token": admin.token, "after": 1})
        assert received(viewer, until=bool) == [{"events": [], "last": 3, "reset": True}]
        happen(app, "removed")
        assert kinds(received(viewer, until=bool)) == ["removed"]

    def test_tells_nothing_to_who_may_not_manage_the_scheduler(
        self, app: Flask, admin: Caller, ada: Caller, connect: Connect
    ) -> None:
        viewers = [connect({"token": ada.token, "after": 0})]
        settings = app.extensions["settings"]
        app.extensions["settings"] = settings.model_copy(update={"environment": Environment.TESTING, "ws_open": True})
        try:
            viewers.append(connect({"after": 0}))
        finally:
            app.extensions["settings"] = settings
        assert all(viewer.is_connected("/ws") for viewer in viewers)
        happen(app, "added")
        allowed = connect({"token": admin.token, "after": 0})
        received(allowed, until=bool)
        for viewer in viewers:
            assert {one["name"] for one in viewer.get_received("/ws")} <= {"connected", "server_response"}

    @pytest.mark.parametrize("loss", LOSSES)
    def test_tells_nothing_more_to_who_may_no_longer_see_it(
        self, app: Flask, admin: Caller, sign_in: SignIn, connect: Connect, ledger: Ledger, loss: str
    ) -> None:
        eve = sign_in("eve", Role.ADMIN)
        staying, going = connect({"token": admin.token}), connect({"token": eve.token})
        for viewer in (staying, going):
            received(viewer, until=bool)
        LOSSES[loss](ledger, eve)
        happen(app, "added", "paused")
        assert kinds(received(staying, until=bool)) == ["added", "paused"]
        deadline = time.monotonic() + MOST_SECONDS
        while going.is_connected("/ws") and loss != "role":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(2 * EVENT_SECONDS)
        assert "scheduler_event" not in {one["name"] for one in going.queue}
        assert staying.is_connected("/ws")

    @pytest.mark.parametrize("after", ["1", -1, 2**63, 1.5, True, [], {}])
    def test_refuses_what_is_no_number(self, admin: Caller, connect: Connect, after: object) -> None:
        assert not connect({"token": admin.token, "after": after}).is_connected("/ws")
