"""What a surface that goes away says about it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from application.libs.ok import Bare, Envelope
from application.libs.openapi import document
from application.libs.page import Page
from application.libs.record import Record
from application.libs.redprint import Redprint, Surface
from application.libs.schema import PageQuery, Schema
from tests.contract import specimen

SINCE = datetime(2027, 1, 31, 1, tzinfo=timezone(timedelta(hours=1)))
SUNSET = datetime(2028, 2, 29, 12, 30, 5, 900_000, tzinfo=UTC)
DEPRECATION_HEADER = "@1801353600"
SUNSET_HEADER = "Tue, 29 Feb 2028 12:30:05 GMT"


class NameRow(Record):
    name: str


class NameOut(Schema):
    name: str


thing = Redprint("thing", __name__)
old = Redprint("old", __name__)


@thing.get("", public=True, answer=NameOut)
def index(query: PageQuery) -> Page[NameRow]:
    """List things."""
    return Page([NameRow("a")], limit=query.limit, next="x")


@thing.get("/<word>", public=True)
def show(word: str) -> NameOut:
    """Read a thing."""
    return NameOut(name=word)


@thing.delete("/<word>")
def delete(word: str) -> None:
    """Delete a thing."""


@thing.get("/image", public=True)
def image() -> Response:
    """Give bytes."""
    return Response(b"", headers=[("Link", '</a>; rel="up"'), ("Link", '</b>; rel="next"')])


@thing.get("/broken", public=True)
def broken() -> NameOut:
    """Fail."""
    raise RuntimeError


@old.get("", public=True)
def gone() -> NameOut:
    """Be left out of the next version."""
    return NameOut(name="old")


later = Redprint("thing", __name__, predecessor=thing)
later.take_over(index, image)


@later.instead_of(show)
def show_later(word: str) -> NameOut:
    """Read a thing."""
    return NameOut(name=word)


Build = Callable[..., FlaskClient]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that serves an old surface beside its successor and another one."""

    def make(since: datetime | None = SINCE, sunset: datetime | None = SUNSET) -> FlaskClient:
        return build_app(tmp_path, since, sunset).test_client()

    return make


def build_app(folder: Path, since: datetime | None, sunset: datetime | None) -> Flask:
    first = Surface("v1", __name__, url_prefix="/api/v1", dialect=Envelope())
    second = Surface("v2", __name__, url_prefix="/api/v2", dialect=Envelope())
    other = Surface("other", __name__, url_prefix="/api/v10", dialect=Bare())
    first.register_blueprint(thing)
    first.register_blueprint(old)
    second.register_blueprint(later)
    other.register_blueprint(thing)
    if since or sunset:
        first.deprecate(since=since, sunset=sunset, successor=second)
    return specimen.build(f"sqlite:///{folder / 'd.db'}", surfaces=(first, second, other), testing=False)


class TestComplete:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/thing/a", 200),
            ("HEAD", "/thing/a", 200),
            ("DELETE", "/thing/a", 401),
            ("GET", "/thing?limit=0", 422),
            ("GET", "/thing/broken", 500),
            ("GET", "/nowhere", 404),
            ("PUT", "/thing", 405),
            ("OPTIONS", "/thing", 200),
            ("GET", "/openapi.json", 200),
        ],
    )
    def test_tells_since_when_and_until_when(self, build: Build, method: str, path: str, status: int) -> None:
        response = build().open(f"/api/v1{path}", method=method)
        assert response.status_code == status
        assert response.headers.getlist("Deprecation") == [DEPRECATION_HEADER]
        assert response.headers.getlist("Sunset") == [SUNSET_HEADER]

    def test_tells_it_also_who_has_the_answer_already(self, build: Build) -> None:
        client = build()
        first = client.get("/api/v1/thing/a")
        again = client.get("/api/v1/thing/a", headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        for name in ("Deprecation", "Sunset", "Link"):
            assert again.headers[name] == first.headers[name]

    @pytest.mark.parametrize(
        ("since", "sunset", "names"), [(SINCE, None, {"Deprecation"}), (None, SUNSET, {"Sunset"}), (None, None, set())]
    )
    def test_leaves_out_what_is_not_given(
        self, build: Build, since: datetime | None, sunset: datetime | None, names: set[str]
    ) -> None:
        response = build(since, sunset).get("/api/v1/thing/a")
        assert {"Deprecation", "Sunset"} & set(response.headers.keys()) == names
        assert ("Link" in response.headers) is bool(names)

    @pytest.mark.parametrize(
        "path", ["/api/v2/thing/a", "/api/v10/thing/a", "/api/v2/nowhere", "/api/v1x", "/api/v3", "/elsewhere", "/"]
    )
    def test_touches_nothing_beside_the_surface(self, build: Build, path: str) -> None:
        assert not {"Deprecation", "Sunset", "Link"} & set(build().get(path).headers.keys())

    @pytest.mark.parametrize(
        ("path", "successor"),
        [
            ("/thing/a", "/api/v2/thing/a"),
            ("/thing/%E4%B8%AD%20%3C%3E%3B", "/api/v2/thing/%E4%B8%AD%20%3C%3E%3B"),
            ("/thing/a?limit=5", "/api/v2/thing/a"),
        ],
    )
    def test_links_the_same_path_of_the_successor(self, build: Build, path: str, successor: str) -> None:
        link = build().get(f"/api/v1{path}").headers["Link"]
        assert link == f'<{successor}>; rel="successor-version"'

    @pytest.mark.parametrize(("method", "path"), [("GET", "/old"), ("DELETE", "/thing/a"), ("GET", "/nowhere")])
    def test_links_nothing_that_the_successor_does_not_serve(self, build: Build, method: str, path: str) -> None:
        assert "Link" not in build().open(f"/api/v1{path}", method=method).headers

    def test_stands_beside_other_links(self, build: Build) -> None:
        client = build()
        assert client.get("/api/v1/thing?limit=5").headers.getlist("Link") == [
            '</api/v1/thing?limit=5&after=x>; rel="next", </api/v2/thing>; rel="successor-version"'
        ]
        assert client.get("/api/v1/thing/image").headers.getlist("Link") == [
            '</a>; rel="up", </b>; rel="next", </api/v2/thing/image>; rel="successor-version"'
        ]

    def test_links_below_the_place_where_the_application_is_mounted(self, build: Build) -> None:
        response = build().get("/api/v1/thing/a", environ_overrides={"SCRIPT_NAME": "/mounted"})
        assert response.headers["Link"] == '</mounted/api/v2/thing/a>; rel="successor-version"'


class TestDeprecate:
    def test_costs_nothing_where_it_is_not_called(self, tmp_path: Path) -> None:
        assert build_app(tmp_path, None, None).after_request_funcs == {}
        assert len(build_app(tmp_path, SINCE, None).after_request_funcs[None]) == 1

    def test_marks_the_operations_in_the_document(self, tmp_path: Path) -> None:
        app = build_app(tmp_path, SINCE, SUNSET)
        marks = {
            name: {
                operation.get("deprecated", False)
                for path in document(app, name, version="1")["paths"].values()
                for operation in path.values()
            }
            for name in ("v1", "v2", "other")
        }
        assert marks == {"v1": {True}, "v2": {False}, "other": {False}}
