"""Fixtures: keys for machines, made by the rule itself."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.database import transaction
from application.modules.key import business
from application.permissions import Permission

MakeKey = Callable[..., business.FreshKeyRow]
ClientOf = Callable[[str], FlaskClient]


@pytest.fixture
def make_key(app: Flask) -> MakeKey:
    """Return a function that gives a user a key with some permissions."""

    def make(user_id: str, *permissions: Permission, days: int = 90) -> business.FreshKeyRow:
        with app.app_context(), transaction():
            return business.create(
                user_id=user_id,
                held=frozenset(Permission),
                name="import",
                permissions=permissions,
                expires_in_days=days,
            )

    return make


@pytest.fixture
def client_of(app: Flask) -> ClientOf:
    """Return a function that makes a client which shows a key, or whatever else."""

    def client(value: str) -> FlaskClient:
        made = app.test_client()
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {value}"
        return made

    return client
