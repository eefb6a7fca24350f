"""Signing in and out over HTTP."""

import base64

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.database import change, transaction
from application.libs.auth import Identity, set_identity
from application.libs.clock import now
from application.libs.secret import hash_password
from application.modules.auth.endpoints import logout
from application.modules.session import business as sessions
from application.modules.session.models import Session
from application.modules.user import business as user_business
from application.permissions import ROLE_PERMISSIONS, Role
from tests.conftest import Caller
from tests.parallel import at_once
from tests.tables import count_rows

PASSWORD = "correct horse: 电池"
HASH = hash_password(PASSWORD)


@pytest.fixture
def eve(app: Flask) -> str:
    """Create a user with a password."""
    with app.app_context(), transaction():
        return user_business.create(name="eve", password_hash=HASH).id


def log_in(client: FlaskClient, name: str = "eve", password: str = PASSWORD) -> str:
    response = client.post("/api/v1/auth/login", json={"name": name, "password": password})
    assert response.status_code == 200
    token: str = response.get_json()["data"]["token"]
    return token


def log_in_whole(client: FlaskClient) -> dict[str, str]:
    answer = client.post("/api/v1/auth/login", json={"name": "eve", "password": PASSWORD})
    tokens: dict[str, str] = answer.get_json()["data"]
    return tokens


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


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

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({}, ["name", "password"]),
            ({"name": "eve"}, ["password"]),
            ({"name": 1, "password": None}, ["name", "password"]),
            ({"name": "x" * 51, "password": "x" * 129}, ["name", "password"]),
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


class TestRefresh:
    def ask(self, client: FlaskClient, refresh_token: object) -> TestResponse:
        return client.post("/api/v1/auth/refresh", json={"refresh_token": refresh_token})

    def test_exchanges_the_pair_for_the_next(self, client: FlaskClient, eve: str) -> None:
        before = log_in_whole(client)
        answer = self.ask(client, before["refresh_token"])
        assert answer.status_code == 200
        after = answer.get_json()["data"]
        assert set(after) == set(before)
        assert not {after["token"], after["refresh_token"]} & {before["token"], before["refresh_token"]}
        assert [client.get("/api/v1/auth/me", headers=bearer(one["token"])).status_code for one in (before, after)] == [
            401,
            200,
        ]

    def test_ends_the_session_of_a_token_that_is_used_again(self, app: Flask, client: FlaskClient, eve: str) -> None:
        first = log_in_whole(client)
        second = self.ask(client, first["refresh_token"]).get_json()["data"]
        third = self.ask(client, second["refresh_token"]).get_json()["data"]
        other = log_in(client)
        answer = self.ask(client, first["refresh_token"])
        assert (answer.status_code, answer.get_json()["code"]) == (401, "refresh_refused")
        assert self.ask(client, third["refresh_token"]).status_code == 401
        assert client.get("/api/v1/auth/me", headers=bearer(third["token"])).status_code == 401
        assert client.get("/api/v1/auth/me", headers=bearer(other)).status_code == 200
        assert count_rows(app, "session", user_id=eve) == 1

    def test_lets_one_of_many_win(self, app: Flask, eve: str) -> None:
        shown = log_in_whole(app.test_client())["refresh_token"]
        answers = at_once([lambda: self.ask(app.test_client(), shown)] * 12)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] + [401] * 11
        (won,) = [answer.get_json()["data"] for answer in answers if answer.status_code == 200]
        assert self.ask(app.test_client(), won["refresh_token"]).status_code == 200

    def test_refuses_what_is_no_refresh_token(self, client: FlaskClient, eve: str) -> None:
        tokens = log_in_whole(client)
        refresh_token = tokens["refresh_token"]
        spoilt = [tokens["token"], "", "x", "." * 100, "é", f".{refresh_token}", refresh_token.partition(".")[2]]
        for other in spoilt:
            answer = self.ask(client, other)
            assert (answer.status_code, answer.get_json()["code"]) == (401, "refresh_refused")
        assert self.ask(client, "x" * 10_000).status_code == 422
        assert self.ask(client, refresh_token).status_code == 200

    @pytest.mark.parametrize("end", ["logout", "password", "delete"])
    def test_refuses_who_was_shown_out(self, client: FlaskClient, admin: Caller, eve: str, end: str) -> None:
        tokens = log_in_whole(client)
        if end == "logout":
            client.post("/api/v1/auth/logout", headers=bearer(tokens["token"]))
        elif end == "password":
            admin.client.patch(f"/api/v1/user/{eve}", json={"password": "another password"})
        else:
            assert admin.client.delete(f"/api/v1/user/{eve}").status_code == 204
        assert self.ask(client, tokens["refresh_token"]).status_code == 401
        assert client.get("/api/v1/auth/me", headers=bearer(tokens["token"])).status_code == 401


class TestLogoutEverywhere:
    def test_ends_every_session_of_the_caller(self, app: Flask, client: FlaskClient, ada: Caller, eve: str) -> None:
        here, there = log_in(client), log_in(client)
        answer = client.post("/api/v1/auth/logout-everywhere", headers=bearer(here))
        assert (answer.status_code, answer.get_json()["data"]) == (200, {"ended": 2})
        for token in (here, there):
            assert client.get("/api/v1/auth/me", headers=bearer(token)).status_code == 401
        assert ada.client.get("/api/v1/auth/me").status_code == 200

    def test_keeps_this_one_on_request(self, client: FlaskClient, eve: str) -> None:
        here, there = log_in(client), log_in(client)
        answer = client.post("/api/v1/auth/logout-everywhere?keep_current=true", headers=bearer(here))
        assert answer.get_json()["data"] == {"ended": 1}
        assert client.get("/api/v1/auth/me", headers=bearer(here)).status_code == 200
        assert client.get("/api/v1/auth/me", headers=bearer(there)).status_code == 401


class TestLogout:
    def test_ends_this_session_at_once_and_no_other(self, client: FlaskClient, eve: str) -> None:
        here, there = log_in(client), log_in(client)
        response = client.post("/api/v1/auth/logout", headers=bearer(here))
        assert (response.status_code, response.data) == (204, b"")
        assert client.get("/api/v1/auth/me", headers=bearer(here)).status_code == 401
        assert client.post("/api/v1/auth/logout", headers=bearer(here)).status_code == 401
        assert client.get("/api/v1/auth/me", headers=bearer(there)).status_code == 200

    def test_refuses_an_unknown_caller(self, client: FlaskClient) -> None:
        assert client.post("/api/v1/auth/logout").status_code == 401

    def test_ends_nothing_for_who_came_without_a_token(self, app: Flask, ada: Caller) -> None:
        with app.test_request_context(), transaction():
            set_identity(Identity(ada.id, ada.name, ("user",), frozenset()))
            logout()
        assert ada.client.get("/api/v1/auth/me").status_code == 200


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
