"""A browser's cookie at every operation: it counts beside the token that pages of this site know, or not at all."""

from collections.abc import Mapping, Sequence

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from application.database import transaction
from application.libs.redprint import machinery
from application.libs.remote import SOMEBODY
from application.modules.session import business as sessions
from application.modules.user import business as user_business
from tests.contract.access import Feature, World
from tests.contract.access_table import ACCESS, FEATURES
from tests.modules.auth.browsing import SITE, STRANGERS

pytestmark = [pytest.mark.one_database, pytest.mark.repeats]

READING = ("GET",)


class Browsers(World):
    """Ask by cookies, with what a page sends beside them."""

    def __init__(self, app: Flask, features: Sequence[Feature]) -> None:
        """Sign each user in by a browser, too."""
        self.cookies: dict[str, str] = {}
        self.said: Mapping[str, str] = {"Origin": SITE}
        self.shows_token = True
        super().__init__(app, features)
        with app.app_context(), transaction():
            for name in self.tokens:
                account = user_business.search(limit=1, after=None, sort="name", q=name, count=False).items[0]
                cookie = sessions.begin_in_browser(account.id, client=SOMEBODY)
                self.cookies[name] = cookie.token

    def client(self, caller: str) -> FlaskClient:
        """Return a client of this caller, who shows a token only until all have cookies."""
        if caller not in self.cookies:
            return super().client(caller)
        client = self.app.test_client()
        client.set_cookie("redprint", self.cookies[caller])
        shown = {"X-CSRF-Token": self.csrf(caller)} if self.shows_token else {}
        for name, value in {**self.said, **shown}.items():
            client.environ_base[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return client

    def csrf(self, caller: str) -> str:
        """Return what belongs to the cookie of a caller."""
        found: str = self.app.extensions["browser_sessions"].csrf(self.cookies[caller])
        return found


@pytest.fixture
def browsers(app: Flask) -> Browsers:
    """Create the users, what one of them owns, and their cookies."""
    return Browsers(app, FEATURES)


def operations(app: Flask) -> dict[str, bool]:
    """Return the routes that are operations, each with whether anybody may call it."""
    return {
        f"{item.operation.method} {rule.rule}": item.operation.public
        for item in machinery(app).mounted
        for rule in app.url_map.iter_rules(item.endpoint)
    }


def refused(answer: TestResponse) -> bool:
    return answer.status_code == 403 and answer.get_json()["code"] in ("foreign_page", "foreign_origin")


class TestPageOfOurs:
    @pytest.mark.parametrize("route", ACCESS)
    def test_is_answered_as_who_shows_a_token(self, browsers: Browsers, route: str) -> None:
        answer = browsers.send(route, "admin")
        assert answer.status_code == ACCESS[route].admin, answer.text

    def test_may_no_more_than_its_user(self, browsers: Browsers) -> None:
        before = browsers.tables()
        for route, row in ACCESS.items():
            if row.user in (403, 404):
                assert browsers.send(route, "user").status_code == row.user, route
        assert browsers.tables() == before

    @pytest.mark.parametrize("route", ["POST /api/v1/tag", "PUT /api/v1/tag/<id:tag_id>", "POST /api/v2/blog"])
    def test_must_send_json(self, browsers: Browsers, route: str) -> None:
        method, _, path = route.partition(" ")
        before = browsers.tables()
        answer = browsers.client("admin").open(
            path.replace("<id:tag_id>", browsers.values["tag_id"]),
            method=method,
            data='{"name": "x", "title": "x", "content": "x"}',
            content_type="text/plain",
        )
        assert answer.status_code == 415
        assert browsers.tables() == before


class TestCookieByItself:
    def test_is_nobody_for_a_reader(self, browsers: Browsers) -> None:
        browsers.shows_token = False
        for headers in ({}, {"Origin": SITE}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"}):
            browsers.said = headers
            for route, row in ACCESS.items():
                if route.startswith(READING):
                    assert browsers.send(route, "owner").status_code == row.nobody, route

    @pytest.mark.parametrize("headers", [{}, {"Origin": SITE}, {"Sec-Fetch-Site": "same-origin"}])
    def test_changes_nothing(self, app: Flask, browsers: Browsers, headers: dict[str, str]) -> None:
        browsers.shows_token, browsers.said = False, headers
        before = browsers.tables()
        for route, is_public in operations(app).items():
            if not route.startswith(READING) and not is_public:
                answer = browsers.send(route, "admin")
                assert refused(answer), f"{route}: {answer.text}"
        assert browsers.tables() == before


class TestPageOfOthers:
    @pytest.mark.parametrize("headers", STRANGERS)
    def test_is_refused_whatever_it_asks(self, app: Flask, browsers: Browsers, headers: dict[str, str]) -> None:
        browsers.said = headers
        before = browsers.tables()
        for route, is_public in operations(app).items():
            if not is_public:
                answer = browsers.send(route, "admin")
                assert refused(answer), f"{route}: {answer.text}"
        assert browsers.tables() == before

    @pytest.mark.parametrize("csrf", ["", "another", "\xe9"])
    def test_guesses_no_token(self, app: Flask, browsers: Browsers, csrf: str) -> None:
        browsers.shows_token, browsers.said = False, {"Origin": SITE, "X-CSRF-Token": csrf}
        before = browsers.tables()
        for route, is_public in operations(app).items():
            if not is_public:
                assert refused(browsers.send(route, "admin")), route
        assert browsers.tables() == before

    def test_has_no_use_for_the_token_of_its_own_session(self, browsers: Browsers) -> None:
        browsers.shows_token, browsers.said = False, {"Origin": SITE, "X-CSRF-Token": browsers.csrf("user")}
        assert refused(browsers.send("GET /api/v1/auth/me", "admin"))

    @pytest.mark.parametrize("headers", STRANGERS)
    def test_gets_no_further_at_the_scheduler_by_a_simple_request(
        self, browsers: Browsers, headers: dict[str, str]
    ) -> None:
        browsers.shows_token, browsers.said = False, headers
        before = browsers.tables()
        answer = browsers.client("admin").post("/scheduler/jobs", data='{"id": "x"}', content_type="text/plain")
        assert refused(answer)
        assert "error_message" in answer.get_json()
        assert browsers.tables() == before


class TestChallenge:
    @pytest.mark.parametrize("path", ["/api/v1/auth/me", "/scheduler/jobs"])
    def test_opens_no_form_of_the_browser(self, browsers: Browsers, path: str) -> None:
        client = browsers.client("admin")
        with browsers.app.app_context(), transaction():
            for user in user_business.search(limit=10, after=None, sort="name", q=None, count=False).items:
                sessions.revoke_all(user.id)
        ended = client.get(path)
        client.delete_cookie("redprint")
        for answer in (ended, client.get(path)):
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="API"'


class TestHeader:
    @pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
    def test_goes_before_the_cookie(self, browsers: Browsers, headers: dict[str, str]) -> None:
        browsers.said, browsers.shows_token = headers, False
        bearer = {"Authorization": f"Bearer {browsers.tokens['user']}"}
        answer = browsers.client("admin").get("/api/v1/auth/me", headers=bearer)
        assert answer.get_json()["data"]["name"] == "user"
        spoilt = {"Authorization": "Bearer spoilt"}
        assert browsers.client("admin").get("/api/v1/auth/me", headers=spoilt).status_code == 401

    def test_is_looked_at_by_nobody_who_signs_in(self, browsers: Browsers) -> None:
        browsers.said = {"Origin": "https://evil.example", "X-CSRF-Token": "another"}
        given = {"name": "owner", "password": "correct horse"}
        assert browsers.client("admin").post("/api/v1/auth/login", json=given).status_code == 200
