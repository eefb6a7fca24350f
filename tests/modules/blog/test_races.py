"""Blogs that several callers change at the same moment."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Caller
from tests.parallel import at_once
from tests.tables import count_rows

Send = Callable[..., int]


@pytest.fixture
def send(app: Flask, ada: Caller) -> Send:
    """Return a function that sends a request of ada's by a client of its own and gives the status."""

    def run(method: str, path: str, **options: Any) -> int:
        headers = {"Authorization": f"Bearer {ada.token}"}
        return app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **options).status_code

    return run


@pytest.fixture
def tags(ada: Caller) -> list[str]:
    """Create tags."""
    return [ada.client.post("/api/v1/tag", json={"name": name}).get_json()["data"]["id"] for name in "abcd"]


@pytest.fixture
def blog_id(ada: Caller, tags: list[str]) -> str:
    """Write a blog that carries a tag."""
    body = {"title": "Hello", "content": "", "tags": tags[:1]}
    created: str = ada.client.post("/api/v1/blog", json=body).get_json()["data"]["id"]
    return created


class TestUpdate:
    def test_puts_the_tags_of_one_caller_on_and_never_a_mixture(
        self, ada: Caller, send: Send, tags: list[str], blog_id: str
    ) -> None:
        choices = [tags[:2], tags[1:3], tags[2:], tags[:1]] * 3
        patches = [lambda choice=choice: send("PATCH", f"/blog/{blog_id}", json={"tags": choice}) for choice in choices]
        assert at_once(patches) == [200] * len(choices)
        left = ada.client.get(f"/api/v1/blog/{blog_id}").get_json()["data"]["tags"]
        assert [tag["id"] for tag in left] in choices

    def test_keeps_changes_of_different_fields(self, ada: Caller, send: Send, blog_id: str) -> None:
        bodies = [{"title": "new"}, {"content": "new"}, {"status": "draft"}, {"tags": []}]
        patches = [lambda body=body: send("PATCH", f"/blog/{blog_id}", json=body) for body in bodies]
        assert at_once(patches) == [200] * 4
        blog = ada.client.get(f"/api/v1/blog/{blog_id}").get_json()["data"]
        assert (blog["title"], blog["content"], blog["status"], blog["tags"]) == ("new", "new", "draft", [])
        assert blog["published_at"] is None


class TestDelete:
    def test_happens_once(self, app: Flask, send: Send, blog_id: str) -> None:
        statuses = at_once([lambda: send("DELETE", f"/blog/{blog_id}")] * 8)
        assert sorted(statuses) == [204] + [404] * 7
        assert count_rows(app, "blog") == count_rows(app, "blog_tag") == 0

    def test_wins_over_an_update_without_an_orphan(self, app: Flask, send: Send, tags: list[str], blog_id: str) -> None:
        def delete() -> int:
            return send("DELETE", f"/blog/{blog_id}")

        def update() -> int:
            return send("PATCH", f"/blog/{blog_id}", json={"tags": tags})

        deleted, *updated = at_once([delete, update, update, update])
        assert deleted == 204
        assert set(updated) <= {200, 404}
        assert count_rows(app, "blog") == count_rows(app, "blog_tag") == 0
