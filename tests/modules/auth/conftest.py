"""Users who sign in, over HTTP and in a browser."""

import base64

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from application.database import transaction
from application.modules.auth import business
from application.modules.user import business as user_business
from application.permissions import Role
from tests.modules.auth.browsing import HASH, PASSWORD, Browser

WEAK = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)


@pytest.fixture
def eve(app: Flask) -> str:
    """Create a user with a password."""
    with app.app_context(), transaction():
        return user_business.create(name="eve", password_hash=HASH, roles=[Role.USER]).id


@pytest.fixture
def weak(app: Flask) -> str:
    """Create a user whose hash was made when less was asked of one."""
    with app.app_context(), transaction():
        return user_business.create(name="weak", password_hash=WEAK).id


@pytest.fixture
def browser(app: Flask, eve: str) -> Browser:
    """Return a browser in which nobody is signed in."""
    return Browser(app)


def stored_hash(app: Flask, name: str) -> str | None:
    with app.app_context(), transaction(write=False):
        account = business.find_account(name)
    assert account is not None
    return account.password_hash


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def log_in(client: FlaskClient, name: str = "eve", password: str = PASSWORD) -> str:
    response = client.post("/api/v1/auth/login", json={"name": name, "password": password})
    assert response.status_code == 200
    token: str = response.get_json()["data"]["token"]
    return token


def log_in_whole(client: FlaskClient) -> dict[str, str]:
    answer = client.post("/api/v1/auth/login", json={"name": "eve", "password": PASSWORD})
    tokens: dict[str, str] = answer.get_json()["data"]
    return tokens


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
