"""The page for signing in: who is let in by it, and where it leads."""

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from application.database import change, transaction
from application.libs.background import background_of
from application.libs.clock import now
from application.modules.session.models import Session
from tests.conftest import Caller
from tests.modules.auth.browsing import OURS, PASSWORD, STRANGERS, UNSAID, Browser, gives_nothing
from tests.tables import count_rows

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
WRONG = "The name or the password is wrong."


class TestForm:
    def test_asks_for_name_and_password(self, client: FlaskClient) -> None:
        answer = client.get("/sign-in")
        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        assert '<html lang="en">' in answer.text
        assert "<title>Sign in · Redprint</title>" in answer.text
        for field, label in (("name", "Name"), ("password", "Password")):
            assert f'<label for="{field}">{label}</label>' in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert gives_nothing(answer)

    def test_speaks_chinese(self, client: FlaskClient) -> None:
        text = client.get("/sign-in", headers=CHINESE).text
        assert '<html lang="zh-CN">' in text
        for word in ("用户名", "密码", "登录"):
            assert word in text

    def test_loads_nothing_that_its_policy_refuses(self, client: FlaskClient) -> None:
        answer = client.get("/sign-in")
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?://", answer.text) == []

    def test_escapes_what_it_repeats(self, client: FlaskClient) -> None:
        evil = "/\"'><script>alert(1)</script>"
        answer = client.get("/sign-in", query_string={"next": evil})
        assert "alert(1)</script>" not in answer.text
        assert f'value="{evil}"' in unescape(answer.text)
        assert "<script>" not in client.get("/sign-in?name=<script>").text


class TestEnter:
    def test_lets_in_by_a_cookie_and_leads_back(self, browser: Browser, eve: str) -> None:
        answer = browser.sign_in(next="/jobs?q=été&sort=-name#top")
        assert answer.headers["Location"] == "/jobs?q=%C3%A9t%C3%A9&sort=-name#top"
        assert answer.headers["Cache-Control"] == "no-store"
        (given,) = answer.headers.getlist("Set-Cookie")
        assert given.startswith(f"redprint={browser.cookie};")
        for attribute in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"):
            assert attribute in given
        me = browser.ask("GET", "/api/v1/auth/me").get_json()["data"]
        assert (me["id"], me["name"]) == (eve, "eve")

    def test_gives_one_of_this_host_only_where_there_is_tls(self, app: Flask, eve: str) -> None:
        browser = Browser(app, "https://localhost")
        (given,) = browser.sign_in().headers.getlist("Set-Cookie")
        assert given.startswith("__Host-redprint=")
        assert "Secure" in given
        assert "Domain" not in given
        assert browser.ask("GET", "/api/v1/auth/me").status_code == 200

    @pytest.mark.parametrize(
        "form",
        [
            pytest.param({"name": "eve", "password": "wrong"}, id="password"),
            pytest.param({"name": "nobody", "password": PASSWORD}, id="name"),
            pytest.param({"name": "EVE", "password": PASSWORD}, id="capitals"),
            pytest.param({"name": "eve", "password": ""}, id="empty"),
            pytest.param({"name": "eve"}, id="no password"),
            pytest.param({"name": "x" * 51, "password": PASSWORD}, id="long name"),
            pytest.param({"name": "eve", "password": PASSWORD + "x" * 128}, id="long password"),
            pytest.param({"name": "x" * 100_000, "password": "x" * 100_000}, id="very long"),
            pytest.param({"name": "eve\x00", "password": PASSWORD}, id="NUL in the name"),
            pytest.param({"name": "eve", "password": f"{PASSWORD}\x00"}, id="NUL in the password"),
            pytest.param({"name": "' OR 1=1 --", "password": "' OR 1=1 --"}, id="SQL"),
            pytest.param({"name": "\ufffd😀", "password": "\ufffd"}, id="odd letters"),
        ],
    )
    def test_tells_no_wrong_password_from_an_unknown_name(
        self, app: Flask, browser: Browser, form: dict[str, str]
    ) -> None:
        answer = browser.send(form)
        assert (answer.status_code, answer.mimetype) == (401, "text/html")
        assert re.findall(r'role="alert">([^<]*)<', answer.text) == [WRONG]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "WWW-Authenticate" not in answer.headers  # or the browser would ask by a form of its own
        assert gives_nothing(answer)
        assert count_rows(app, "session") == 0

    def test_lets_nobody_in_who_has_no_password(self, browser: Browser, ada: Caller) -> None:
        for password in ("", "None", "null"):
            assert browser.send({"name": "ada", "password": password}).status_code == 401

    @pytest.mark.parametrize("body", [b"name=eve&password=%ff%fe", b"name=%ff&password=x", b"\xff\xfe", b"&&==;", b""])
    def test_takes_any_bytes_for_a_wrong_password(self, browser: Browser, body: bytes) -> None:
        kind = "application/x-www-form-urlencoded"
        answer = browser.client.post("/sign-in", data=body, content_type=kind, headers=OURS)
        assert answer.status_code == 401

    def test_keeps_the_name_and_not_the_password(self, browser: Browser) -> None:
        answer = browser.send({"name": '"><img src=x onerror=alert(1)>', "password": "s3cret!", "next": "/jobs"})
        assert "<img src=x" not in answer.text
        assert 'value="&#34;&gt;&lt;img src=x onerror=alert(1)&gt;"' in answer.text
        assert "s3cret!" not in answer.text
        assert 'name="next" value="/jobs"' in answer.text

    def test_says_so_in_chinese(self, browser: Browser) -> None:
        answer = browser.send({"name": "eve", "password": "wrong"}, OURS | CHINESE)
        assert answer.status_code == 401
        assert 'role="alert">用户名或密码错误。<' in answer.text

    @pytest.mark.parametrize("headers", [*STRANGERS, UNSAID])
    def test_is_refused_to_pages_that_are_not_ours(self, app: Flask, browser: Browser, headers: dict[str, str]) -> None:
        answer = browser.send({"name": "eve", "password": PASSWORD}, headers)
        assert (answer.status_code, answer.mimetype) == (403, "text/html")
        assert gives_nothing(answer)
        assert count_rows(app, "session") == 0

    @pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data; boundary=x", "", "x"])
    def test_takes_nothing_but_the_form(self, app: Flask, browser: Browser, kind: str) -> None:
        body = f"name=eve&password={PASSWORD}".encode()
        answer = browser.client.post("/sign-in", data=body, content_type=kind, headers=OURS)
        assert (answer.status_code, answer.mimetype) == (415, "text/html")
        assert gives_nothing(answer)
        assert count_rows(app, "session") == 0

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https://evil.example/",
            "HTTPS://evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "evil.example",
            " //evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\n/evil.example",
            "\t//evil.example",
            "\x00//evil.example",
            "/\x00/evil.example",
            "/jobs\r\nSet-Cookie: redprint=evil",
            "/\u2028/evil.example",
            "/\u202egpj.exe",
            "//[",
            "http://[",
            "?next=/",
            "#",
            "",
        ],
    )
    def test_leads_nowhere_else(self, browser: Browser, elsewhere: str) -> None:
        shown = browser.client.get("/sign-in", query_string={"next": elsewhere})
        assert shown.status_code == 200
        assert 'name="next" value="/"' in shown.text
        answer = browser.sign_in(next=elsewhere)
        assert answer.headers["Location"] == "/"
        assert len(answer.headers.getlist("Set-Cookie")) == 1

    @pytest.mark.parametrize("place", ["/", "/jobs", "/tasks/x?y=//z", "/jobs?q=https://app.example", "/a:b", "/./x"])
    def test_leads_back_to_our_pages(self, browser: Browser, place: str) -> None:
        assert browser.sign_in(next=place).headers["Location"] == place
        again = browser.client.post(
            "/sign-in", query_string={"next": place}, data={"name": "eve", "password": PASSWORD}, headers=OURS
        )
        assert again.headers["Location"] == place

    def test_begins_another_session_and_ends_the_one_before(self, app: Flask, browser: Browser) -> None:
        browser.sign_in()
        before, csrf = browser.cookie, browser.csrf()
        browser.sign_in()
        assert browser.cookie not in (None, before)
        assert count_rows(app, "session") == 1
        thief = Browser(app)
        thief.keep(str(before))
        assert thief.state()["name"] is None
        assert thief.client.get("/api/v1/auth/me", headers={"X-CSRF-Token": csrf}).status_code == 401

    def test_takes_over_no_cookie_that_somebody_else_chose(self, app: Flask, browser: Browser) -> None:
        browser.keep("chosen-by-somebody-else")
        browser.sign_in()
        assert browser.cookie != "chosen-by-somebody-else"
        thief = Browser(app)
        thief.keep("chosen-by-somebody-else")
        assert thief.state()["name"] is None

    def test_keeps_the_session_before_where_the_password_is_wrong(self, browser: Browser) -> None:
        browser.sign_in()
        before = browser.cookie
        assert browser.send({"name": "eve", "password": "wrong"}).status_code == 401
        assert browser.cookie == before
        assert browser.state()["name"] == "eve"

    def test_ends_no_session_of_a_bearer_token(self, browser: Browser, ada: Caller) -> None:
        browser.keep(ada.token)
        browser.sign_in()
        assert ada.client.get("/api/v1/auth/me").status_code == 200

    def test_says_where_it_was(self, browser: Browser) -> None:
        browser.client.environ_base |= {"REMOTE_ADDR": "192.0.2.7", "HTTP_USER_AGENT": "Firefox\x1b[31m"}
        browser.sign_in()
        (own,) = browser.ask("GET", "/api/v1/session").get_json()["data"]
        assert (own["device"], own["address"], own["is_current"]) == ("Firefox[31m", "192.0.2.7", True)

    def test_lasts_for_as_long_as_it_is_used(self, app: Flask, browser: Browser) -> None:
        browser.sign_in()
        with app.app_context(), transaction():
            soon, long_ago = now() + timedelta(minutes=1), now() - timedelta(minutes=2)
            change(sa.update(Session).values(access_expires_at=soon, expires_at=soon, last_seen_at=long_ago))
        assert browser.ask("GET", "/api/v1/auth/me").status_code == 200
        assert background_of(app).drain(5) == 0
        (own,) = browser.ask("GET", "/api/v1/session").get_json()["data"]
        assert own["expires_at"] > (now() + timedelta(days=6)).isoformat()


@pytest.mark.one_database
class TestPace:
    def test_is_five_tries_of_a_name(self, app: Flask, browser: Browser) -> None:
        right, wrong = {"name": "eve", "password": PASSWORD}, {"name": "eve", "password": "wrong"}
        assert [browser.send(wrong).status_code for _ in range(5)] == [401] * 5
        for form in (wrong, right):
            answer = browser.send(form)
            assert (answer.status_code, answer.mimetype) == (429, "text/html")
            seconds = answer.headers["Retry-After"]
            assert 1 <= int(seconds) <= 300
            assert f"Too many tries. Wait {seconds} s, then try again." in answer.text
            assert gives_nothing(answer)
        assert "尝试次数过多" in browser.send(wrong, OURS | CHINESE).text
        assert browser.send({"name": "bob", "password": "wrong"}).status_code == 401
