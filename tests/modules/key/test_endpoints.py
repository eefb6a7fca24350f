"""Keys for machines over HTTP: made and shown once, within their permissions, refused where people are meant."""

import re
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.libs.auth import ANY_KEY
from application.libs.background import background_of
from application.libs.ident import new_id
from application.libs.redprint import Mounted, machinery
from application.modules.key import business
from application.permissions import PEOPLE_ONLY, Permission, Role
from tests.conftest import Caller, SignIn
from tests.modules.key.conftest import ClientOf, MakeKey
from tests.tables import count_rows

BODY = {"name": "import", "permissions": ["tag:create"]}


def created(caller: Caller, **changes: Any) -> dict[str, Any]:
    response = caller.client.post("/api/v1/key", json=BODY | changes)
    assert response.status_code == 201, response.text
    data: dict[str, Any] = response.get_json()["data"]
    return data


class TestCreate:
    def test_shows_the_key_once(self, app: Flask, ada: Caller) -> None:
        response = ada.client.post("/api/v1/key", json=BODY)
        made = response.get_json()["data"]
        assert re.fullmatch(r"rp_[a-z2-7]{8}_[A-Za-z0-9_-]{43}", made["key"])
        assert made["key"].startswith(f"{made['prefix']}_")
        assert "no-store" in response.headers["Cache-Control"]
        key = made.pop("key")
        for path in ("/api/v1/key", f"/api/v1/key/{made['id']}"):
            answer = ada.client.get(path)
            assert key[12:] not in answer.text
            data = answer.get_json()["data"]
            assert (data[0] if isinstance(data, list) else data) == made

    def test_is_not_kept_under_an_idempotency_key(self, app: Flask, ada: Caller) -> None:
        headers = {"Idempotency-Key": '"once"'}
        answers = [ada.client.post("/api/v1/key", json=BODY, headers=headers) for _try in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert len({answer.get_json()["data"]["key"] for answer in answers}) == 2
        assert count_rows(app, "idempotency_key") == 0

    @pytest.mark.parametrize("permission", ["tag:manage", "user:manage"])
    def test_refuses_what_the_caller_may_not_give(self, app: Flask, ada: Caller, permission: str) -> None:
        response = ada.client.post("/api/v1/key", json=BODY | {"permissions": ["tag:create", permission]})
        assert (response.status_code, response.get_json()["code"]) == (403, "not_yours_to_give")
        assert count_rows(app, "api_key") == 0

    def test_says_when_there_are_too_many(self, ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(business, "MOST_KEYS", 1)
        created(ada)
        assert ada.client.post("/api/v1/key", json=BODY).get_json()["code"] == "too_many_keys"

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"permissions": []}, "permissions"),
            ({"permissions": ["no:such"]}, "permissions"),
            ({"expires_in_days": 0}, "expires_in_days"),
            ({"expires_in_days": 367}, "expires_in_days"),
            ({"name": " "}, "name"),
            ({"key": "rp_mine"}, "key"),
            ({"user_id": new_id()}, "user_id"),
        ],
    )
    def test_names_what_is_faulty(self, ada: Caller, changes: dict[str, Any], field: str) -> None:
        response = ada.client.post("/api/v1/key", json=BODY | changes)
        assert response.status_code == 422
        assert {error["loc"][1] for error in response.get_json()["errors"]} == {field}


class TestIndex:
    def test_lists_ones_own_and_for_who_manages_users_those_of_a_user(
        self, ada: Caller, bob: Caller, admin: Caller
    ) -> None:
        own = [created(ada, name=name)["id"] for name in ("first", "second")]
        of_bob = created(bob)["id"]

        def listed(caller: Caller, query: str = "") -> list[str]:
            return [item["id"] for item in caller.client.get(f"/api/v1/key{query}").get_json()["data"]]

        assert listed(ada) == own[::-1]
        assert listed(ada, "?sort=name&limit=1") == own[:1]
        assert listed(ada, "?name__contains=COND") == own[1:]
        assert listed(ada, f"?user_id={bob.id}") == []
        assert listed(admin) == []
        assert listed(admin, f"?user_id={bob.id}") == [of_bob]


class TestShow:
    def test_hides_what_is_another_users(self, ada: Caller, bob: Caller, admin: Caller) -> None:
        path = f"/api/v1/key/{created(ada)['id']}"
        for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"name": "b"})):
            response = bob.client.open(path, method=method, json=body)
            assert (response.status_code, response.get_json()["code"]) == (404, "key_not_found")
        assert ada.client.get(path).get_json()["data"]["name"] == "import"
        assert admin.client.get(path).status_code == 200


class TestUpdate:
    def test_changes_the_name_and_nothing_else(self, ada: Caller) -> None:
        made = created(ada)
        path = f"/api/v1/key/{made['id']}"
        assert ada.client.patch(path, json={}).get_json()["data"]["name"] == "import"
        assert ada.client.patch(path, json={"name": "b"}).get_json()["data"]["name"] == "b"
        for change in ({"permissions": ["blog:write"]}, {"expires_in_days": 9}, {"name": None}):
            assert ada.client.patch(path, json=change).status_code == 422


class TestDelete:
    def test_acts_at_once(self, ada: Caller, admin: Caller, client_of: ClientOf) -> None:
        for who in (ada, admin):
            made = created(ada)
            assert client_of(made["key"]).get("/api/v1/auth/me").status_code == 200
            assert who.client.delete(f"/api/v1/key/{made['id']}").status_code == 204
            response = client_of(made["key"]).get("/api/v1/auth/me")
            assert (response.status_code, response.get_json()["code"]) == (401, "unauthenticated")


class TestKey:
    def test_acts_as_its_user_within_its_permissions(self, ada: Caller, client_of: ClientOf) -> None:
        client = client_of(created(ada)["key"])
        assert client.get("/api/v1/auth/me").get_json()["data"] == {
            "id": ada.id,
            "name": "ada",
            "roles": [],
            "permissions": ["tag:create"],
        }
        assert client.post("/api/v1/tag", json={"name": "flask"}).status_code == 201
        refused = client.post("/api/v1/blog", json={"title": "a", "content": "b"})
        assert (refused.status_code, refused.get_json()["code"]) == (403, "permission_missing")

    def test_sees_private_things_only_with_the_permission_to_change_them(
        self, ada: Caller, client_of: ClientOf
    ) -> None:
        body = {"title": "a", "content": "b", "status": "draft"}
        draft = ada.client.post("/api/v1/blog", json=body).get_json()["data"]["id"]
        sent = ada.client.post("/api/v1/file", data={"file": (BytesIO(b"text"), "a.txt")})
        paths = [f"/api/v1/blog/{draft}", "/api/v1/file", f"/api/v1/file/{sent.get_json()['data']['id']}/content"]
        for permissions, statuses in (
            (["tag:create"], [404, 403, 403]),
            (["blog:write"], [200, 403, 403]),
            (["file:write"], [404, 200, 200]),
        ):
            client = client_of(created(ada, permissions=permissions)["key"])
            assert [client.get(path).status_code for path in paths] == statuses
        assert [item["id"] for item in ada.client.get("/api/v1/blog").get_json()["data"]] == [draft]
        assert client.get("/api/v1/blog").get_json()["data"] == []

    @pytest.mark.one_database
    def test_is_refused_wherever_people_are_meant(
        self, app: Flask, admin: Caller, make_key: MakeKey, client_of: ClientOf
    ) -> None:
        every = [permission for permission in Permission if permission not in PEOPLE_ONLY]
        client, before = client_of(make_key(admin.id, *every).key), count_rows(app, "session")
        meant = [item for item in machinery(app).mounted if item.operation.refuses_keys]
        assert {item.operation.where.split(" ")[0] for item in meant} >= {
            f"application.modules.{name}"
            for name in ("auth.endpoints.logout", "key.endpoints.create", "key.endpoints.delete", "key.endpoints.index")
        }
        for item in meant:
            response = _ask(client, item)
            assert (response.status_code, response.get_json()["code"]) == (403, "key_refused"), item.endpoint
        for item in machinery(app).mounted:
            if item.operation.permission in PEOPLE_ONLY:
                assert _ask(client, item).get_json()["code"] == "permission_missing", item.endpoint
        assert count_rows(app, "session") == before

    @pytest.mark.one_database
    def test_opens_no_more_than_it_is_for(
        self, app: Flask, admin: Caller, make_key: MakeKey, client_of: ClientOf
    ) -> None:
        client = client_of(make_key(admin.id, Permission.MONITOR_VIEW).key)
        narrower = [
            item
            for item in machinery(app).mounted
            if (item.operation.permission or item.operation.scope) not in (None, ANY_KEY, Permission.MONITOR_VIEW)
        ]
        assert len(narrower) > 50
        for item in narrower:
            response = _ask(client, item)
            assert response.status_code == 403, item.endpoint
            assert response.get_json().get("code", "permission_missing") == "permission_missing"

    def test_is_not_taken_where_it_is_spoiled_or_elsewhere(self, client: FlaskClient, ada: Caller) -> None:
        made = created(ada)
        key, me = made["key"], "/api/v1/auth/me"
        other = key[:-1] + ("A" if key[-1] != "A" else "B")
        for value in (key[:-1], key[12:], made["prefix"], key.upper(), other, f"{key}x", f"{key}\t{key}"):
            assert client.get(me, headers={"Authorization": f"Bearer {value}"}).status_code == 401, value
        assert client.get(me, headers={"Authorization": f"Basic {key}"}).status_code == 401
        assert client.get(me, headers={"X-API-Key": key}).status_code == 401
        client.set_cookie("token", key)
        for query in ("", f"?token={key}", f"?key={key}", f"?access_token={key}"):
            assert client.get(f"{me}{query}").status_code == 401

    def test_says_when_and_from_where_it_was_used_also_where_it_was_refused(
        self, app: Flask, ada: Caller, client_of: ClientOf
    ) -> None:
        for path, status in (("/api/v1/auth/me", 200), ("/api/v1/key", 403)):
            made = created(ada)
            response = client_of(made["key"]).get(path, environ_base={"REMOTE_ADDR": "192.0.2.7"})
            assert response.status_code == status
            assert background_of(app).drain(10) == 0
            shown = ada.client.get(f"/api/v1/key/{made['id']}").get_json()["data"]
            assert shown["last_used_at"] >= made["created_at"]
            assert shown["last_used_address"] == "192.0.2.7"

    def test_loses_what_its_user_loses(self, app: Flask, sign_in: SignIn, admin: Caller, client_of: ClientOf) -> None:
        carl = sign_in("carl", Role.ADMIN)
        client = client_of(created(carl, permissions=["tag:manage", "tag:create"])["key"])
        tag = client.post("/api/v1/tag", json={"name": "a"}).get_json()["data"]["id"]
        assert client.patch(f"/api/v1/tag/{tag}", json={"name": "b"}).status_code == 200
        assert admin.client.patch(f"/api/v1/user/{carl.id}", json={"roles": ["user"]}).status_code == 200
        assert client.patch(f"/api/v1/tag/{tag}", json={"name": "c"}).status_code == 403
        assert client.post("/api/v1/tag", json={"name": "d"}).status_code == 201
        assert admin.client.delete(f"/api/v1/user/{carl.id}").status_code == 204
        assert client.post("/api/v1/tag", json={"name": "e"}).status_code == 401
        assert count_rows(app, "api_key") == 0


def _ask(client: FlaskClient, item: Mounted) -> Any:
    """Send an operation's request, about things that do not exist."""
    method, rule = item.operation.method, item.address[1]
    return client.open(
        re.sub(r"<[^>]*>", lambda match: "1" if match[0].startswith("<int:") else new_id(), rule), method=method
    )
