"""`X-Request-ID` on every kind of answer, in the body of a refusal and in the access line."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

pytestmark = pytest.mark.one_database

LOGIN = "/api/v1/auth/login"
MADE = re.compile(r"[0-9a-f]{32}")

ANSWERS: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    "success": (200, "GET", "/api/v1/blog", {}),
    "head": (200, "HEAD", "/api/v1/blog", {}),
    "options": (200, "OPTIONS", "/api/v1/blog", {}),
    "unreadable": (400, "POST", LOGIN, {"data": b"{", "content_type": "application/json"}),
    "length": (400, "POST", LOGIN, {"environ_overrides": {"CONTENT_LENGTH": "ten"}}),
    "unknown caller": (401, "GET", "/api/v1/auth/me", {}),
    "missing": (404, "GET", "/api/v1/nowhere", {}),
    "method": (405, "PUT", "/api/v1/blog", {}),
    "unacceptable": (406, "GET", "/api/v1/blog", {"headers": {"Accept": "text/html"}}),
    "too large": (413, "POST", LOGIN, {"data": b" " * 1_048_577, "content_type": "application/json"}),
    "media type": (415, "POST", LOGIN, {"data": b"{}", "content_type": "text/plain"}),
    "coding": (415, "POST", LOGIN, {"json": {}, "headers": {"Content-Encoding": "gzip"}}),
    "invalid": (422, "GET", "/api/v1/blog?limit=0", {}),
    "scheduler": (404, "GET", "/scheduler/nowhere", {}),
    "page": (404, "GET", "/nowhere", {}),
}

EACH = pytest.mark.parametrize(("status", "method", "path", "options"), ANSWERS.values(), ids=list(ANSWERS))


@pytest.fixture
def lines(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Collect the access lines."""
    written: list[bytes] = []
    monkeypatch.setattr(app.extensions["edge"], "write_line", written.append)
    return written


def ask(app: Flask, method: str, path: str, options: dict[str, Any], given: str | None) -> TestResponse:
    """Ask with an id, which is put where a server puts it."""
    overrides = options.get("environ_overrides", {}) | ({} if given is None else {"HTTP_X_REQUEST_ID": given})
    return app.test_client().open(path, method=method, buffered=True, **{**options, "environ_overrides": overrides})


@EACH
class TestEveryAnswer:
    def test_repeats_a_harmless_id(
        self, app: Flask, lines: list[bytes], status: int, method: str, path: str, options: dict[str, Any]
    ) -> None:
        response = ask(app, method, path, options, "from-client.7_A")
        assert (response.status_code, response.headers.getlist("X-Request-ID")) == (status, ["from-client.7_A"])
        if response.is_json and status >= 400:
            assert response.get_json()["request_id"] == "from-client.7_A"
        (line,) = lines
        assert b"[from-client.7_A]" in line

    @pytest.mark.parametrize("given", [None, "", "a b", "x" * 65, "é", "<script>", "a,b"])
    def test_makes_one_in_place_of_another(
        self,
        app: Flask,
        lines: list[bytes],
        status: int,
        method: str,
        path: str,
        options: dict[str, Any],
        given: str | None,
    ) -> None:
        response = ask(app, method, path, options, given)
        (made,) = response.headers.getlist("X-Request-ID")
        assert response.status_code == status
        assert MADE.fullmatch(made)
        assert f"[{made}]".encode() in lines[0]


class TestNotModified:
    def test_has_an_id_of_its_own(self, app: Flask, lines: list[bytes]) -> None:
        tag = ask(app, "GET", "/api/v1/blog", {}, None).headers["ETag"]
        response = ask(app, "GET", "/api/v1/blog", {"headers": {"If-None-Match": tag}}, "again")
        assert (response.status_code, response.headers["X-Request-ID"]) == (304, "again")
        assert b"[again]" in lines[-1]
        assert b" 304 " in lines[-1]
