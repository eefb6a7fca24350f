"""Ask for the dashboard's pages over HTTP, with and without a build."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from flask_babel import Babel
from werkzeug.exceptions import HTTPException

from application.config.setting import ROOT, Environment, Settings
from application.modules.dashboard import pages

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
REQUEST_ID = "0193f5a27c1e7d39a7b15b8f0c2e91aa"


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the module to an output folder of this test's own."""
    folder = tmp_path / "static"
    monkeypatch.setattr(pages, "STATIC", folder)
    return folder


@pytest.fixture
def built(static: Path) -> Path:
    """Lay out what a build leaves."""
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>built</title>", encoding="utf-8")
    (static / "assets" / "index-1a2b.js").write_text("export {}", encoding="utf-8")
    (static / ".stamp").write_text("0" * 64, encoding="ascii")
    return static


@pytest.fixture
def client(static: Path) -> Iterator[FlaskClient]:
    """Serve the pages as the factory does: blueprint, catalogues, the page for failures."""
    app = Flask("application", root_path=str(ROOT / "application"), static_folder=None)
    app.testing = True
    app.extensions["settings"] = Settings(environment=Environment.TESTING)
    Babel(app, locale_selector=pages.preferred_language)
    app.register_blueprint(pages.dashboard)

    def failed(status: int) -> Response:
        return pages.render_error(status, REQUEST_ID)

    def missing(_error: HTTPException) -> Response:
        return failed(404)

    app.register_error_handler(404, missing)
    app.add_url_rule("/failed/<int:status>", view_func=failed, endpoint="failed")
    with app.test_client() as client:
        yield client


class TestIndex:
    """`GET /`."""

    def test_is_the_built_page(self, client: FlaskClient, built: Path) -> None:
        answer = client.get("/", buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        assert "built" in answer.text
        assert answer.cache_control.no_cache
        assert client.get("/", headers={"If-None-Match": answer.headers["ETag"]}, buffered=True).status_code == 304

    @pytest.mark.parametrize("path", ["/jobs", "/jobs/x", "/new-job", "/runs/x", "/tasks", "/tasks/x", "/new-task"])
    def test_is_the_same_at_each_address_of_the_page(self, client: FlaskClient, built: Path, path: str) -> None:
        assert "built" in client.get(path, buffered=True).text

    def test_names_the_command_when_nothing_is_built(self, client: FlaskClient) -> None:
        answer = client.get("/", buffered=True)
        assert answer.status_code == 200
        assert '<html lang="en">' in answer.text
        assert ".venv/bin/python manager.py build-dashboard" in answer.text

    def test_names_it_in_chinese_too(self, client: FlaskClient) -> None:
        answer = client.get("/", headers=CHINESE, buffered=True)
        assert '<html lang="zh-CN">' in answer.text
        assert "仪表盘尚未构建" in answer.text
        assert ".venv/bin/python manager.py build-dashboard" in answer.text

    def test_is_english_for_a_language_we_do_not_have(self, client: FlaskClient) -> None:
        assert '<html lang="en">' in client.get("/", headers={"Accept-Language": "fr-CA,fr;q=0.8"}, buffered=True).text


class TestAsset:
    """`GET /dashboard/assets/<path>`."""

    def test_may_be_kept_for_ever(self, client: FlaskClient, built: Path) -> None:
        answer = client.get("/dashboard/assets/index-1a2b.js", buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
        assert answer.cache_control.immutable
        assert answer.cache_control.max_age == 31_536_000

    @pytest.mark.parametrize(
        "path", ["missing.js", "../index.html", "../.stamp", "%2e%2e/.stamp", "..%2f..%2fpages.py", "a%00b.js"]
    )
    def test_serves_nothing_but_assets(self, client: FlaskClient, built: Path, path: str) -> None:
        assert client.get(f"/dashboard/assets/{path}", buffered=True).status_code == 404


class TestPlain:
    """`GET /dashboard/plain/<path>`."""

    @pytest.mark.parametrize(
        ("name", "mimetype"),
        [
            ("plain.css", "text/css"),
            ("tokens.css", "text/css"),
            ("theme.js", "text/javascript"),
            ("favicon.svg", "image/svg+xml"),
        ],
    )
    def test_stands_without_a_build(self, client: FlaskClient, name: str, mimetype: str) -> None:
        answer = client.get(f"/dashboard/plain/{name}", buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, mimetype)


class TestFavicon:
    """`GET /favicon.ico`."""

    def test_is_an_image(self, client: FlaskClient) -> None:
        answer = client.get("/favicon.ico", buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")


class TestConfig:
    """`GET /dashboard/config.json`."""

    def test_tells_where_the_page_runs(self, client: FlaskClient) -> None:
        assert client.get("/dashboard/config.json", buffered=True).json == {"environment": "testing"}


class TestProtect:
    """The content security policy."""

    @pytest.mark.parametrize(
        "path",
        ["/", "/dashboard/assets/index-1a2b.js", "/dashboard/plain/theme.js", "/dashboard/config.json", "/nowhere"],
    )
    @pytest.mark.parametrize("with_build", [True, False])
    def test_is_on_every_answer(
        self, client: FlaskClient, request: pytest.FixtureRequest, path: str, with_build: bool
    ) -> None:
        if with_build:
            request.getfixturevalue("built")
        answer = client.get(path, buffered=True)
        assert answer.headers.getlist("Content-Security-Policy") == [POLICY]
        assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]

    @pytest.mark.parametrize("path", ["/", "/failed/404", "/failed/500"])
    def test_finds_nothing_to_refuse_in_our_markup(self, client: FlaskClient, path: str) -> None:
        markup = client.get(path, buffered=True).text
        assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?://", markup) == []


class TestRenderError:
    """`render_error`."""

    @pytest.mark.parametrize(
        ("status", "english", "chinese"),
        [
            (403, "Not allowed", "没有权限"),
            (404, "Page not found", "页面不存在"),
            (405, "Request refused", "请求被拒绝"),
            (429, "Busy right now", "服务器繁忙"),
            (500, "Something went wrong", "出错了"),
            (503, "Busy right now", "服务器繁忙"),
        ],
    )
    def test_speaks_both_languages(self, client: FlaskClient, status: int, english: str, chinese: str) -> None:
        for headers, lang, title in (({}, "en", english), (CHINESE, "zh-CN", chinese)):
            answer = client.get(f"/failed/{status}", headers=headers, buffered=True)
            assert (answer.status_code, answer.mimetype) == (status, "text/html")
            assert f'<html lang="{lang}">' in answer.text
            assert f"<h1>{title}</h1>" in answer.text
            assert REQUEST_ID in answer.text

    def test_answers_an_unknown_path(self, client: FlaskClient) -> None:
        answer = client.get("/nowhere/<b>at all</b>", buffered=True)
        assert answer.status_code == 404
        assert "at all" not in answer.text


class TestFactory:
    """The whole application."""

    def test_hands_missing_pages_to_the_dashboard(self, app: Flask) -> None:
        answer = app.test_client().get("/nowhere", headers=CHINESE)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
        assert "页面不存在" in answer.text
        assert answer.headers["X-Request-ID"] in answer.text
        assert answer.headers.getlist("Content-Security-Policy") == [POLICY]

    def test_serves_the_dashboard(self, app: Flask, built: Path) -> None:
        answer = app.test_client().get("/", buffered=True)
        assert answer.status_code == 200
        assert "built" in answer.text
        assert answer.headers.getlist("Content-Security-Policy") == [POLICY]
