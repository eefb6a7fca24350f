"""Every failure is answered in its dialect, without what is internal."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, Response, abort, redirect
from werkzeug.exceptions import HTTPException, TooManyRequests

from application.libs.error import Unavailable
from application.libs.ok import Bare, Envelope
from application.libs.redprint import Surface
from tests.contract import specimen

View = Callable[[], Response]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    surfaces = [
        Surface("v1", __name__, url_prefix="/api/v1", dialect=Envelope()),
        Surface("jobs", __name__, url_prefix="/jobs", dialect=Bare()),
    ]
    return specimen.build(f"sqlite:///{tmp_path / 'f.db'}", testing=False, surfaces=surfaces)


def serve(app: Flask, view: View) -> None:
    """Answer the same under a surface and outside."""
    for number, path in enumerate(("/api/v1/x", "/jobs/x", "/x")):
        app.add_url_rule(path, f"x{number}", view)


class TestHttpFailure:
    @pytest.mark.parametrize(
        ("status", "answered", "code"),
        [
            (400, 400, "bad_request"),
            (403, 403, "forbidden"),
            (404, 404, "not_found"),
            (406, 406, "not_acceptable"),
            (409, 409, "conflict"),
            (412, 412, "precondition_failed"),
            (413, 413, "too_large"),
            (415, 415, "unsupported_media_type"),
            (418, 400, "bad_request"),
            (429, 429, "too_many_requests"),
            (500, 500, "internal_error"),
            (503, 503, "unavailable"),
            (504, 500, "internal_error"),
        ],
    )
    def test_keeps_the_status_and_drops_the_text(self, app: Flask, status: int, answered: int, code: str) -> None:
        serve(app, lambda: abort(status, "swordfish"))
        client = app.test_client()
        problem, bare, page = (client.get(path) for path in ("/api/v1/x", "/jobs/x", "/x"))
        assert [response.status_code for response in (problem, bare, page)] == [answered] * 3
        assert [response.mimetype for response in (problem, bare, page)] == [
            "application/problem+json",
            "application/json",
            "text/html",
        ]
        assert problem.get_json()["code"] == bare.get_json()["code"] == code
        assert all("swordfish" not in response.text for response in (problem, bare, page))

    def test_keeps_when_to_try_again(self, app: Flask) -> None:
        def view() -> Response:
            raise TooManyRequests(retry_after=7)

        serve(app, view)
        assert app.test_client().get("/api/v1/x").headers["Retry-After"] == "7"

    def test_lets_a_ready_response_pass(self, app: Flask) -> None:
        def view() -> Response:
            raise HTTPException(response=Response("ready", status=218))

        serve(app, view)
        assert app.test_client().get("/api/v1/x").status_code == 218

    def test_lets_a_redirection_pass(self, app: Flask) -> None:
        serve(app, lambda: abort(redirect("/y")))
        assert app.test_client().get("/x").headers["Location"] == "/y"


class TestRefused:
    def test_tells_the_log_why_we_are_away(self, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
        def view() -> Response:
            raise Unavailable(headers={"Retry-After": "2"}) from OSError("swordfish")

        serve(app, view)
        response = app.test_client().get("/api/v1/x")
        assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
        told = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert [record.getMessage() for record in told] == ["/api/v1/x answered 503: unavailable"]
        assert told[0].exc_info is not None
        assert isinstance(told[0].exc_info[1], OSError)


class TestUnexpected:
    def test_goes_on_into_the_test_that_asked(self, tmp_path: Path) -> None:
        def view() -> Response:
            raise RuntimeError("swordfish")

        surface = Surface("v1", __name__, url_prefix="/api/v1", dialect=Envelope())
        app = specimen.build(f"sqlite:///{tmp_path / 't.db'}", surfaces=[surface])
        serve(app, view)
        with pytest.raises(RuntimeError, match="swordfish"):
            app.test_client().get("/api/v1/x")
        app.config["PROPAGATE_EXCEPTIONS"] = False
        assert app.test_client().get("/api/v1/x").status_code == 500

    @pytest.mark.parametrize("error", [RuntimeError("swordfish"), KeyError("swordfish"), RecursionError("swordfish")])
    def test_is_logged_and_hidden(self, app: Flask, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
        def view() -> Response:
            raise error

        serve(app, view)
        for path in ("/api/v1/x", "/jobs/x", "/x"):
            response = app.test_client().get(path)
            assert response.status_code == 500
            assert "swordfish" not in response.text
        assert [record.getMessage() for record in caplog.records] == [
            message
            for path in ("/api/v1/x", "/jobs/x", "/x")
            for message in (f"GET {path} failed", f"{path} answered 500: internal_error")
        ]
