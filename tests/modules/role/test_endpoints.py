"""Roles and permissions over HTTP."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask_socketio.test_client import SocketIOTestClient as Viewer

from application.extensions import socketio
from application.modules.monitor.sockets import MonitorNamespace
from application.permissions import Permission
from tests.conftest import Caller
from tests.parallel import at_once
from tests.tables import count_rows
from tests.waiting import wait_until

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
EDITOR = {"name": "editor", "description": "Keeps the tags in order.", "permissions": ["tag:manage", "tag:create"]}


def made(admin: Caller, **changes: object) -> dict[str, Any]:
    answer = admin.client.post("/api/v1/role", json=EDITOR | changes)
    assert answer.status_code == 201, answer.text
    role: dict[str, Any] = answer.get_json()["data"]
    return role


def by_name(admin: Caller, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = admin.client.get(f"/api/v1/role?name={name}").get_json()["data"]
    return found[0]


def give(admin: Caller, user: Caller, *roles: str) -> None:
    assert admin.client.patch(f"/api/v1/user/{user.id}", json={"roles": list(roles)}).status_code == 200


@pytest.fixture
def manager(admin: Caller, ada: Caller) -> Caller:
    """Return who manages roles and may else do no more than a user."""
    made(admin, name="manager", permissions=["role:manage"])
    give(admin, ada, "user", "manager")
    return ada


class TestIndex:
    def test_lists_roles_in_pages_and_by_filters(self, admin: Caller) -> None:
        role = made(admin)
        whole = admin.client.get("/api/v1/role?count=true").get_json()
        assert [one["name"] for one in whole["data"]] == ["admin", "editor", "user"]
        assert (whole["data"][1], whole["page"]["total"]) == (role, 3)
        first = admin.client.get("/api/v1/role?limit=2&sort=-name").get_json()
        rest = admin.client.get(f"/api/v1/role?limit=2&sort=-name&after={first['page']['next']}").get_json()
        assert [one["name"] for one in first["data"] + rest["data"]] == ["user", "editor", "admin"]
        found = admin.client.get("/api/v1/role?is_builtin=false&q=ED&fields=name").get_json()
        assert found["data"] == [{"name": "editor"}]


class TestCreate:
    def test_gives_the_role(self, admin: Caller) -> None:
        role = made(admin)
        assert (role["permissions"], role["is_builtin"]) == (["tag:create", "tag:manage"], False)
        assert admin.client.get(f"/api/v1/role/{role['id']}").get_json()["data"] == role

    @pytest.mark.parametrize(
        ("change", "loc"),
        [
            ({"name": ""}, ["body", "name"]),
            ({"name": "x" * 51}, ["body", "name"]),
            ({"description": "x" * 201}, ["body", "description"]),
            ({"permissions": ["tag:manage", "tag:eat"]}, ["body", "permissions", 1]),
            ({"permissions": None}, ["body", "permissions"]),
            ({"is_builtin": True}, ["body", "is_builtin"]),
        ],
    )
    def test_refuses_a_faulty_field_by_name(
        self, app: Flask, admin: Caller, change: dict[str, object], loc: list[str | int]
    ) -> None:
        response = admin.client.post("/api/v1/role", json=EDITOR | change)
        assert response.status_code == 422
        assert [error["loc"] for error in response.get_json()["errors"]] == [loc]
        assert count_rows(app, "role") == 2

    def test_refuses_a_taken_name(self, admin: Caller) -> None:
        response = admin.client.post("/api/v1/role", json=EDITOR | {"name": "admin"})
        assert (response.status_code, response.get_json()["code"]) == (409, "name_taken")

    def test_lets_who_manages_roles_not_beyond_what_they_hold(self, manager: Caller, admin: Caller) -> None:
        editor, own = made(admin), by_name(admin, "manager")
        refused = [
            manager.client.post("/api/v1/role", json=EDITOR | {"name": "mine"}),
            manager.client.patch(f"/api/v1/role/{own['id']}", json={"permissions": ["role:manage", "user:manage"]}),
            manager.client.put(f"/api/v1/role/{editor['id']}", json=EDITOR | {"permissions": []}),
            manager.client.delete(f"/api/v1/role/{editor['id']}"),
        ]
        found = [(one.status_code, one.get_json()["code"]) for one in refused]
        assert found == [(403, "permission_not_held")] * len(refused)
        assert made(manager, permissions=["tag:create"], name="mine")["permissions"] == ["tag:create"]


class TestReplace:
    def test_replaces_all_of_a_role(self, admin: Caller) -> None:
        role = made(admin)
        response = admin.client.put(f"/api/v1/role/{role['id']}", json={"name": "reader", "permissions": []})
        changed = response.get_json()["data"]
        assert (changed["name"], changed["description"], changed["permissions"]) == ("reader", "", [])

    def test_finds_no_unknown_role(self, admin: Caller) -> None:
        assert admin.client.put(f"/api/v1/role/{UNKNOWN}", json=EDITOR).status_code == 404


class TestUpdate:
    def test_counts_for_the_next_request(self, admin: Caller, ada: Caller) -> None:
        role = made(admin)
        give(admin, ada, "editor")
        for permissions, status in ((["user:manage"], 200), ([], 403)):
            address = f"/api/v1/role/{role['id']}"
            assert admin.client.patch(address, json={"permissions": permissions}).status_code == 200
            assert ada.client.get("/api/v1/user").status_code == status
            assert ada.client.get("/api/v1/auth/me").get_json()["data"]["permissions"] == permissions

    def test_keeps_the_admin_as_it_is(self, admin: Caller) -> None:
        role = by_name(admin, "admin")
        assert role["permissions"] == sorted(Permission)
        response = admin.client.patch(f"/api/v1/role/{role['id']}", json={"permissions": []})
        assert (response.status_code, response.get_json()["code"]) == (409, "role_built_in")

    @pytest.mark.parametrize("field", ["name", "description", "permissions"])
    def test_refuses_null(self, admin: Caller, field: str) -> None:
        assert admin.client.patch(f"/api/v1/role/{made(admin)['id']}", json={field: None}).status_code == 422

    def test_lets_one_of_two_win_who_saw_the_same(self, admin: Caller) -> None:
        address = f"/api/v1/role/{made(admin)['id']}"
        headers = {"If-Match": admin.client.get(address).headers["ETag"]}
        changes = [{"permissions": ["tag:create"]}, {"permissions": ["tag:manage"]}]
        calls = [partial(admin.client.patch, address, json=body, headers=headers) for body in changes]
        assert sorted(answer.status_code for answer in at_once(calls)) == [200, 412]


class TestDelete:
    def test_refuses_a_role_that_somebody_has(self, admin: Caller, ada: Caller) -> None:
        role = made(admin)
        give(admin, ada, "editor")
        response = admin.client.delete(f"/api/v1/role/{role['id']}")
        assert (response.status_code, response.get_json()["code"]) == (409, "role_in_use")
        give(admin, ada)
        assert admin.client.delete(f"/api/v1/role/{role['id']}").status_code == 204
        assert admin.client.delete(f"/api/v1/role/{role['id']}").status_code == 404

    def test_races_with_who_is_given_the_role(self, app: Flask, admin: Caller, ada: Caller, bob: Caller) -> None:
        role = made(admin)
        calls = [partial(admin.client.delete, f"/api/v1/role/{role['id']}")] + [
            partial(admin.client.patch, f"/api/v1/user/{user.id}", json={"roles": ["editor"]}) for user in (ada, bob)
        ]
        deleted, *given = [answer.status_code for answer in at_once(calls)]
        held = count_rows(app, "user_role", role="editor")
        assert (deleted, set(given), held) in ((204, {422}, 0), (409, {200}, 2), (409, {200, 422}, 1))


class TestPermissions:
    def test_lists_each_with_what_it_opens_and_who_holds_it(self, admin: Caller) -> None:
        made(admin)
        found = {one["name"]: one for one in admin.client.get("/api/v1/permission").get_json()["data"]}
        assert list(found) == list(Permission)
        assert found["tag:create"] == {
            "name": "tag:create",
            "description": "Create tags.",
            "routes": [{"method": "POST", "path": f"/api/{version}/tag"} for version in ("v1", "v2")],
            "roles": ["admin", "editor", "user"],
        }
        assert {"method": "GET", "path": "/scheduler/jobs/{job_id}"} in found["scheduler:manage"]["routes"]
        assert found["file:manage"]["routes"] == []

    def test_speaks_chinese(self, admin: Caller) -> None:
        answer = admin.client.get("/api/v1/permission", headers={"Accept-Language": "zh-CN"})
        assert "创建标签。" in [one["description"] for one in answer.get_json()["data"]]


class TestSockets:
    @pytest.fixture
    def viewer(self, app: Flask, ada: Caller) -> Iterator[Viewer]:
        """Return a user who watches the live statistics."""
        socketio.on_namespace(MonitorNamespace("/ws", app))  # the one there is belongs to the application built last
        viewer = Viewer(app, socketio, namespace="/ws", auth={"token": ada.token})
        yield viewer
        if viewer.is_connected("/ws"):
            viewer.disconnect("/ws")

    def test_are_closed_once_the_role_lets_its_holders_watch_no_more(self, admin: Caller, viewer: Viewer) -> None:
        assert viewer.is_connected("/ws")
        role = by_name(admin, "user")
        body = {"permissions": [one for one in role["permissions"] if one != "monitor:view"]}
        assert admin.client.patch(f"/api/v1/role/{role['id']}", json=body).status_code == 200
        wait_until(lambda: not viewer.is_connected("/ws"), 5, lambda: "still connected")
