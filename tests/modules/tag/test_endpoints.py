"""Tags over HTTP."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Caller
from tests.links import next_url
from tests.parallel import at_once
from tests.tables import count_rows

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


@pytest.fixture
def tag(admin: Caller) -> str:
    """Create a tag and return its id."""
    created: str = admin.client.post("/api/v1/tag", json={"name": "python"}).get_json()["data"]["id"]
    return created


class TestCreate:
    def test_gives_the_tag_in_the_envelope(self, ada: Caller) -> None:
        response = ada.client.post("/api/v1/tag", json={"name": " python "})
        assert response.status_code == 201
        assert response.get_json()["code"] == 0
        assert response.get_json()["status"] == "succeed"
        assert response.get_json()["data"]["name"] == "python"

    def test_refuses_a_taken_name(self, ada: Caller) -> None:
        ada.client.post("/api/v1/tag", json={"name": "python"})
        response = ada.client.post("/api/v1/tag", json={"name": "python"})
        assert response.status_code == 409
        assert response.content_type == "application/problem+json"
        assert response.get_json()["code"] == "name_taken"

    def test_tells_names_apart_by_case_and_accent(self, ada: Caller) -> None:
        statuses = [
            ada.client.post("/api/v1/tag", json={"name": name}).status_code for name in ("re", "Re", "ré", "标签")
        ]
        assert statuses == [201] * 4

    def test_refuses_an_unknown_caller(self, client: FlaskClient) -> None:
        response = client.post("/api/v1/tag", json={"name": "python"})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="API"'

    def test_keeps_any_script_as_it_is(self, ada: Caller, client: FlaskClient) -> None:
        for name in ("标签", "🏷️ emoji", "<script>alert(1)</script>", "'; DROP TABLE tag; --", "a\\b", "%00"):
            created = ada.client.post("/api/v1/tag", json={"name": name})
            shown = client.get(f"/api/v1/tag/{created.get_json()['data']['id']}")
            assert shown.get_json()["data"]["name"] == name
            assert shown.content_type == "application/json"

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "   ",
            "\u3000",
            "x" * 51,
            "a\nb",
            "a\tb",
            "a\x1b[31mb",
            "a\x00b",
            "a\x7fb",
            "a\u0085b",
            "a\u2028b",
            "a\u202eb",
        ],
    )
    def test_refuses_a_name_that_is_not_one_line(self, ada: Caller, name: str) -> None:
        response = ada.client.post("/api/v1/tag", json={"name": name})
        assert response.status_code == 422
        assert [error["loc"] for error in response.get_json()["errors"]] == [["body", "name"]]
        assert not any("^" in error["msg"] for error in response.get_json()["errors"])

    @pytest.mark.parametrize("name", [None, 1, True, ["python"], {"a": 1}])
    def test_refuses_a_name_that_is_no_text(self, ada: Caller, name: object) -> None:
        assert ada.client.post("/api/v1/tag", json={"name": name}).status_code == 422

    def test_names_every_faulty_field(self, ada: Caller) -> None:
        response = ada.client.post("/api/v1/tag", json={"id": UNKNOWN, "created_at": "now", "name": 1})
        assert response.status_code == 422
        assert sorted(error["loc"][1] for error in response.get_json()["errors"]) == ["created_at", "id", "name"]

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            (b"", "application/json", 400),
            (b"{", "application/json", 400),
            (b'{"name": "a", "name": "b"}', "application/json", 400),
            (b'{"name": "\xff"}', "application/json", 400),
            (b"[]", "application/json", 422),
            (b"null", "application/json", 422),
            (b'{"name": "a"}', "text/plain", 415),
        ],
    )
    def test_refuses_a_body_that_is_no_json_object(
        self, ada: Caller, body: bytes, content_type: str, status: int
    ) -> None:
        response = ada.client.post("/api/v1/tag", data=body, content_type=content_type)
        assert response.status_code == status
        assert response.content_type == "application/problem+json"

    def test_gives_one_of_twenty_at_once_the_name(self, app: Flask, ada: Caller) -> None:
        def post() -> int:
            client = app.test_client()
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {ada.token}"
            return client.post("/api/v1/tag", json={"name": "python"}).status_code

        assert sorted(at_once([post] * 20)) == [201] + [409] * 19
        assert count_rows(app, "tag") == 1


class TestIndex:
    def test_pages_without_gap_or_overlap(self, admin: Caller, client: FlaskClient) -> None:
        names = sorted(f"tag {number:02}" for number in range(7))
        for name in reversed(names):
            admin.client.post("/api/v1/tag", json={"name": name})
        seen: list[str] = []
        url = "/api/v1/tag?limit=3&count=true"
        while url:
            response = client.get(url)
            assert response.get_json()["page"]["total"] == 7
            seen += [tag["name"] for tag in response.get_json()["data"]]
            url = next_url(response)
        assert seen == names

    def test_finds_percent_literally(self, admin: Caller, client: FlaskClient) -> None:
        for name in ("100%", "100 percent"):
            admin.client.post("/api/v1/tag", json={"name": name})
        found = client.get("/api/v1/tag", query_string={"q": "%"}).get_json()["data"]
        assert [tag["name"] for tag in found] == ["100%"]

    @pytest.mark.parametrize(
        ("query", "field"),
        [("limit=0", "limit"), ("limit=101", "limit"), ("sort=;drop", "sort"), ("after=x", "after"), ("x=1", "x")],
    )
    def test_refuses_what_it_does_not_know(self, client: FlaskClient, query: str, field: str) -> None:
        response = client.get(f"/api/v1/tag?{query}")
        assert response.status_code == 422
        assert response.get_json()["errors"][0]["loc"] == ["query", field]


class TestShow:
    def test_gives_a_tag_to_anybody(self, client: FlaskClient, tag: str) -> None:
        assert client.get(f"/api/v1/tag/{tag}").get_json()["data"] == {"id": tag, "name": "python"}

    @pytest.mark.parametrize("address", [UNKNOWN, "42", "x" * 40, "9" * 5000, "%00"])
    def test_finds_no_unknown_or_malformed_id(self, client: FlaskClient, address: str) -> None:
        response = client.get(f"/api/v1/tag/{address}")
        assert response.status_code == 404
        assert response.content_type == "application/problem+json"

    def test_reads_an_id_in_upper_case(self, client: FlaskClient, tag: str) -> None:
        assert client.get(f"/api/v1/tag/{tag.upper()}").get_json()["data"]["id"] == tag

    @pytest.mark.parametrize("token", ["x", "x" * 10_000, "é", ""])
    def test_refuses_a_wrong_token_although_anybody_may_read(self, client: FlaskClient, tag: str, token: str) -> None:
        response = client.get(f"/api/v1/tag/{tag}", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401


class TestReplace:
    def test_refuses_a_body_without_a_name(self, admin: Caller, tag: str) -> None:
        response = admin.client.put(f"/api/v1/tag/{tag}", json={})
        assert response.status_code == 422
        assert response.get_json()["errors"][0]["loc"] == ["body", "name"]

    def test_refuses_a_taken_name(self, admin: Caller, tag: str) -> None:
        admin.client.post("/api/v1/tag", json={"name": "flask"})
        response = admin.client.put(f"/api/v1/tag/{tag}", json={"name": "flask"})
        assert response.status_code == 409
        assert admin.client.get(f"/api/v1/tag/{tag}").get_json()["data"]["name"] == "python"

    def test_finds_no_unknown_tag(self, admin: Caller) -> None:
        assert admin.client.put(f"/api/v1/tag/{UNKNOWN}", json={"name": "flask"}).status_code == 404

    def test_renames(self, admin: Caller, tag: str) -> None:
        response = admin.client.put(f"/api/v1/tag/{tag}", json={"name": "flask"})
        assert response.get_json()["data"] == {"id": tag, "name": "flask"}

    def test_is_the_admins(self, ada: Caller, tag: str) -> None:
        response = ada.client.put(f"/api/v1/tag/{tag}", json={"name": "flask"})
        assert response.status_code == 403
        assert response.get_json()["code"] == "permission_missing"


class TestUpdate:
    def test_changes_nothing_without_fields(self, admin: Caller, tag: str) -> None:
        response = admin.client.patch(f"/api/v1/tag/{tag}", json={})
        assert response.get_json()["data"] == {"id": tag, "name": "python"}

    def test_refuses_null(self, admin: Caller, tag: str) -> None:
        response = admin.client.patch(f"/api/v1/tag/{tag}", json={"name": None})
        assert response.status_code == 422
        said = {
            "loc": ["body", "name"],
            "msg": "Cannot be removed; leave it out or give a value",
            "type": "string_type",
        }
        assert response.get_json()["errors"] == [said]

    def test_finds_no_unknown_tag(self, admin: Caller) -> None:
        response = admin.client.patch(f"/api/v1/tag/{UNKNOWN}", json={"name": "flask"})
        assert response.status_code == 404

    def test_refuses_a_taken_name(self, admin: Caller, tag: str) -> None:
        admin.client.post("/api/v1/tag", json={"name": "flask"})
        assert admin.client.patch(f"/api/v1/tag/{tag}", json={"name": "flask"}).status_code == 409

    def test_is_the_admins(self, ada: Caller, tag: str) -> None:
        assert ada.client.patch(f"/api/v1/tag/{tag}", json={"name": "flask"}).status_code == 403


class TestDelete:
    def test_finds_no_unknown_tag(self, admin: Caller) -> None:
        assert admin.client.delete(f"/api/v1/tag/{UNKNOWN}").status_code == 404

    def test_is_the_admins(self, ada: Caller, tag: str) -> None:
        assert ada.client.delete(f"/api/v1/tag/{tag}").status_code == 403

    def test_leaves_the_tag_on_the_blog_when_refused(self, app: Flask, admin: Caller, tag: str) -> None:
        admin.client.post("/api/v1/blog", json={"title": "Hello", "content": "", "tags": [tag]})
        admin.client.delete(f"/api/v1/tag/{tag}")
        assert count_rows(app, "blog_tag", tag_id=tag) == 1

    def test_races_with_a_blog_that_takes_the_tag(self, app: Flask, admin: Caller, tag: str) -> None:
        def delete() -> int:
            return app.test_client().delete(f"/api/v1/tag/{tag}", headers=bearer).status_code

        def write() -> int:
            body = {"title": "Hello", "content": "", "tags": [tag]}
            return app.test_client().post("/api/v1/blog", json=body, headers=bearer).status_code

        bearer = {"Authorization": f"Bearer {admin.token}"}
        deleted, written = at_once([delete, write])
        assert (deleted, written) in {(204, 422), (409, 201)}
        on_blogs = 0 if deleted == 204 else 1
        assert [count_rows(app, table) for table in ("tag", "blog", "blog_tag")] == [on_blogs] * 3

    def test_takes_the_tag_away(self, admin: Caller, client: FlaskClient, tag: str) -> None:
        response = admin.client.delete(f"/api/v1/tag/{tag}")
        assert response.status_code == 204
        assert response.data == b""
        assert client.get(f"/api/v1/tag/{tag}").status_code == 404

    def test_refuses_a_tag_on_a_blog(self, admin: Caller, tag: str) -> None:
        admin.client.post("/api/v1/blog", json={"title": "Hello", "content": "", "tags": [tag]})
        response = admin.client.delete(f"/api/v1/tag/{tag}")
        assert response.status_code == 409
        assert response.get_json()["code"] == "tag_in_use"
        assert admin.client.get(f"/api/v1/tag/{tag}").status_code == 200


class TestBlogs:
    def test_lists_only_what_carries_the_tag(self, admin: Caller, client: FlaskClient, tag: str) -> None:
        for title, tags in (("with", [tag]), ("without", [])):
            admin.client.post("/api/v1/blog", json={"title": title, "content": "", "tags": tags})
        found = client.get(f"/api/v1/tag/{tag}/blogs").get_json()["data"]
        assert [blog["title"] for blog in found] == ["with"]
        assert found[0]["tags"] == [{"id": tag, "name": "python"}]

    def test_gives_an_empty_page_of_a_tag_on_no_blog(self, client: FlaskClient, tag: str) -> None:
        response = client.get(f"/api/v1/tag/{tag}/blogs?count=true")
        assert response.get_json()["data"] == []
        assert response.get_json()["page"] == {"limit": 20, "next": None, "total": 0}

    def test_finds_no_unknown_tag(self, client: FlaskClient) -> None:
        assert client.get(f"/api/v1/tag/{UNKNOWN}/blogs").status_code == 404

    def test_pages_without_gap_or_overlap(self, admin: Caller, client: FlaskClient, tag: str) -> None:
        for number in range(5):
            admin.client.post("/api/v1/blog", json={"title": f"{number}", "content": "", "tags": [tag]})
        admin.client.post("/api/v1/blog", json={"title": "without", "content": ""})
        seen: list[str] = []
        url = f"/api/v1/tag/{tag}/blogs?limit=2&sort=title&count=true"
        while url:
            response = client.get(url)
            assert response.get_json()["page"]["total"] == 5
            seen += [blog["title"] for blog in response.get_json()["data"]]
            url = next_url(response)
        assert seen == ["0", "1", "2", "3", "4"]

    def test_hides_the_drafts_of_others(self, admin: Caller, ada: Caller, client: FlaskClient, tag: str) -> None:
        admin.client.post("/api/v1/blog", json={"title": "draft", "content": "", "tags": [tag], "status": "draft"})
        url = f"/api/v1/tag/{tag}/blogs"
        assert client.get(url).get_json()["data"] == ada.client.get(url).get_json()["data"] == []
        assert [blog["title"] for blog in admin.client.get(url).get_json()["data"]] == ["draft"]

    def test_takes_no_other_tag(self, client: FlaskClient, tag: str) -> None:
        response = client.get(f"/api/v1/tag/{tag}/blogs", query_string={"tag": UNKNOWN})
        assert response.status_code == 422
