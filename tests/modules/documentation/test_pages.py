"""Ask for the API documentation's page and its files over HTTP."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.modules.documentation.pages import POLICY, documents

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}


class TestIndex:
    """`GET /docs`."""

    def test_shows_the_first_version(self, client: FlaskClient) -> None:
        answer = client.get("/docs")
        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        assert 'data-document="/api/v1/openapi.json"' in answer.text
        assert "<title>API documentation v1 · Redprint</title>" in answer.text
        assert "Accept-Language" in answer.vary

    def test_speaks_chinese(self, client: FlaskClient) -> None:
        answer = client.get("/docs", headers=CHINESE)
        assert '<html lang="zh-CN">' in answer.text
        assert "<title>API 文档 v1 · Redprint</title>" in answer.text

    def test_finds_nothing_for_the_policy_to_refuse_in_our_markup(self, client: FlaskClient) -> None:
        markup = client.get("/docs").text
        assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?://", markup) == []


class TestShow:
    """`GET /docs/<name>`."""

    def test_shows_each_version_and_names_the_others(self, app: Flask, client: FlaskClient) -> None:
        for document in documents(app):
            answer = client.get(f"/docs/{document.name}")
            assert f'data-document="{document.address}"' in answer.text
            assert f'href="/docs/{document.name}" aria-current="page"' in answer.text
            for other in documents(app):
                assert f'href="/docs/{other.name}"' in answer.text

    @pytest.mark.parametrize("name", ["v99", "scheduler", "%00"])
    def test_knows_no_other(self, client: FlaskClient, name: str) -> None:
        assert client.get(f"/docs/{name}").status_code == 404


class TestDocuments:
    def test_are_all_that_are_served(self, app: Flask, client: FlaskClient) -> None:
        served = [rule.rule for rule in app.url_map.iter_rules() if rule.rule.endswith("/openapi.json")]
        assert sorted(document.address for document in documents(app)) == sorted(served)
        assert documents(app)[0].name == "v1"
        for document in documents(app):
            assert client.get(document.address).get_json()["openapi"].startswith("3.1")


class TestAsset:
    """`GET /docs/assets/<filename>`."""

    @pytest.mark.parametrize(
        ("name", "mimetype"), [("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")]
    )
    def test_comes_from_the_package_and_is_asked_for_anew(self, client: FlaskClient, name: str, mimetype: str) -> None:
        answer = client.get(f"/docs/assets/{name}", buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, mimetype)
        assert len(answer.data) > 100_000
        again = client.get(f"/docs/assets/{name}", headers={"If-None-Match": answer.headers["ETag"]}, buffered=True)
        assert again.status_code == 304

    @pytest.mark.parametrize(
        "name", ["oauth2-redirect.html", "missing.js", "../__init__.py", "..%2f__init__.py", "LICENSE"]
    )
    def test_is_one_of_two(self, client: FlaskClient, name: str) -> None:
        assert client.get(f"/docs/assets/{name}", buffered=True).status_code == 404


class TestPlain:
    """`GET /docs/plain/<filename>`."""

    @pytest.mark.parametrize(("name", "mimetype"), [("docs.js", "text/javascript"), ("docs.css", "text/css")])
    def test_is_ours(self, client: FlaskClient, name: str, mimetype: str) -> None:
        answer = client.get(f"/docs/plain/{name}", buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, mimetype)


class TestProtect:
    @pytest.mark.parametrize("path", ["/docs", "/docs/v1", "/docs/assets/swagger-ui.css", "/docs/plain/docs.js"])
    def test_sets_the_policy_on_every_answer(self, client: FlaskClient, path: str) -> None:
        answer = client.get(path, buffered=True)
        assert answer.headers.getlist("Content-Security-Policy") == [POLICY]
        assert "unsafe" not in POLICY
        assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]
