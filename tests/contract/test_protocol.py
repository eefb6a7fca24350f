"""HTTP itself: methods, media types, files, dialects, failures nobody foresaw."""

import json
import logging
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from application.libs.edge import DATA_POLICY
from application.libs.ident import new_id
from application.libs.ok import Envelope
from application.libs.redprint import Redprint, Surface
from application.libs.respond import BrokenPromiseError
from application.libs.view import UndeclaredRefusalError
from tests.contract import specimen
from tests.links import links, next_url

pytestmark = pytest.mark.one_database

URL = "/api/v1/specimen"
PROBLEM = "application/problem+json"
NEW = {"name": "a", "moment": "2030-01-31T12:00:00Z"}


@pytest.fixture
def plain_client(plain_app: Flask) -> FlaskClient:
    return plain_app.test_client()


class TestMethods:
    def test_head_answers_like_get_without_a_body(self, plain_client: FlaskClient) -> None:
        asked, headed = plain_client.get(URL), plain_client.head(URL)
        assert (headed.status_code, headed.data) == (200, b"")
        assert headed.headers["Content-Length"] == asked.headers["Content-Length"]
        assert headed.content_type == "application/json"

    def test_head_of_what_is_missing_is_404_without_a_body(self, plain_client: FlaskClient) -> None:
        response = plain_client.head(f"{URL}/nothing")
        assert (response.status_code, response.data) == (404, b"")

    def test_options_lists_what_is_allowed(self, plain_client: FlaskClient) -> None:
        response = plain_client.options(URL)
        assert response.status_code == 200
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
        assert response.data == b""

    @pytest.mark.parametrize("path", [URL, "/bare/specimen"])
    def test_options_names_no_media_type(self, plain_client: FlaskClient, path: str) -> None:
        response = plain_client.options(path)
        assert "Content-Type" not in response.headers
        assert response.headers["Content-Security-Policy"] == DATA_POLICY
        assert response.headers["Content-Length"] == "0"

    @pytest.mark.parametrize("method", ["TRACE", "PATCH", "DELETE", "CONNECT", "PROPFIND"])
    def test_others_are_refused_with_what_is_allowed(self, plain_client: FlaskClient, method: str) -> None:
        response = plain_client.open(URL, environ_overrides={"REQUEST_METHOD": method})
        assert (response.status_code, response.content_type) == (405, PROBLEM)
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
        assert response.get_json()["code"] == "method_not_allowed"
        assert response.get_json()["request"] == f"{method} {URL}"

    @pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
    def test_cannot_be_overridden(self, plain_client: FlaskClient, header: str) -> None:
        created = plain_client.post(URL, json=NEW).get_json()["data"]["id"]
        for path in (f"{URL}/{created}", f"{URL}/{created}?_method=DELETE"):
            assert plain_client.get(path, headers={header: "DELETE"}).status_code == 200
        assert plain_client.get(f"{URL}/{created}").status_code == 200


class TestFailures:
    def test_nobody_foresaw_are_told_to_the_log_alone(
        self, plain_client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        response = plain_client.get(f"{URL}/boom", headers={"X-Request-ID": "abc-123"})
        assert (response.status_code, response.content_type) == (500, PROBLEM)
        assert "swordfish" not in response.text
        assert response.get_json() == {
            "type": "urn:redprint:problem:internal_error",
            "title": "Something went wrong on the server.",
            "status": 500,
            "detail": "Something went wrong on the server.",
            "instance": f"{URL}/boom",
            "code": "internal_error",
            "request": f"GET {URL}/boom",
            "request_id": "abc-123",
            "errors": [],
        }
        told = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert [str(record.exc_info[1]) for record in told if record.exc_info] == ["the password is swordfish"]

    def test_nobody_foresaw_are_bare_in_the_bare_dialect(self, plain_client: FlaskClient) -> None:
        response = plain_client.get("/bare/specimen/boom")
        assert (response.status_code, response.content_type) == (500, "application/json")
        assert response.get_json()["error_message"] == "Something went wrong on the server."
        assert "swordfish" not in response.text

    def test_that_are_not_declared_fail_the_test(self, specimen_client: FlaskClient) -> None:
        with pytest.raises(UndeclaredRefusalError, match="undeclared raised Undeclared; add it to its `errors=`"):
            specimen_client.get(f"{URL}/undeclared")

    def test_that_are_not_declared_are_answered_in_production(self, plain_client: FlaskClient) -> None:
        assert plain_client.get(f"{URL}/undeclared").status_code == 409

    def test_to_keep_the_schema_fail_the_test(self, specimen_client: FlaskClient) -> None:
        with pytest.raises(BrokenPromiseError, match="liar answered with what SpecimenOut does not allow"):
            specimen_client.get(f"{URL}/liar")

    def test_to_keep_the_media_type_fail_the_test(self, tmp_path: Path) -> None:
        picture = Redprint("picture", __name__)

        @picture.get("/<name>", public=True, media_type="image/*")
        def show(name: str) -> Response:
            """Send a picture, or not."""
            return Response(b"", content_type=name.replace("-", "/"))

        surface = Surface("v1", __name__, url_prefix="/v1", dialect=Envelope())
        surface.register_blueprint(picture)
        with specimen.serving(f"sqlite:///{tmp_path / 'a.db'}", surfaces=[surface]) as app:
            client = app.test_client()
            assert client.get("/v1/picture/image-png").content_type == "image/png"
            with pytest.raises(BrokenPromiseError, match=r"show answered with text/plain, and promises image/\*"):
                client.get("/v1/picture/text-plain")

    def test_outside_the_surfaces_are_a_page(self, plain_client: FlaskClient) -> None:
        response = plain_client.get("/nowhere", headers={"X-Request-ID": "abc"})
        assert (response.status_code, response.text) == (404, "<p>404 abc</p>")


class TestDialects:
    def test_answer_the_same_redprint_each_in_its_way(self, specimen_client: FlaskClient) -> None:
        created = specimen_client.post(URL, json=NEW)
        assert created.get_json().keys() == {"code", "status", "data"}
        key = created.get_json()["data"]["id"]
        assert specimen_client.get(f"/bare/specimen/{key}").get_json() == created.get_json()["data"]
        listed = specimen_client.get(f"{URL}?limit=1&count=true").get_json()
        assert listed.keys() == {"code", "status", "data", "page"}
        assert listed["page"] == {"limit": 1, "next": None, "total": 1}
        assert specimen_client.get("/bare/specimen").get_json() == listed["data"]

    def test_refuse_each_in_its_way(self, specimen_client: FlaskClient) -> None:
        wrapped = specimen_client.post(URL, json={"name": "a"})
        bare = specimen_client.post("/bare/specimen", json={"name": "a"})
        assert (wrapped.content_type, bare.content_type) == (PROBLEM, "application/json")
        assert bare.get_json().keys() == {"error_message", "code", "request_id", "errors"}
        assert bare.get_json()["errors"] == wrapped.get_json()["errors"]
        assert bare.get_json()["errors"][0]["loc"] == ["body", "moment"]

    def test_take_the_credentials_of_their_schemes(self, plain_client: FlaskClient) -> None:
        basic = {"Authorization": "Basic writer"}
        assert plain_client.post(f"{URL}/private", headers=basic).status_code == 401
        assert plain_client.post("/bare/specimen/private", headers=basic).status_code == 204

    def test_answer_each_at_its_own_endpoint(self, plain_app: Flask) -> None:
        with plain_app.test_request_context():
            assert plain_app.url_for("wrapped.specimen.index") == URL
            assert plain_app.url_for("bare.specimen.index") == "/bare/specimen"


class TestAccess:
    @pytest.mark.parametrize(
        ("header", "status", "code"),
        [
            (None, 401, "unauthenticated"),
            ("Bearer nobody", 401, "unauthenticated"),
            ("Bearer", 401, "unauthenticated"),
            ("writer", 401, "unauthenticated"),
            ("Bearer reader", 403, "permission_missing"),
        ],
    )
    def test_is_closed(self, specimen_client: FlaskClient, header: str | None, status: int, code: str) -> None:
        response = specimen_client.post(f"{URL}/private", headers={"Authorization": header} if header else {})
        assert (response.status_code, response.get_json()["code"]) == (status, code)
        assert ("WWW-Authenticate" in response.headers) is (status == 401)

    @pytest.mark.parametrize("header", ["Bearer writer", "bearer writer", "  BEARER   writer  "])
    def test_opens_with_the_permission(self, specimen_client: FlaskClient, header: str) -> None:
        response = specimen_client.post(f"{URL}/private", headers={"Authorization": header})
        assert (response.status_code, response.data) == (204, b"")
        assert "Content-Type" not in response.headers

    def test_to_what_is_public_needs_a_right_token_or_none(self, specimen_client: FlaskClient) -> None:
        assert specimen_client.get(URL).status_code == 200
        assert specimen_client.get(URL, headers={"Authorization": "Bearer nobody"}).status_code == 401


class TestFiles:
    def test_are_read_whole_with_their_form(self, specimen_client: FlaskClient) -> None:
        data = {
            "text": "hello",
            "photo": (BytesIO(b"123"), "../a\u00e9.png"),
            "more": [(BytesIO(b"1"), "b"), (BytesIO(b""), "c")],
        }
        response = specimen_client.post(f"{URL}/file", data=data)
        assert response.status_code == 200, response.text
        assert response.get_json()["data"] == {"names": ["../aé.png", "b", "c"], "sizes": [3, 1, 0], "text": "hello"}

    @pytest.mark.parametrize(
        ("data", "loc"),
        [
            ({"text": "a"}, ["files", "photo"]),
            ({"photo": "no file"}, ["files", "photo"]),
            ({"photo": ["a"], "zzz": ["b"]}, ["files", "zzz"]),
            ({"photo": ["a"], "more": ["b", "c", "d"]}, ["files", "more"]),
            ({"photo": ["a", "b"]}, ["files", "photo"]),
        ],
    )
    def test_are_refused_where_nobody_asked(
        self, specimen_client: FlaskClient, data: dict[str, str | list[str]], loc: list[str]
    ) -> None:
        files = {
            key: value if isinstance(value, str) else [(BytesIO(b"x"), name) for name in value]
            for key, value in data.items()
        }
        response = specimen_client.post(f"{URL}/file", data=files, content_type="multipart/form-data")
        assert response.status_code == 422
        assert loc in [error["loc"] for error in response.get_json()["errors"]]

    @pytest.mark.parametrize(
        "body", [b"", b"--x", b"--x\r\n\r\n", b'--x\r\nContent-Disposition: form-data; name="photo"\r\n\r\nabc']
    )
    def test_that_are_cut_off_are_refused(self, specimen_client: FlaskClient, body: bytes) -> None:
        response = specimen_client.post(f"{URL}/file", data=body, content_type="multipart/form-data; boundary=x")
        assert (response.status_code, response.content_type) == (422, PROBLEM)

    def test_without_a_boundary_are_refused(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.post(f"{URL}/file", data=b"abc", content_type="multipart/form-data")
        assert (response.status_code, response.content_type) == (422, PROBLEM)


class TestLink:
    def test_names_the_next_page_in_ascii(self, specimen_client: FlaskClient) -> None:
        for _ in range(2):
            specimen_client.post(URL, json=NEW | {"name": "标 签>"})
        response = specimen_client.get(f"{URL}/within/标 签>/all?limit=1")
        assert response.status_code == 200
        url = next_url(response)
        assert url.isascii()
        following = specimen_client.get(url)
        assert len(following.get_json()["data"]) == 1
        assert following.get_json()["data"] != response.get_json()["data"]
        assert next_url(following) == ""

    def test_leads_back_to_the_first_page(self, specimen_client: FlaskClient) -> None:
        for _ in range(3):
            specimen_client.post(URL, json=NEW)
        query = "limit=1&colour__in=red&colour__in=blue&fields=id,name"
        first = specimen_client.get(f"{URL}?{query}")
        second = specimen_client.get(next_url(first))
        last = specimen_client.get(next_url(second))
        assert [set(links(page)) for page in (first, second, last)] == [{"next"}, {"next", "first"}, {"first"}]
        for page in (second, last):
            assert specimen_client.get(links(page)["first"]).data == first.data

    def test_is_absent_from_a_single_page(self, specimen_client: FlaskClient) -> None:
        assert "Link" not in specimen_client.get(URL).headers

    def test_keeps_the_other_parameters_and_the_folder_we_are_mounted_in(self, specimen_client: FlaskClient) -> None:
        for _ in range(2):
            specimen_client.post(URL, json=NEW)
        response = specimen_client.get(f"{URL}?limit=1&q=a&colour=red", environ_overrides={"SCRIPT_NAME": "/shop"})
        cursor = response.get_json()["page"]["next"]
        assert response.headers["Link"] == f'</shop{URL}?limit=1&q=a&colour=red&after={cursor}>; rel="next"'


class TestRaw:
    def test_passes_through(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get(f"{URL}/image")
        assert (response.data, response.content_type) == (b"\x89PNG", "image/png")

    def test_lists_of_schemas_are_wrapped(self, specimen_client: FlaskClient) -> None:
        data = specimen_client.get(f"{URL}/colours").get_json()["data"]
        assert [item["value"]["colour"] for item in data] == ["red", "blue"]


class TestOnePass:
    def test_no_hook_touches_an_answer(self, plain_app: Flask) -> None:
        assert plain_app.after_request_funcs == {}

    def test_writes_the_envelope_around_the_bytes(self, specimen_client: FlaskClient) -> None:
        response = specimen_client.get("/api/v1/specimen/colours")
        bare = specimen_client.get("/bare/specimen/colours")
        assert response.data == b'{"code":0,"status":"succeed","data":' + bare.data + b"}"
        assert json.loads(bare.data)[0]["place"] == "list"


class TestRepeat:
    def test_replacing_twice_stores_once(self, specimen_client: FlaskClient) -> None:
        key = specimen_client.post(URL, json=NEW).get_json()["data"]["id"]
        for _ in range(2):
            assert specimen_client.put(f"{URL}/{key}", json=NEW | {"name": "b"}).status_code == 200
        assert [item["name"] for item in specimen_client.get(URL).get_json()["data"]] == ["b"]

    def test_deleting_twice_is_404(self, specimen_client: FlaskClient) -> None:
        key = specimen_client.post(URL, json=NEW).get_json()["data"]["id"]
        assert [specimen_client.delete(f"{URL}/{key}").status_code for _ in range(2)] == [204, 404]
        assert specimen_client.get(f"{URL}/{new_id()}").status_code == 404
