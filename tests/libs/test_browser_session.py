"""Browsers that are known by a cookie."""

from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.http import dump_cookie
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from application.libs.auth import Credentials
from application.libs.browser_session import BrowserSessions, ForeignPage, is_page

TOKEN = "kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM"
OURS = BrowserSessions("a secret of this site")
CSRF = OURS.csrf(TOKEN)
SITE = "http://app.example"
TLS = "https://app.example"

NAMES = pytest.mark.parametrize(("site", "name"), [(SITE, "redprint"), (TLS, "__Host-redprint")])


def environ(site: str = SITE, *, method: str = "POST", cookie: str | None = None, **headers: str) -> dict[str, Any]:
    """Return what the server knows of a request; headers by their names with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    given = Headers(sent if cookie is None else sent | {"Cookie": cookie})
    return EnvironBuilder(method=method, base_url=site, headers=given).get_environ()


def given(site: str, token: str = TOKEN) -> str:
    """Return the one `Set-Cookie` that gives a token."""
    response = Response()
    OURS.give(response, environ(site), token, seconds=600)
    (header,) = response.headers.getlist("Set-Cookie")
    return header


def attributes(header: str) -> set[str]:
    """Return what a cookie is given with; `Max-Age` counts, `Expires` says the same to old browsers."""
    parts = {part.strip() for part in header.split(";")[1:]}
    return {part for part in parts if not part.startswith("Expires=")}


class TestCsrf:
    def test_belongs_to_one_token_and_one_secret(self) -> None:
        assert OURS.csrf(TOKEN) == CSRF
        others = {OURS.csrf(TOKEN[:-1]), OURS.csrf(""), BrowserSessions("a secret of another").csrf(TOKEN)}
        assert len(others | {CSRF}) == 4

    def test_tells_nothing_and_fits_a_header(self) -> None:
        assert TOKEN not in CSRF
        assert len(CSRF) == 43
        assert CSRF.isascii()
        assert CSRF.replace("-", "").replace("_", "").isalnum()


class TestGive:
    def test_lets_no_script_and_no_other_site_use_it(self) -> None:
        assert attributes(given(SITE)) == {"HttpOnly", "Path=/", "SameSite=Strict", "Max-Age=600"}

    def test_keeps_it_to_this_host_and_tls_where_there_is_tls(self) -> None:
        assert attributes(given(TLS)) == {"Secure", "HttpOnly", "Path=/", "SameSite=Strict", "Max-Age=600"}

    @NAMES
    def test_names_it_for_who_may_set_it(self, site: str, name: str) -> None:
        assert given(site).startswith(f"{name}={TOKEN};")


class TestTake:
    @NAMES
    def test_lets_the_browser_forget_what_was_given(self, site: str, name: str) -> None:
        response = Response()
        OURS.take(response, environ(site))
        (header,) = response.headers.getlist("Set-Cookie")
        assert header.startswith(f"{name}=;")
        before = attributes(given(site)) - {"Max-Age=600"}
        assert attributes(header) == before | {"Max-Age=0"}


class TestRead:
    @NAMES
    def test_finds_what_was_given(self, site: str, name: str) -> None:
        assert OURS.read(environ(site, cookie=f"other=1; {name}={TOKEN}; more=2")) == TOKEN
        assert OURS.read(environ(site, cookie=dump_cookie(name, TOKEN).partition(";")[0])) == TOKEN

    def test_takes_none_that_another_host_may_have_set_beside_tls(self) -> None:
        assert OURS.read(environ(TLS, cookie=f"redprint={TOKEN}")) is None
        assert OURS.read(environ(SITE, cookie=f"__Host-redprint={TOKEN}")) is None

    @pytest.mark.parametrize(
        "cookie",
        [
            None,
            "",
            "redprint",
            "redprint=",
            'redprint=""',
            ";;;",
            "=",
            f"={TOKEN}",
            f"redprint {TOKEN}",
            f"Redprint={TOKEN}",
            f"redprint2={TOKEN}",
            f"other=redprint={TOKEN}",
            "\x00",
            "x" * 10_000,
        ],
    )
    def test_finds_none_where_there_is_none(self, cookie: str | None) -> None:
        assert OURS.read(environ(cookie=cookie)) is None

    @pytest.mark.parametrize(
        "other",
        ['theirs={"a": 1, "b": [2]}', "theirs=a b", "a[0]=1", "=", "theirs", 'theirs="', "\xe4\xff=\xfe", "a,b=c"],
    )
    def test_minds_no_malformed_cookie_of_others(self, other: str) -> None:
        assert OURS.read(environ(cookie=f"{other}; redprint={TOKEN}")) == TOKEN
        assert OURS.read(environ(cookie=f"redprint={TOKEN}; {other}")) == TOKEN

    @pytest.mark.parametrize("spoilt", ["\xff\xfe", '"\\377"', "a\x00b", '"a\\"b"', "😀".encode().decode("latin-1")])
    def test_reads_any_bytes_as_a_token_of_nobody(self, spoilt: str) -> None:
        read = OURS.read(environ(cookie=f"redprint={spoilt}"))
        assert read not in (None, TOKEN)
        assert OURS.csrf(str(read)) != CSRF


class TestBelongs:
    def test_is_true_for_the_one_token(self) -> None:
        assert OURS.belongs(CSRF, TOKEN)

    @pytest.mark.parametrize(
        "shown",
        [None, "", CSRF[:-1], f"{CSRF}=", f" {CSRF}", CSRF.swapcase(), TOKEN, "é", "\ud800", "x" * 10_000, 1, [CSRF]],
        ids=repr,
    )
    def test_is_false_for_anything_else(self, shown: object) -> None:
        assert not OURS.belongs(shown, TOKEN)

    def test_is_false_for_another_cookie(self) -> None:
        assert not OURS.belongs(CSRF, TOKEN[:-1])


class TestCredentials:
    @pytest.mark.parametrize("needed", [True, False])
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": SITE},
            {"Sec_Fetch_Site": "same-origin"},
            {"Origin": SITE, "Sec_Fetch_Site": "same-origin"},
        ],
    )
    def test_are_the_cookie_that_a_page_of_ours_shows(self, needed: bool, headers: dict[str, str]) -> None:
        asked = environ(cookie=f"redprint={TOKEN}", X_CSRF_Token=CSRF, **headers)
        assert OURS.credentials(asked, needed=needed) == Credentials("cookie", TOKEN, by_browser=True)

    def test_need_no_origin_for_reading(self) -> None:
        asked = environ(method="GET", cookie=f"redprint={TOKEN}", X_CSRF_Token=CSRF)
        assert OURS.credentials(asked, needed=False) == Credentials("cookie", TOKEN, by_browser=True)

    @pytest.mark.parametrize("needed", [True, False])
    def test_are_none_without_a_cookie(self, needed: bool) -> None:
        for shown in ({}, {"X_CSRF_Token": CSRF}):
            assert OURS.credentials(environ(Origin=SITE, **shown), needed=needed) is None

    def test_are_none_for_a_cookie_by_itself_where_nobody_need_be_known(self) -> None:
        for headers in ({"Origin": SITE}, {"Origin": "https://evil.example"}, {}):
            assert OURS.credentials(environ(cookie=f"redprint={TOKEN}", **headers), needed=False) is None

    def test_are_refused_for_a_cookie_by_itself_where_somebody_must_be_known(self) -> None:
        with pytest.raises(ForeignPage):
            OURS.credentials(environ(cookie=f"redprint={TOKEN}", Origin=SITE), needed=True)

    @pytest.mark.parametrize("needed", [True, False])
    @pytest.mark.parametrize(
        "headers",
        [
            {"X_CSRF_Token": "another", "Origin": SITE},
            {"X_CSRF_Token": "", "Origin": SITE},
            {"X_CSRF_Token": CSRF[:-1], "Origin": SITE},
            {"X_CSRF_Token": CSRF},
            {"X_CSRF_Token": CSRF, "Origin": "https://evil.example"},
            {"X_CSRF_Token": CSRF, "Origin": "null"},
            {"X_CSRF_Token": CSRF, "Origin": f"{SITE}.evil.example"},
            {"X_CSRF_Token": CSRF, "Sec_Fetch_Site": "cross-site"},
            {"X_CSRF_Token": CSRF, "Sec_Fetch_Site": "same-site"},
            {"X_CSRF_Token": CSRF, "Origin": SITE, "Sec_Fetch_Site": "cross-site"},
            {"X_CSRF_Token": CSRF, "Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"},
        ],
    )
    def test_are_refused_to_a_page_that_is_not_ours(self, needed: bool, headers: dict[str, str]) -> None:
        with pytest.raises(ForeignPage):
            OURS.credentials(environ(cookie=f"redprint={TOKEN}", **headers), needed=needed)

    def test_of_a_site_with_tls_are_refused_to_its_pages_without(self) -> None:
        cookie = f"__Host-redprint={TOKEN}"
        asked = environ(TLS, cookie=cookie, X_CSRF_Token=CSRF, Origin=TLS)
        assert OURS.credentials(asked, needed=True) == Credentials("cookie", TOKEN, by_browser=True)
        with pytest.raises(ForeignPage):
            OURS.credentials(environ(TLS, cookie=cookie, X_CSRF_Token=CSRF, Origin=SITE), needed=True)


class TestIsPage:
    def test_is_who_sends_the_header(self) -> None:
        assert is_page(environ(X_CSRF_Token=""))
        assert not is_page(environ(cookie=f"redprint={TOKEN}"))
