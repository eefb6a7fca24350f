"""Sessions over HTTP."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from application.database import change, transaction
from application.libs.background import background_of
from application.libs.clock import now
from application.libs.secret import hash_password
from application.modules.session.models import Session
from application.modules.user import business as user_business
from application.permissions import ROLE_PERMISSIONS, Role
from tests.conftest import Caller, SignIn
from tests.tables import count_rows

HASH = hash_password("correct horse")


class TestIndex:
    def test_shows_where_one_is_signed_in(self, app: Flask, client: FlaskClient) -> None:
        with app.app_context(), transaction():
            eve = user_business.create(name="eve", password_hash=HASH).id
        tokens = [
            client.post(
                "/api/v1/auth/login",
                json={"name": "eve", "password": "correct horse"},
                headers={"User-Agent": device},
                environ_base={"REMOTE_ADDR": "192.0.2.7"},
            ).get_json()["data"]["token"]
            for device in ("phone", "laptop")
        ]
        answer = client.get("/api/v1/session?sort=created_at", headers={"Authorization": f"Bearer {tokens[0]}"})
        assert [
            (one["device"], one["address"], one["is_current"], one["user_id"], one["user_name"])
            for one in answer.get_json()["data"]
        ] == [("phone", "192.0.2.7", True, eve, "eve"), ("laptop", "192.0.2.7", False, eve, "eve")]
        assert "digest" not in answer.text

    def test_shows_everybodys_to_who_manages_users_only(self, admin: Caller, ada: Caller, bob: Caller) -> None:
        def users(caller: Caller, query: str = "") -> list[str]:
            answer = caller.client.get(f"/api/v1/session?sort=created_at&count=true{query}").get_json()
            assert answer["page"]["total"] == len(answer["data"])
            return [one["user_name"] for one in answer["data"]]

        assert sorted(users(admin)) == ["ada", "bob", "root"]
        assert users(admin, f"&user={bob.id}") == ["bob"]
        assert users(ada) == ["ada"]
        assert users(ada, f"&user={bob.id}") == []

    def test_leaves_out_what_has_expired(self, app: Flask, ada: Caller, sign_in: SignIn) -> None:
        with app.app_context(), transaction():
            change(sa.update(Session).where(Session.user_id == ada.id).values(expires_at=now()))
        assert ada.client.get("/api/v1/session").get_json()["data"] == []


class TestDelete:
    def test_ends_a_session_at_once(self, app: Flask, ada: Caller, admin: Caller, bob: Caller) -> None:
        (own,) = ada.client.get("/api/v1/session").get_json()["data"]
        assert bob.client.delete(f"/api/v1/session/{own['id']}").status_code == 404
        assert ada.client.get("/api/v1/auth/me").status_code == 200
        assert admin.client.delete(f"/api/v1/session/{own['id']}").status_code == 204
        assert ada.client.get("/api/v1/auth/me").status_code == 401
        assert admin.client.delete(f"/api/v1/session/{own['id']}").status_code == 404
        assert count_rows(app, "session", user_id=ada.id) == 0

    def test_ends_none_of_who_holds_more(self, admin: Caller, ada: Caller, bob: Caller) -> None:
        role = {"name": "manager", "permissions": ["user:manage", *ROLE_PERMISSIONS[Role.USER]]}
        assert admin.client.post("/api/v1/role", json=role).status_code == 201
        assert admin.client.patch(f"/api/v1/user/{bob.id}", json={"roles": ["manager"]}).status_code == 200
        ended = {}
        for caller in (admin, ada):
            (one,) = bob.client.get(f"/api/v1/session?user={caller.id}").get_json()["data"]
            answer = bob.client.delete(f"/api/v1/session/{one['id']}")
            ended[caller.name] = (answer.status_code, caller.client.get("/api/v1/auth/me").status_code)
        assert ended == {"root": (403, 200), "ada": (204, 401)}


class TestNoteSeen:
    def test_follows_a_request_of_a_session_not_seen_for_a_minute(self, app: Flask, ada: Caller) -> None:
        long_ago = now() - timedelta(minutes=2)
        with app.app_context(), transaction():
            change(sa.update(Session).values(last_seen_at=long_ago))
        assert ada.client.get("/api/v1/auth/me").status_code == 200
        assert background_of(app).drain(5) == 0
        (own,) = ada.client.get("/api/v1/session").get_json()["data"]
        assert now() - datetime.fromisoformat(own["last_seen_at"]) < timedelta(minutes=1)
