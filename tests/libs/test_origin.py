import pytest

from application.libs import origin


class TestCanonical:
    @pytest.mark.parametrize(
        ("listed", "sent"),
        [
            ("https://app.example", "https://app.example"),
            ("HTTPS://App.Example", "https://app.example"),
            ("https://app.example:443", "https://app.example"),
            ("http://app.example:80", "http://app.example"),
            ("http://app.example:443", "http://app.example:443"),
            ("https://app.example:08443", "https://app.example:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://[::1]:5173", "http://[::1]:5173"),
            ("http://127.0.0.1", "http://127.0.0.1"),
        ],
    )
    def test_is_what_a_browser_sends(self, listed: str, sent: str) -> None:
        assert origin.canonical(listed) == sent

    @pytest.mark.parametrize(
        "listed",
        [
            "*",
            "null",
            "",
            "app.example",
            "https://",
            "https://app.example/",
            "https://app.example/path",
            "https://app.example?",
            "https://me@app.example",
            "https://*.app.example",
            "https://.app.example",
            "https://app.example:",
            "https://app.example:port",
            "https://app.example, https://b.example",
            "ftp://app.example",
            "file://",
            "https://app.example\n",
        ],
    )
    def test_refuses_what_no_site_is(self, listed: str) -> None:
        with pytest.raises(ValueError, match="is no"):
            origin.canonical(listed)


def said(site: str = "http://app.example", method: str = "POST", **headers: str) -> dict[str, str]:
    """Return what a server knows of a request; `site` is how it was reached, headers by their names in WSGI."""
    scheme, _, host = site.partition("://")
    return {"wsgi.url_scheme": scheme, "HTTP_HOST": host, "REQUEST_METHOD": method, **headers}


OWN = [
    ("http://app.example", "http://app.example"),
    ("http://app.example:8080", "http://app.example:8080"),
    ("http://[::1]:5000", "http://[::1]:5000"),
    ("https://app.example", "https://app.example"),
    ("http://app.example", "https://app.example"),  # of a proxy that has the TLS
]

FOREIGN = [
    "",
    "null",
    "*",
    "https://evil.example",
    "http://app.example.evil.example",
    "http://evilapp.example",
    "http://sub.app.example",
    "http://app.example:8080",
    "http://app.example/",
    "http://app.example@evil.example",
    "http://app.example evil",
    "http://",
    "://app.example",
    "//app.example",
    "app.example",
    "ftp://app.example",
    "http://[app.example",
    "http://[::1",
    "http://app.example http://evil.example",
    "http://\u2100.example",
    "\x00",
]


class TestFromAnotherSite:
    @pytest.mark.parametrize(("site", "sent"), OWN)
    def test_is_false_for_a_page_of_this_one(self, site: str, sent: str) -> None:
        assert not origin.from_another_site(said(site, HTTP_ORIGIN=sent))
        assert not origin.from_another_site(said(site, HTTP_ORIGIN=sent, HTTP_SEC_FETCH_SITE="same-origin"))

    @pytest.mark.parametrize("sent", FOREIGN)
    def test_is_true_for_another_origin(self, sent: str) -> None:
        assert origin.from_another_site(said(HTTP_ORIGIN=sent))
        assert origin.from_another_site(said(HTTP_ORIGIN=sent, HTTP_SEC_FETCH_SITE="same-origin"))

    def test_is_true_for_a_page_without_tls_where_this_site_has_it(self) -> None:
        assert origin.from_another_site(said("https://app.example", HTTP_ORIGIN="http://app.example"))

    @pytest.mark.parametrize("sent", ["null", "http://", "https://", ""])
    @pytest.mark.parametrize("host", ["http://", "http"])
    def test_is_true_where_this_site_has_no_name(self, host: str, sent: str) -> None:
        assert origin.from_another_site(said(host, HTTP_ORIGIN=sent))
        assert origin.from_another_site({"wsgi.url_scheme": "http", "REQUEST_METHOD": "POST", "HTTP_ORIGIN": sent})

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "", "Same-Origin", "same-origin, none"])
    def test_is_true_for_what_fetch_metadata_calls_so(self, site: str) -> None:
        assert origin.from_another_site(said(HTTP_SEC_FETCH_SITE=site))
        assert origin.from_another_site(said(HTTP_SEC_FETCH_SITE=site, HTTP_ORIGIN="http://app.example"))

    def test_is_false_for_who_is_no_browser_or_types_the_address(self) -> None:
        assert not origin.from_another_site(said())
        assert not origin.from_another_site(said(HTTP_SEC_FETCH_SITE="none"))


class TestFromThisSite:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
    @pytest.mark.parametrize(("site", "sent"), OWN)
    def test_is_true_where_the_browser_says_so(self, method: str, site: str, sent: str) -> None:
        assert origin.from_this_site(said(site, method, HTTP_ORIGIN=sent))
        assert origin.from_this_site(said(site, method, HTTP_SEC_FETCH_SITE="same-origin"))

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
    def test_is_false_for_another_site(self, method: str) -> None:
        for sent in FOREIGN:
            assert not origin.from_this_site(said(method=method, HTTP_ORIGIN=sent))
        for site in ("cross-site", "same-site"):
            assert not origin.from_this_site(said(method=method, HTTP_SEC_FETCH_SITE=site))

    def test_needs_it_said_of_what_changes_only(self) -> None:
        assert [origin.from_this_site(said(method=method)) for method in ("GET", "HEAD")] == [True, True]
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert not origin.from_this_site(said(method=method))
