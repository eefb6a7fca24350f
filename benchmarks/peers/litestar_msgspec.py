"""Litestar as its documentation writes it: msgspec's structs on the wire, SQLAlchemy's entities, a guard-less login.

Handlers are synchronous in its thread pool (`sync_to_thread=True`), because sqlite3 is.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Litestar, Request, get, post, put
from litestar.di import Provide
from litestar.exceptions import ClientException, NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.params import Parameter
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from benchmarks.peers import entities, security

engine = entities.make_engine()
LOADED = (joinedload(entities.Blog.owner), selectinload(entities.Blog.tags))
ORDERS = {"-created_at": entities.Blog.created_at.desc(), "title": entities.Blog.title}


class Named(msgspec.Struct):
    id: str
    name: str


class BlogOut(msgspec.Struct):
    id: str
    title: str
    content: str
    status: str
    published_at: datetime | None
    owner: Named
    tags: list[Named]
    created_at: datetime
    updated_at: datetime


class BlogIn(msgspec.Struct):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    content: Annotated[str, msgspec.Meta(max_length=200_000)]
    tags: Annotated[list[str], msgspec.Meta(max_length=50)] = []


class LoginIn(msgspec.Struct):
    name: str
    password: str


class TokenOut(msgspec.Struct):
    token: str
    token_type: str = "bearer"


def provide_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def provide_user(request: Request, session: Session) -> entities.User:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    statement = (
        select(entities.Session)
        .options(joinedload(entities.Session.user))
        .where(entities.Session.access_digest == security.digest(token))
    )
    found = session.scalars(statement).one_or_none()
    if scheme != "Bearer" or found is None or found.access_expires_at <= entities.now():
        raise NotAuthorizedException
    return found.user


AUTHENTICATED = {"user": Provide(provide_user, sync_to_thread=True)}


@get("/blog", sync_to_thread=True)
def index(
    session: Session,
    limit: Annotated[int, Parameter(ge=1, le=100)] = 20,
    offset: Annotated[int, Parameter(ge=0)] = 0,
    sort: str = "-created_at",
    title__contains: str | None = None,
) -> list[BlogOut]:
    statement = select(entities.Blog).options(*LOADED).where(entities.Blog.status == "published")
    if title__contains is not None:
        statement = statement.where(entities.Blog.title.contains(title__contains))
    if sort not in ORDERS:
        raise ClientException
    return [_out(blog) for blog in session.scalars(statement.order_by(ORDERS[sort]).limit(limit).offset(offset))]


@get("/blog/{blog_id:str}", sync_to_thread=True)
def show(session: Session, blog_id: str) -> BlogOut:
    return _out(_get(session, blog_id))


@post("/blog", dependencies=AUTHENTICATED, sync_to_thread=True)
def create(session: Session, user: entities.User, data: BlogIn) -> BlogOut:
    moment = entities.now()
    blog = entities.Blog(
        id=security.new_id(),
        owner=user,
        title=data.title,
        content=data.content,
        status="published",
        published_at=moment,
        created_at=moment,
        updated_at=moment,
        tags=_tags(session, data.tags),
    )
    session.add(blog)
    session.commit()
    return _out(_get(session, blog.id))


@put("/blog/{blog_id:str}", dependencies=AUTHENTICATED, sync_to_thread=True)
def replace(session: Session, user: entities.User, blog_id: str, data: BlogIn) -> BlogOut:
    blog = _get(session, blog_id)
    if blog.owner_id != user.id:
        raise PermissionDeniedException
    blog.title, blog.content, blog.tags = data.title, data.content, _tags(session, data.tags)
    blog.updated_at = entities.now()
    session.commit()
    return _out(_get(session, blog_id))


@post("/auth/login", status_code=200, sync_to_thread=True)
def login(session: Session, data: LoginIn) -> TokenOut:
    user = session.scalars(select(entities.User).where(entities.User.name == data.name)).one_or_none()
    if user is None or not security.is_right(user.password_hash, data.password):
        raise NotAuthorizedException
    token, columns = security.new_session(user.id)
    session.add(entities.Session(**columns))
    session.commit()
    return TokenOut(token)


@get("/auth/me", dependencies=AUTHENTICATED, sync_to_thread=True)
def me(user: entities.User) -> Named:
    return Named(user.id, user.name)


def _out(blog: entities.Blog) -> BlogOut:
    return BlogOut(
        blog.id,
        blog.title,
        blog.content,
        blog.status,
        blog.published_at,
        Named(blog.owner.id, blog.owner.name),
        [Named(tag.id, tag.name) for tag in blog.tags],
        blog.created_at,
        blog.updated_at,
    )


def _get(session: Session, blog_id: str) -> entities.Blog:
    statement = select(entities.Blog).options(*LOADED).where(entities.Blog.id == blog_id)
    blog = session.scalars(statement).one_or_none()
    if blog is None:
        raise NotFoundException
    return blog


def _tags(session: Session, ids: list[str]) -> list[entities.Tag]:
    tags = list(session.scalars(select(entities.Tag).where(entities.Tag.id.in_(ids)).order_by(entities.Tag.name)))
    if len(tags) != len(set(ids)):
        raise ClientException
    return tags


app = Litestar(
    [index, show, create, replace, login, me],
    dependencies={"session": Provide(provide_session, sync_to_thread=True)},
)
