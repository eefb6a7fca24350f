"""What is for admins (OWASP API5): no method, header or field lets a plain user in anywhere."""

from typing import Any

import pytest
from flask import Flask

from application.libs.redprint import machinery
from application.permissions import ROLE_PERMISSIONS, Role
from tests.contract.access import World
from tests.contract.access_table import ACCESS, FEATURES

pytestmark = [pytest.mark.one_database, pytest.mark.repeats]  # nothing is asked of a database but who calls

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PURGE")
OVERRIDES: tuple[dict[str, Any], ...] = (
    {"headers": {"X-HTTP-Method-Override": "GET"}},
    {"headers": {"X-HTTP-Method": "DELETE", "X-Method-Override": "DELETE"}},
    {"query_string": {"_method": "DELETE"}},
    {"data": {"_method": "DELETE"}},
    {"headers": {"X-Original-URL": "/api/v1/blog", "X-Rewrite-URL": "/api/v1/blog"}},
    {"headers": {"X-Role": "admin", "X-User": "admin", "X-Forwarded-User": "admin", "Remote-User": "admin"}},
)
CLOSED = {route for route, row in ACCESS.items() if row.user == row.owner == 403 != row.admin}
"""The routes at which a plain user is told that they may not, whatever they own."""


@pytest.fixture
def world(app: Flask) -> World:
    """Create the users and what one of them owns."""
    return World(app, FEATURES)


def methods_at(path: str) -> set[str]:
    """Return by which methods the table knows a path."""
    return {route.partition(" ")[0] for route in ACCESS if route.endswith(f" {path}")}


class TestClosed:
    def test_are_all_that_need_a_permission_no_user_has(self, app: Flask) -> None:
        needing = {
            f"{item.operation.method} {rule.rule}"
            for item in machinery(app).mounted
            for rule in app.url_map.iter_rules(item.endpoint)
            if item.operation.permission is not None and item.operation.permission not in ROLE_PERMISSIONS[Role.USER]
        }
        assert len(needing) > 50
        assert needing - CLOSED == set()

    def test_open_by_no_method(self, world: World) -> None:
        before = world.tables()
        for path in sorted({route.partition(" ")[2] for route in CLOSED}):
            open_to_users = {method for method in methods_at(path) if f"{method} {path}" not in CLOSED}
            for method in METHODS:
                if method in open_to_users or (method == "HEAD" and "GET" in open_to_users):
                    continue
                response = world.send(f"{method} {path}", "user")
                assert response.status_code in (403, 405), f"{method} {path}: {response.status_code}"
        assert world.tables() == before

    @pytest.mark.parametrize("trick", OVERRIDES, ids=lambda trick: "-".join(next(iter(trick.values()))))
    def test_open_by_no_trick(self, world: World, trick: dict[str, Any]) -> None:
        before = world.tables()
        for route in sorted(CLOSED):
            response = world.client("user").open(world.path(route), method=route.partition(" ")[0], **trick)
            assert response.status_code == 403, f"{route}: {response.status_code}"
        assert world.tables() == before
