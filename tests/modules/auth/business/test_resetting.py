"""Passwords that were forgotten, over HTTP: the rule opens units of work of its own."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.database import transaction
from application.libs.clock import now, ruled_by
from application.modules.code.business import Purpose
from application.modules.user import business as user_business
from tests.hashing import watched_hashing
from tests.modules.auth.browsing import HASH, PASSWORD
from tests.modules.auth.conftest import bearer, log_in, log_in_whole, stored_hash
from tests.parallel import at_once
from tests.post import Post, give_contact, put_code
from tests.tables import count_rows

MAIL, PHONE, CODE, NEW = "eve@example.org", "+4915112345678", "204816", "four other words at random"


@pytest.fixture
def reached(app: Flask, eve: str) -> str:
    """Let the user be reached by two addresses and a number, at a site whose address is known."""
    for to in (MAIL, "eve@work.example", PHONE):
        give_contact(app, eve, to)
    return eve


@pytest.fixture
def site(app: Flask) -> Iterator[None]:
    """Say where people reach the site."""
    settings = app.extensions["settings"]
    app.extensions["settings"] = settings.model_copy(update={"public_url": "https://app.example"})
    yield
    app.extensions["settings"] = settings


def reset(client: FlaskClient, password: str = NEW, **shown: str) -> TestResponse:
    return client.post("/api/v1/auth/reset", json={**shown, "password": password})


def token_of(post: Post) -> str:
    return post.link().partition("?token=")[2]


@pytest.mark.usefixtures("site")
class TestResetPassword:
    def test_by_link_ends_sessions_and_codes_and_forgives(
        self, app: Flask, client: FlaskClient, reached: str, post: Post
    ) -> None:
        session = log_in_whole(client)
        put_code(app, Purpose.SIGN_IN, PHONE, CODE)
        post.ask("reset", MAIL)
        token = token_of(post)
        for name in ("eve", MAIL, PHONE):
            for _ in range(5):
                client.post("/api/v1/auth/login", json={"name": name, "password": "wrong"})
            assert client.post("/api/v1/auth/login", json={"name": name, "password": "wrong"}).status_code == 429
        answer = reset(client, token=token)
        assert (answer.status_code, answer.data) == (204, b"")
        assert client.get("/api/v1/auth/me", headers=bearer(session["token"])).status_code == 401
        assert client.post("/api/v1/auth/refresh", json={"refresh_token": session["refresh_token"]}).status_code == 401
        for name in ("eve", MAIL, PHONE, "EVE@Example.org", "+49 151 123-456-78"):
            log_in(client, name, NEW)
        by_code = client.post("/api/v1/auth/login-by-code", json={"to": PHONE, "code": CODE})
        assert by_code.status_code == 422
        assert reset(client, token=token).get_json()["code"] == "wrong_link"
        assert count_rows(app, "code") == 0

    def test_tells_all_mail_addresses(self, app: Flask, client: FlaskClient, reached: str, post: Post) -> None:
        code = post.ask("reset", MAIL)
        assert reset(client, to=MAIL, code=code).status_code == 204
        told = [mail["To"] for mail in post.mails() if mail["Subject"] == "Your password was changed"]
        assert sorted(told) == ["eve@example.org", "eve@work.example"]
        assert len(post.short_messages()) == 0

    def test_by_sms_takes_the_code(self, client: FlaskClient, reached: str, post: Post) -> None:
        code = post.ask("reset", PHONE)
        assert reset(client, to=PHONE, code="000000").status_code == 422
        assert reset(client, to="+49 151 12345678", code=code).status_code == 204
        log_in(client, "eve", NEW)

    def test_kills_the_code_with_the_link_and_the_link_with_the_code(
        self, app: Flask, client: FlaskClient, reached: str, post: Post
    ) -> None:
        code = post.ask("reset", MAIL)
        token = token_of(post)
        assert reset(client, token=token).status_code == 204
        assert reset(client, to=MAIL, code=code).status_code == 422
        later = now() + timedelta(minutes=2)
        with ruled_by(lambda: later):
            code = post.ask("reset", "eve@work.example")
            token = token_of(post)
            assert reset(client, to="eve@work.example", code=code).status_code == 204
            assert reset(client, token=token).status_code == 422

    def test_takes_a_link_for_half_an_hour(self, client: FlaskClient, reached: str, post: Post) -> None:
        code = post.ask("reset", MAIL)
        token = token_of(post)
        began = now()
        with ruled_by(lambda: began + timedelta(minutes=31)):
            assert reset(client, token=token).status_code == 422
        with ruled_by(lambda: began + timedelta(minutes=29)):
            assert reset(client, to=MAIL, code=code).status_code == 422
            assert reset(client, token=token).status_code == 204

    def test_lets_one_of_many_at_once_win(self, app: Flask, client: FlaskClient, reached: str, post: Post) -> None:
        post.ask("reset", MAIL)
        token = token_of(post)
        answers = at_once([lambda: reset(app.test_client(), token=token)] * 12)
        assert sorted(answer.status_code for answer in answers) == [204] + [422] * 11

    def test_leaves_the_link_where_the_password_is_refused(self, app: Flask, client: FlaskClient, post: Post) -> None:
        with app.app_context(), transaction():
            lovelace = user_business.create(name="Lovelace", password_hash=HASH).id
        give_contact(app, lovelace, MAIL)
        post.ask("reset", MAIL)
        token = token_of(post)
        for password, type_ in (("lovelace and i", "password_holds_name"), ("sunshine1", "password_known")):
            answer = reset(client, password, token=token)
            assert (answer.status_code, answer.get_json()["errors"][0]["type"]) == (422, type_)
        assert stored_hash(app, "Lovelace") == HASH
        assert reset(client, token=token).status_code == 204

    def test_wants_either_a_token_or_a_code(self, client: FlaskClient) -> None:
        halves: tuple[dict[str, str], ...] = (
            {},
            {"to": MAIL},
            {"code": CODE},
            {"token": "x", "to": MAIL, "code": CODE},
            {"token": "x", "to": MAIL},
        )
        for shown in halves:
            answer = reset(client, **shown)
            assert (answer.status_code, answer.get_json()["errors"][0]["type"]) == (422, "selection")

    @pytest.mark.one_database
    def test_hashes_once_outside_any_unit_of_work(
        self, app: Flask, client: FlaskClient, reached: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_code(app, Purpose.RESET, MAIL, CODE)
        done = watched_hashing(monkeypatch)
        for to, code in ((MAIL, "000000"), ("nobody@example.org", CODE)):
            assert reset(client, to=to, code=code).status_code == 422
        assert reset(client, token="x").status_code == 422
        assert done == []
        assert reset(client, to=MAIL, code=CODE).status_code == 204
        assert [(work.what, work.inside_unit) for work in done] == [("hash", False)]

    def test_dies_with_any_other_new_password(self, app: Flask, client: FlaskClient, reached: str, post: Post) -> None:
        post.ask("reset", MAIL)
        token, session = token_of(post), log_in(client)
        body = {"current_password": PASSWORD, "password": NEW}
        assert client.post("/api/v1/auth/password", json=body, headers=bearer(session)).status_code == 204
        assert reset(client, token=token).status_code == 422
        assert [mail["Subject"] for mail in post.mails()].count("Your password was changed") == 2
        later = now() + timedelta(minutes=2)
        with ruled_by(lambda: later):
            post.ask("reset", MAIL)
            token = token_of(post)
            with app.app_context(), transaction():
                user_business.update(reached, password_hash=HASH)
            assert reset(client, token=token).status_code == 422
