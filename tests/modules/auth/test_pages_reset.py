"""The pages for who has forgotten their password."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.modules.code.business import Purpose
from tests.modules.auth.browsing import HASH
from tests.modules.auth.conftest import log_in, stored_hash
from tests.post import Post, give_contact, put_code
from tests.tables import count_rows

MAIL, CODE, NEW = "eve@example.org", "204816", "four other words at random"
OURS = {"Origin": "http://localhost"}


@pytest.fixture
def reached(app: Flask, eve: str) -> str:
    """Let the user be reached by mail."""
    give_contact(app, eve, MAIL)
    return eve


def send(client: FlaskClient, path: str, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
    return client.post(path, data=form, headers=headers or OURS)


def without(text: str, to: str) -> str:
    return text.replace(to, "")


class TestForgotPassword:
    def test_says_the_same_whoever_the_address_belongs_to(self, client: FlaskClient, reached: str, post: Post) -> None:
        assert 'href="/forgot-password"' in client.get("/sign-in").text
        answers = [send(client, "/forgot-password", to=to) for to in (MAIL, "nobody@example.org")]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert without(answers[0].text, MAIL) == without(answers[1].text, "nobody@example.org")
        assert "If this address belongs to an account, a message was sent there" in answers[0].text
        assert [mail["To"] for mail in post.mails()] == [MAIL]
        assert send(client, "/forgot-password", to=MAIL).text == answers[0].text  # within the minute
        assert len(post.mails()) == 1

    def test_refuses_what_is_no_address_and_another_site(self, app: Flask, client: FlaskClient) -> None:
        for to in ("", "eve", "x" * 300, "a\0@b.org"):
            answer = send(client, "/forgot-password", to=to)
            assert answer.status_code == 422
            assert "neither a mail address nor a number" in answer.text
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert send(client, "/forgot-password", headers, to=MAIL).status_code == 403
        assert client.post("/forgot-password", json={"to": MAIL}).status_code == 415
        assert count_rows(app, "code") == 0

    def test_tells_who_asks_too_often_how_long_to_wait(self, client: FlaskClient) -> None:
        answers = [send(client, "/forgot-password", to=f"n{number}@example.org") for number in range(31)]
        assert [answer.status_code for answer in answers] == [200] * 30 + [429]
        assert 3590 <= int(answers[-1].headers["Retry-After"]) <= 3600
        assert "then try again." in answers[-1].text


class TestResetPassword:
    def test_by_a_code_leads_to_where_one_signs_in(
        self, app: Flask, client: FlaskClient, reached: str, post: Post
    ) -> None:
        send(client, "/forgot-password", to=MAIL)
        wrong = send(client, "/reset-password", to=MAIL, code="000000", password=NEW)
        assert wrong.status_code == 422
        assert "The code is wrong, was used or has expired." in wrong.text
        assert f'value="{MAIL}"' in wrong.text
        code = post.code()
        done = send(client, "/reset-password", to=MAIL, code=f"{code[:3]} {code[3:]} ", password=NEW)
        assert (done.status_code, done.headers["Location"]) == (303, "/sign-in?changed=1")
        assert "Your password was changed. Sign in with it." in client.get("/sign-in?changed=1").text
        log_in(client, "eve", NEW)

    def test_shows_the_token_in_its_form_alone_and_tells_it_to_nobody(self, client: FlaskClient) -> None:
        page = client.get('/reset-password?token=abc"<script>')
        assert page.text.count("abc") == 1
        assert '<input type="hidden" name="token" value="abc&#34;&lt;script&gt;">' in page.text
        assert page.headers["Referrer-Policy"] == "strict-origin"
        assert page.headers["Cache-Control"] == "no-store"
        assert 'name="code"' not in page.text

    @pytest.mark.parametrize(
        ("password", "says"),
        [
            ("short", "A password has 8 to 128 characters."),
            ("x" * 129, "A password has 8 to 128 characters."),
            ("sunshine1", "Everybody tries this password first"),
        ],
    )
    def test_says_why_a_password_is_refused(
        self, app: Flask, client: FlaskClient, reached: str, password: str, says: str
    ) -> None:
        put_code(app, Purpose.RESET, MAIL, CODE)
        answer = send(client, "/reset-password", to=MAIL, code=CODE, password=password)
        assert answer.status_code == 422
        assert says in answer.text
        assert stored_hash(app, "eve") == HASH

    def test_says_that_a_link_is_over(self, client: FlaskClient) -> None:
        for token in ("x", "x" * 300):
            answer = send(client, "/reset-password", token=token, password=NEW)
            assert answer.status_code == 422
            assert "This link was used, has expired or is incomplete." in answer.text

    def test_refuses_another_site(self, app: Flask, client: FlaskClient, reached: str) -> None:
        put_code(app, Purpose.RESET, MAIL, CODE)
        form = {"to": MAIL, "code": CODE, "password": NEW}
        for headers in ({"Origin": "https://evil.example"}, {"X-Nothing": "at all"}):
            assert send(client, "/reset-password", headers, **form).status_code == 403
        assert stored_hash(app, "eve") == HASH

    def test_says_how_long_to_wait_who_guesses(self, app: Flask, client: FlaskClient, reached: str) -> None:
        answers = [send(client, "/reset-password", to=MAIL, code="000000", password=NEW) for _ in range(21)]
        assert [answer.status_code for answer in answers] == [422] * 20 + [429]
        assert int(answers[-1].headers["Retry-After"]) > 80_000

    def test_speaks_chinese(self, client: FlaskClient) -> None:
        for path in ("/forgot-password", "/reset-password", "/reset-password?token=x"):
            page = client.get(path, headers={"Accept-Language": "zh-CN"}).text
            assert 'lang="zh-CN"' in page
            assert "Password" not in page.partition("<main")[2].replace("Redprint", "")
