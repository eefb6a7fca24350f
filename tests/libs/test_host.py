"""Which hosts are served."""

from typing import Any

import pytest

from application.libs.host import MOST_KNOWN_HOSTS, HostNames, TrustedHosts, canonical, is_loopback


def _environ(host: str | None, target: str = "/", protocol: str = "HTTP/1.1") -> dict[str, Any]:
    named = {} if host is None else {"HTTP_HOST": host}
    return {"RAW_URI": target, "SERVER_PROTOCOL": protocol, **named}


class TestCanonical:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("Example.ORG", "example.org"),
            (".Example.org", ".example.org"),
            ("[::1]", "::1"),
            ("bücher.example", "xn--bcher-kva.example"),
        ],
    )
    def test_gives_what_is_compared(self, name: str, expected: str) -> None:
        assert canonical(name) == expected

    @pytest.mark.parametrize("name", ["https://example.org", "*.example.org", "example.org:80", "a b", ""])
    def test_refuses_what_is_no_host(self, name: str) -> None:
        with pytest.raises(ValueError, match="host name|label"):
            canonical(name)


class TestHostNames:
    def test_hold_names_and_subdomains(self) -> None:
        names = HostNames(["Example.org", ".example.com"])
        assert names
        assert all(name in names for name in ("example.org", "example.com", "a.b.example.com"))
        assert all(name not in names for name in ("a.example.org", "evilexample.com", "example.net", ""))

    def test_of_nothing_hold_nothing(self) -> None:
        assert not HostNames([])
        assert "example.org" not in HostNames([])


class TestTrustedHosts:
    @pytest.mark.parametrize("host", ["example.org", "EXAMPLE.org:5000", "example.org.", "a.b.example.net", "[::1]:80"])
    def test_serve_what_is_listed(self, host: str) -> None:
        trusted = TrustedHosts(["example.org", ".example.net", "::1"])
        assert trusted.fault(_environ(host)) is None

    @pytest.mark.parametrize(
        "host", ["evil.org", "example.org.evil.org", "notexample.net", "", "a b", "[::1", "ex@mple"]
    )
    def test_refuse_all_else(self, host: str) -> None:
        trusted = TrustedHosts(["example.org", ".example.net", "::1"])
        assert trusted.fault(_environ(host)) is not None

    def test_serve_any_host_when_none_is_listed(self) -> None:
        assert TrustedHosts([]).fault(_environ("anything.example")) is None

    def test_ask_for_a_host_since_http_1_1(self) -> None:
        assert TrustedHosts([]).fault(_environ(None)) is not None
        assert TrustedHosts([]).fault(_environ(None, protocol="HTTP/1.0")) is None

    def test_refuse_a_target_that_names_another_host(self) -> None:
        trusted = TrustedHosts([])
        assert trusted.fault(_environ("a.example", "http://b.example/")) is not None
        assert trusted.fault(_environ("a.example", "http://a.example/path")) is None

    def test_remember_a_bounded_number(self) -> None:
        trusted = TrustedHosts([])
        for number in range(MOST_KNOWN_HOSTS + 10):
            assert trusted.fault(_environ(f"h{number}.example")) is None
        assert len(trusted._known) == MOST_KNOWN_HOSTS


class TestIsLoopback:
    @pytest.mark.parametrize(
        ("host", "answer"),
        [
            ("127.0.0.1", True),
            ("127.9.9.9", True),
            ("::1", True),
            ("[::1]", True),
            ("Localhost", True),
            ("::", False),
            ("192.0.2.1", False),
            ("example.org", False),
        ],
    )
    def test_knows_this_machine(self, host: str, answer: bool) -> None:
        assert is_loopback(host) is answer
