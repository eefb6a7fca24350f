"""Building the application."""

from pathlib import Path

import pytest
from flask import Flask, request, session

from application.config.setting import Environment, SettingsRefused, load_settings
from application.database import db
from application.factory import create_app
from application.libs.ok import Envelope
from application.libs.redprint import DeclarationError, Redprint, Surface


def _build(folder: Path, name: str, **given: object) -> Flask:
    settings = load_settings(
        environment=Environment.TESTING,
        database_url=f"sqlite:///{folder / name}.db",
        log_directory=folder / "logs",
        _env_file=None,
        **given,
    )
    return create_app(settings)


def _nothing() -> None:
    """Do nothing."""


class TestCreateApp:
    def test_opens_no_database(self, tmp_path: Path) -> None:
        _build(tmp_path, "first")
        assert not (tmp_path / "first.db").exists()

    def test_builds_applications_that_share_nothing(self, tmp_path: Path) -> None:
        first, second = _build(tmp_path, "first"), _build(tmp_path, "second")
        with first.app_context():
            first_url = str(db.engine.url)
        with second.app_context():
            assert str(db.engine.url) != first_url
        assert first.extensions["redprint"] is not second.extensions["redprint"]

    def test_knows_every_permission(self, tmp_path: Path) -> None:
        made, surface = Redprint("made", __name__), Surface("made", __name__, url_prefix="/m", dialect=Envelope())
        made.get("", permission="blog:wriet")(_nothing)
        surface.register_blueprint(made)
        with pytest.raises(DeclarationError, match="no permission 'blog:wriet'. Did you mean `blog:write`"):
            _build(tmp_path, "first").register_blueprint(surface)

    def test_keeps_no_cookie_session(self, tmp_path: Path) -> None:
        app = _build(tmp_path, "first")
        with app.test_request_context(), pytest.raises(RuntimeError, match="session is unavailable"):
            session["user"] = "ada"

    def test_refuses_settings_that_cannot_work(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsRefused, match="SECRET_KEY"):
            load_settings(environment=Environment.PRODUCTION, secret_key="short", _env_file=None)

    def test_answers_a_page_outside_the_api_and_json_inside(self, tmp_path: Path) -> None:
        client = _build(tmp_path, "first").test_client()
        page, problem = client.get("/no-such-page"), client.get("/api/v1/no-such-resource")
        assert (page.status_code, page.mimetype) == (404, "text/html")
        assert (problem.status_code, problem.mimetype) == (404, "application/problem+json")
        assert problem.get_json()["request"] == "GET /api/v1/no-such-resource"

    @pytest.mark.parametrize(("hops", "believed"), [(0, "127.0.0.1"), (1, "192.0.2.7"), (2, "198.51.100.9")])
    def test_believes_as_many_proxies_as_it_is_told_of(self, tmp_path: Path, hops: int, believed: str) -> None:
        app = _build(tmp_path, "proxied", proxy_hops=hops)
        app.add_url_rule("/where", view_func=lambda: f"{request.remote_addr} {request.host}")
        given = {"X-Forwarded-For": "6.6.6.6, 198.51.100.9, 192.0.2.7", "X-Forwarded-Host": "evil.example"}
        assert app.test_client().get("/where", headers=given).text == f"{believed} localhost"
