"""What is no access token opens nothing: a refresh token, another's half, one in the query, a shortened one."""

import pytest
from flask import Flask
from sqlalchemy import select

from application.database import execute, transaction
from application.modules.session import business as sessions
from application.modules.session.models import Session
from application.modules.user import business as user_business
from application.permissions import Role
from tests.contract.access import HASH, World
from tests.contract.access_table import ACCESS, FEATURES

pytestmark = pytest.mark.repeats

CLOSED = [route for route, row in ACCESS.items() if row.nobody == 401 and not route.endswith("/auth/refresh")]

EACH_WAY = ("GET /api/v1/auth/me", "GET /api/v2/user", "GET /scheduler/jobs", "GET /api/v1/file/<id:file_id>/content")
"""Routes that stand for all others, which read tokens by the same lines."""


@pytest.fixture
def world(app: Flask) -> World:
    """Create the users and what one of them owns."""
    return World(app, FEATURES)


def begun(world: World, name: str) -> sessions.TokensRow:
    """Begin a session of a new admin."""
    with world.app.app_context(), transaction():
        user = user_business.create(name=name, password_hash=HASH, roles=[Role.ADMIN])
        return sessions.begin(user.id)


def stored_digest(world: World) -> str:
    """Return what stands in the table in a token's place."""
    with world.app.app_context(), transaction(write=False):
        digest: str = execute(select(Session.access_digest).limit(1)).scalar_one()
    return digest


class TestAccess:
    @pytest.mark.one_database
    def test_is_given_by_nothing_but_a_whole_access_token(self, world: World) -> None:
        tokens = begun(world, "holder")
        good = tokens.token
        spoiled = {
            "a refresh token": tokens.refresh_token,
            "the secret of a refresh token": tokens.refresh_token.rpartition(".")[2],
            "a shortened one": good[:-1],
            "a longer one": f"{good}A",
            "one in other letters": good.swapcase(),
            "what is stored of one": stored_digest(world),
            "the hash of a password": HASH,
            "10 kB": good + "A" * 10_000,
            "nothing": "",
        }
        before = world.tables()
        for route in CLOSED:
            asked = spoiled if route in EACH_WAY else ("a refresh token", "a shortened one")
            for what in asked:
                world.tokens["spoiled"] = spoiled[what]
                response = world.send(route, "spoiled")
                assert response.status_code == 401, f"{route} by {what}: {response.status_code}"
        assert world.tables() == before

    @pytest.mark.one_database
    def test_is_given_to_no_token_outside_its_header(self, world: World) -> None:
        token = world.tokens["admin"]
        for route in CLOSED:
            path = world.path(route)
            for query in (f"token={token}", f"access_token={token}", f"Authorization=Bearer%20{token}"):
                response = world.client("nobody").open(f"{path}?{query}", method=route.partition(" ")[0])
                assert response.status_code == 401, f"{route} with {query.partition('=')[0]}"
                assert token not in response.text
            client = world.client("nobody")
            for name in ("token", "session", "redprint", "__Host-redprint"):
                client.set_cookie(name, token)
            assert client.open(path, method=route.partition(" ")[0]).status_code in (401, 403), route


class TestRefresh:
    def test_is_given_by_nothing_but_a_whole_refresh_token(self, world: World) -> None:
        mine, other = begun(world, "holder"), begun(world, "another")
        client = world.client("nobody")
        family, _, secret = mine.refresh_token.partition(".")
        spoiled = {
            "an access token": mine.token,
            "a shortened one": mine.refresh_token[:-1],
            "a longer one": f"{mine.refresh_token[:-1]}AA",
            "another's secret in its family": f"{family}.{other.refresh_token.partition('.')[2]}",
            "its secret alone": secret,
            "the digest": stored_digest(world),
            "10 kB": "x" * 10_000,
        }
        for version in ("v1", "v2"):
            for what, value in spoiled.items():
                answer = client.post(f"/api/{version}/auth/refresh", json={"refresh_token": value})
                assert (answer.status_code, answer.get_json()["code"]) == (401, "refresh_refused"), what
                assert value not in answer.text
            address = f"/api/{version}/auth/refresh?refresh_token={other.refresh_token}"
            assert client.post(address, json={}).status_code == 422
        assert client.post("/api/v1/auth/refresh", json={"refresh_token": other.refresh_token}).status_code == 200
