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
