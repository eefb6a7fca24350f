"""Asking for codes over HTTP: the same answer and the same work, whoever has an account."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.libs.clock import now
from application.libs.mail_server import MailServer
from application.libs.sms import HttpSms, read_template
from tests.conftest import Caller
from tests.hashing import watched_hashing
from tests.mail_server import Mailbox, mail_server
from tests.modules.code.conftest import MAIL, PHONE, STRANGER, at
from tests.modules.message.conftest import use
from tests.post import Post, text_of
from tests.sms_provider import sms_provider
from tests.statements import statements
from tests.tables import count_rows

PURPOSES = ("register", "sign_in", "reset")


def ask(client: FlaskClient, purpose: str, to: str, remote: str = "192.0.2.1", **headers: str) -> TestResponse:
    body = {"purpose": purpose, "to": to}
    return client.post("/api/v1/code", json=body, headers=headers, environ_overrides={"REMOTE_ADDR": remote})


class TestCreate:
    @pytest.mark.parametrize("purpose", PURPOSES)
    def test_says_and_does_the_same_for_an_address_that_is_known(
        self, app: Flask, client: FlaskClient, reached: Caller, purpose: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed = watched_hashing(monkeypatch)
        seen: list[tuple[object, ...]] = []
        for to in (MAIL, STRANGER, PHONE, "+4915187654321"):
            with statements(app) as done:
                answer = ask(client, purpose, to)
            headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
            seen.append((answer.status_code, answer.get_json(), headers, done))
        assert seen == [seen[0]] * 4
        assert seen[0][:2] == (202, {"code": 0, "status": "succeed", "data": {"expires_in": 300, "resend_after": 60}})
        again = [ask(client, purpose, to) for to in (MAIL, STRANGER)]
        assert [answer.status_code for answer in again] == [429, 429]
        assert hashed == []

    def test_wants_a_minute_between_two_and_lets_the_newer_one_count(
        self, app: Flask, client: FlaskClient, reached: Caller, post: Post
    ) -> None:
        first = post.ask("sign_in", MAIL)
        refused = ask(client, "sign_in", MAIL.upper())
        assert (refused.status_code, refused.get_json()["code"]) == (429, "code_just_sent")
        assert 55 <= int(refused.headers["Retry-After"]) <= 60
        assert ask(client, "reset", MAIL).status_code == 202
        later = now() + timedelta(seconds=61)
        with at(later):
            assert ask(client, "sign_in", MAIL).status_code == 202
            post.work()
            answers = [
                client.post("/api/v1/auth/login-by-code", json={"to": MAIL, "code": code}).status_code
                for code in (first, post.code())
            ]
        assert answers == [422, 200]

    def test_gives_five_an_hour_to_an_address_and_counts_no_refused_ones(
        self, client: FlaskClient, reached: Caller
    ) -> None:
        began = now()
        for to in (MAIL, STRANGER):
            answers = []
            for minute in range(6):
                moment = began + timedelta(minutes=1.1 * minute)
                with at(moment):
                    answers += [ask(client, "sign_in", to).status_code for _ in range(2)]
            assert answers == [202, 429] * 5 + [429] * 2

    def test_gives_thirty_an_hour_to_who_asks(self, client: FlaskClient, app: Flask) -> None:
        answers = [ask(client, "reset", f"n{number}@example.org").status_code for number in range(31)]
        assert answers == [202] * 30 + [429]
        assert ask(client, "reset", STRANGER, remote="192.0.2.2").status_code == 202
        assert count_rows(app, "code") == 31

    @pytest.mark.parametrize(
        "to", ["ada", "ada@", "@example.org", "a@b@c.org", "+49", "0151 1234567", "ada@ex_ample.org"]
    )
    def test_refuses_what_nothing_can_be_sent_to(self, app: Flask, client: FlaskClient, to: str) -> None:
        answer = ask(client, "sign_in", to)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_recipient")
        assert count_rows(app, "code") == 0

    def test_verifies_only_for_who_is_signed_in(self, client: FlaskClient, ada: Caller) -> None:
        assert ask(client, "verify", MAIL).status_code == 401
        assert ask(ada.client, "verify", MAIL).status_code == 202

    def test_is_refused_to_register_where_that_is_closed(self, app: Flask, client: FlaskClient) -> None:
        settings = app.extensions["settings"]
        app.extensions["settings"] = settings.model_copy(update={"registration_open": False})
        try:
            answer = ask(client, "register", STRANGER)
            assert (answer.status_code, answer.get_json()["code"]) == (403, "registration_closed")
            assert ask(client, "sign_in", STRANGER).status_code == 202
        finally:
            app.extensions["settings"] = settings

    def test_takes_nothing_from_the_host_that_was_asked(
        self, app: Flask, client: FlaskClient, reached: Caller, post: Post
    ) -> None:
        answer = ask(client, "reset", MAIL, Host="localhost:4242")
        assert answer.status_code == 202
        (mail,) = post.mails()
        assert "4242" not in mail.as_string()
        assert "http" not in text_of(mail)

    def test_speaks_the_language_of_who_asks(self, client: FlaskClient, reached: Caller, post: Post) -> None:
        ask(client, "sign_in", MAIL, **{"Accept-Language": "zh-CN"})
        ask(client, "sign_in", PHONE, **{"Accept-Language": "zh-CN"})
        ask(client, "reset", MAIL, **{"Accept-Language": "zh-CN"})
        assert post.mails()[0]["Content-Language"] == "zh"
        assert "验证码" in post.short_messages()[0].text
        assert post.mails()[1]["Subject"] == "设置新密码"

    @pytest.mark.one_database
    def test_sends_by_the_real_servers(self, app: Flask, client: FlaskClient, reached: Caller, post: Post) -> None:
        box = Mailbox()
        with mail_server(box) as port, sms_provider() as provider:
            body = read_template('{"to": "{to}", "text": "{text}", "code": "{code}"}')
            use(app, mail=MailServer(host="127.0.0.1", port=port), sms=HttpSms(url=provider.url, template=body))
            ask(client, "sign_in", MAIL)
            ask(client, "sign_in", PHONE)
            assert post.work().count("message.deliver") == 2
        (mail,) = box.mails
        assert mail["To"] == "Ada@example.org"
        assert PHONE in provider.asked[0].body
