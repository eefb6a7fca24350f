from typing import Any

import pytest
from werkzeug.wrappers import Response as Answer

from application.libs.cors import ALLOWED_HEADERS, EXPOSED_HEADERS, CrossOrigin, socket_origins
from application.libs.error import TooManyRequests
from tests.libs.edge_kit import Browser, Build, raising

SITE = "https://app.example"
OTHER = "http://[::1]:5173"

STRANGERS = [
    pytest.param("https://evil.example", id="evil"),
    pytest.param("null", id="null"),
    pytest.param("https://app.example.evil.example", id="suffix"),
    pytest.param("https://evilapp.example", id="prefix"),
    pytest.param("https://sub.app.example", id="subdomain"),
    pytest.param("http://app.example", id="scheme"),
    pytest.param("https://app.example:8443", id="port"),
    pytest.param("https://APP.example", id="capitals"),
    pytest.param("https://app.example/", id="slash"),
    pytest.param("https://app.example https://evil.example", id="two"),
    pytest.param("https://appXexample", id="dot"),
    pytest.param("*", id="star"),
    pytest.param("", id="empty"),
]


@pytest.fixture
def site(build: Build) -> Browser:
    return build(cross_origin=CrossOrigin([SITE, OTHER]), trusted_hosts=["localhost"])


def ask(site: Browser, path: str = "/api/thing/a", *, origin: str | None = SITE, **options: Any) -> Answer:
    return site.get(path, headers={"Origin": origin} if origin is not None else {}, **options)


def preflight(site: Browser, path: str = "/api/thing/a", *, origin: str = SITE, method: str = "PUT") -> Answer:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "if-match"}
    return site.get(path, method="OPTIONS", headers=asked)


def granted(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


class TestHeaders:
    @pytest.mark.parametrize("origin", [SITE, OTHER])
    def test_let_a_listed_site_read(self, site: Browser, origin: str) -> None:
        answer = ask(site, origin=origin)

        assert answer.status_code == 200
        assert granted(answer) == {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        }
        assert answer.headers.getlist("Vary") == ["Origin"]

    @pytest.mark.parametrize("origin", STRANGERS)
    def test_grant_nothing_to_others_but_tell_caches(self, site: Browser, origin: str) -> None:
        answer = ask(site, origin=origin)

        assert (answer.status_code, granted(answer)) == (200, {})
        assert answer.headers.getlist("Vary") == ["Origin"]

    def test_tell_caches_where_no_origin_is_named(self, site: Browser) -> None:
        answer = ask(site, origin=None)

        assert (granted(answer), answer.headers.getlist("Vary")) == ({}, ["Origin"])

    def test_stand_on_errors_too(self, site: Browser, build: Build) -> None:
        missing = ask(site, "/api/missing")
        broken = ask(site, environ_overrides={"CONTENT_LENGTH": "x"})
        foreign = ask(site, base_url="http://evil.example")
        limited = ask(build(raising(TooManyRequests()), cross_origin=CrossOrigin([SITE])))

        for answer, status in ((missing, 404), (broken, 400), (foreign, 400), (limited, 429)):
            assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, SITE)
            assert "X-Request-ID" in answer.headers

    @pytest.mark.parametrize("path", ["/page", "/file", "/scheduler/jobs", "/apix"])
    def test_are_for_the_api_alone(self, site: Browser, path: str) -> None:
        answer = ask(site, path)

        assert granted(answer) == {}
        assert "Vary" not in answer.headers

    def test_never_allow_credentials(self, site: Browser) -> None:
        answer = site.get("/api/thing/a", headers={"Origin": SITE, "Cookie": "session=1", "Authorization": "Bearer x"})

        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Access-Control-Allow-Origin"] == SITE

    def test_are_none_without_a_list(self, build: Build) -> None:
        answer = ask(build())

        assert granted(answer) == {}
        assert "Vary" not in answer.headers


class TestPreflight:
    @pytest.mark.parametrize("path", ["/api/thing/a", "/api/missing"])
    def test_is_answered_at_every_address(self, site: Browser, path: str) -> None:
        answer = preflight(site, path)

        assert (answer.status_code, answer.data) == (204, b"")
        assert granted(answer) == {
            "Access-Control-Allow-Origin": SITE,
            "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": "7200",
        }
        assert answer.headers.getlist("Vary") == ["Origin"]

    @pytest.mark.parametrize("origin", STRANGERS)
    def test_of_others_is_an_ordinary_options(self, site: Browser, origin: str) -> None:
        answer = preflight(site, origin=origin)

        assert (answer.status_code, granted(answer)) == (200, {})
        assert "GET" in answer.headers["Allow"]

    def test_without_a_method_is_an_ordinary_options(self, site: Browser) -> None:
        answer = ask(site, method="OPTIONS")

        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, SITE)

    def test_has_its_id_and_its_line(self, site: Browser, lines: list[bytes]) -> None:
        answer = site.get(
            "/api/thing/a",
            method="OPTIONS",
            headers={"Origin": SITE, "Access-Control-Request-Method": "PUT", "X-Request-ID": "flight-7"},
        )

        assert answer.headers["X-Request-ID"] == "flight-7"
        assert b"[flight-7]" in lines[0]
        assert b" 204 " in lines[0]


class TestSocketOrigins:
    ENVIRON = {"wsgi.url_scheme": "http", "HTTP_HOST": "redprint.example:5000"}

    @pytest.mark.parametrize("origin", [SITE, OTHER, "http://redprint.example:5000"])
    def test_let_listed_sites_and_this_one_in(self, origin: str) -> None:
        may_connect = socket_origins([SITE, OTHER])

        assert may_connect is not None
        assert may_connect(origin, self.ENVIRON)

    @pytest.mark.parametrize("origin", [*STRANGERS, "http://redprint.example", "https://redprint.example:5000"])
    def test_keep_others_out(self, origin: str) -> None:
        may_connect = socket_origins([SITE, OTHER])

        assert may_connect is not None
        assert not may_connect(origin, self.ENVIRON)

    def test_know_the_scheme_a_proxy_took_off(self) -> None:
        may_connect = socket_origins([SITE])

        assert may_connect is not None
        assert may_connect("https://redprint.example:5000", {**self.ENVIRON, "HTTP_X_FORWARDED_PROTO": "https"})

    def test_are_the_servers_own_without_a_list(self) -> None:
        assert socket_origins([]) is None
