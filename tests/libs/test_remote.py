"""Whom requests come from."""

from flask import Flask

from application.libs.remote import Client, current_client


class TestCurrentClient:
    def test_says_what_the_client_says_of_itself(self, app: Flask) -> None:
        environ = {"HTTP_USER_AGENT": "curl/8", "REMOTE_ADDR": "192.0.2.7"}
        with app.test_request_context(environ_overrides=environ):
            assert current_client() == Client(device="curl/8", address="192.0.2.7")

    def test_knows_nothing_of_who_says_nothing(self, app: Flask) -> None:
        with app.test_request_context(environ_overrides={"REMOTE_ADDR": "", "HTTP_USER_AGENT": ""}):
            assert current_client() == Client(device="", address="")
