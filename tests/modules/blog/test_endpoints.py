"""Blogs over HTTP."""

import base64
import json
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Caller
from tests.links import next_url
from tests.tables import count_rows

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


def write(caller: Caller, title: str = "Hello", **fields: object) -> str:
    response = caller.client.post("/api/v1/blog", json={"title": title, "content": "Text."} | fields)
    assert response.status_code == 201, response.text
    created: str = response.get_json()["data"]["id"]
    return created


def add_tag(caller: Caller, name: str) -> str:
    created: str = caller.client.post("/api/v1/tag", json={"name": name}).get_json()["data"]["id"]
    return created


class TestCreate:
    def test_gives_the_blog_in_the_envelope(self, ada: Caller) -> None:
        tag = add_tag(ada, "python")
        response = ada.client.post("/api/v1/blog", json={"title": " Hello ", "content": "Text.", "tags": [tag]})
        assert response.status_code == 201
        assert {"code", "status", "data"} == set(response.get_json())
        blog = response.get_json()["data"]
        assert blog["title"] == "Hello"
        assert blog["content"] == "Text."
        assert blog["status"] == "published"
        assert blog["owner"] == {"id": ada.id, "name": "ada"}
        assert blog["tags"] == [{"id": tag, "name": "python"}]
        assert blog["published_at"] == blog["created_at"] == blog["updated_at"]
        assert set(blog) == {
            "id", "title", "content", "status", "published_at", "owner", "tags", "created_at", "updated_at"
        }  # fmt: skip

    def test_gives_times_in_utc(self, ada: Caller) -> None:
        created_at = ada.client.post("/api/v1/blog", json={"title": "a", "content": ""}).get_json()["data"][
            "created_at"
        ]
        assert created_at.endswith("Z")
        assert datetime.fromisoformat(created_at).tzinfo is not None

    def test_answers_as_it_reads_afterwards(self, ada: Caller) -> None:
        tags = [add_tag(ada, name) for name in ("b", "a")]
        created = ada.client.post("/api/v1/blog", json={"title": "a", "content": "", "tags": tags}).get_json()["data"]
        assert ada.client.get(f"/api/v1/blog/{created['id']}").get_json()["data"] == created

    def test_names_its_tags_in_one_order_now_and_afterwards(self, ada: Caller) -> None:
        names = ["Zebra", "apple", "ápple", "Banana", "10", "9", "日"]
        tags = [add_tag(ada, name) for name in names]
        created = ada.client.post("/api/v1/blog", json={"title": "Hello", "content": "", "tags": tags})
        read = ada.client.get(created.headers["Location"])
        assert [tag["name"] for tag in created.get_json()["data"]["tags"]] == sorted(names)
        assert read.get_json() == created.get_json() | {"code": read.get_json()["code"]}
        assert read.headers["ETag"] == created.headers["ETag"]
        listed = ada.client.get("/api/v1/blog").get_json()["data"][0]
        assert listed == read.get_json()["data"]

    def test_keeps_any_text_as_it_is(self, ada: Caller, client: FlaskClient) -> None:
        texts = (
            "中文标题",
            "🎉👩‍👩‍👧",
            "<script>alert(1)</script>",
            "' OR 1=1; --",
            '"\\',
            "é e\N{COMBINING ACUTE ACCENT}",
            "مرحبا",
        )
        for text in texts:
            blog_id = write(ada, text, content=f"{text}\r\n\t{text}")
            blog = client.get(f"/api/v1/blog/{blog_id}").get_json()["data"]
            assert (blog["title"], blog["content"]) == (text, f"{text}\r\n\t{text}")

    def test_takes_the_largest_that_is_allowed(self, ada: Caller, client: FlaskClient) -> None:
        body = json.dumps({"title": "𝒻" * 200, "content": "𝒻" * 200_000}, ensure_ascii=False).encode()
        response = ada.client.post("/api/v1/blog", data=body, content_type="application/json")
        assert response.status_code == 201
        assert (
            len(client.get(f"/api/v1/blog/{response.get_json()['data']['id']}").get_json()["data"]["content"])
            == 200_000
        )

    @pytest.mark.parametrize(
        ("change", "loc"),
        [
            ({"title": ""}, ["body", "title"]),
            ({"title": " \u3000"}, ["body", "title"]),
            ({"title": "x" * 201}, ["body", "title"]),
            ({"title": "a\nb"}, ["body", "title"]),
            ({"title": "a\x1b[31mb"}, ["body", "title"]),
            ({"title": None}, ["body", "title"]),
            ({"content": "x" * 200_001}, ["body", "content"]),
            ({"content": "a\x00b"}, ["body", "content"]),
            ({"content": 1}, ["body", "content"]),
            ({"status": "secret"}, ["body", "status"]),
            ({"status": None}, ["body", "status"]),
            ({"tags": None}, ["body", "tags"]),
            ({"tags": "python"}, ["body", "tags"]),
            ({"tags": ["python"]}, ["body", "tags", 0]),
            ({"tags": [UNKNOWN]}, ["body", "tags", 0]),
            ({"tags": [UNKNOWN] * 51}, ["body", "tags"]),
            ({"id": UNKNOWN}, ["body", "id"]),
            ({"owner_id": UNKNOWN}, ["body", "owner_id"]),
            ({"owner": {"id": UNKNOWN}}, ["body", "owner"]),
            ({"created_at": "2026-11-20T12:00:00Z"}, ["body", "created_at"]),
            ({"published_at": "2026-11-20T12:00:00Z"}, ["body", "published_at"]),
        ],
    )
    def test_refuses_a_faulty_field_by_name(
        self, app: Flask, ada: Caller, change: dict[str, object], loc: list[str | int]
    ) -> None:
        response = ada.client.post("/api/v1/blog", json={"title": "Hello", "content": "Text."} | change)
        assert response.status_code == 422
        assert [error["loc"] for error in response.get_json()["errors"]] == [loc]
        assert count_rows(app, "blog") == 0

    def test_names_every_missing_field(self, ada: Caller) -> None:
        response = ada.client.post("/api/v1/blog", json={})
        assert [error["loc"] for error in response.get_json()["errors"]] == [["body", "title"], ["body", "content"]]

    def test_keeps_nothing_when_a_tag_is_unknown(self, app: Flask, ada: Caller) -> None:
        tag = add_tag(ada, "python")
        response = ada.client.post("/api/v1/blog", json={"title": "a", "content": "", "tags": [tag, UNKNOWN]})
        assert response.get_json()["code"] == "unknown_tag"
        assert [error["loc"] for error in response.get_json()["errors"]] == [["body", "tags", 1]]
        assert count_rows(app, "blog") == count_rows(app, "blog_tag") == 0


class TestIndex:
    def test_shows_drafts_to_their_owner_only(self, ada: Caller, bob: Caller, client: FlaskClient) -> None:
        write(ada, "public")
        write(ada, "draft", status="draft")
        seen = {
            who: [blog["title"] for blog in caller.get("/api/v1/blog?sort=title").get_json()["data"]]
            for who, caller in (("ada", ada.client), ("bob", bob.client), ("nobody", client))
        }
        assert seen == {"ada": ["draft", "public"], "bob": ["public"], "nobody": ["public"]}

    def test_filters(self, ada: Caller, bob: Caller, client: FlaskClient) -> None:
        tag = add_tag(ada, "python")
        write(ada, "tagged", tags=[tag])
        write(ada, "plain", content="about Python")
        write(bob, "other")

        def titles(**query: str) -> list[str]:
            found = client.get("/api/v1/blog", query_string={"sort": "title"} | query).get_json()["data"]
            return [blog["title"] for blog in found]

        assert titles(tag=tag) == titles(tag=tag.upper()) == ["tagged"]
        assert titles(owner=ada.id) == ["plain", "tagged"]
        assert titles(owner=ada.id, q="python") == ["plain"]
        assert titles(status="draft") == titles(owner=UNKNOWN) == titles(tag=UNKNOWN) == []

    @pytest.mark.parametrize("sort", ["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"])
    def test_pages_by_the_link_without_gap_or_overlap(self, ada: Caller, client: FlaskClient, sort: str) -> None:
        for number in range(5):
            write(ada, f"title {number}")
        whole = [blog["id"] for blog in client.get(f"/api/v1/blog?sort={sort}").get_json()["data"]]
        seen: list[str] = []
        url = f"/api/v1/blog?limit=2&sort={sort}"
        while url:
            response = client.get(url)
            seen += [blog["id"] for blog in response.get_json()["data"]]
            url = next_url(response)
        assert seen == whole

    def test_keeps_its_place_when_something_new_arrives(self, ada: Caller, client: FlaskClient) -> None:
        for number in range(4):
            write(ada, f"{number}")
        first = client.get("/api/v1/blog?limit=2").get_json()
        write(ada, "new")
        second = client.get("/api/v1/blog", query_string={"limit": 2, "after": first["page"]["next"]}).get_json()
        assert [blog["title"] for blog in first["data"] + second["data"]] == ["3", "2", "1", "0"]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("limit=1e9", "limit"),
            ("limit=-1", "limit"),
            ("limit=1&limit=2", "limit"),
            ("sort=content", "sort"),
            ("sort=--title", "sort"),
            ("sort=title%20desc;drop", "sort"),
            ("after=!", "after"),
            ("status=secret", "status"),
            ("tag=python", "tag"),
            ("owner=1", "owner"),
            ("q=%00", "q"),
            ("q=" + "x" * 101, "q"),
            ("offset=1", "offset"),
            ("count=maybe", "count"),
        ],
    )
    def test_refuses_what_it_does_not_know(self, client: FlaskClient, query: str, field: str) -> None:
        response = client.get(f"/api/v1/blog?{query}")
        assert response.status_code == 422
        assert [error["loc"] for error in response.get_json()["errors"]] == [["query", field]]

    @pytest.mark.parametrize(
        "cursor",
        [
            b'["title","\\ud800","x"]',
            b'["title","a","x"]',
            b'["title",1,"x"]',
            b'["title"]',
            b"{}",
            b"\xff",
            b'["title","\\u0000","' + UNKNOWN.encode() + b'"]',
        ],
    )
    def test_refuses_a_forged_cursor(self, client: FlaskClient, cursor: bytes) -> None:
        after = base64.urlsafe_b64encode(cursor).decode().rstrip("=")
        response = client.get("/api/v1/blog", query_string={"sort": "title", "after": after})
        assert response.status_code == 422
        assert response.get_json()["errors"][0]["loc"] == ["query", "after"]


class TestShow:
    def test_gives_a_draft_to_its_owner_only(
        self, ada: Caller, bob: Caller, admin: Caller, client: FlaskClient
    ) -> None:
        url = f"/api/v1/blog/{write(ada, status='draft')}"
        statuses = [caller.get(url).status_code for caller in (ada.client, bob.client, admin.client, client)]
        assert statuses == [200, 404, 404, 404]

    def test_hides_a_draft_as_if_it_did_not_exist(self, ada: Caller, client: FlaskClient) -> None:
        hidden = client.get(f"/api/v1/blog/{write(ada, status='draft')}").get_json()
        missing = client.get(f"/api/v1/blog/{UNKNOWN}").get_json()
        for varying in ("instance", "request", "request_id"):
            del hidden[varying], missing[varying]
        assert hidden == missing

    @pytest.mark.parametrize("address", [UNKNOWN, "1", UNKNOWN[:-1], f"{UNKNOWN}0", f"{{{UNKNOWN}}}", "%F0%9F%8E%89"])
    def test_finds_no_unknown_or_malformed_id(self, client: FlaskClient, address: str) -> None:
        response = client.get(f"/api/v1/blog/{address}")
        assert response.status_code == 404
        assert response.content_type == "application/problem+json"


class TestReplace:
    def test_replaces_the_whole(self, ada: Caller) -> None:
        old, new = add_tag(ada, "old"), add_tag(ada, "new")
        blog_id = write(ada, tags=[old])
        response = ada.client.put(f"/api/v1/blog/{blog_id}", json={"title": "b", "content": "c", "tags": [new]})
        assert response.status_code == 200
        blog = response.get_json()["data"]
        assert (blog["title"], blog["content"]) == ("b", "c")
        assert blog["tags"] == [{"id": new, "name": "new"}]
        assert ada.client.get(f"/api/v1/blog/{blog_id}").get_json()["data"] == blog

    def test_takes_the_tags_off_that_are_not_given(self, app: Flask, ada: Caller) -> None:
        blog_id = write(ada, tags=[add_tag(ada, "old")])
        response = ada.client.put(f"/api/v1/blog/{blog_id}", json={"title": "b", "content": "c"})
        assert response.get_json()["data"]["tags"] == []
        assert count_rows(app, "blog_tag") == 0

    def test_refuses_half_of_a_blog(self, ada: Caller) -> None:
        response = ada.client.put(f"/api/v1/blog/{write(ada)}", json={"title": "b"})
        assert [error["loc"] for error in response.get_json()["errors"]] == [["body", "content"]]

    def test_keeps_the_tags_when_one_is_unknown(self, ada: Caller) -> None:
        blog_id = write(ada, tags=[add_tag(ada, "old")])
        body = {"title": "b", "content": "c", "tags": [UNKNOWN]}
        response = ada.client.put(f"/api/v1/blog/{blog_id}", json=body)
        assert response.status_code == 422
        blog = ada.client.get(f"/api/v1/blog/{blog_id}").get_json()["data"]
        assert (blog["title"], [tag["name"] for tag in blog["tags"]]) == ("Hello", ["old"])

    def test_is_the_owners(self, ada: Caller, bob: Caller, admin: Caller) -> None:
        url = f"/api/v1/blog/{write(ada)}"
        for caller in (bob, admin):
            response = caller.client.put(url, json={"title": "mine", "content": ""})
            assert response.status_code == 403
            assert response.get_json()["code"] == "not_your_blog"
        assert ada.client.get(url).get_json()["data"]["title"] == "Hello"

    def test_finds_no_draft_of_others(self, ada: Caller, bob: Caller) -> None:
        url = f"/api/v1/blog/{write(ada, status='draft')}"
        assert bob.client.put(url, json={"title": "mine", "content": ""}).status_code == 404


class TestUpdate:
    def test_changes_only_what_is_given(self, ada: Caller) -> None:
        blog_id = write(ada, tags=[add_tag(ada, "python")])
        before = ada.client.get(f"/api/v1/blog/{blog_id}").get_json()["data"]
        after = ada.client.patch(f"/api/v1/blog/{blog_id}", json={"title": "b"}).get_json()["data"]
        assert after == before | {"title": "b", "updated_at": after["updated_at"]}
        assert after["updated_at"] > before["updated_at"]

    def test_changes_nothing_without_fields(self, ada: Caller) -> None:
        url = f"/api/v1/blog/{write(ada)}"
        before = ada.client.get(url).get_json()["data"]
        assert ada.client.patch(url, json={}).get_json()["data"] == before

    def test_publishes_and_withdraws(self, ada: Caller, client: FlaskClient) -> None:
        url = f"/api/v1/blog/{write(ada, status='draft')}"
        assert ada.client.get(url).get_json()["data"]["published_at"] is None
        published_at = ada.client.patch(url, json={"status": "published"}).get_json()["data"]["published_at"]
        assert client.get(url).get_json()["data"]["published_at"] == published_at
        assert ada.client.patch(url, json={"title": "b"}).get_json()["data"]["published_at"] == published_at
        assert ada.client.patch(url, json={"status": "draft"}).get_json()["data"]["published_at"] is None
        assert client.get(url).status_code == 404

    @pytest.mark.parametrize("field", ["title", "content", "status"])
    def test_refuses_null(self, ada: Caller, field: str) -> None:
        response = ada.client.patch(f"/api/v1/blog/{write(ada)}", json={field: None})
        assert response.status_code == 422
        assert response.get_json()["errors"][0]["loc"] == ["body", field]

    @pytest.mark.parametrize("field", ["id", "owner_id", "owner", "created_at", "updated_at", "published_at"])
    def test_refuses_what_is_not_the_callers_to_set(self, ada: Caller, field: str) -> None:
        url = f"/api/v1/blog/{write(ada)}"
        before = ada.client.get(url).get_json()["data"]
        assert ada.client.patch(url, json={field: UNKNOWN}).status_code == 422
        assert ada.client.get(url).get_json()["data"] == before

    def test_is_the_owners(self, ada: Caller, bob: Caller) -> None:
        assert bob.client.patch(f"/api/v1/blog/{write(ada)}", json={"title": "mine"}).status_code == 403

    def test_finds_no_draft_of_others(self, ada: Caller, bob: Caller) -> None:
        url = f"/api/v1/blog/{write(ada, status='draft')}"
        assert bob.client.patch(url, json={"title": "mine"}).status_code == 404


class TestDelete:
    def test_takes_the_blog_away_and_leaves_no_orphan(self, app: Flask, ada: Caller) -> None:
        blog_id = write(ada, tags=[add_tag(ada, "a"), add_tag(ada, "b")])
        response = ada.client.delete(f"/api/v1/blog/{blog_id}")
        assert (response.status_code, response.data) == (204, b"")
        assert ada.client.get(f"/api/v1/blog/{blog_id}").status_code == 404
        assert ada.client.delete(f"/api/v1/blog/{blog_id}").status_code == 404
        assert [count_rows(app, table) for table in ("blog", "blog_tag", "tag")] == [0, 0, 2]

    def test_is_the_owners(self, ada: Caller, bob: Caller, admin: Caller) -> None:
        url = f"/api/v1/blog/{write(ada)}"
        assert bob.client.delete(url).status_code == admin.client.delete(url).status_code == 403
        assert ada.client.get(url).status_code == 200

    def test_finds_no_draft_of_others(self, ada: Caller, bob: Caller) -> None:
        url = f"/api/v1/blog/{write(ada, status='draft')}"
        assert bob.client.delete(url).status_code == 404
        assert ada.client.get(url).status_code == 200
