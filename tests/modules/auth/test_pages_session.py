"""Signing out by a browser, and what the dashboard asks when it opens."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, transaction
from application.libs.clock import now
from application.modules.session import business as sessions
from application.modules.session.models import Session
from application.permissions import ROLE_PERMISSIONS, Role
from tests.conftest import Caller
from tests.modules.auth.browsing import OURS, SITE, STRANGERS, UNSAID, Browser, gives_nothing
from tests.tables import count_rows

NOBODY: dict[str, Any] = {"name": None, "csrf": None, "permissions": []}


class TestLeave:
    @pytest.fixture
    def signed_in(self, browser: Browser) -> Browser:
        browser.sign_in()
        return browser

    @pytest.mark.parametrize("place", ["header", "form"])
    def test_ends_the_session(self, app: Flask, signed_in: Browser, place: str) -> None:
        cookie, csrf = str(signed_in.cookie), signed_in.csrf()
        shown: dict[str, Any] = {"headers": OURS, "data": {"csrf": csrf}}
        if place == "header":
            shown = {"headers": OURS | {"X-CSRF-Token": csrf}}
        answer = signed_in.client.post("/sign-out", **shown)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
        assert answer.headers["Cache-Control"] == "no-store"
        assert signed_in.cookie is None
        assert count_rows(app, "session") == 0
        thief = Browser(app)
        thief.keep(cookie)
        assert thief.state() == NOBODY
        assert thief.client.get("/api/v1/auth/me", headers={"X-CSRF-Token": csrf}).status_code == 401

    def test_ends_no_other(self, app: Flask, signed_in: Browser) -> None:
        other = Browser(app)
        other.sign_in()
        assert signed_in.ask("POST", "/sign-out").status_code == 303
        assert other.ask("GET", "/api/v1/auth/me").status_code == 200

    @pytest.mark.parametrize("csrf", [None, "", "another", "é"])
    def test_needs_the_token(self, app: Flask, signed_in: Browser, csrf: str | None) -> None:
        shown = {} if csrf is None else {"X-CSRF-Token": csrf}
        for options in ({"headers": OURS | shown}, {"headers": OURS, "data": {"csrf": csrf or ""}}):
            answer = signed_in.client.post("/sign-out", **options)
            assert (answer.status_code, answer.mimetype) == (403, "text/html")
            assert gives_nothing(answer)
        assert signed_in.state()["name"] == "eve"

    @pytest.mark.parametrize("headers", [*STRANGERS, UNSAID])
    def test_is_refused_to_pages_that_are_not_ours(self, signed_in: Browser, headers: dict[str, str]) -> None:
        shown = headers | {"X-CSRF-Token": signed_in.csrf()}
        assert signed_in.client.post("/sign-out", headers=shown).status_code == 403
        assert signed_in.state()["name"] == "eve"
        without = signed_in.app.test_client().post("/sign-out", headers=headers)  # SameSite kept the cookie back
        assert without.status_code == 403
        assert gives_nothing(without)

    def test_is_no_link(self, signed_in: Browser) -> None:
        assert signed_in.client.get("/sign-out").status_code == 405
        assert signed_in.state()["name"] == "eve"

    def test_is_done_where_nobody_is_signed_in(self, browser: Browser) -> None:
        for cookie in (None, "ended-long-ago"):
            if cookie is not None:
                browser.keep(cookie)
            csrf = browser.app.extensions["browser_sessions"].csrf(cookie or "")
            answer = browser.client.post("/sign-out", headers=OURS | {"X-CSRF-Token": csrf})
            assert (answer.status_code, browser.cookie) == (303, None)


class TestState:
    def test_is_nobody_without_a_session(self, browser: Browser, ada: Caller) -> None:
        assert browser.state() == NOBODY
        for other in ("no such token", ada.token, "\xff", '"'):
            browser.client.environ_base["HTTP_COOKIE"] = f"redprint={other}"
            assert browser.state() == NOBODY
        bearer = {"Authorization": f"Bearer {ada.token}"}
        assert browser.client.get("/dashboard/session.json", headers=bearer).get_json() == NOBODY

    def test_is_who_signed_in_and_what_they_may_do(self, browser: Browser) -> None:
        browser.sign_in()
        state = browser.state()
        assert state == {"name": "eve", "csrf": state["csrf"], "permissions": sorted(ROLE_PERMISSIONS[Role.USER])}
        assert str(browser.cookie) not in str(state)
        for headers in ({"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}, {"Origin": SITE}):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            assert browser.state(**named) == state

    @pytest.mark.parametrize("headers", STRANGERS)
    def test_tells_pages_that_are_not_ours_nothing(self, browser: Browser, headers: dict[str, str]) -> None:
        browser.sign_in()
        assert browser.state(**headers) == NOBODY

    @pytest.mark.parametrize("column", ["access_expires_at", "expires_at"])
    def test_is_nobody_once_the_session_has_ended(self, app: Flask, browser: Browser, column: str) -> None:
        browser.sign_in()
        values = {"access_expires_at": now(), column: now()}
        with app.app_context(), transaction():
            change(sa.update(Session).values(**values))
        assert browser.state() == NOBODY

    def test_is_of_the_cookie_and_its_secret(self, app: Flask, browser: Browser) -> None:
        browser.sign_in()
        other = Browser(app)
        other.sign_in()
        assert browser.csrf() != other.csrf()
        answer = browser.ask("GET", "/api/v1/auth/me", headers={"X-CSRF-Token": other.csrf()})
        assert (answer.status_code, answer.get_json()["code"]) == (403, "foreign_page")


class TestTokens:
    """One kind of token is none of another kind."""

    def test_of_a_browser_is_no_bearer_token(self, browser: Browser) -> None:
        browser.sign_in()
        bearer = {"Authorization": f"Bearer {browser.cookie}"}
        assert browser.app.test_client().get("/api/v1/auth/me", headers=bearer).status_code == 401

    def test_of_a_client_is_no_cookie(self, app: Flask, browser: Browser, eve: str) -> None:
        with app.app_context(), transaction():
            tokens = sessions.begin(eve)
        for token in (tokens.token, tokens.refresh_token):
            browser.keep(token)
            csrf = app.extensions["browser_sessions"].csrf(token)
            answer = browser.client.get("/api/v1/auth/me", headers={"X-CSRF-Token": csrf})
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="API"'
