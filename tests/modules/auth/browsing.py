"""Be a browser that signs in."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from application.libs.secret import hash_password

PASSWORD = "correct horse: 电池"
HASH = hash_password(PASSWORD)
SITE = "http://localhost"
OURS = {"Origin": SITE}

STRANGERS = [
    pytest.param({"Origin": "https://evil.example"}, id="evil"),
    pytest.param({"Origin": "null"}, id="null"),
    pytest.param({"Origin": f"{SITE}.evil.example"}, id="suffix"),
    pytest.param({"Origin": f"{SITE}:8080"}, id="port"),
    pytest.param({"Origin": "http://[localhost"}, id="malformed"),
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
    pytest.param({"Sec-Fetch-Site": "same-site"}, id="same-site"),
    pytest.param({"Origin": SITE, "Sec-Fetch-Site": "cross-site"}, id="both"),
]
"""What browsers say of pages that are not ours."""

UNSAID = pytest.param({}, id="unsaid")


class Browser:
    """Keep a cookie, as browsers do, and send what our pages send."""

    def __init__(self, app: Flask, site: str = SITE) -> None:
        self.app = app
        self.site = site
        self.client = app.test_client()

    @property
    def name(self) -> str:
        return "__Host-redprint" if self.site.startswith("https:") else "redprint"

    @property
    def cookie(self) -> str | None:
        """Return the token that is shown."""
        found = self.client.get_cookie(self.name)
        return None if found is None else found.value

    def keep(self, cookie: str) -> None:
        self.client.set_cookie(self.name, cookie)

    def send(self, form: dict[str, str], headers: dict[str, str] | None = None) -> TestResponse:
        """Send the form for signing in."""
        said = {"Origin": self.site} if headers is None else headers
        return self.client.post("/sign-in", data=form, headers=said, base_url=self.site)

    def sign_in(self, name: str = "eve", **more: str) -> TestResponse:
        answer = self.send({"name": name, "password": PASSWORD, **more})
        assert answer.status_code == 303, answer.text
        return answer

    def state(self, **headers: str) -> dict[str, Any]:
        """Ask who is signed in."""
        answer = self.client.get("/dashboard/session.json", headers=headers, base_url=self.site)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        state: dict[str, Any] = answer.get_json()
        return state

    def csrf(self) -> str:
        return str(self.state()["csrf"])

    def ask(self, method: str, path: str, **options: Any) -> TestResponse:
        """Ask as our pages do."""
        headers = {"Origin": self.site, "X-CSRF-Token": self.csrf()} | options.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, base_url=self.site, **options)


def gives_nothing(answer: TestResponse) -> bool:
    return "Set-Cookie" not in answer.headers
