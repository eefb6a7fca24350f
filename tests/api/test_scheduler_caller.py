"""SCHEDULER_AUTH and SCHEDULER_API_OPEN: who may use the scheduler's API where its configuration says so."""

import base64
import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_apscheduler.auth import HTTPBasicAuth

from application.config.choice import Environment
from application.config.setting import SettingsRefused, load_settings
from application.database import db
from application.extensions import scheduler
from application.factory import create_app

Build = Callable[..., FlaskClient]
HOURLY = {"id": "hourly", "func": "prune-expired-sessions", "trigger": "interval", "hours": 1}


def basic(raw: bytes, scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {base64.b64encode(raw).decode()}"}


@pytest.fixture
def seen() -> list[Any]:
    """Return what the callback was given."""
    return []


@pytest.fixture
def build(app: Flask, seen: list[Any]) -> Iterator[Build]:
    """Return a function that builds an application on the same database, with keys of its own."""

    def accept(auth: Any) -> bool:
        seen.append(auth)
        return (auth["username"], auth["password"]) in {("guest", "a:b"), ("gäst", "pässe")}

    built: list[Flask] = []

    def build(config: dict[str, Any], **overrides: Any) -> FlaskClient:
        settings = load_settings(
            environment=Environment.TESTING,
            database_url=app.config["SQLALCHEMY_DATABASE_URI"],
            _env_file=None,
            **overrides,
        )
        jobs = app.config["SCHEDULER_JOBS"]
        built.append(create_app(settings, {"SCHEDULER_JOBS": jobs, **config}))
        return built[-1].test_client()

    scheduler.authenticate(accept)
    yield build
    scheduler.authenticate(None)
    for one in built:
        with one.app_context():
            db.engine.dispose()


class TestAuth:
    @pytest.mark.parametrize(
        "headers", [basic(b"guest:a:b"), basic(b"guest:a:b", "BASIC"), basic(b"guest:a:b", "basic")]
    )
    def test_lets_in_whom_the_callback_accepts(self, build: Build, seen: list[Any], headers: dict[str, str]) -> None:
        client = build({"SCHEDULER_AUTH": HTTPBasicAuth()})
        assert client.get("/scheduler", headers=headers).status_code == 200
        assert dict(seen[0]) == {"username": "guest", "password": "a:b"}
        assert seen[0].auth_type == "basic"

    @pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
    def test_reads_other_alphabets(self, build: Build, encoding: str) -> None:
        client = build({"SCHEDULER_AUTH": HTTPBasicAuth()})
        headers = basic("gäst:pässe".encode(encoding))
        assert client.get("/scheduler/jobs", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Basic"},
            {"Authorization": "Basic !!!"},
            {"Authorization": "Bearer abc"},
            basic(b"no colon"),
            basic(b"guest:wrong"),
        ],
    )
    def test_denies_everybody_else_exactly(self, build: Build, headers: dict[str, str]) -> None:
        client = build({"SCHEDULER_AUTH": HTTPBasicAuth()})
        for method, path in (("GET", ""), ("POST", "/jobs"), ("PATCH", "/jobs/x")):
            response = client.open(f"/scheduler{path}", method=method, headers=headers, data="{garbage")
            assert (response.status_code, response.text) == (401, "Access Denied")
            assert response.content_type.startswith("text/html")
            assert response.headers["WWW-Authenticate"] == 'Basic realm="Authentication Required"'

    def test_denies_everybody_without_a_callback(self, build: Build) -> None:
        client = build({"SCHEDULER_AUTH": HTTPBasicAuth()})
        scheduler.authenticate(None)
        assert client.get("/scheduler", headers=basic(b"guest:a:b")).status_code == 401

    def test_writes_down_who_it_was(self, build: Build) -> None:
        client = build({"SCHEDULER_AUTH": HTTPBasicAuth()})
        assert client.post("/scheduler/jobs", json=HOURLY, headers=basic(b"guest:a:b")).status_code == 200
        (change,) = client.get("/scheduler/jobs/hourly/history", headers=basic(b"guest:a:b")).get_json()
        assert change["by"] == "guest"

    def test_leaves_our_own_api_alone(self, build: Build) -> None:
        client = build({"SCHEDULER_AUTH": HTTPBasicAuth()})
        assert client.get("/api/v1/auth/me", headers=basic(b"guest:a:b")).status_code == 401


class TestOpen:
    def test_lets_everybody_in_and_says_so_in_the_log(self, build: Build, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            client = build({}, scheduler_api_open="yes")
        assert "SCHEDULER_API_OPEN" in caplog.text
        assert client.post("/scheduler/jobs", json=HOURLY).status_code == 200
        assert (
            client.post("/scheduler/jobs", json=HOURLY, headers={"Origin": "https://evil.example"}).status_code == 403
        )

    def test_is_refused_in_production_unless_it_is_said_clearly(self) -> None:
        known: dict[str, Any] = {
            "environment": Environment.PRODUCTION,
            "database_url": "sqlite:////srv/application.db",
            "secret_key": secrets.token_hex(32),
            "_env_file": None,
        }
        with pytest.raises(SettingsRefused, match="even-in-production"):
            load_settings(scheduler_api_open="yes", **known)
        assert load_settings(scheduler_api_open="even-in-production", **known).production

    def test_is_closed_by_default(self, build: Build) -> None:
        assert build({}).get("/scheduler").status_code == 401


class TestNameEndpoints:
    def test_builds_the_addresses_of_flask_apscheduler(self, app: Flask) -> None:
        with app.test_request_context():
            url_for = app.url_for
            assert url_for("scheduler.get_jobs") == "/scheduler/jobs"
            assert url_for("scheduler.get_job", job_id="a b", page=1) == "/scheduler/jobs/a%20b?page=1"
            assert url_for("scheduler.get_scheduler_info", _external=True) == "http://localhost/scheduler"
            assert url_for("scheduler.scheduler.get_jobs") == "/scheduler/jobs"

    def test_goes_by_prefixes_of_ones_own(self, build: Build) -> None:
        client = build({"SCHEDULER_API_PREFIX": "/admin/jobs", "SCHEDULER_ENDPOINT_PREFIX": "jobs_"})
        with client.application.test_request_context():
            assert client.application.url_for("jobs_get_jobs") == "/admin/jobs/jobs"
        assert client.get("/admin/jobs").status_code == 401
        unknown = client.get("/scheduler")
        assert unknown.status_code == 404
        assert client.get("/admin/jobs/nothing").get_json()["error_message"]

    def test_has_no_api_where_it_is_switched_off(self, build: Build) -> None:
        for key in ("SCHEDULER_API_ENABLED", "SCHEDULER_VIEWS_ENABLED"):
            client = build({key: False})
            assert client.get("/scheduler").status_code == 404
            assert client.application.extensions["scheduler"] is not None
