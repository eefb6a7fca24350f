"""The scheduler's surface: who is let in, and what its routing answers."""

import base64
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.config.setting import Environment, load_settings
from application.database import transaction
from application.factory import create_app
from application.libs.secret import hash_password
from application.modules.scheduler.engine import Engine
from application.modules.user import business as user_business
from application.permissions import Role
from tests.conftest import Caller
from tests.modules.scheduler.conftest import Ledger, Store, job


def basic(name: str, password: str, encoding: str = "utf-8") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode(encoding)).decode()}


class TestAccess:
    @pytest.fixture
    def operator(self, app: Flask) -> str:
        """Create an administrator with a password; return the name."""
        with app.app_context(), transaction():
            user_business.create(name="opérateur", password_hash=hash_password("pass:wörd"), roles=(Role.ADMIN,))
        return "opérateur"

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer nonsense"},
            {"Authorization": "Basic !!!"},
            {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
            {"Authorization": "Digest username=x"},
            {"Authorization": "Basic"},
            basic("nobody", "x"),
            basic("a\x00b", "x"),
        ],
    )
    def test_is_denied_as_flask_apscheduler_denies_it(self, client: FlaskClient, headers: dict[str, str]) -> None:
        for method, path in (("GET", ""), ("GET", "/jobs"), ("POST", "/jobs/x/run")):
            response = client.open(f"/scheduler{path}", method=method, headers=headers, data="{")
            assert response.status_code == 401
            assert response.text == "Access Denied"
            assert response.content_type.startswith("text/html")
            assert response.headers["WWW-Authenticate"] == 'Basic realm="Authentication Required"'

    def test_is_granted_by_name_and_password(self, client: FlaskClient, operator: str) -> None:
        for headers in (basic(operator, "pass:wörd"), basic(operator, "pass:wörd", "latin-1")):
            assert client.get("/scheduler", headers=headers).status_code == 200
        shouted = {"Authorization": basic(operator, "pass:wörd")["Authorization"].replace("Basic", "BASIC")}
        assert client.get("/scheduler", headers=shouted).status_code == 200
        assert client.get("/scheduler", headers=basic(operator, "pass:word")).status_code == 401

    def test_needs_the_permission(self, ada: Caller) -> None:
        response = ada.client.get("/scheduler/jobs")
        assert response.status_code == 403
        assert response.content_type == "application/json"
        assert "scheduler:manage" in response.get_json()["error_message"]

    @pytest.mark.parametrize(
        "headers",
        [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    )
    def test_is_refused_to_other_sites(
        self, admin: Caller, stored: Store, ledger: Ledger, headers: dict[str, str]
    ) -> None:
        stored(job("tidy"))
        response = admin.client.post("/scheduler/jobs/tidy/pause", headers=headers)
        assert response.status_code == 403
        assert response.get_json()["code"] == "foreign_origin"
        assert ledger.job("tidy").next_run_time is not None

    def test_is_granted_to_our_own_pages(self, admin: Caller, stored: Store) -> None:
        stored(job("tidy"))
        headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        assert admin.client.post("/scheduler/jobs/tidy/pause", headers=headers).status_code == 200


class TestRouting:
    @pytest.mark.parametrize("path", ["/scheduler/", "/scheduler/jobs/", "/scheduler/nothing", "/scheduler/jobs/a/b"])
    def test_answers_an_unknown_address_in_json(self, client: FlaskClient, path: str) -> None:
        response = client.get(path)
        assert response.status_code == 404
        assert response.content_type == "application/json"
        assert response.get_json()["error_message"]

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("DELETE", "/scheduler", {"GET", "HEAD", "OPTIONS"}),
            ("GET", "/scheduler/jobs/x/pause", {"POST", "OPTIONS"}),
            ("PUT", "/scheduler/jobs/x", {"GET", "HEAD", "OPTIONS", "PATCH", "DELETE"}),
        ],
    )
    def test_names_the_allowed_methods_before_asking_who_it_is(
        self, client: FlaskClient, method: str, path: str, allow: set[str]
    ) -> None:
        response = client.open(path, method=method)
        assert response.status_code == 405
        assert response.get_json()["error_message"]
        assert set(response.headers["Allow"].split(", ")) == allow
        assert set(client.options(path).headers["Allow"].split(", ")) == allow

    def test_answers_head_where_it_answers_get(self, admin: Caller) -> None:
        response = admin.client.head("/scheduler/jobs")
        assert response.status_code == 200
        assert response.data == b""

    def test_has_no_route_where_it_is_switched_off(self, app: Flask) -> None:
        off = create_app(self.settings(app, scheduler_enabled=False))
        assert off.test_client().get("/scheduler").status_code == 404
        assert off.extensions.get("scheduler") is None

    def test_stands_at_the_prefix_of_the_settings(self, app: Flask) -> None:
        elsewhere = create_app(self.settings(app, scheduler_api_prefix="/admin/jobs"))
        assert elsewhere.test_client().get("/admin/jobs/jobs").status_code == 401
        assert elsewhere.test_client().get("/scheduler").status_code == 404
        assert isinstance(elsewhere.extensions["scheduler"], Engine)

    @staticmethod
    def settings(app: Flask, **overrides: Any) -> Any:
        return load_settings(
            environment=Environment.TESTING,
            database_url=app.config["SQLALCHEMY_DATABASE_URI"],
            log_directory=app.extensions["settings"].log_directory,
            _env_file=None,
            **overrides,
        )
