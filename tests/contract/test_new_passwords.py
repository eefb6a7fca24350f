"""Where a password is chosen: the same passwords are taken and refused at every operation that takes a new one."""

from typing import Any, cast

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from application.database import transaction
from application.libs.password import common_passwords
from application.libs.redprint import machinery
from application.modules.session import business as sessions
from tests.contract.access import World
from tests.contract.access_table import ACCESS, FEATURES
from tests.contract.test_over_posting import caller_of

pytestmark = [pytest.mark.one_database, pytest.mark.repeats]

NAME = "lovelace"
SHOWN_ONLY = "login"
"""In the address of an operation whose password is no new one."""

GOOD = {
    "8": "b1ue cow",
    "64": "x" * 64,
    "128": "x" * 128,
    "unicode": "密码密码密码密码",
    "emoji": "🔑" * 8,
    "blanks": "  ein Satz mit Blanks ",
}
BAD = {
    "none": "",
    "7": "x" * 7,
    "129": "x" * 129,
    "257 bytes": "é" * 128 + "a",
    "260 bytes": "🔑" * 65,
    "the user's name": f"my {NAME.title()}!",
    "a MB": "x" * 1_000_000,
    **{word: word for word in sorted(common_passwords())[:: len(common_passwords()) // 5][:5]},
    "in capitals": "PASSWORD1",
}


def choosing(app: Flask) -> list[str]:
    """Return the route of every operation that takes a new password."""
    return [
        f"{item.operation.method} {rule.rule}"
        for item in machinery(app).mounted
        for rule in app.url_map.iter_rules(item.endpoint)
        if "password" in getattr(item.operation.inputs.get("body"), "model_fields", {}) and SHOWN_ONLY not in rule.rule
    ]


@pytest.fixture
def world(app: Flask) -> World:
    """Create the users; nobody is called by a name that would stand in a password by chance."""
    return World(app, FEATURES)


def choose(world: World, route: str, password: str, **more: Any) -> TestResponse:
    """Send what the table sends, with this password and a name that is long enough to be found in one."""
    given = cast(dict[str, Any], ACCESS[route].json) | more
    if "name" in given:
        given["name"] = NAME
    world.rows[route] = ACCESS[route]._replace(json=given | {"password": password})
    return world.send(route, caller_of(route))


class TestNewPassword:
    def test_is_chosen_in_these_ways(self, app: Flask) -> None:
        assert len(choosing(app)) >= 8

    def test_is_refused_everywhere_alike(self, app: Flask, world: World) -> None:
        before = world.tables()["user"]
        faults = []
        for route in choosing(app):
            has_name = "name" in cast(dict[str, Any], ACCESS[route].json)
            for what, password in BAD.items():
                if what == "the user's name" and not has_name:
                    password = "Owner of this"  # who calls there
                response = choose(world, route, password)
                places = [error["loc"] for error in response.get_json().get("errors", [])]
                if response.status_code != 422 or places not in ([["body", "password"]], []):
                    faults.append(f"{route} with {what}: {response.status_code} {response.text[:200]}")
                assert password not in response.text or len(password) < 8
        assert faults == [], "\n".join(faults)
        assert world.tables()["user"] == before  # where a code was shown, that is counted

    @pytest.mark.parametrize("what", GOOD)
    def test_is_taken_everywhere_alike(self, app: Flask, world: World, what: str) -> None:
        current = "correct horse"
        for route in choosing(app):
            given = cast(dict[str, Any], ACCESS[route].json)
            if "code" in given or ("name" in given and "<" not in route):
                continue  # can be done once: a code is used up, a name taken
            more = {"current_password": current} if "current_password" in given else {}
            response = choose(world, route, GOOD[what], **more)
            assert response.status_code == ACCESS[route].of(caller_of(route)), f"{route}: {response.text}"
            current = GOOD[what]
            with app.app_context(), transaction():  # for a new password ends the sessions
                world.tokens["owner"] = sessions.begin(world.values["user_id"]).token

    @pytest.mark.parametrize("what", GOOD)
    def test_makes_a_user(self, world: World, what: str) -> None:
        answer = choose(world, "POST /api/v1/user", GOOD[what])
        assert answer.status_code == 201, answer.text
        body = {"name": NAME, "password": GOOD[what]}
        assert world.client("nobody").post("/api/v1/auth/login", json=body).status_code == 200
