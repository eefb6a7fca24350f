"""How far tasks are, over Socket.IO: who is told, of which, and until when."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask_socketio.test_client import SocketIOTestClient as Viewer

from application.config.setting import Environment
from application.database import transaction
from application.extensions import socketio
from application.libs.clock import now
from application.modules.monitor.sockets import MOST_TASKS, TASK_SECONDS, MonitorNamespace
from application.modules.task.business import Wish
from application.modules.user import business as user_business
from application.permissions import Role
from tests.conftest import Caller, SignIn
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows, engine, make_engine, rows
from tests.waiting import wait_until

__all__ = ["engine", "make_engine", "rows"]

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


class Watcher:
    """Watch tasks over a socket."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.told: list[dict[str, Any]] = []

    def watch(self, task_id: object) -> Any:
        """Return what the server says to that."""
        return self.emit("watch_task", {"id": task_id})

    def emit(self, event: str, *body: object) -> Any:
        return self.viewer.emit(event, *body, namespace="/ws", callback=True)

    def progress(self) -> list[dict[str, Any]]:
        """Return all that was told of tasks up to now."""
        received = self.viewer.get_received("/ws") if self.viewer.is_connected("/ws") else []
        self.told += [one["args"][0] for one in received if one["name"] == "task_progress"]
        return self.told

    def await_progress(self, number: int = 1) -> list[dict[str, Any]]:
        """Wait until so much was told."""
        wait_until(lambda: len(self.progress()) >= number, 10, lambda: f"told {self.told}")
        return self.told


class Sockets:
    """Connect watchers; all are disconnected in the end."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.namespace = MonitorNamespace("/ws", app)
        self.viewers: list[Viewer] = []
        socketio.on_namespace(self.namespace)  # the one there is belongs to the application built last

    def connect(self, caller: Caller | None) -> Watcher:
        auth = {} if caller is None else {"token": caller.token}
        self.viewers.append(Viewer(self.app, socketio, namespace="/ws", auth=auth))
        return Watcher(self.viewers[-1])


@pytest.fixture
def sockets(app: Flask) -> Iterator[Sockets]:
    sockets = Sockets(app)
    yield sockets
    for viewer in sockets.viewers:
        if viewer.is_connected("/ws"):
            viewer.disconnect("/ws")


def enqueue(rows: Rows, caller: Caller, **kwargs: Any) -> str:
    return rows.enqueue(specimen.add, Wish(created_by=caller.id), left=1, right=2, **kwargs)


class TestWatchTask:
    def test_says_how_far_it_is_as_the_api_does(self, ada: Caller, rows: Rows, sockets: Sockets) -> None:
        task_id = enqueue(rows, ada)
        shown = ada.client.get(f"/api/v1/task/{task_id}").get_json()["data"]
        assert sockets.connect(ada).watch(task_id) == shown

    def test_tells_what_changes_and_the_end_and_then_forgets_it(
        self, ada: Caller, rows: Rows, sockets: Sockets
    ) -> None:
        task_id = enqueue(rows, ada)
        watcher = sockets.connect(ada)
        watcher.watch(task_id)
        rows.change(task_id, state="running", current=1, total=3, message="one")
        watcher.await_progress(1)
        error = {"error_type": "OSError", "error_message": "/etc/passwd", "traceback": "…", "message": "It failed"}
        rows.change(task_id, state="failed", finished_at=now(), **error)
        first, last = watcher.await_progress(2)
        assert (first["state"], first["current"], first["total"], first["status"]) == ("running", 1, 3, "one")
        assert last == ada.client.get(f"/api/v1/task/{task_id}").get_json()["data"]
        assert (last["state"], last["error"]) == ("failed", None)
        wait_until(lambda: sockets.namespace.tasks.viewers == 0)

    @pytest.mark.usefixtures("engine")
    def test_follows_a_real_task_to_its_end(self, ada: Caller, rows: Rows, sockets: Sockets) -> None:
        watcher = sockets.connect(ada)
        task_id = rows.enqueue(specimen.count, Wish(created_by=ada.id), steps=15, pause_seconds=0.2)
        watcher.watch(task_id)
        wait_until(lambda: any(one["state"] == "done" for one in watcher.progress()), 20, lambda: str(watcher.told))
        steps = [one["current"] for one in watcher.told]
        assert steps == sorted(steps)
        assert len(set(steps)) >= 3
        assert (watcher.told[-1]["result"], watcher.told[-1]["total"]) == (15, 15)

    def test_says_the_end_at_once_to_who_comes_back(self, ada: Caller, rows: Rows, sockets: Sockets) -> None:
        task_id = enqueue(rows, ada)
        gone = sockets.connect(ada)
        gone.watch(task_id)
        gone.viewer.disconnect("/ws")
        wait_until(lambda: sockets.namespace.tasks.viewers == 0)
        rows.change(task_id, state="done", result="3", finished_at=now())
        assert sockets.connect(ada).watch(task_id)["result"] == 3
        assert sockets.namespace.tasks.viewers == 0

    def test_shows_managers_everybody_s_and_others_their_own(
        self, ada: Caller, bob: Caller, admin: Caller, rows: Rows, sockets: Sockets
    ) -> None:
        task_id = enqueue(rows, ada)
        other, manager = sockets.connect(bob), sockets.connect(admin)
        for unknown in (task_id, UNKNOWN):
            refused = other.watch(unknown)
            assert (refused["data"], refused["message"]) == ({"code": "task_not_found"}, "There is no such task.")
        assert manager.watch(task_id)["id"] == task_id
        rows.change(task_id, current=1, total=2)
        manager.await_progress()
        assert other.progress() == []

    @pytest.mark.parametrize("body", [None, "x", 1, [], {}, {"id": 1}, {"id": "x"}, {"id": UNKNOWN, "more": 1}])
    def test_refuses_what_names_no_task(self, ada: Caller, sockets: Sockets, body: object) -> None:
        watcher = sockets.connect(ada)
        assert watcher.emit("watch_task", body)["data"] == {"code": "invalid"}
        assert watcher.emit("watch_task")["data"] == {"code": "invalid"}
        assert watcher.emit("unwatch_task", body) in (None, [], ())

    def test_refuses_more_than_fifty(self, ada: Caller, rows: Rows, sockets: Sockets) -> None:
        watcher = sockets.connect(ada)
        ids = [enqueue(rows, ada) for _task in range(MOST_TASKS + 1)]
        answers = [watcher.watch(task_id) for task_id in ids]
        assert [one["id"] for one in answers[:-1]] == ids[:-1]
        assert answers[-1]["data"] == {"code": "too_many_requests"}
        watcher.emit("unwatch_task", {"id": ids[0]})
        assert watcher.watch(ids[-1])["id"] == ids[-1]

    def test_refuses_who_shows_no_token(self, app: Flask, ada: Caller, rows: Rows, sockets: Sockets) -> None:
        settings = app.extensions["settings"]
        app.extensions["settings"] = settings.model_copy(update={"environment": Environment.TESTING, "ws_open": True})
        try:
            watcher = sockets.connect(None)
        finally:
            app.extensions["settings"] = settings
        assert watcher.watch(enqueue(rows, ada))["data"] == {"code": "unauthenticated"}


class TestUnwatchTask:
    def test_ends_it(self, ada: Caller, rows: Rows, sockets: Sockets) -> None:
        kept, dropped = enqueue(rows, ada), enqueue(rows, ada)
        watcher = sockets.connect(ada)
        for task_id in (kept, dropped):
            watcher.watch(task_id)
        watcher.emit("unwatch_task", {"id": dropped})
        rows.change(dropped, current=1)
        rows.change(kept, current=1)
        assert [one["id"] for one in watcher.await_progress()] == [kept]
        time.sleep(2 * TASK_SECONDS)
        assert [one["id"] for one in watcher.progress()] == [kept]
        watcher.emit("unwatch_task", {"id": kept})
        assert sockets.namespace.tasks.viewers == 0


def end_token(app: Flask, caller: Caller) -> None:
    """Sign out."""
    assert caller.client.post("/api/v1/auth/logout").status_code == 204


def take_management(app: Flask, caller: Caller) -> None:
    """Make an administrator a user."""
    with app.app_context(), transaction():
        user_business.update(caller.id, roles=[Role.USER])


def take_all_roles(app: Flask, caller: Caller) -> None:
    """Leave a user without any permission."""
    with app.app_context(), transaction():
        user_business.update(caller.id, roles=[])


class TestLoss:
    @pytest.mark.usefixtures("admin")  # eve may then be none any longer
    @pytest.mark.parametrize("lose", [end_token, take_management, take_all_roles])
    def test_of_token_or_permission_ends_what_is_told(
        self, app: Flask, ada: Caller, sign_in: SignIn, rows: Rows, sockets: Sockets, lose: Callable[..., None]
    ) -> None:
        eve = sign_in("eve", Role.ADMIN)
        task_id = enqueue(rows, ada)
        staying, going = sockets.connect(ada), sockets.connect(eve)
        for watcher in (staying, going):
            watcher.watch(task_id)
        rows.change(task_id, current=1)
        for watcher in (staying, going):
            watcher.await_progress(1)
        lose(app, eve)
        rows.change(task_id, current=2)
        staying.await_progress(2)
        rows.change(task_id, current=3)
        staying.await_progress(3)
        assert [one["current"] for one in going.progress()] == [1]
        if lose is take_management:
            own = enqueue(rows, eve)
            assert going.watch(task_id)["data"] == {"code": "task_not_found"}
            assert going.watch(own)["id"] == own
