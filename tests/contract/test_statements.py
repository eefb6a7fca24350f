"""How many statements an answer costs the database, beside the one that knows the token."""

from typing import Any

import pytest
from flask import Flask

from tests.conftest import Caller
from tests.statements import statements

TOKEN = 1

LIMITS = [
    ("GET", "/tag", 1),
    ("GET", "/tag?count=true", 2),
    ("GET", "/tag/{tag}", 1),
    ("GET", "/tag/{tag}/blogs", 2),
    ("GET", "/tag/{bare}/blogs", 2),
    ("POST", "/tag", 1),
    ("PATCH", "/tag/{tag}", 3),
    ("GET", "/blog", 2),
    ("GET", "/blog?tag={tag}&q=hel&title__contains=e&limit=100", 2),
    ("GET", "/blog?count=true", 3),
    ("GET", "/blog/{blog}", 2),
    ("POST", "/blog", 4),
    ("PUT", "/blog/{blog}", 7),
    ("PATCH", "/blog/{blog}", 4),
    ("DELETE", "/blog/{blog}", 2),
    ("GET", "/user", 2),
    ("GET", "/user/{user}", 2),
    ("GET", "/user/{user}/blogs", 2),
    ("GET", "/user/{reader}/blogs", 2),
    ("POST", "/user", 4),
    ("PATCH", "/user/{reader}", 8),
    ("GET", "/role", 2),
    ("PATCH", "/role/{role}", 10),
    ("GET", "/permission", 1),
    ("GET", "/auth/me", 0),
    ("POST", "/auth/logout", 2),
]

BODIES: dict[str, dict[str, Any]] = {
    "POST /tag": {"name": "flask"},
    "PATCH /tag/{tag}": {"name": "flask"},
    "PUT /blog/{blog}": {"title": "Changed", "content": ""},
    "PATCH /blog/{blog}": {"title": "Changed"},
    "PATCH /role/{role}": {"permissions": ["tag:manage"]},
    "POST /user": {"name": "eve", "password": "correct horse"},
    "PATCH /user/{reader}": {"name": "eve"},
}


class TestStatements:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    @pytest.mark.parametrize(("method", "path", "limit"), LIMITS)
    def test_are_few(
        self, app: Flask, admin: Caller, bob: Caller, version: str, method: str, path: str, limit: int
    ) -> None:
        tags = [
            admin.client.post("/api/v1/tag", json={"name": name}).get_json()["data"]["id"]
            for name in ("one", "two", "bare")
        ]
        blog = {"title": "Hello", "content": "", "tags": tags[:2]}
        blogs = [admin.client.post("/api/v1/blog", json=blog).get_json()["data"]["id"] for _ in range(5)]
        role = {"name": "editor", "permissions": ["tag:create"]}
        role_id = admin.client.post("/api/v1/role", json=role).get_json()["data"]["id"]
        values = {
            "role": role_id,
            "tag": tags[0],
            "bare": tags[2],
            "blog": blogs[0],
            "user": admin.id,
            "reader": bob.id,
        }
        body = BODIES.get(f"{method} {path}", {})
        if path.startswith("/blog") and method in {"POST", "PUT"}:
            body = blog if version == "v1" else {"title": "Hello", "body": {"text": ""}, "tags": tags[:2]}
        with statements(app) as seen:
            response = admin.client.open(f"/api/{version}{path.format(**values)}", method=method, json=body)
        assert response.status_code < 300, response.text
        assert len(seen) <= TOKEN + limit, seen
