"""Accounts that people make for themselves, over HTTP: the rule opens units of work of its own."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.modules.code.business import Purpose
from tests.conftest import Caller
from tests.hashing import watched_hashing
from tests.modules.auth.conftest import bearer
from tests.parallel import at_once
from tests.post import Post, contact_rows, give_contact, put_code
from tests.tables import count_rows

TO, CODE, PASSWORD = "grace@example.org", "204816", "correct horse battery"


def register(client: FlaskClient, code: str = CODE, to: str = TO, name: str = "grace", **more: object) -> TestResponse:
    return client.post("/api/v1/auth/register", json={"to": to, "code": code, "name": name, **more})


@pytest.fixture
def closed(app: Flask) -> Iterator[None]:
    """Let nobody register."""
    settings = app.extensions["settings"]
    app.extensions["settings"] = settings.model_copy(update={"registration_open": False})
    yield
    app.extensions["settings"] = settings


class TestRegister:
    def test_makes_a_user_who_is_signed_in_and_reached(self, app: Flask, client: FlaskClient, post: Post) -> None:
        answer = register(client, post.ask("register", TO), password=PASSWORD)
        assert answer.status_code == 201
        tokens = answer.get_json()["data"]
        me = client.get("/api/v1/auth/me", headers=bearer(tokens["token"])).get_json()["data"]
        assert (me["name"], me["roles"]) == ("grace", ["user"])
        assert contact_rows(app) == [(me["id"], TO)]
        assert client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code == 200
        for name in ("grace", TO):
            login = {"name": name, "password": PASSWORD}
            assert client.post("/api/v1/auth/login", json=login).status_code == 200

    def test_needs_no_password_of_who_signs_in_by_codes(self, client: FlaskClient, post: Post) -> None:
        phone = "+4915112345678"
        assert register(client, post.ask("register", phone), phone).status_code == 201
        code = post.ask("sign_in", phone)
        assert client.post("/api/v1/auth/login-by-code", json={"to": phone, "code": code}).status_code == 200

    def test_lets_one_of_many_at_once_win(self, app: Flask, client: FlaskClient) -> None:
        put_code(app, Purpose.REGISTER, TO, CODE)
        answers = at_once([lambda: register(app.test_client())] * 12)
        assert sorted(answer.status_code for answer in answers) == [201] + [422] * 11
        assert count_rows(app, "user") == 1

    def test_looks_at_a_name_only_once_the_code_is_right_and_leaves_the_code_then(
        self, app: Flask, client: FlaskClient, bob: Caller
    ) -> None:
        put_code(app, Purpose.REGISTER, TO, CODE)
        wrong = [register(client, "000000", name=name) for name in ("bob", "grace")]
        assert [answer.get_json()["code"] for answer in wrong] == ["wrong_code"] * 2
        taken = register(client, name="bob")
        assert (taken.status_code, taken.get_json()["code"]) == (409, "name_taken")
        assert register(client).status_code == 201

    def test_makes_none_for_an_address_that_is_taken_meanwhile(
        self, app: Flask, client: FlaskClient, bob: Caller
    ) -> None:
        put_code(app, Purpose.REGISTER, TO, CODE)
        give_contact(app, bob.id, TO)
        assert register(client).get_json()["code"] == "contact_taken"
        assert count_rows(app, "user") == 1

    @pytest.mark.parametrize("name", ["a@b", "eve@example.org", "+49151", " +1"])
    def test_takes_no_name_that_could_be_an_address(self, app: Flask, client: FlaskClient, name: str) -> None:
        put_code(app, Purpose.REGISTER, TO, CODE)
        answer = register(client, name=name)
        assert (answer.status_code, answer.get_json()["errors"][0]["type"]) == (422, "like_address")

    def test_judges_the_password(self, app: Flask, client: FlaskClient) -> None:
        put_code(app, Purpose.REGISTER, TO, CODE)
        for password in ("short", "sunshine1", "grace hopper", "x" * 129, "", 1):
            assert register(client, password=password).status_code == 422
        assert register(client, password=PASSWORD).status_code == 201

    @pytest.mark.usefixtures("closed")
    def test_is_closed_where_the_setting_says_so(self, app: Flask, client: FlaskClient) -> None:
        answer = register(client)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "registration_closed")
        assert count_rows(app, "throttle") == 0

    @pytest.mark.one_database
    def test_hashes_nothing_before_the_code_is_right(
        self, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_code(app, Purpose.REGISTER, TO, CODE)
        done = watched_hashing(monkeypatch)
        assert register(client, "000000", password=PASSWORD).status_code == 422
        assert done == []
        assert register(client, password=PASSWORD).status_code == 201
        assert [(work.what, work.inside_unit) for work in done] == [("hash", False)]

    def test_makes_ten_an_hour_for_one_address(self, app: Flask, client: FlaskClient) -> None:
        answers = []
        for number in range(11):
            put_code(app, Purpose.REGISTER, f"n{number}@example.org", CODE)
            answers.append(register(client, to=f"n{number}@example.org", name=f"n{number}").status_code)
        assert answers == [201] * 10 + [429]
