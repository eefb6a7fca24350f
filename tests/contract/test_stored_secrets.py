"""What is stored and nobody is to see (OWASP API3): it stands in no answer to anybody, whatever route gives it."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Table, select

from application.database import Base, execute, transaction
from application.modules.auth.business import sign_in
from application.modules.session import business as sessions
from tests.contract.access import World
from tests.contract.access_table import ACCESS, FEATURES

SECRET = re.compile(r"hash|digest|token|secret|family|(^|_)key$|fingerprint")
"""Columns whose text is nobody's to see."""

HARMLESS = {"task.unique_key", "scheduler_lease.token", "scheduler_attempt.token", "user.id"}
"""Columns that are only called like that: a client's own name for its task, and numbers."""

POST = re.compile(r"mail|recipient|phone|^to$|^address$|contact")
"""Columns that say where somebody is reached."""

SHORTEST = 12
"""A shorter text stands in answers by chance."""


def stored(app: Flask, columns: re.Pattern[str]) -> dict[str, str]:
    """Return every text in columns of such names, with the column it stands in."""
    found: dict[str, str] = {}
    with app.app_context(), transaction(write=False):
        for table in Base.metadata.sorted_tables:
            for row in execute(select(table)).mappings():
                found |= _texts(table, dict(row), columns)
    return found


def _texts(table: Table, row: dict[str, Any], columns: re.Pattern[str]) -> dict[str, str]:
    texts = {}
    for name, value in row.items():
        where = f"{table.name}.{name}"
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        if columns.search(name) and where not in HARMLESS and len(text) >= SHORTEST:
            texts[text] = where
    return texts


@pytest.fixture
def world(app: Flask) -> World:
    """Create what everybody owns, a browser's session and a message that carries a code."""
    made = World(app, FEATURES)
    with app.app_context():
        sign_in("owner", "correct horse", begin=sessions.begin_in_browser)
    sent = made.client("owner").post(
        "/api/v1/tag", json={"name": "kept"}, headers={"Idempotency-Key": "a-key-of-the-owner"}
    )
    assert sent.status_code == 201
    return made


class TestAnswers:
    @pytest.mark.one_database
    def test_hold_nothing_that_is_stored_as_a_secret(self, app: Flask, world: World) -> None:
        secrets = stored(app, SECRET)
        assert {"user.password_hash", "session.access_digest", "session.refresh_digest", "api_key.digest"} <= set(
            secrets.values()
        )
        for route in (route for route in ACCESS if route.startswith("GET ")):
            for caller in ("owner", "admin"):
                shown = world.send(route, caller).data.decode(errors="replace")
                leaked = sorted({where for secret, where in secrets.items() if secret in shown})
                assert leaked == [], f"{route} as {caller}"

    @pytest.mark.one_database
    def test_tell_nobody_where_others_are_reached(self, app: Flask, world: World) -> None:
        places = {text for text, where in stored(app, POST).items() if not where.startswith(("session.", "api_key."))}
        assert "ada@example.org" in places
        for route in (route for route in ACCESS if route.startswith("GET ")):
            for caller in ("nobody", "user"):
                shown = world.send(route, caller).data.decode(errors="replace")
                leaked = [place for place in places if place in shown]
                assert leaked == [] or route.endswith(".json"), f"{route} as {caller}"  # documents have examples
