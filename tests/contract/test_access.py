"""Who may do what: every route with every kind of caller, and what they are answered.

A route that is missing here fails the test. Callers: nobody, a user, the owner of what is asked for (or the user
themselves), an admin.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from application.cli import database
from application.database import Base, execute, transaction
from application.libs.secret import hash_password
from application.modules.auth import business as auth_business
from application.modules.user import business as user_business
from application.permissions import Role

CALLERS = ("nobody", "user", "owner", "admin")
HASH = hash_password("correct horse")
SECRET_WORDS = ("password", "hash", "token", "digest")
SURFACES = ("/api/", "/scheduler")

ACCESS = {
    "POST /api/v1/auth/login": (200, 200, 200, 200),
    "POST /api/v1/auth/logout": (401, 204, 204, 204),
    "GET /api/v1/auth/me": (401, 200, 200, 200),
    "GET /api/v1/blog": (200, 200, 200, 200),
    "POST /api/v1/blog": (401, 201, 201, 201),
    "GET /api/v1/blog/<id:blog_id>": (200, 200, 200, 200),
    "PUT /api/v1/blog/<id:blog_id>": (401, 403, 200, 403),
    "PATCH /api/v1/blog/<id:blog_id>": (401, 403, 200, 403),
    "DELETE /api/v1/blog/<id:blog_id>": (401, 403, 204, 403),
    "GET /api/v1/openapi.json": (200, 200, 200, 200),
    "GET /api/v1/tag": (200, 200, 200, 200),
    "POST /api/v1/tag": (401, 201, 201, 201),
    "GET /api/v1/tag/<id:tag_id>": (200, 200, 200, 200),
    "PUT /api/v1/tag/<id:tag_id>": (401, 403, 403, 200),
    "PATCH /api/v1/tag/<id:tag_id>": (401, 403, 403, 200),
    "DELETE /api/v1/tag/<id:tag_id>": (401, 403, 403, 204),
    "GET /api/v1/tag/<id:tag_id>/blogs": (200, 200, 200, 200),
    "GET /api/v1/user": (401, 403, 403, 200),
    "POST /api/v1/user": (401, 403, 403, 201),
    "GET /api/v1/user/<id:user_id>": (401, 404, 200, 200),
    "PUT /api/v1/user/<id:user_id>": (401, 403, 403, 200),
    "PATCH /api/v1/user/<id:user_id>": (401, 403, 403, 200),
    "DELETE /api/v1/user/<id:user_id>": (401, 403, 403, 409),  # they own a blog
    "GET /api/v1/user/<id:user_id>/blogs": (200, 200, 200, 200),
    "GET /scheduler": (401, 403, 403, 200),
    "GET /scheduler/jobs": (401, 403, 403, 200),
    "GET /scheduler/jobs/<job_id>": (401, 403, 403, 404),  # there is no such job
    "GET /scheduler/jobs/<job_id>/runs": (401, 403, 403, 404),
    "POST /scheduler/jobs/<job_id>/pause": (401, 403, 403, 404),
    "POST /scheduler/jobs/<job_id>/resume": (401, 403, 403, 404),
    "POST /scheduler/jobs/<job_id>/run": (401, 403, 403, 404),
}

DRAFT = {
    "GET /api/v1/blog/<id:blog_id>": (404, 404, 200, 404),
    "PUT /api/v1/blog/<id:blog_id>": (401, 404, 200, 404),
    "PATCH /api/v1/blog/<id:blog_id>": (401, 404, 200, 404),
    "DELETE /api/v1/blog/<id:blog_id>": (401, 404, 204, 404),
}

BODIES: dict[str, dict[str, object]] = {
    "POST /api/v1/auth/login": {"name": "owner", "password": "correct horse"},
    "POST /api/v1/blog": {"title": "Hello", "content": ""},
    "PUT /api/v1/blog/<id:blog_id>": {"title": "Changed", "content": ""},
    "PATCH /api/v1/blog/<id:blog_id>": {"title": "Changed"},
    "POST /api/v1/tag": {"name": "flask"},
    "PUT /api/v1/tag/<id:tag_id>": {"name": "changed"},
    "PATCH /api/v1/tag/<id:tag_id>": {"name": "changed"},
    "POST /api/v1/user": {"name": "eve", "password": "correct horse"},
    "PUT /api/v1/user/<id:user_id>": {"name": "changed", "roles": ["user"]},
    "PATCH /api/v1/user/<id:user_id>": {"name": "changed"},
}

CASES = [
    pytest.param(route, caller, status, id=f"{route}-{caller}")
    for route, statuses in ACCESS.items()
    for caller, status in zip(CALLERS, statuses, strict=True)
]
DRAFT_CASES = [
    pytest.param(route, caller, status, id=f"{route}-{caller}")
    for route, statuses in DRAFT.items()
    for caller, status in zip(CALLERS, statuses, strict=True)
]


class World:
    """Hold three users, a blog, a draft and a tag, and send requests about them."""

    def __init__(self, app: Flask) -> None:
        """Create everything."""
        self.app = app
        self.tokens: dict[str, str] = {}
        with app.app_context(), transaction():
            for name, role in (("user", Role.USER), ("owner", Role.USER), ("admin", Role.ADMIN)):
                user = user_business.create(name=name, password_hash=HASH, roles=[role])
                self.tokens[name] = auth_business.create_token(user.id, ttl_seconds=60).token
                if name == "owner":
                    self.user_id = user.id
        post = self.client("owner").post
        self.tag_id: str = post("/api/v1/tag", json={"name": "python"}).get_json()["data"]["id"]
        blog = {"title": "Hello", "content": ""}
        self.blog_id: str = post("/api/v1/blog", json=blog).get_json()["data"]["id"]
        self.draft_id: str = post("/api/v1/blog", json=blog | {"status": "draft"}).get_json()["data"]["id"]

    def client(self, caller: str) -> FlaskClient:
        """Return a client of this caller."""
        client = self.app.test_client()
        if caller in self.tokens:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.tokens[caller]}"
        return client

    def send(self, route: str, caller: str, *, blog_id: str = "", method: str = "") -> TestResponse:
        """Send the request of a route, about what the owner owns."""
        verb, _, rule = route.partition(" ")
        values = {"blog_id": blog_id or self.blog_id, "tag_id": self.tag_id, "user_id": self.user_id}
        path = rule.replace("<job_id>", "no-such-job")
        for name, value in values.items():
            path = path.replace(f"<id:{name}>", value)
        return self.client(caller).open(path, method=method or verb, json=BODIES.get(route))

    def tables(self) -> dict[str, list[Any]]:
        """Return every row there is."""
        with self.app.app_context(), transaction(write=False):
            return {table.name: sorted(execute(select(table)).all(), key=str) for table in Base.metadata.sorted_tables}


@pytest.fixture
def app(migrated_app: Flask) -> Iterator[Flask]:
    """Lend the application itself, not the specimen of this folder."""
    yield migrated_app
    with migrated_app.app_context():
        database.clear_database()


@pytest.fixture
def world(app: Flask) -> World:
    """Create the users and what one of them owns."""
    return World(app)


class TestRoutes:
    def test_are_all_in_the_table(self, app: Flask) -> None:
        served = {
            f"{method} {rule.rule}"
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith(SURFACES)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }
        assert served == set(ACCESS)

    @pytest.mark.parametrize(("route", "caller", "status"), CASES)
    def test_answer_each_caller_as_they_should(self, world: World, route: str, caller: str, status: int) -> None:
        before = world.tables()
        response = world.send(route, caller)
        assert response.status_code == status, response.text
        if status >= 400:
            assert world.tables() == before

    @pytest.mark.parametrize(("route", "caller", "status"), DRAFT_CASES)
    def test_hide_a_draft_from_everybody_else(self, world: World, route: str, caller: str, status: int) -> None:
        before = world.tables()
        response = world.send(route, caller, blog_id=world.draft_id)
        assert response.status_code == status, response.text
        if status >= 400:
            assert world.tables() == before

    def test_answer_head_as_they_answer_get(self, world: World) -> None:
        for route, statuses in ACCESS.items():
            if route.startswith("GET "):
                for caller, status in zip(CALLERS, statuses, strict=True):
                    response = world.send(route, caller, method="HEAD")
                    assert (response.status_code, response.data) == (status, b"")

    def test_take_no_other_method(self, world: World) -> None:
        paths = {route.partition(" ")[2] for route in ACCESS}
        for path in paths:
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PURGE"}:
                if f"{method} {path}" not in ACCESS:
                    response = world.send(f"{method} {path}", "admin")
                    assert response.status_code == 405, f"{method} {path}"
                    assert response.headers["Allow"]

    @pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
    def test_let_no_header_change_the_method(self, world: World, header: str) -> None:
        before = world.tables()
        path = f"/api/v1/blog/{world.blog_id}"
        assert world.client("owner").get(path, headers={header: "DELETE"}).status_code == 200
        assert world.client("owner").get(f"{path}?_method=DELETE").status_code == 200
        assert world.tables() == before

    def test_show_no_secret(self, world: World) -> None:
        for route in sorted(ACCESS, key=lambda route: (route.startswith("DELETE"), "logout" in route)):
            for caller in CALLERS:
                text = world.send(route, caller).text
                assert not [secret for secret in ("argon2", *world.tokens.values()) if secret in text]
                if "/user" in route or "/blog" in route:
                    fields = set(_keys(json.loads(text or "{}")))
                    assert not [key for key in fields if any(word in key for word in SECRET_WORDS)]


def _keys(value: Any) -> Iterator[str]:
    """Yield the name of every member at any depth."""
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(item)
