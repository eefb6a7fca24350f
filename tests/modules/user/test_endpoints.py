"""Users over HTTP."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.database import transaction
from application.modules.auth.business import find_account
from application.permissions import Role
from tests.conftest import Caller, SignIn
from tests.hashing import watched_hashing
from tests.links import next_url
from tests.parallel import at_once
from tests.tables import count_rows

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
PASSWORD = "correct horse"


def log_in(client: FlaskClient, name: str, password: str = PASSWORD) -> int:
    return client.post("/api/v1/auth/login", json={"name": name, "password": password}).status_code


class TestIndex:
    def test_lists_everybody_without_their_secrets(self, admin: Caller, ada: Caller) -> None:
        users = admin.client.get("/api/v1/user?count=true").get_json()
        assert [(user["name"], user["roles"]) for user in users["data"]] == [("ada", ["user"]), ("root", ["admin"])]
        assert users["page"] == {"limit": 20, "next": None, "total": 2}
        shown = {"id", "name", "roles", "is_disabled", "created_at", "updated_at"}
        assert all(set(user) == shown for user in users["data"])

    def test_is_the_admins(self, ada: Caller, client: FlaskClient) -> None:
        assert ada.client.get("/api/v1/user").status_code == 403
        assert client.get("/api/v1/user").status_code == 401

    @pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at"])
    def test_pages_by_the_link_without_gap_or_overlap(self, admin: Caller, sign_in: SignIn, sort: str) -> None:
        for name in ("c", "a", "b", "d"):
            sign_in(name)
        whole = [user["id"] for user in admin.client.get(f"/api/v1/user?sort={sort}").get_json()["data"]]
        seen: list[str] = []
        url = f"/api/v1/user?limit=2&sort={sort}"
        while url:
            response = admin.client.get(url)
            seen += [user["id"] for user in response.get_json()["data"]]
            url = next_url(response)
        assert seen == whole
        assert len(set(whole)) == 5

    def test_finds_part_of_a_name(self, admin: Caller, sign_in: SignIn) -> None:
        for name in ("陈小明", "Ming", "100%"):
            sign_in(name)

        def names(q: str) -> list[str]:
            found = admin.client.get("/api/v1/user", query_string={"q": q}).get_json()["data"]
            return [user["name"] for user in found]

        assert names("小") == ["陈小明"]
        assert names("mi") == ["Ming"]
        assert names("%") == ["100%"]

    @pytest.mark.parametrize("sort", ["password_hash", "roles", "id", "updated_at", ""])
    def test_sorts_by_nothing_else(self, admin: Caller, sort: str) -> None:
        response = admin.client.get("/api/v1/user", query_string={"sort": sort})
        assert response.status_code == 422
        assert response.get_json()["code"] == "unknown_order"

    def test_finds_who_has_a_role(self, admin: Caller, ada: Caller) -> None:
        def names(role: str) -> list[str]:
            return [user["name"] for user in admin.client.get(f"/api/v1/user?role={role}").get_json()["data"]]

        assert (names("user"), names("admin"), names("root")) == (["ada"], ["root"], [])


class TestCreate:
    def test_gives_the_user_without_the_password(self, admin: Caller, client: FlaskClient) -> None:
        response = admin.client.post("/api/v1/user", json={"name": " ada ", "password": PASSWORD})
        assert response.status_code == 201
        user = response.get_json()["data"]
        assert (user["name"], user["roles"]) == ("ada", ["user"])
        assert "password" not in response.text
        assert admin.client.get(f"/api/v1/user/{user['id']}").get_json()["data"] == user
        assert log_in(client, "ada") == 200

    def test_stores_an_argon2id_hash_of_the_password(self, app: Flask, admin: Caller) -> None:
        admin.client.post("/api/v1/user", json={"name": "ada", "password": PASSWORD})
        with app.app_context(), transaction(write=False):
            account = find_account("ada")
        assert account is not None
        assert str(account.password_hash).startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    def test_gives_the_roles_once_and_in_order(self, admin: Caller) -> None:
        body = {"name": "ada", "password": PASSWORD, "roles": ["user", "admin", "user"]}
        assert admin.client.post("/api/v1/user", json=body).get_json()["data"]["roles"] == ["admin", "user"]

    @pytest.mark.parametrize(
        "password",
        ["b1ue cow", "x" * 64, "x" * 128, "ein Satz mit Blanks ", "密码密码密码密码", "🔑" * 8, "é" * 128, "🔑" * 64],
    )
    def test_takes_any_characters_in_a_password(self, admin: Caller, client: FlaskClient, password: str) -> None:
        body = {"name": "ada", "password": password}
        assert admin.client.post("/api/v1/user", json=body).status_code == 201
        assert log_in(client, "ada", password) == 200
        assert log_in(client, "ada", f"{password[:-1]}?") == 401

    @pytest.mark.parametrize(
        ("change", "loc"),
        [
            ({"name": ""}, ["body", "name"]),
            ({"name": "x" * 51}, ["body", "name"]),
            ({"name": "a\x1b[31m\nb"}, ["body", "name"]),
            ({"name": None}, ["body", "name"]),
            ({"password": "x" * 7}, ["body", "password"]),
            ({"password": "Password123"}, ["body", "password"]),
            ({"password": "SunShine1"}, ["body", "password"]),
            ({"password": "🔑" * 65}, ["body", "password"]),
            ({"name": "lovelace", "password": "my LoveLace"}, ["body", "password"]),
            ({"password": "\0" * 8}, ["body", "password"]),
            ({"password": "\ud800" * 8}, ["body", "password"]),
            ({"name": "a:b"}, ["body", "name"]),
            ({"password": "x" * 129}, ["body", "password"]),
            ({"password": 12345678}, ["body", "password"]),
            ({"password": None}, ["body", "password"]),
            ({"roles": ["root"]}, ["body", "roles", 0]),
            ({"roles": "admin"}, ["body", "roles"]),
            ({"roles": None}, ["body", "roles"]),
            ({"roles": ["user"] * 11}, ["body", "roles"]),
            ({"id": UNKNOWN}, ["body", "id"]),
            ({"is_admin": True}, ["body", "is_admin"]),
            ({"password_hash": "x"}, ["body", "password_hash"]),
            ({"created_at": "2026-11-20T12:00:00Z"}, ["body", "created_at"]),
        ],
    )
    def test_refuses_a_faulty_field_by_name(
        self, app: Flask, admin: Caller, change: dict[str, object], loc: list[str | int]
    ) -> None:
        response = admin.client.post("/api/v1/user", json={"name": "ada", "password": PASSWORD} | change)
        assert response.status_code == 422
        assert [error["loc"] for error in response.get_json()["errors"]] == [loc]
        assert "x" * 7 not in response.text
        assert count_rows(app, "user") == 1

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        ("password", "status", "type_"),
        [
            ("x" * 7, 422, "string_too_short"),
            ("x" * 129, 422, "string_too_long"),
            ("🔑" * 65, 422, "password_bytes"),
            ("trustno1", 422, "password_known"),
            ("redprint", 422, "password_known"),
            ("ada.lovelace", 422, "password_holds_name"),
            ("x" * 1_000_000, 422, "string_too_long"),
            ("x" * 2_000_000, 413, None),
        ],
    )
    def test_says_why_a_password_is_refused_and_hashes_none(
        self, admin: Caller, monkeypatch: pytest.MonkeyPatch, password: str, status: int, type_: str | None
    ) -> None:
        done = watched_hashing(monkeypatch)
        response = admin.client.post("/api/v1/user", json={"name": "lovelace", "password": password})
        assert response.status_code == status
        assert [error["type"] for error in response.get_json()["errors"]] == ([type_] if type_ else [])
        assert done == []

    def test_refuses_a_taken_name(self, admin: Caller, ada: Caller) -> None:
        response = admin.client.post("/api/v1/user", json={"name": "ada", "password": PASSWORD})
        assert response.status_code == 409
        assert response.get_json()["code"] == "name_taken"

    def test_gives_one_of_several_at_once_the_name(self, app: Flask, admin: Caller) -> None:
        def post() -> int:
            headers = {"Authorization": f"Bearer {admin.token}"}
            body = {"name": "ada", "password": PASSWORD}
            return app.test_client().post("/api/v1/user", json=body, headers=headers).status_code

        assert sorted(at_once([post] * 6)) == [201] + [409] * 5
        assert count_rows(app, "user", name="ada") == 1


class TestShow:
    def test_gives_oneself(self, ada: Caller) -> None:
        user = ada.client.get(f"/api/v1/user/{ada.id}").get_json()["data"]
        assert (user["id"], user["name"], user["roles"]) == (ada.id, "ada", ["user"])

    def test_gives_anybody_to_the_admin(self, admin: Caller, ada: Caller) -> None:
        assert admin.client.get(f"/api/v1/user/{ada.id}").get_json()["data"]["name"] == "ada"

    def test_hides_others_as_if_they_did_not_exist(self, ada: Caller, bob: Caller, client: FlaskClient) -> None:
        hidden = bob.client.get(f"/api/v1/user/{ada.id}")
        missing = bob.client.get(f"/api/v1/user/{UNKNOWN}")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.get_json()["code"] == missing.get_json()["code"] == "user_not_found"
        assert client.get(f"/api/v1/user/{ada.id}").status_code == 401

    @pytest.mark.parametrize("address", [UNKNOWN, "me", "1"])
    def test_finds_no_unknown_or_malformed_id(self, admin: Caller, address: str) -> None:
        assert admin.client.get(f"/api/v1/user/{address}").status_code == 404


class TestReplace:
    def test_replaces_name_and_roles_and_keeps_the_password(self, admin: Caller, client: FlaskClient) -> None:
        body = {"name": "ada", "password": PASSWORD}
        user_id = admin.client.post("/api/v1/user", json=body).get_json()["data"]["id"]
        response = admin.client.put(f"/api/v1/user/{user_id}", json={"name": "lovelace", "roles": []})
        assert (response.get_json()["data"]["name"], response.get_json()["data"]["roles"]) == ("lovelace", [])
        assert log_in(client, "lovelace") == 200
        assert log_in(client, "ada") == 401

    def test_takes_a_password_without_the_new_name_only(self, admin: Caller, ada: Caller, client: FlaskClient) -> None:
        url, body = f"/api/v1/user/{ada.id}", {"name": "lovelace", "roles": []}
        response = admin.client.put(url, json=body | {"password": "Lovelace-1815"})
        assert [error["loc"] for error in response.get_json()["errors"]] == [["body", "password"]]
        assert admin.client.put(url, json=body | {"password": PASSWORD}).status_code == 200
        assert log_in(client, "lovelace") == 200

    def test_refuses_half_of_a_user(self, admin: Caller, ada: Caller) -> None:
        response = admin.client.put(f"/api/v1/user/{ada.id}", json={})
        assert [error["loc"] for error in response.get_json()["errors"]] == [["body", "name"], ["body", "roles"]]

    def test_is_the_admins(self, ada: Caller) -> None:
        response = ada.client.put(f"/api/v1/user/{ada.id}", json={"name": "ada", "roles": ["admin"]})
        assert response.status_code == 403

    def test_finds_no_unknown_user(self, admin: Caller) -> None:
        response = admin.client.put(f"/api/v1/user/{UNKNOWN}", json={"name": "ada", "roles": []})
        assert response.status_code == 404


class TestUpdate:
    def test_ends_the_sessions_with_a_new_password(self, admin: Caller, ada: Caller, client: FlaskClient) -> None:
        assert ada.client.get("/api/v1/auth/me").status_code == 200
        response = admin.client.patch(f"/api/v1/user/{ada.id}", json={"password": PASSWORD})
        assert response.status_code == 200
        assert ada.client.get("/api/v1/auth/me").status_code == 401
        assert log_in(client, "ada") == 200

    def test_judges_a_password_by_the_new_name_or_else_the_stored_one(self, admin: Caller, sign_in: SignIn) -> None:
        url = f"/api/v1/user/{sign_in('lovelace').id}"
        for body, status in (
            ({"password": "my Lovelace"}, 422),
            ({"name": "ada.king", "password": "my Ada.King"}, 422),
            ({"name": "ada.king", "password": "my Lovelace"}, 200),
            ({"password": "my Lovelace"}, 200),
            ({"password": "my Ada.King"}, 422),
            ({"name": "lovelace"}, 200),  # what the password is nobody knows
        ):
            response = admin.client.patch(url, json=body)
            assert response.status_code == status
            if status == 422:
                (error,) = response.get_json()["errors"]
                assert (error["loc"], error["type"]) == (["body", "password"], "password_holds_name")
                assert response.get_json()["code"] == "invalid"

    def test_gives_and_takes_roles_at_once(self, admin: Caller, ada: Caller) -> None:
        for roles, status in ((["admin"], 200), (["user"], 403), ([], 403)):
            response = admin.client.patch(f"/api/v1/user/{ada.id}", json={"roles": roles})
            assert response.get_json()["data"]["roles"] == roles
            assert ada.client.get("/api/v1/user").status_code == status

    def test_lets_who_manages_users_not_beyond_what_they_hold(self, admin: Caller, ada: Caller, bob: Caller) -> None:
        body = {"name": "helper", "permissions": ["user:manage"]}
        assert admin.client.post("/api/v1/role", json=body).status_code == 201
        address = f"/api/v1/user/{ada.id}"
        assert admin.client.patch(address, json={"roles": ["user", "helper"]}).status_code == 200
        refused = [
            ada.client.patch(address, json={"roles": ["user", "admin"]}),
            ada.client.post("/api/v1/user", json={"name": "eve", "password": PASSWORD, "roles": ["admin"]}),
            ada.client.patch(f"/api/v1/user/{admin.id}", json={"password": PASSWORD}),
            ada.client.put(f"/api/v1/user/{admin.id}", json={"name": "root", "roles": []}),
            ada.client.delete(f"/api/v1/user/{admin.id}"),
        ]
        found = [(one.status_code, one.get_json()["code"]) for one in refused]
        assert found == [(403, "permission_not_held")] * len(refused)
        assert ada.client.patch(f"/api/v1/user/{bob.id}", json={"roles": ["helper"]}).status_code == 200

    def test_changes_nothing_without_fields(self, admin: Caller, ada: Caller) -> None:
        before = admin.client.get(f"/api/v1/user/{ada.id}").get_json()["data"]
        assert admin.client.patch(f"/api/v1/user/{ada.id}", json={}).get_json()["data"] == before

    def test_refuses_a_taken_name(self, admin: Caller, ada: Caller, bob: Caller) -> None:
        response = admin.client.patch(f"/api/v1/user/{ada.id}", json={"name": "bob", "roles": []})
        assert response.status_code == 409
        assert ada.client.get("/api/v1/auth/me").get_json()["data"]["roles"] == ["user"]

    def test_keeps_the_last_admin(self, admin: Caller) -> None:
        response = admin.client.patch(f"/api/v1/user/{admin.id}", json={"roles": ["user"], "name": "other"})
        assert response.status_code == 409
        assert response.get_json()["code"] == "last_admin"
        assert admin.client.get("/api/v1/auth/me").get_json()["data"]["name"] == "root"

    def test_keeps_one_of_two_admins_who_remove_each_other(self, app: Flask, sign_in: SignIn) -> None:
        first, second = sign_in("first", Role.ADMIN), sign_in("second", Role.ADMIN)

        def demote(by: Caller, whom: Caller) -> int:
            headers = {"Authorization": f"Bearer {by.token}"}
            url = f"/api/v1/user/{whom.id}"
            return app.test_client().patch(url, json={"roles": ["user"]}, headers=headers).status_code

        statuses = at_once([lambda: demote(first, second), lambda: demote(second, first)])
        assert sorted(statuses) in ([200, 403], [200, 409])
        assert count_rows(app, "user_role", role="admin") == 1

    @pytest.mark.parametrize("field", ["name", "password", "roles"])
    def test_refuses_null(self, admin: Caller, ada: Caller, field: str) -> None:
        assert admin.client.patch(f"/api/v1/user/{ada.id}", json={field: None}).status_code == 422

    def test_is_the_admins(self, ada: Caller) -> None:
        assert ada.client.patch(f"/api/v1/user/{ada.id}", json={"roles": ["admin"]}).status_code == 403

    def test_finds_no_unknown_user(self, admin: Caller) -> None:
        for body in ({}, {"password": PASSWORD}):
            assert admin.client.patch(f"/api/v1/user/{UNKNOWN}", json=body).status_code == 404


class TestDelete:
    def test_takes_user_roles_and_sessions_away(self, app: Flask, admin: Caller, ada: Caller) -> None:
        response = admin.client.delete(f"/api/v1/user/{ada.id}")
        assert (response.status_code, response.data) == (204, b"")
        assert ada.client.get("/api/v1/auth/me").status_code == 401
        assert count_rows(app, "user_role", user_id=ada.id) == count_rows(app, "session", user_id=ada.id) == 0

    def test_refuses_who_owns_blogs_and_takes_nothing(self, app: Flask, admin: Caller, ada: Caller) -> None:
        ada.client.post("/api/v1/blog", json={"title": "Hello", "content": "", "status": "draft"})
        response = admin.client.delete(f"/api/v1/user/{ada.id}")
        assert response.status_code == 409
        assert response.get_json()["code"] == "user_in_use"
        assert [count_rows(app, table, user_id=ada.id) for table in ("user_role", "session")] == [1, 1]
        assert ada.client.get("/api/v1/auth/me").status_code == 200

    def test_keeps_the_last_admin(self, admin: Caller, ada: Caller) -> None:
        response = admin.client.delete(f"/api/v1/user/{admin.id}")
        assert response.status_code == 409
        assert response.get_json()["code"] == "last_admin"

    def test_races_with_a_blog_of_the_user_without_an_orphan(self, app: Flask, admin: Caller, ada: Caller) -> None:
        def delete() -> int:
            headers = {"Authorization": f"Bearer {admin.token}"}
            return app.test_client().delete(f"/api/v1/user/{ada.id}", headers=headers).status_code

        def write() -> int:
            headers = {"Authorization": f"Bearer {ada.token}"}
            body = {"title": "Hello", "content": ""}
            return app.test_client().post("/api/v1/blog", json=body, headers=headers).status_code

        deleted, *written = at_once([delete, write, write, write])
        assert deleted in {204, 409}
        assert set(written) <= ({401, 409} if deleted == 204 else {201})
        assert count_rows(app, "blog") == (0 if deleted == 204 else 3)
        assert count_rows(app, "user", id=ada.id) == (0 if deleted == 204 else 1)

    def test_is_the_admins(self, ada: Caller) -> None:
        assert ada.client.delete(f"/api/v1/user/{ada.id}").status_code == 403

    def test_finds_no_unknown_user(self, admin: Caller) -> None:
        assert admin.client.delete(f"/api/v1/user/{UNKNOWN}").status_code == 404


class TestBlogs:
    def test_pages_by_the_link_without_gap_or_overlap(self, ada: Caller, bob: Caller, client: FlaskClient) -> None:
        for number in range(5):
            ada.client.post("/api/v1/blog", json={"title": f"{number}", "content": ""})
        bob.client.post("/api/v1/blog", json={"title": "other", "content": ""})
        seen: list[str] = []
        url = f"/api/v1/user/{ada.id}/blogs?limit=2&count=true"
        while url:
            response = client.get(url)
            assert response.get_json()["page"]["total"] == 5
            seen += [blog["title"] for blog in response.get_json()["data"]]
            url = next_url(response)
        assert seen == ["4", "3", "2", "1", "0"]

    def test_shows_drafts_to_oneself_only(self, ada: Caller, admin: Caller, client: FlaskClient) -> None:
        ada.client.post("/api/v1/blog", json={"title": "draft", "content": "", "status": "draft"})
        url = f"/api/v1/user/{ada.id}/blogs"
        found = [len(caller.get(url).get_json()["data"]) for caller in (ada.client, admin.client, client)]
        assert found == [1, 0, 0]

    def test_finds_no_unknown_user(self, client: FlaskClient) -> None:
        assert client.get(f"/api/v1/user/{UNKNOWN}/blogs").status_code == 404
