"""Who may do what: every route with every kind of caller, and what they are answered (`access_table.py`)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from flask import Flask

from application.libs.redprint import Mounted, machinery
from application.permissions import ROLE_PERMISSIONS, Role
from tests.contract.access import CALLERS, VERSIONS, Feature, Row, World, completed
from tests.contract.access_table import ACCESS, FEATURES, HIDDEN

SECRET_WORDS = ("password", "hash", "token", "digest")
SURFACES = ("/api/", "/scheduler")
SHOWING_SECRETS = ("/auth/login", "/auth/login-by-code", "/auth/register", ".json")
"""Ends of routes whose answers may name a secret's field: who signs in gets a token, and documents describe it."""


SHOWING_CODES = ("/contact",)
"""Ends of routes that are shown a code, which only one of the callers has."""

WRITTEN_DOWN = ("audit", "code", "throttle")
"""The tables in which wrong codes are counted."""


def cases(rows: Mapping[str, Row]) -> list[Any]:
    """Return a case for each route and caller."""
    return [
        pytest.param(route, caller, row.of(caller), id=f"{route}-{caller}")
        for route, row in rows.items()
        for caller in CALLERS
    ]


def missing_rows(app: Flask, routes: set[str]) -> str:
    """Return what to write for routes that are not in the table."""
    known = {
        f"{item.operation.method} {rule.rule}": item
        for item in machinery(app).mounted
        for rule in app.url_map.iter_rules(item.endpoint)
    }
    lines = dict.fromkeys(f'"{_short(route)}": {_guess(known.get(route))},' for route in sorted(routes))
    where = "to the FEATURE in tests/modules/<name>/access.py, and that to tests/contract/access_table.py"
    return "\n".join([f"add these, with what each caller is answered, {where}:", *lines])


def _short(route: str) -> str:
    for version in VERSIONS:
        route = route.replace(f" /api/{version}/", " /")
    return route


def _guess(item: Mounted | None) -> str:
    """Propose a row: by who may call, and the status of success."""
    if item is None:
        return "Row(200, 200, 200, 200)"
    status, permission = item.operation.status, item.operation.permission
    known = [
        status if permission is None or permission in ROLE_PERMISSIONS[role] else 403
        for role in (Role.USER, Role.ADMIN)
    ]
    return f"Row({status if item.operation.public else 401}, {known[0]}, {known[0]}, {known[1]})"


@pytest.fixture
def world(app: Flask) -> World:
    """Create the users and what one of them owns."""
    return World(app, FEATURES)


class TestRoutes:
    def test_are_all_in_the_table(self, app: Flask) -> None:
        served = {
            f"{method} {rule.rule}"
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith(SURFACES)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }
        assert served - set(ACCESS) == set(), missing_rows(app, served - set(ACCESS))
        gone = sorted(set(ACCESS) - served)
        assert gone == [], f"take out of tests/modules/*/access.py what is no longer served: {'; '.join(gone)}"

    @pytest.mark.one_database
    @pytest.mark.repeats
    @pytest.mark.parametrize(("route", "caller", "status"), cases(ACCESS))
    def test_answer_each_caller_as_they_should(self, world: World, route: str, caller: str, status: int) -> None:
        before = world.tables()
        response = world.send(route, caller)
        assert response.status_code == status, response.text
        if status >= 400:
            after = world.tables()
            for counted in WRITTEN_DOWN if route.endswith(SHOWING_CODES) else ():
                after[counted] = before[counted]
            assert after == before

    @pytest.mark.parametrize("feature", HIDDEN)
    @pytest.mark.parametrize("caller", CALLERS)
    def test_hide_what_is_private_from_everybody_else(self, world: World, feature: Feature, caller: str) -> None:
        for route, row in completed(feature.rows).items():
            world.about(feature)  # anew, for the owner may have deleted it
            before = world.tables()
            response = world.send(route, caller)
            assert response.status_code == row.of(caller), f"{route}: {response.text}"
            if response.status_code >= 400:
                assert world.tables() == before, route

    def test_answer_head_as_they_answer_get(self, world: World) -> None:
        for route, row in ACCESS.items():
            if route.startswith("GET "):
                for caller in CALLERS:
                    response = world.send(route, caller, method="HEAD")
                    assert (response.status_code, response.data) == (row.of(caller), b""), f"{route} as {caller}"

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
        for version in VERSIONS:
            path = f"/api/{version}/blog/{world.values['blog_id']}"
            assert world.client("owner").get(path, headers={header: "DELETE"}).status_code == 200
            assert world.client("owner").get(f"{path}?_method=DELETE").status_code == 200
        assert world.tables() == before

    def test_show_no_secret(self, world: World) -> None:
        for route in sorted(ACCESS, key=lambda route: (route.startswith("DELETE"), "logout" in route)):
            for caller in CALLERS:
                response = world.send(route, caller)
                shown = [secret for secret in ("argon2", *world.tokens.values()) if secret.encode() in response.data]
                assert shown == [], f"{route} as {caller}"
                if (response.mimetype or "").endswith("json") and not route.endswith(SHOWING_SECRETS):
                    fields = set(_keys(json.loads(response.data or b"{}")))
                    named = [key for key in fields if any(word in key for word in SECRET_WORDS)]
                    assert named == [], f"{route} as {caller}"


def _keys(value: Any) -> Iterator[str]:
    """Yield the name of every member at any depth."""
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(item)
