"""What a client may not set (OWASP API3): each such field in each body is refused by name, and nothing is changed."""

from typing import Any, cast

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from application.libs.redprint import Mounted, machinery
from tests.contract.access import CALLERS, World
from tests.contract.access_table import ACCESS, FEATURES

pytestmark = [pytest.mark.one_database, pytest.mark.repeats]  # a body is judged before any statement

PRIVILEGED: dict[str, Any] = {
    "id": "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
    "role": "admin",
    "roles": ["admin"],
    "is_admin": True,
    "is_builtin": True,
    "permissions": ["user:manage"],
    "password_hash": "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
    "owner_id": "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
    "user_id": "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
    "created_by": "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
    "created_at": "2026-11-20T12:00:00Z",
    "updated_at": "2026-11-20T12:00:00Z",
}

DECLARED = {
    "/user": {"roles"},  # for who manages users, within what they hold themselves
    "/key": {"permissions"},  # within what the caller holds
    "/role": {"permissions"},  # the same
    "/scheduler/jobs": {"id"},  # jobs are named by who adds them, as Flask-APScheduler does
    "/scheduler/quarantine": {"id"},
}
"""The only fields of these names that a body has, by the beginning of the path below a version."""


def takers(app: Flask) -> list[tuple[str, Mounted]]:
    """Return the route of every operation that takes a body, a form or files."""
    return [
        (f"{item.operation.method} {rule.rule}", item)
        for item in machinery(app).mounted
        for rule in app.url_map.iter_rules(item.endpoint)
        if {"body", "form", "files"} & set(item.operation.inputs)
    ]


def declared(item: Mounted) -> set[str]:
    """Return which of the privileged fields an operation has by itself."""
    return {name for schema in item.operation.inputs.values() for name in getattr(schema, "model_fields", {})} & set(
        PRIVILEGED
    )


def allowed(route: str) -> set[str]:
    """Return which of them it may have."""
    path = route.partition(" ")[2]
    below = path.removeprefix("/api/v1").removeprefix("/api/v2")
    return set().union(*(names for start, names in DECLARED.items() if below.startswith(start)))


def caller_of(route: str) -> str:
    """Return who is let in: the owner where there is one, else whoever may, else the admin."""
    row = ACCESS[route]
    order = ("owner", *CALLERS[::-1])
    return next((caller for caller in order if row.of(caller) < 400), "admin")


def post(world: World, route: str, fields: dict[str, Any]) -> TestResponse:
    """Send what the table sends, and these fields with it."""
    row = ACCESS[route]
    if row.form is not None:
        sent = row._replace(form={**row.form, **{name: str(value) for name, value in fields.items()}})
    else:
        sent = row._replace(json={**cast(dict[str, Any], row.json or {}), **fields})
    world.rows[route] = sent
    try:
        return world.send(route, caller_of(route))
    finally:
        world.rows[route] = row


class TestBody:
    def test_has_no_field_that_is_not_the_clients_to_set(self, app: Flask) -> None:
        found = {route: declared(item) - allowed(route) for route, item in takers(app)}
        assert {route: names for route, names in found.items() if names} == {}

    def test_refuses_each_and_changes_nothing(self, app: Flask) -> None:
        world = World(app, FEATURES)
        before = world.tables()
        faults = []
        for route, item in takers(app):
            place = "body" if "body" in item.operation.inputs else "form"
            for name in PRIVILEGED.keys() - declared(item):
                response = post(world, route, {name: PRIVILEGED[name]})
                found = (response.get_json(silent=True) or {}).get("errors", [])
                if response.status_code != 422 or [place, name] not in [error["loc"] for error in found]:
                    faults.append(f"{route} with {name}: {response.status_code} {response.text[:200]}")
        assert faults == [], "\n".join(faults)
        assert world.tables() == before

    @pytest.mark.parametrize("route", ["POST /api/v1/user", "PATCH /api/v1/user/<id:user_id>", "POST /api/v1/key"])
    def test_gives_nobody_more_than_the_caller_holds(self, app: Flask, route: str) -> None:
        world = World(app, FEATURES)
        before = world.tables()
        field = {"roles": ["admin"]} if "user" in route else {"permissions": ["user:manage"]}
        given = cast(dict[str, Any], ACCESS[route].json)
        world.rows[route] = ACCESS[route]._replace(json={**given, **field})
        assert world.send(route, "owner").status_code in (403, 422)
        assert world.tables() == before
