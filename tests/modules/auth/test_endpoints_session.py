"""Sessions over HTTP: how they go on and end."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.database import transaction
from application.libs.auth import Identity, set_identity
from application.modules.auth.endpoints import logout
from tests.conftest import Caller
from tests.modules.auth.browsing import PASSWORD
from tests.modules.auth.conftest import bearer, log_in, log_in_whole
from tests.parallel import at_once
from tests.tables import count_rows


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
        halves = [refresh_token.partition(".")[2], f".{refresh_token}"]
        for other in (tokens["token"], "", "x", "." * 100, "é", "x" * 10_000, "." * 10_000, *halves):
            answer = self.ask(client, other)
            assert (answer.status_code, answer.get_json()["code"]) == (401, "refresh_refused")
        assert self.ask(client, "x" * 20_000).status_code == 422
        assert self.ask(client, refresh_token).status_code == 200

    @pytest.mark.parametrize("end", ["logout", "password", "disable", "delete"])
    def test_refuses_who_was_shown_out(self, client: FlaskClient, admin: Caller, eve: str, end: str) -> None:
        tokens = log_in_whole(client)
        if end == "logout":
            client.post("/api/v1/auth/logout", headers=bearer(tokens["token"]))
        elif end == "password":
            admin.client.patch(f"/api/v1/user/{eve}", json={"password": "another password"})
        elif end == "disable":
            assert admin.client.patch(f"/api/v1/user/{eve}", json={"is_disabled": True}).status_code == 200
            login = client.post("/api/v1/auth/login", json={"name": "eve", "password": PASSWORD})
            assert (login.status_code, login.get_json()["code"]) == (401, "wrong_password")
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
