"""Signing in by an address of one's own, with a code or with the password, over HTTP."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.database import transaction
from application.modules.code.business import Purpose
from application.modules.user import business as user_business
from tests.conftest import Caller
from tests.hashing import VERIFIED, watched_hashing
from tests.modules.auth.browsing import HASH, PASSWORD
from tests.modules.auth.conftest import bearer, log_in
from tests.parallel import at_once
from tests.post import Post, give_contact, put_code
from tests.statements import statements
from tests.tables import count_rows

MAIL, PHONE, CODE = "eve@example.org", "+4915112345678", "204816"


@pytest.fixture
def reached(app: Flask, eve: str) -> str:
    """Let the user be reached by mail and telephone."""
    give_contact(app, eve, MAIL)
    give_contact(app, eve, PHONE)
    return eve


class TestLoginByCode:
    @pytest.mark.parametrize("to", [MAIL, PHONE])
    def test_signs_in_once(self, app: Flask, client: FlaskClient, reached: str, post: Post, to: str) -> None:
        body = {"to": to, "code": post.ask("sign_in", to)}
        answer = client.post("/api/v1/auth/login-by-code", json=body)
        assert answer.status_code == 200
        assert set(answer.get_json()["data"]) == set(
            client.post("/api/v1/auth/login", json={"name": "eve", "password": PASSWORD}).get_json()["data"]
        )
        me = client.get("/api/v1/auth/me", headers=bearer(answer.get_json()["data"]["token"]))
        assert me.get_json()["data"]["name"] == "eve"
        again = client.post("/api/v1/auth/login-by-code", json=body)
        assert (again.status_code, again.get_json()["code"]) == (422, "wrong_code")
        assert count_rows(app, "audit", action="user.refuse_code") == 1

    def test_lets_one_of_many_at_once_win(self, app: Flask, reached: str) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        body = {"to": MAIL, "code": CODE}
        answers = at_once([lambda: app.test_client().post("/api/v1/auth/login-by-code", json=body)] * 12)
        assert sorted(answer.status_code for answer in answers) == [200] + [422] * 11
        assert count_rows(app, "session") == 1

    def test_does_not_know_the_codes_of_other_purposes(self, app: Flask, client: FlaskClient, reached: str) -> None:
        put_code(app, Purpose.RESET, MAIL, CODE)
        answer = client.post("/api/v1/auth/login-by-code", json={"to": MAIL, "code": CODE})
        assert answer.status_code == 422

    def test_is_over_with_its_user(self, app: Flask, client: FlaskClient, reached: str) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        with app.app_context(), transaction():
            user_business.delete(reached)
        assert count_rows(app, "code") == 0
        answer = client.post("/api/v1/auth/login-by-code", json={"to": MAIL, "code": CODE})
        assert answer.status_code == 422


class TestLogin:
    @pytest.mark.parametrize("name", [MAIL, "EVE@Example.ORG", PHONE, " +49 (151) 123 456-78"])
    def test_takes_an_address_for_the_name(self, client: FlaskClient, reached: str, name: str) -> None:
        log_in(client, name)

    def test_asks_no_more_for_a_name_and_the_same_for_every_address(
        self, app: Flask, client: FlaskClient, reached: str, ada: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = watched_hashing(monkeypatch)
        seen = []
        for name in (MAIL, "nobody@example.org", "+4915187654321", "eve", "nobody"):
            with statements(app) as asked:
                answer = client.post("/api/v1/auth/login", json={"name": name, "password": "wrong"})
            problem = answer.get_json()
            del problem["request_id"]
            seen.append((answer.status_code, problem, len(asked)))
        assert seen == [seen[0]] * 5
        assert done == [VERIFIED] * 5

    def test_counts_an_address_as_one_however_it_is_written(self, client: FlaskClient, reached: str) -> None:
        writings = ("+4915112345678", "+49 15112345678", "+49-151-12345678", "+49(151)12345678")
        answers = [
            client.post("/api/v1/auth/login", json={"name": name, "password": "wrong"}).status_code
            for name in (*writings, PHONE, f" {PHONE}")
        ]
        assert answers == [401] * 5 + [429]

    def test_prefers_a_name_that_somebody_was_given(self, app: Flask, client: FlaskClient, reached: str) -> None:
        with app.app_context(), transaction():
            named = user_business.create(name=MAIL, password_hash=None)
        answer = client.post("/api/v1/auth/login", json={"name": MAIL, "password": PASSWORD})
        assert answer.status_code == 401  # the one of this name has no password
        with app.app_context(), transaction():
            user_business.update(named.id, password_hash=HASH)
        me = client.get("/api/v1/auth/me", headers=bearer(log_in(client, MAIL)))
        assert me.get_json()["data"]["name"] == MAIL
