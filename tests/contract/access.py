"""Say who may do what: the routes of a feature, what each kind of caller is answered, and the world they ask.

Callers: nobody, a user, the owner of what is asked for (or the user themselves), an admin.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple, Self

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from application.database import Base, execute, transaction
from application.libs.secret import hash_password
from application.modules.session import business as sessions
from application.modules.user import business as user_business
from application.permissions import Role

CALLERS = ("nobody", "user", "owner", "admin")
VERSIONS = ("v1", "v2")
HASH = hash_password("correct horse")


class Row(NamedTuple):
    """Hold what each caller of a route is answered, and what is sent: `json`, or a `form`, whose bytes are files."""

    nobody: int
    user: int
    owner: int
    admin: int
    json: object = None
    form: Mapping[str, str | bytes] | None = None

    def of(self, caller: str) -> int:
        """Return the status that a caller gets."""
        return (self.nobody, self.user, self.owner, self.admin)[CALLERS.index(caller)]

    def content(self) -> dict[str, Any]:
        """Return what the test client sends."""
        if self.form is None:
            return {} if self.json is None else {"json": self.json}
        fields = {
            name: (BytesIO(value), f"{name}.bin") if isinstance(value, bytes) else value
            for name, value in self.form.items()
        }
        return {"data": fields, "content_type": "multipart/form-data"}


Rows = Mapping[str, Row]


class Feature(NamedTuple):
    """Hold the routes of a feature and what it needs in the world.

    A route is `GET /note/<id:note_id>`, in all versions of the API, or one with its prefix, which stands for itself.
    `create` makes what the owner owns and returns the values of the routes' parameters.
    """

    rows: Rows
    create: "Callable[[World], Mapping[str, str]]" = lambda _world: {}


def completed(rows: Rows) -> dict[str, Row]:
    """Return the rows with the prefix of each version; one that has its prefix already goes before."""
    whole = {route: row for route, row in rows.items() if route.split(" ")[1].startswith(("/api/", "/scheduler"))}
    short = {route: row for route, row in rows.items() if route not in whole}
    return {
        route.replace(" ", f" /api/{version}", 1): row for version in VERSIONS for route, row in short.items()
    } | whole


class World:
    """Hold three users and what one of them owns, and send requests about it."""

    def __init__(self, app: Flask, features: Sequence[Feature]) -> None:
        """Create everything, in the order of the features."""
        self.app = app
        self.tokens: dict[str, str] = {}
        self.values: dict[str, str] = {}
        with app.app_context(), transaction():
            for name, role in (("user", Role.USER), ("owner", Role.USER), ("admin", Role.ADMIN)):
                user = user_business.create(name=name, password_hash=HASH, roles=[role])
                self.tokens[name] = sessions.begin(user.id).token
                if name == "owner":
                    self.values["user_id"] = user.id
        self.rows: dict[str, Row] = {}
        for feature in features:
            self.rows |= completed(feature.rows)
            self.values |= feature.create(self)

    def about(self, feature: Feature) -> Self:
        """Ask about other things of the same kind from now on."""
        self.values |= feature.create(self)
        return self

    def client(self, caller: str) -> FlaskClient:
        """Return a client of this caller."""
        client = self.app.test_client()
        if caller in self.tokens:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.tokens[caller]}"
        return client

    def made(self, path: str, json: object) -> str:
        """Let the owner create something, and return its id."""
        answer = self.client("owner").post(path, json=json)
        assert answer.status_code in (201, 202), answer.text
        identifier: str = answer.get_json()["data"]["id"]
        return identifier

    def send(self, route: str, caller: str, *, method: str = "") -> TestResponse:
        """Send the request of a route, about what the owner owns."""
        content = self.rows[route].content() if route in self.rows else {}
        return self.client(caller).open(self.path(route), method=method or route.partition(" ")[0], **content)

    def path(self, route: str) -> str:
        """Return the path of a route about what the owner owns."""
        path = route.partition(" ")[2]
        for name, value in self.values.items():
            path = re.sub(f"<([a-z]+:)?{name}>", value, path)
        return path

    def tables(self) -> dict[str, list[Any]]:
        """Return every row there is."""
        with self.app.app_context(), transaction(write=False):
            return {table.name: sorted(execute(select(table)).all(), key=str) for table in Base.metadata.sorted_tables}
