"""Changing one's password over HTTP."""

from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.database import transaction
from application.modules.user import business as user_business
from tests.conftest import Caller
from tests.hashing import HASHED, VERIFIED, watched_hashing
from tests.modules.auth.browsing import HASH, PASSWORD
from tests.modules.auth.conftest import bearer, log_in, stored_hash
from tests.parallel import at_once


class TestChangePassword:
    NEW = "four other words at random"

    def change(self, client: FlaskClient, token: str, current: str = PASSWORD, password: str = NEW) -> TestResponse:
        body = {"current_password": current, "password": password}
        return client.post("/api/v1/auth/password", json=body, headers=bearer(token))

    def test_ends_the_other_sessions_and_keeps_this_one(self, client: FlaskClient, ada: Caller, eve: str) -> None:
        here, there = log_in(client), log_in(client)
        response = self.change(client, here)
        assert (response.status_code, response.data) == (204, b"")
        statuses = [client.get("/api/v1/auth/me", headers=bearer(token)).status_code for token in (here, there)]
        assert statuses == [200, 401]
        assert ada.client.get("/api/v1/auth/me").status_code == 200
        assert client.post("/api/v1/auth/login", json={"name": "eve", "password": PASSWORD}).status_code == 401
        log_in(client, "eve", self.NEW)

    def test_names_the_field_when_the_current_one_is_wrong(self, app: Flask, client: FlaskClient, eve: str) -> None:
        token, other = log_in(client), log_in(client)
        for current in ("wrong", "", self.NEW):
            response = self.change(client, token, current)
            problem = response.get_json()
            assert (response.status_code, problem["code"]) == (422, "wrong_current_password")
            assert [error["loc"] for error in problem["errors"]] == [["body", "current_password"]]
        assert stored_hash(app, "eve") == HASH
        assert client.get("/api/v1/auth/me", headers=bearer(other)).status_code == 200

    def test_gives_no_password_to_who_has_none(self, client: FlaskClient, ada: Caller) -> None:
        assert self.change(client, ada.token, "None").status_code == 422

    @pytest.mark.one_database
    def test_hashes_outside_any_unit_of_work_and_only_what_is_allowed(
        self, client: FlaskClient, eve: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = log_in(client)
        done = watched_hashing(monkeypatch)
        assert self.change(client, token, "wrong").status_code == 422
        assert done == [VERIFIED]
        done.clear()
        for refused in ("sunshine1", "x" * 7, "x" * 129, "x" * 1_000_000):
            assert self.change(client, token, password=refused).status_code == 422
        assert done == []
        assert self.change(client, token).status_code == 204
        assert done == [VERIFIED, HASHED]

    def test_refuses_ones_own_name_in_it(self, app: Flask, client: FlaskClient) -> None:
        with app.app_context(), transaction():
            user_business.create(name="Lovelace", password_hash=HASH)
        response = self.change(client, log_in(client, "Lovelace"), password="lovelace and i")
        assert response.status_code == 422
        (error,) = response.get_json()["errors"]
        assert (error["loc"], error["type"]) == (["body", "password"], "password_holds_name")
        assert stored_hash(app, "Lovelace") == HASH

    def test_lets_one_of_several_at_once_change_it(self, app: Flask, client: FlaskClient, eve: str) -> None:
        tokens = [log_in(client) for _ in range(3)]

        def change(number: int) -> int:
            return self.change(app.test_client(), tokens[number], password=f"{self.NEW} {number}").status_code

        statuses = at_once([partial(change, number) for number in range(3)])
        assert statuses.count(204) == 1
        assert set(statuses) <= {204, 422, 401}
        winner = statuses.index(204)
        log_in(client, "eve", f"{self.NEW} {winner}")
        alive = [client.get("/api/v1/auth/me", headers=bearer(token)).status_code == 200 for token in tokens]
        assert alive == [number == winner for number in range(3)]

    def test_wants_a_caller(self, client: FlaskClient) -> None:
        body = {"current_password": PASSWORD, "password": self.NEW}
        assert client.post("/api/v1/auth/password", json=body).status_code == 401
