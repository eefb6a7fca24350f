"""Blogs in two versions of the API: one set of rules and rows, two ways to speak of them."""

from typing import Any

import pytest
from flask import Flask

from application.modules.blog import endpoints, endpoints_v2
from tests.conftest import Caller


def translated(blog: dict[str, Any]) -> dict[str, Any]:
    """Return a blog of version 1 as version 2 speaks of it."""
    rest = {name: value for name, value in blog.items() if name != "content"}
    return rest | {"body": {"format": "text", "text": blog["content"]}}


class TestBlog:
    def test_written_in_one_version_is_read_in_the_other(self, ada: Caller) -> None:
        client = ada.client
        text = {"title": "中文🎉", "content": "Line\r\n\t'; --"}
        old = client.post("/api/v1/blog", json=text).get_json()["data"]
        assert client.get(f"/api/v2/blog/{old['id']}").get_json()["data"] == translated(old)
        new = client.post("/api/v2/blog", json={"title": "b", "body": {"text": "c"}}).get_json()["data"]
        assert new == translated(client.get(f"/api/v1/blog/{new['id']}").get_json()["data"])

    @pytest.mark.parametrize("query", ["", "?sort=title", "?q=a", "?status=draft", "?limit=2&count=true"])
    def test_is_listed_alike(self, ada: Caller, query: str) -> None:
        for title, status in (("a", "published"), ("b", "draft"), ("ab", "published"), ("c", "draft")):
            ada.client.post("/api/v1/blog", json={"title": title, "content": f"{title}.", "status": status})
        for path in ("/blog", f"/user/{ada.id}/blogs"):
            old, new = (ada.client.get(f"/api/{version}{path}{query}").get_json() for version in ("v1", "v2"))
            assert len(old["data"]) >= 2
            assert [translated(blog) for blog in old["data"]] == new["data"]
            assert old["page"] == new["page"]

    def test_changed_in_one_version_is_changed_in_the_other(self, ada: Caller) -> None:
        client = ada.client
        blog = client.post("/api/v1/blog", json={"title": "a", "content": "b"}).get_json()["data"]
        client.patch(f"/api/v2/blog/{blog['id']}", json={"body": {"text": "c"}})
        assert client.get(f"/api/v1/blog/{blog['id']}").get_json()["data"]["content"] == "c"
        client.patch(f"/api/v1/blog/{blog['id']}", json={"content": "d"})
        assert client.get(f"/api/v2/blog/{blog['id']}").get_json()["data"]["body"]["text"] == "d"
        assert client.delete(f"/api/v2/blog/{blog['id']}").status_code == 204
        assert client.get(f"/api/v1/blog/{blog['id']}").status_code == 404

    def test_hides_drafts_in_both(self, ada: Caller, bob: Caller) -> None:
        fields = {"title": "a", "body": {"text": ""}, "status": "draft"}
        draft = ada.client.post("/api/v2/blog", json=fields).get_json()["data"]["id"]
        for version in ("v1", "v2"):
            assert bob.client.get(f"/api/{version}/blog/{draft}").status_code == 404
            assert bob.client.get(f"/api/{version}/user/{ada.id}/blogs").get_json()["data"] == []

    def test_is_not_sent_twice_in_either_version(self, ada: Caller) -> None:
        ada.client.post("/api/v2/blog", json={"title": "a", "body": {"text": "b"}})
        tags = set()
        for version in ("v1", "v2"):
            tag = ada.client.get(f"/api/{version}/blog").headers["ETag"]
            tags.add(tag)
            again = ada.client.get(f"/api/{version}/blog", headers={"If-None-Match": tag})
            assert (again.status_code, again.data) == (304, b"")
        assert len(tags) == 2


class TestVersion:
    def test_changes_no_access_no_error_and_no_status(self) -> None:
        second = {operation.address: operation for operation in endpoints_v2.blog.operations}
        for before in endpoints.blog.operations:
            after = second[before.address]
            assert (before.permission, before.public, before.errors, before.status, before.name) == (
                (after.permission, after.public, after.errors, after.status, after.name)
            )

    def test_takes_over_every_handler_whose_input_is_the_same(self) -> None:
        taken = {operation.handler for operation in endpoints.blog.operations}
        own = {operation.name for operation in endpoints_v2.blog.operations if operation.handler not in taken}
        assert own == {"create", "replace", "update"}

    def test_speaks_of_a_body(self, app: Flask) -> None:
        old, new = (
            app.test_client().get(f"/api/{version}/openapi.json").get_json()["components"]["schemas"]
            for version in ("v1", "v2")
        )
        changed = {name for name in old.keys() & new.keys() if old[name] != new[name]}
        assert {"BlogIn", "BlogPatch", "BlogOut", "SparseBlogOut"} <= changed
        assert {"BodyIn", "BodyPatch", "BodyOut"} <= new.keys() - old.keys()
