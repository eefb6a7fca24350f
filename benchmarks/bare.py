"""The floor under our own work: Flask's views that run the very statements of ours, and do nothing else.

They have our engine, our columns and our values (also the text for the search); no contract, no envelope, no checks, no
log, no headers. So a ratio to them is what our house costs, whatever SQLAlchemy and the database do.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import msgspec
from flask import Flask, Response, abort, request
from sqlalchemy import Connection, Engine

from application.libs.clock import now
from application.libs.ident import new_id
from application.libs.search_text import index_text
from application.libs.secret import digest_token
from application.modules.auth.business.caller import _BY_TOKEN
from application.modules.blog.business import (
    _GET,
    _INSERT,
    _LIST,
    _LOCK_TAGS,
    _OWNER,
    _PUBLISHED,
    _PUT_TAGS,
    ORDERS,
)
from application.modules.blog.models import Status

PAGE = 20
_PAGE = _LIST.statement(sort="-created_at", where=[_PUBLISHED])
_FIRST = ORDERS.parameters(sort="-created_at", after=None, limit=PAGE)  # one more than the page: is there a next one?


def bare_app(engine: Engine) -> Flask:
    """Return an application of such views; those under /private look a token up first."""
    app = Flask("bare")

    @app.get("/blog/<blog_id>")
    def show(blog_id: str) -> Response:
        with engine.connect() as connection:
            return _answer(_find(connection, blog_id))

    @app.get("/private/blog/<blog_id>")
    def show_privately(blog_id: str) -> Response:
        with engine.connect() as connection:
            _caller(connection)
            return _answer(_find(connection, blog_id))

    @app.get("/blog")
    def index() -> Response:
        with engine.connect() as connection:
            rows = connection.execute(_PAGE, _FIRST).all()[:PAGE]
            return _answer([_blog(row) for row in rows])

    @app.post("/private/blog")
    def create() -> Response:
        with engine.connect() as connection:
            user_id = _caller(connection)
            connection.rollback()
            connection.execution_options(write=True)
            blog = _write(connection, user_id, msgspec.json.decode(request.get_data()))
            connection.commit()
            return _answer(blog, 201)

    return app


def _answer(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, mimetype="application/json")


def _caller(connection: Connection) -> str:
    token = request.headers["Authorization"].removeprefix("Bearer ")
    row = connection.execute(_BY_TOKEN, {"digest": digest_token(token)}).one_or_none()
    if row is None or row.access_expires_at <= now():
        abort(401)
    user_id: str = row[5]
    return user_id


def _find(connection: Connection, blog_id: str) -> dict[str, Any]:
    row = connection.execute(_GET, {"blog_id": blog_id}).one_or_none()
    if row is None:
        abort(404)
    return _blog(row)


def _blog(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": row[0],
        "title": row[1],
        "content": row[2],
        "status": row[3],
        "published_at": row[4],
        "owner": {"id": row[5], "name": row[6]},
        "tags": sorted(msgspec.json.decode(row[9]), key=itemgetter("name")),
        "created_at": row[7],
        "updated_at": row[8],
    }


def _write(connection: Connection, user_id: str, body: dict[str, Any]) -> dict[str, Any]:
    found = connection.execute(_LOCK_TAGS, {"tag_ids": body["tags"]})
    tags = [{"id": tag_id, "name": name} for tag_id, name in found]
    owner_id, name = connection.execute(_OWNER, {"user_id": user_id}).one()
    moment, title, content = now(), body["title"], body["content"]
    columns = {"id": new_id(), "title": title, "content": content, "status": Status.PUBLISHED}
    columns |= {"published_at": moment, "created_at": moment, "updated_at": moment}
    connection.execute(_INSERT, columns | {"owner_id": owner_id, "search": index_text(title, content)})
    connection.execute(_PUT_TAGS, {"key": columns["id"], "tag_ids": [tag["id"] for tag in tags]})
    return columns | {"owner": {"id": owner_id, "name": name}, "tags": tags}
