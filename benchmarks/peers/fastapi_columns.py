"""FastAPI on columns instead of entities, answering bytes: as fast as it sanely goes, for honesty.

Bodies and queries are validated by its own means; answers are built from rows and written by orjson, past response
models, as "Return a Response Directly" of its documentation allows. Handlers stay synchronous, because sqlite3 is.
"""

from collections.abc import Iterator
from typing import Annotated

import orjson
from fastapi import Depends, FastAPI, HTTPException, Query, Response
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from benchmarks.peers import entities, security

engine = entities.make_engine()
app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="/auth/login")

Blog, User, Tag, Session = (model.__table__ for model in (entities.Blog, entities.User, entities.Tag, entities.Session))
BlogTag = entities.blog_tag
ORDERS = {"-created_at": Blog.c.created_at.desc(), "title": Blog.c.title}
_BLOG = select(
    Blog.c.id,
    Blog.c.title,
    Blog.c.content,
    Blog.c.status,
    Blog.c.published_at,
    Blog.c.owner_id,
    User.c.name,
    Blog.c.created_at,
    Blog.c.updated_at,
).join(User, User.c.id == Blog.c.owner_id)
_ONE = _BLOG.where(Blog.c.id == bindparam("blog_id"))
_TAGS = (
    select(BlogTag.c.blog_id, Tag.c.id, Tag.c.name)
    .join(Tag, Tag.c.id == BlogTag.c.tag_id)
    .where(BlogTag.c.blog_id.in_(bindparam("blog_ids", expanding=True)))
    .order_by(Tag.c.name)
)
_KNOWN = select(Tag.c.id, Tag.c.name).where(Tag.c.id.in_(bindparam("ids", expanding=True))).order_by(Tag.c.name)
_BY_TOKEN = (
    select(Session.c.access_expires_at, User.c.id, User.c.name)
    .join(User, User.c.id == Session.c.user_id)
    .where(Session.c.access_digest == bindparam("digest"))
)
_BY_NAME = select(User.c.id, User.c.password_hash).where(User.c.name == bindparam("name"))


class BlogIn(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    content: str = Field(max_length=200_000)
    tags: list[str] = Field(default_factory=list, max_length=50)


class LoginIn(BaseModel):
    name: str
    password: str


def get_connection() -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


ConnectionDep = Annotated[Connection, Depends(get_connection)]


def get_current_user(connection: ConnectionDep, token: Annotated[str, Depends(bearer)]) -> Row:
    found = connection.execute(_BY_TOKEN, {"digest": security.digest(token)}).one_or_none()
    if found is None or found.access_expires_at <= entities.now():
        raise HTTPException(401)
    return found


CurrentUser = Annotated[Row, Depends(get_current_user)]


@app.get("/blog")
def index(
    connection: ConnectionDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    sort: str = "-created_at",
    title__contains: str | None = None,
) -> Response:
    statement = _BLOG.where(Blog.c.status == "published")
    if title__contains is not None:
        statement = statement.where(Blog.c.title.contains(title__contains))
    if sort not in ORDERS:
        raise HTTPException(422)
    rows = connection.execute(statement.order_by(ORDERS[sort]).limit(limit).offset(offset)).all()
    tags = _tags_of(connection, [row[0] for row in rows])
    return _answer([_blog(row, tags) for row in rows])


@app.get("/blog/{blog_id}")
def show(connection: ConnectionDep, blog_id: str) -> Response:
    return _answer(_get(connection, blog_id))


@app.post("/blog")
def create(connection: ConnectionDep, user: CurrentUser, body: BlogIn) -> Response:
    tags, moment = _known(connection, body.tags), entities.now()
    columns = {"id": security.new_id(), "title": body.title, "content": body.content, "status": "published"}
    columns |= {"published_at": moment, "created_at": moment, "updated_at": moment}
    connection.execute(insert(Blog), columns | {"owner_id": user.id})
    _put_tags(connection, columns["id"], tags)
    connection.commit()
    return _answer(columns | {"owner": {"id": user.id, "name": user.name}, "tags": tags}, 201)


@app.put("/blog/{blog_id}")
def replace(connection: ConnectionDep, user: CurrentUser, blog_id: str, body: BlogIn) -> Response:
    blog = _get(connection, blog_id)
    if blog["owner"]["id"] != user.id:
        raise HTTPException(403)
    tags = _known(connection, body.tags)
    changes = {"title": body.title, "content": body.content, "updated_at": entities.now()}
    connection.execute(update(Blog).where(Blog.c.id == blog_id).values(changes))
    connection.execute(delete(BlogTag).where(BlogTag.c.blog_id == blog_id))
    _put_tags(connection, blog_id, tags)
    connection.commit()
    return _answer(blog | changes | {"tags": tags})


@app.post("/auth/login")
def login(connection: ConnectionDep, body: LoginIn) -> Response:
    user = connection.execute(_BY_NAME, {"name": body.name}).one_or_none()
    if user is None or not security.is_right(user.password_hash, body.password):
        raise HTTPException(401)
    token, columns = security.new_session(user.id)
    connection.execute(insert(Session), columns)
    connection.commit()
    return _answer({"token": token, "token_type": "bearer"})


@app.get("/auth/me")
def me(user: CurrentUser) -> Response:
    return _answer({"id": user.id, "name": user.name})


def _answer(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def _get(connection: Connection, blog_id: str) -> dict:
    row = connection.execute(_ONE, {"blog_id": blog_id}).one_or_none()
    if row is None:
        raise HTTPException(404)
    return _blog(row, _tags_of(connection, [blog_id]))


def _blog(row: Row, tags: dict[str, list[dict]]) -> dict:
    return {
        "id": row[0],
        "title": row[1],
        "content": row[2],
        "status": row[3],
        "published_at": row[4],
        "owner": {"id": row[5], "name": row[6]},
        "tags": tags.get(row[0], []),
        "created_at": row[7],
        "updated_at": row[8],
    }


def _tags_of(connection: Connection, blog_ids: list[str]) -> dict[str, list[dict]]:
    tags: dict[str, list[dict]] = {}
    for blog_id, tag_id, name in connection.execute(_TAGS, {"blog_ids": blog_ids}):
        tags.setdefault(blog_id, []).append({"id": tag_id, "name": name})
    return tags


def _known(connection: Connection, ids: list[str]) -> list[dict]:
    tags = [{"id": row.id, "name": row.name} for row in connection.execute(_KNOWN, {"ids": ids})]
    if len(tags) != len(set(ids)):
        raise HTTPException(422)
    return tags


def _put_tags(connection: Connection, blog_id: str, tags: list[dict]) -> None:
    if tags:
        connection.execute(insert(BlogTag), [{"blog_id": blog_id, "tag_id": tag["id"]} for tag in tags])
