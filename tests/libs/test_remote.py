"""Whom requests come from."""

import pytest
from flask import Flask

from application.libs.remote import Client, current_client, network


class TestCurrentClient:
    def test_says_what_the_client_says_of_itself(self, app: Flask) -> None:
        environ = {"HTTP_USER_AGENT": "curl/8", "REMOTE_ADDR": "192.0.2.7"}
        with app.test_request_context(environ_overrides=environ):
            assert current_client() == Client(device="curl/8", address="192.0.2.7")

    def test_knows_nothing_of_who_says_nothing(self, app: Flask) -> None:
        with app.test_request_context(environ_overrides={"REMOTE_ADDR": "", "HTTP_USER_AGENT": ""}):
            assert current_client() == Client(device="", address="")


class TestNetwork:
    @pytest.mark.parametrize(
        ("remote", "expected"),
        [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:50123", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
            ("unix:", "unix:"),
            ("", "unknown"),
            (None, "unknown"),
        ],
    )
    def test_is_the_address_or_what_one_customer_gets(self, remote: str | None, expected: str) -> None:
        assert network(remote) == expected
