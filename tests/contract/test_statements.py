"""How many statements an answer costs the database, beside the one that knows the token."""

import re
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Caller
from tests.contract.lists import lists_of
from tests.statements import statements

TOKEN = 1

LISTS = [
    ("GET", "/audit", 1),
    ("GET", "/audit?count=true&actor={user}", 2),
    ("GET", "/blog", 1),
    ("GET", "/blog?tag={tag}&q=hel&title__contains=e&limit=100", 1),
    ("GET", "/blog?count=true", 2),
    ("GET", "/file", 1),
    ("GET", "/file?count=true", 2),
    ("GET", "/key", 1),
    ("GET", "/key?count=true", 2),
    ("GET", "/message", 1),
    ("GET", "/message?count=true", 2),
    ("GET", "/role", 2),
    ("GET", "/role?count=true", 3),
    ("GET", "/session", 1),
    ("GET", "/session?count=true", 2),
    ("GET", "/tag", 1),
    ("GET", "/tag?count=true", 2),
    ("GET", "/tag/{tag}/blogs", 1),
    ("GET", "/tag/{bare}/blogs", 2),
    ("GET", "/task", 1),
    ("GET", "/task?count=true", 2),
    ("GET", "/user", 2),
    ("GET", "/user?count=true", 3),
    ("GET", "/user/{user}/blogs", 1),
    ("GET", "/user/{reader}/blogs", 2),
    ("GET", "/scheduler/jobs", 2),
    ("GET", "/scheduler/jobs?limit=20", 2),
    ("GET", "/scheduler/jobs/{job}/runs", 2),
    ("GET", "/scheduler/runs", 1),
]
"""Every list, whose page takes two statements at most: its rows, and what stands beside them; a count is one more."""

LIMITS = [
    *LISTS,
    ("GET", "/tag/{tag}", 1),
    ("POST", "/tag", 1),
    ("PATCH", "/tag/{tag}", 3),
    ("GET", "/blog/{blog}", 1),
    ("POST", "/blog", 4),
    ("PUT", "/blog/{blog}", 6),
    ("PATCH", "/blog/{blog}", 3),
    ("DELETE", "/blog/{blog}", 2),
    ("GET", "/user/{user}", 2),
    ("POST", "/user", 4),
    ("PATCH", "/user/{reader}", 8),
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


JOB = {"id": "nightly", "func": "prune-expired-sessions", "trigger": "interval", "hours": 1}


class TestLists:
    @pytest.mark.one_database
    def test_have_a_limit_each(self, app: Flask) -> None:
        served = {re.sub("<.+?>", "{}", address.removeprefix("/api/v1")) for address in lists_of(app)}
        limited = {re.sub("{.+?}", "{}", path.partition("?")[0]) for _method, path, _limit in LISTS}
        assert served == limited, "say in LISTS how many statements a page of each list takes"

    def test_take_two_statements_at_most_for_a_page(self) -> None:
        assert [path for _method, path, limit in LISTS if limit > (3 if "count=true" in path else 2)] == []


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
            "job": admin.client.post("/scheduler/jobs", json=JOB).get_json()["id"] if "{job}" in path else "",
        }
        body = BODIES.get(f"{method} {path}", {})
        if path.startswith("/blog") and method in {"POST", "PUT"}:
            body = blog if version == "v1" else {"title": "Hello", "body": {"text": ""}, "tags": tags[:2]}
        address = path.format(**values) if path.startswith("/scheduler") else f"/api/{version}{path.format(**values)}"
        with statements(app) as seen:
            response = admin.client.open(address, method=method, json=body)
        assert response.status_code < 300, response.text
        assert len(seen) <= TOKEN + limit, seen
