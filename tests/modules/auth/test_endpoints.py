"""Signing in over HTTP, and who one is."""

import base64

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from application.database import change, transaction
from application.libs.clock import now
from application.libs.secret import verify_password
from application.modules.session import business as sessions
from application.modules.session.models import Session
from application.modules.user import business as user_business
from application.permissions import ROLE_PERMISSIONS, Role
from tests.conftest import Caller
from tests.hashing import HASHED, VERIFIED, watched_hashing
from tests.modules.auth.browsing import HASH, PASSWORD
from tests.modules.auth.conftest import WEAK, basic, bearer, log_in, stored_hash
from tests.parallel import at_once
from tests.tables import count_rows


class TestLogin:
    def test_gives_a_token_that_opens_the_api(self, client: FlaskClient, eve: str) -> None:
        response = client.post("/api/v1/auth/login", json={"name": "eve", "password": PASSWORD})
        assert response.status_code == 200
        session = response.get_json()["data"]
        assert set(session) == {"token", "token_type", "expires_in", "expires_at"} | {
            f"refresh_{name}" for name in ("token", "expires_in", "expires_at")
        }
        assert session["token_type"] == "Bearer"
        assert (session["expires_in"], session["refresh_expires_in"]) == (900, 604_800)
        me = client.get("/api/v1/auth/me", headers=bearer(session["token"])).get_json()["data"]
        assert (me["id"], me["name"]) == (eve, "eve")

    @pytest.mark.parametrize("stale", ["Bearer expired-long-ago", "Basic Og==", "Nonsense", "Bearer"])
    def test_looks_at_no_credentials_that_come_along(self, client: FlaskClient, eve: str, stale: str) -> None:
        answers = [
            client.post(f"/api/{version}/auth/login", json=given, headers={"Authorization": stale})
            for version in ("v1", "v2")
            for given in ({"name": "eve", "password": PASSWORD}, {"name": "eve", "password": "wrong"})
        ]
        assert [answer.status_code for answer in answers] == [200, 401, 200, 401]
        assert answers[1].get_json()["code"] == "wrong_password"
        assert client.get("/api/v1/blog", headers={"Authorization": stale}).status_code == 401

    def test_is_documented_without_credentials(self, client: FlaskClient) -> None:
        paths = client.get("/api/v1/openapi.json").get_json()["paths"]
        assert paths["/api/v1/auth/login"]["post"]["security"] == []
        assert paths["/api/v1/auth/me"]["get"]["security"] == [{"bearer": []}]

    def test_answers_a_wrong_password_as_it_answers_an_unknown_name(self, client: FlaskClient, eve: str) -> None:
        answers = []
        for name, password in (("eve", "wrong password"), ("nobody", PASSWORD), ("EVE", PASSWORD), ("eve", "")):
            response = client.post("/api/v1/auth/login", json={"name": name, "password": password})
            assert response.status_code == 401
            problem = response.get_json()
            del problem["request_id"]
            answers.append((problem, response.content_type, response.headers.get("WWW-Authenticate")))
        assert answers == [answers[0]] * 4
        assert answers[0][0]["code"] == "wrong_password"

    def test_lets_nobody_in_who_has_no_password(self, client: FlaskClient, ada: Caller) -> None:
        for password in ("", "None", "null"):
            response = client.post("/api/v1/auth/login", json={"name": "ada", "password": password})
            assert response.status_code == 401

    @pytest.mark.one_database
    def test_compares_one_hash_whoever_is_named(
        self, client: FlaskClient, eve: str, weak: str, ada: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = watched_hashing(monkeypatch)
        answers = []
        for name in ("eve", "weak", "ada", "nobody", "EVE", ""):  # ada has no password
            response = client.post("/api/v1/auth/login", json={"name": name, "password": "wrong password"})
            problem = response.get_json()
            del problem["request_id"]
            answers.append((response.status_code, problem, len(response.data)))
        assert answers == [answers[0]] * 6
        assert done == [VERIFIED] * 6
        for name in ("eve", "ada", "nobody"):  # HTTP Basic, too
            done.clear()
            response = client.get("/scheduler", headers=basic(name, "wrong password"))
            assert response.status_code == 401
            assert [work.what for work in done] == ["verify"]

    def test_makes_a_weak_hash_stronger_outside_any_unit_of_work(
        self, app: Flask, client: FlaskClient, weak: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = watched_hashing(monkeypatch)
        log_in(client, "weak")
        assert done == [VERIFIED, HASHED]
        stronger = stored_hash(app, "weak")
        assert stronger is not None
        assert stronger.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert verify_password(PASSWORD, stronger)
        done.clear()
        log_in(client, "weak")
        assert done == [VERIFIED]
        assert stored_hash(app, "weak") == stronger

    def test_leaves_a_weak_hash_after_a_wrong_password(self, app: Flask, client: FlaskClient, weak: str) -> None:
        response = client.post("/api/v1/auth/login", json={"name": "weak", "password": "wrong password"})
        assert response.status_code == 401
        assert stored_hash(app, "weak") == WEAK

    def test_lets_all_in_who_find_the_weak_hash_at_once(self, app: Flask, weak: str) -> None:
        tokens = at_once([lambda: log_in(app.test_client(), "weak")] * 4)
        assert len(set(tokens)) == 4
        assert stored_hash(app, "weak") != WEAK

    def test_overwrites_no_password_that_is_set_while_the_stronger_hash_is_made(
        self, app: Flask, client: FlaskClient, weak: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = PasswordHasher.hash

        def hash_late(self: PasswordHasher, password: str) -> str:
            with transaction():
                user_business.update(weak, password_hash=HASH)
            return real(self, password)

        monkeypatch.setattr(PasswordHasher, "hash", hash_late)
        other = {"name": "weak", "password": PASSWORD}
        assert client.post("/api/v1/auth/login", json=other).status_code == 200  # HASH is one of this password
        assert stored_hash(app, "weak") == HASH

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({}, ["name", "password"]),
            ({"name": "eve"}, ["password"]),
            ({"name": 1, "password": None}, ["name", "password"]),
            ({"name": "x" * 255, "password": "x" * 129}, ["name", "password"]),
            ({"name": "eve", "password": PASSWORD, "ttl_seconds": 10**9}, ["ttl_seconds"]),
            ({"name": "eve", "password": {"$ne": ""}}, ["password"]),
        ],
    )
    def test_names_every_faulty_field(
        self, client: FlaskClient, eve: str, body: dict[str, object], fields: list[str]
    ) -> None:
        response = client.post("/api/v1/auth/login", json=body)
        assert response.status_code == 422
        assert sorted(error["loc"][1] for error in response.get_json()["errors"]) == fields
        assert PASSWORD not in response.text

    def test_takes_no_form(self, client: FlaskClient, eve: str) -> None:
        response = client.post("/api/v1/auth/login", data={"name": "eve", "password": PASSWORD})
        assert response.status_code == 415

    def test_opens_as_many_sessions_as_are_asked_for(self, app: Flask, eve: str) -> None:
        tokens = at_once([lambda: log_in(app.test_client())] * 5)
        assert len(set(tokens)) == 5
        assert count_rows(app, "session", user_id=eve) == 5

    def test_leaves_no_session_when_the_password_changes_meanwhile(self, app: Flask, admin: Caller, eve: str) -> None:
        def change_password() -> int:
            body = {"password": "another password"}
            client = app.test_client()
            return client.patch(f"/api/v1/user/{eve}", json=body, headers=bearer(admin.token)).status_code

        def enter() -> int:
            body = {"name": "eve", "password": PASSWORD}
            return app.test_client().post("/api/v1/auth/login", json=body).status_code

        changed, *entered = at_once([change_password, *([enter] * 5)])
        assert changed == 200
        assert set(entered) <= {200, 401}
        assert count_rows(app, "session", user_id=eve) == 0


class TestMe:
    def test_says_who_one_is_and_what_one_may_do(self, ada: Caller) -> None:
        response = ada.client.get("/api/v1/auth/me")
        assert response.status_code == 200
        assert response.get_json()["data"] == {
            "id": ada.id,
            "name": "ada",
            "roles": ["user"],
            "permissions": sorted(ROLE_PERMISSIONS[Role.USER]),
        }

    def test_refuses_an_expired_token(self, app: Flask, client: FlaskClient, eve: str) -> None:
        with app.app_context(), transaction():
            token = sessions.begin(eve).token
            change(sa.update(Session).values(access_expires_at=now()))
        response = client.get("/api/v1/auth/me", headers=bearer(token))
        assert response.status_code == 401
        assert response.get_json()["code"] == "unauthenticated"
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="API", error="invalid_token"'

    def test_takes_the_scheme_in_any_case(self, client: FlaskClient, ada: Caller) -> None:
        for scheme in ("bearer", "BEARER"):
            response = client.get("/api/v1/auth/me", headers={"Authorization": f"{scheme} {ada.token}"})
            assert response.status_code == 200

    def test_refuses_basic(self, client: FlaskClient, eve: str) -> None:
        credentials = base64.b64encode(f"eve:{PASSWORD}".encode()).decode()
        response = client.get("/api/v1/auth/me", headers={"Authorization": f"Basic {credentials}"})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="API"'

    def test_takes_a_token_from_nowhere_else(self, client: FlaskClient, ada: Caller) -> None:
        client.set_cookie("token", ada.token)
        client.set_cookie("session", ada.token)
        for query in ("", f"?token={ada.token}", f"?access_token={ada.token}"):
            assert client.get(f"/api/v1/auth/me{query}").status_code == 401

    @pytest.mark.parametrize("spoil", ["{}x", "{}, Bearer {}", "{} {}", "x" * 10_000, "", "é", "\t", "%00"])
    def test_refuses_a_spoiled_token(self, client: FlaskClient, ada: Caller, spoil: str) -> None:
        response = client.get("/api/v1/auth/me", headers=bearer(spoil.format(ada.token, ada.token)))
        assert response.status_code == 401
        assert response.content_type == "application/problem+json"
        assert ada.token not in response.text

    def test_refuses_a_shortened_token(self, client: FlaskClient, ada: Caller) -> None:
        assert client.get("/api/v1/auth/me", headers=bearer(ada.token[:-1])).status_code == 401
