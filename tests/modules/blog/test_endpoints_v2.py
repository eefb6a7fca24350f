"""Blogs over HTTP in version 2."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import Caller

URL = "/api/v2/blog"


def write(caller: Caller, **fields: object) -> dict[str, Any]:
    response = caller.client.post(URL, json={"title": "Hello", "body": {"text": "Text."}} | fields)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.get_json()["data"]
    return created


class TestCreate:
    def test_gives_the_body_with_its_format(self, ada: Caller) -> None:
        blog = write(ada)
        assert blog["body"] == {"format": "text", "text": "Text."}
        assert "content" not in blog
        assert blog["owner"] == {"id": ada.id, "name": "ada"}

    def test_answers_as_it_reads_afterwards(self, ada: Caller) -> None:
        created = write(ada, body={"format": "text", "text": "中文🎉\r\n"}, status="draft")
        assert ada.client.get(f"{URL}/{created['id']}").get_json()["data"] == created

    @pytest.mark.parametrize(
        ("body", "loc", "kind"),
        [
            ("Text.", ["body", "body"], "model_type"),
            ({}, ["body", "body", "text"], "missing"),
            ({"text": "a", "format": "html"}, ["body", "body", "format"], "literal_error"),
            ({"text": "a", "colour": "red"}, ["body", "body", "colour"], "extra_forbidden"),
            ({"text": "a" * 200_001}, ["body", "body", "text"], "string_too_long"),
        ],
    )
    def test_refuses_another_body(self, ada: Caller, body: Any, loc: list[str], kind: str) -> None:
        response = ada.client.post(URL, json={"title": "Hello", "body": body})
        assert response.status_code == 422
        assert [(error["loc"], error["type"]) for error in response.get_json()["errors"]] == [(loc, kind)]

    def test_knows_no_content(self, ada: Caller) -> None:
        response = ada.client.post(URL, json={"title": "Hello", "content": "Text."})
        assert {tuple(error["loc"]) for error in response.get_json()["errors"]} == {
            ("body", "body"),
            ("body", "content"),
        }

    def test_names_an_unknown_tag_as_version_1_does(self, ada: Caller) -> None:
        fields = {"tags": ["01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"]}
        response = ada.client.post(URL, json={"title": "Hello", "body": {"text": ""}} | fields)
        assert (response.status_code, response.get_json()["code"]) == (422, "unknown_tag")

    def test_is_repeated_under_its_key(self, ada: Caller) -> None:
        headers = {"Idempotency-Key": '"one"'}
        first, second = (
            ada.client.post(URL, json={"title": "a", "body": {"text": "b"}}, headers=headers) for _ in "ab"
        )
        assert (first.data, second.headers["Idempotency-Replayed"]) == (second.data, "true")
        other = ada.client.post("/api/v1/blog", json={"title": "a", "content": "b"}, headers=headers)
        assert other.get_json()["code"] == "key_reused"


class TestReplace:
    def test_replaces_the_whole(self, ada: Caller) -> None:
        blog = write(ada, status="draft")
        response = ada.client.put(f"{URL}/{blog['id']}", json={"title": "New", "body": {"text": "Other."}})
        changed = response.get_json()["data"]
        assert (changed["title"], changed["body"]["text"], changed["status"]) == ("New", "Other.", "published")


class TestUpdate:
    @pytest.mark.parametrize(
        ("patch", "text"),
        [
            ({"body": {"text": "x"}}, "x"),
            ({"body": {"format": "text"}}, "Text."),
            ({"body": {"format": "text", "text": ""}}, ""),
            ({"body": {}}, "Text."),
            ({}, "Text."),
        ],
    )
    def test_merges_the_body(self, ada: Caller, patch: dict[str, Any], text: str) -> None:
        blog = write(ada)
        response = ada.client.patch(f"{URL}/{blog['id']}", json=patch)
        assert response.status_code == 200, response.text
        changed = response.get_json()["data"]
        assert changed["body"] == {"format": "text", "text": text}
        assert {name for name in blog if blog[name] != changed[name]} <= {"body", "updated_at"}

    @pytest.mark.parametrize("patch", [{"body": None}, {"body": {"text": None}}, {"body": {"format": None}}])
    def test_removes_no_part_of_the_body(self, ada: Caller, patch: dict[str, Any]) -> None:
        blog = write(ada)
        assert ada.client.patch(f"{URL}/{blog['id']}", json=patch).status_code == 422
        assert ada.client.get(f"{URL}/{blog['id']}").get_json()["data"] == blog

    def test_takes_off_all_tags_with_null(self, ada: Caller) -> None:
        tag = ada.client.post("/api/v2/tag", json={"name": "python"}).get_json()["data"]["id"]
        blog = write(ada, tags=[tag])
        headers = {"Content-Type": "application/merge-patch+json"}
        response = ada.client.patch(f"{URL}/{blog['id']}", data=b'{"tags": null}', headers=headers)
        assert response.get_json()["data"]["tags"] == []

    def test_is_tied_to_what_this_version_gave(self, ada: Caller) -> None:
        created = ada.client.post(URL, json={"title": "a", "body": {"text": "b"}})
        address, tag = created.headers["Location"], created.headers["ETag"]
        assert address == f"{URL}/{created.get_json()['data']['id']}"
        assert ada.client.get(address).headers["ETag"] == tag
        other = ada.client.get(address.replace("v2", "v1")).headers["ETag"]
        assert other != tag
        for sent, status in ((other, 412), (tag, 200), (tag, 412)):
            patch = {"body": {"text": "c"}}
            assert ada.client.patch(address, json=patch, headers={"If-Match": sent}).status_code == status

    def test_changes_the_rest_beside_it(self, ada: Caller) -> None:
        tag = ada.client.post("/api/v2/tag", json={"name": "python"}).get_json()["data"]["id"]
        blog = write(ada)
        patch = {"title": "New", "status": "draft", "tags": [tag], "body": {"text": "x"}}
        changed = ada.client.patch(f"{URL}/{blog['id']}", json=patch).get_json()["data"]
        assert (changed["title"], changed["status"], changed["tags"]) == (
            "New",
            "draft",
            [{"id": tag, "name": "python"}],
        )
        assert changed["body"]["text"] == "x"


class TestLists:
    def test_speak_of_the_body_everywhere(self, ada: Caller, client: FlaskClient) -> None:
        tag = ada.client.post("/api/v2/tag", json={"name": "python"}).get_json()["data"]["id"]
        blogs = [write(ada, title=f"Nr {number}", tags=[tag]) for number in range(3)]
        for path in (URL, f"/api/v2/tag/{tag}/blogs", f"/api/v2/user/{ada.id}/blogs"):
            assert client.get(path).get_json()["data"] == blogs[::-1], path

    def test_are_paged_within_the_version(self, ada: Caller, client: FlaskClient) -> None:
        for number in range(3):
            write(ada, title=f"Nr {number}")
        first = client.get(f"{URL}?limit=2")
        assert first.headers["Link"].startswith(f"<{URL}?limit=2&after=")
        following = client.get(URL, query_string={"limit": 2, "after": first.get_json()["page"]["next"]})
        assert [blog["title"] for blog in following.get_json()["data"]] == ["Nr 0"]

    @pytest.mark.parametrize(
        ("fields", "item"),
        [
            ("body", {"body": {"format": "text", "text": "Text."}}),
            ("title,body", {"title": "Hello", "body": {"format": "text", "text": "Text."}}),
            ("status", {"status": "published"}),
        ],
    )
    def test_give_the_members_of_this_version(self, ada: Caller, fields: str, item: dict[str, Any]) -> None:
        write(ada)
        for path in (URL, f"/api/v2/user/{ada.id}/blogs"):
            assert ada.client.get(path, query_string={"fields": fields}).get_json()["data"] == [item]

    def test_know_no_member_of_the_version_before(self, ada: Caller) -> None:
        response = ada.client.get(f"{URL}?fields=content")
        assert [error["type"] for error in response.get_json()["errors"]] == ["unknown_field"]

    @pytest.mark.parametrize("path", ["tag", "user"])
    def test_know_what_they_are_within(self, client: FlaskClient, path: str) -> None:
        response = client.get(f"/api/v2/{path}/01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10/blogs")
        assert (response.status_code, response.get_json()["code"]) == (404, f"{path}_not_found")
