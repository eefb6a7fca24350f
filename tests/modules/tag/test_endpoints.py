"""Tags over HTTP."""

import pytest
from flask.testing import FlaskClient

from tests.conftest import Caller

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


@pytest.fixture
def tag(admin: Caller) -> str:
    """Create a tag and return its id."""
    created: str = admin.client.post("/api/v1/tag", json={"name": "python"}).json["data"]["id"]
    return created


class TestCreate:
    def test_gives_the_tag_in_the_envelope(self, ada: Caller) -> None:
        response = ada.client.post("/api/v1/tag", json={"name": " python "})
        assert response.status_code == 201
        assert response.json["code"] == 0
        assert response.json["status"] == "succeed"
        assert response.json["data"]["name"] == "python"

    def test_refuses_a_taken_name(self, ada: Caller) -> None:
        ada.client.post("/api/v1/tag", json={"name": "python"})
        response = ada.client.post("/api/v1/tag", json={"name": "python"})
        assert response.status_code == 409
        assert response.content_type == "application/problem+json"
        assert response.json["code"] == "name_taken"

    def test_tells_names_apart_by_case_and_accent(self, ada: Caller) -> None:
        statuses = [ada.client.post("/api/v1/tag", json={"name": name}).status_code for name in ("re", "Re", "ré", "标签")]
        assert statuses == [201] * 4

    def test_refuses_an_unknown_caller(self, client: FlaskClient) -> None:
        response = client.post("/api/v1/tag", json={"name": "python"})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"


class TestIndex:
    def test_pages_without_gap_or_overlap(self, admin: Caller, client: FlaskClient) -> None:
        names = sorted(f"tag {number:02}" for number in range(7))
        for name in reversed(names):
            admin.client.post("/api/v1/tag", json={"name": name})
        seen: list[str] = []
        url = "/api/v1/tag?limit=3&count=true"
        while url:
            response = client.get(url)
            assert response.json["page"]["total"] == 7
            seen += [tag["name"] for tag in response.json["data"]]
            url = response.headers.get("Link", "").partition(">")[0].lstrip("<")
        assert seen == names

    def test_finds_percent_literally(self, admin: Caller, client: FlaskClient) -> None:
        for name in ("100%", "100 percent"):
            admin.client.post("/api/v1/tag", json={"name": name})
        found = client.get("/api/v1/tag", query_string={"q": "%"}).json["data"]
        assert [tag["name"] for tag in found] == ["100%"]

    @pytest.mark.parametrize(
        ("query", "field"),
        [("limit=0", "limit"), ("limit=101", "limit"), ("sort=;drop", "sort"), ("after=x", "after"), ("x=1", "x")],
    )
    def test_refuses_what_it_does_not_know(self, client: FlaskClient, query: str, field: str) -> None:
        response = client.get(f"/api/v1/tag?{query}")
        assert response.status_code == 422
        assert response.json["errors"][0]["loc"] == ["query", field]


class TestShow:
    def test_gives_a_tag_to_anybody(self, client: FlaskClient, tag: str) -> None:
        assert client.get(f"/api/v1/tag/{tag}").json["data"] == {"id": tag, "name": "python"}

    @pytest.mark.parametrize("address", [UNKNOWN, "42", "x" * 40, "9" * 5000, "%00"])
    def test_finds_no_unknown_or_malformed_id(self, client: FlaskClient, address: str) -> None:
        response = client.get(f"/api/v1/tag/{address}")
        assert response.status_code == 404
        assert response.content_type == "application/problem+json"


class TestReplace:
    def test_renames(self, admin: Caller, tag: str) -> None:
        response = admin.client.put(f"/api/v1/tag/{tag}", json={"name": "flask"})
        assert response.json["data"] == {"id": tag, "name": "flask"}

    def test_is_the_admins(self, ada: Caller, tag: str) -> None:
        response = ada.client.put(f"/api/v1/tag/{tag}", json={"name": "flask"})
        assert response.status_code == 403
        assert response.json["code"] == "permission_missing"


class TestUpdate:
    def test_changes_nothing_without_fields(self, admin: Caller, tag: str) -> None:
        response = admin.client.patch(f"/api/v1/tag/{tag}", json={})
        assert response.json["data"] == {"id": tag, "name": "python"}

    def test_refuses_null(self, admin: Caller, tag: str) -> None:
        response = admin.client.patch(f"/api/v1/tag/{tag}", json={"name": None})
        assert response.status_code == 422

    def test_finds_no_unknown_tag(self, admin: Caller) -> None:
        response = admin.client.patch(f"/api/v1/tag/{UNKNOWN}", json={"name": "flask"})
        assert response.status_code == 404


class TestDelete:
    def test_takes_the_tag_away(self, admin: Caller, client: FlaskClient, tag: str) -> None:
        response = admin.client.delete(f"/api/v1/tag/{tag}")
        assert response.status_code == 204
        assert response.data == b""
        assert client.get(f"/api/v1/tag/{tag}").status_code == 404

    def test_refuses_a_tag_on_a_blog(self, admin: Caller, tag: str) -> None:
        admin.client.post("/api/v1/blog", json={"title": "Hello", "content": "", "tags": [tag]})
        response = admin.client.delete(f"/api/v1/tag/{tag}")
        assert response.status_code == 409
        assert response.json["code"] == "tag_in_use"
        assert admin.client.get(f"/api/v1/tag/{tag}").status_code == 200


class TestBlogs:
    def test_lists_only_what_carries_the_tag(self, admin: Caller, client: FlaskClient, tag: str) -> None:
        for title, tags in (("with", [tag]), ("without", [])):
            admin.client.post("/api/v1/blog", json={"title": title, "content": "", "tags": tags})
        found = client.get(f"/api/v1/tag/{tag}/blogs").json["data"]
        assert [blog["title"] for blog in found] == ["with"]
        assert found[0]["tags"] == [{"id": tag, "name": "python"}]

    def test_finds_no_unknown_tag(self, client: FlaskClient) -> None:
        assert client.get(f"/api/v1/tag/{UNKNOWN}/blogs").status_code == 404
