"""406 and 415: what the client takes, and what it sends."""

import gzip
import json
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Caller

pytestmark = pytest.mark.one_database

URL = "/api/v1/specimen"
BARE = "/bare/specimen"
PROBLEM = "application/problem+json"
NEW = {"name": "a", "moment": "2030-01-31T12:00:00Z"}
BODY = json.dumps(NEW).encode()


class TestAccept:
    @pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/*", "text/html, */*;q=0.1"])
    def test_that_admits_json_gets_it(self, specimen_client: FlaskClient, accept: str | None) -> None:
        response = specimen_client.get(URL, headers={"Accept": accept} if accept else {})
        assert (response.status_code, response.content_type) == (200, "application/json")

    @pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "application/json;q=0, */*", PROBLEM])
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    def test_that_admits_none_is_406_and_changes_nothing(
        self, specimen_client: FlaskClient, accept: str, method: str
    ) -> None:
        response = specimen_client.open(URL, method=method, data=BODY, headers={"Accept": accept})
        assert (response.status_code, response.content_type) == (406, PROBLEM)
        if method != "HEAD":
            assert response.get_json()["code"] == "not_acceptable"
            assert "application/json" in response.get_json()["detail"]
        assert specimen_client.get(URL).get_json()["data"] == []

    def test_is_not_asked_where_there_is_no_content(self, specimen_client: FlaskClient) -> None:
        key = specimen_client.post(URL, json=NEW).get_json()["data"]["id"]
        assert specimen_client.delete(f"{URL}/{key}", headers={"Accept": "text/html"}).status_code == 204

    def test_of_a_sparse_list_may_name_its_type_or_json(self, app: Flask) -> None:
        client = app.test_client()
        sparse = "application/vnd.redprint.sparse+json"
        for accept, status in ((sparse, 200), ("application/json", 200), ("text/html", 406)):
            response = client.get("/api/v1/tag?fields=id", headers={"Accept": accept})
            assert response.status_code == status
        assert client.get("/api/v1/tag?fields=id", headers={"Accept": sparse}).content_type == sparse
        assert client.get("/api/v1/tag", headers={"Accept": sparse}).status_code == 406

    def test_is_left_to_a_handler_that_answers_by_itself(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get(f"{URL}/image", headers={"Accept": "text/html"})
        assert (response.status_code, response.content_type) == (200, "image/png")

    def test_is_not_asked_by_the_bare_dialect(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get(BARE, headers={"Accept": "text/html"})
        assert (response.status_code, response.content_type) == (200, "application/json")

    def test_changes_no_failure(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get("/api/v1/nothing", headers={"Accept": "text/html"})
        assert (response.status_code, response.content_type) == (404, PROBLEM)

    def test_of_the_document_counts_too(self, specimen_client: FlaskClient) -> None:
        answers = [
            specimen_client.get("/api/v1/openapi.json", headers={"Accept": accept})
            for accept in ("application/json", "*/*", "text/html")
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 406]
        assert answers[-1].content_type == PROBLEM

    def test_is_documented_where_it_is_asked(self, app: Flask) -> None:
        paths = app.test_client().get("/api/v1/openapi.json").get_json()["paths"]
        assert "406" in paths["/api/v1/blog"]["get"]["responses"]
        assert "406" not in paths["/api/v1/auth/logout"]["post"]["responses"]
        assert "406" not in paths["/scheduler/jobs"]["get"]["responses"]


class TestContentType:
    @pytest.mark.parametrize(
        "content_type", ["application/json", "application/json; charset=utf-8", 'Application/JSON; Charset="UTF-8"']
    )
    def test_of_json_is_read(self, specimen_client: FlaskClient, content_type: str) -> None:
        assert specimen_client.post(URL, data=BODY, content_type=content_type).status_code == 201

    @pytest.mark.parametrize(
        "content_type",
        [
            None,
            "text/plain",
            "application/problem+json",
            "application/merge-patch+json",
            "application/json; charset=latin-1",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ],
    )
    def test_of_anything_else_is_415(self, specimen_client: FlaskClient, content_type: str | None) -> None:
        response = specimen_client.post(URL, data=BODY, content_type=content_type)
        assert (response.status_code, response.content_type) == (415, PROBLEM)
        assert response.get_json()["code"] == "unsupported_media_type"
        assert response.headers["Accept"] == "application/json"
        assert specimen_client.post(BARE, data=BODY, content_type=content_type).status_code == 201

    def test_of_no_patch_is_415_and_says_what_patches_are(self, ada: Caller) -> None:
        blog = ada.client.post("/api/v1/blog", json={"title": "a", "content": ""}).headers["Location"]
        refused = ada.client.patch(blog, data="{}", content_type="application/json-patch+json")
        assert refused.status_code == 415
        assert set(refused.headers["Accept-Patch"].split(", ")) == {"application/json", "application/merge-patch+json"}
        paths = ada.client.get("/api/v1/openapi.json").get_json()
        described = paths["paths"]["/api/v1/blog/{blog_id}"]["patch"]["responses"]["415"]["$ref"].rpartition("/")[2]
        assert "Accept-Patch" in paths["components"]["responses"][described]["headers"]

    def test_of_a_form_is_one_of_a_form(self, specimen_client: FlaskClient) -> None:
        assert specimen_client.post(f"{URL}/file", data=b"{}", content_type="application/json").status_code == 415


class TestContentEncoding:
    @pytest.mark.parametrize("url", [URL, BARE])
    def test_is_415_and_says_what_is_taken(self, specimen_client: FlaskClient, url: str) -> None:
        packed: dict[str, Any] = {"data": gzip.compress(BODY), "content_type": "application/json"}
        response = specimen_client.post(url, headers={"Content-Encoding": "gzip"}, **packed)
        assert response.status_code == 415
        assert response.get_json()["code"] == "unsupported_media_type"
        assert response.headers["Accept-Encoding"] == "identity"

    def test_of_a_form_is_415(self, specimen_client: FlaskClient) -> None:
        form = {"text": "hello", "photo": (BytesIO(b"123"), "a.png")}
        response = specimen_client.post(f"{URL}/file", data=form, headers={"Content-Encoding": "br"})
        assert (response.status_code, response.headers["Accept-Encoding"]) == (415, "identity")

    def test_of_identity_is_none(self, specimen_client: FlaskClient) -> None:
        assert specimen_client.post(URL, json=NEW, headers={"Content-Encoding": "identity"}).status_code == 201
