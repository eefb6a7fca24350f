"""FastAPI as its full-stack template writes it: SQLAlchemy's entities, a session by dependency, response models."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from benchmarks.peers import entities, security

engine = entities.make_engine()
app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="/auth/login")
LOADED = (joinedload(entities.Blog.owner), selectinload(entities.Blog.tags))
ORDERS = {"-created_at": entities.Blog.created_at.desc(), "title": entities.Blog.title}


class Named(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str


class BlogOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    content: str
    status: str
    published_at: datetime | None
    owner: Named
    tags: list[Named]
    created_at: datetime
    updated_at: datetime


class BlogIn(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    content: str = Field(max_length=200_000)
    tags: list[str] = Field(default_factory=list, max_length=50)


class LoginIn(BaseModel):
    name: str
    password: str


class TokenOut(BaseModel):
    token: str
    token_type: str = "bearer"


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def get_current_user(session: SessionDep, token: Annotated[str, Depends(bearer)]) -> entities.User:
    statement = (
        select(entities.Session)
        .options(joinedload(entities.Session.user))
        .where(entities.Session.access_digest == security.digest(token))
    )
    found = session.scalars(statement).one_or_none()
    if found is None or found.access_expires_at <= entities.now():
        raise HTTPException(401)
    return found.user


CurrentUser = Annotated[entities.User, Depends(get_current_user)]


@app.get("/blog", response_model=list[BlogOut])
def index(
    session: SessionDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    sort: str = "-created_at",
    title__contains: str | None = None,
):
    statement = select(entities.Blog).options(*LOADED).where(entities.Blog.status == "published")
    if title__contains is not None:
        statement = statement.where(entities.Blog.title.contains(title__contains))
    if sort not in ORDERS:
        raise HTTPException(422)
    return session.scalars(statement.order_by(ORDERS[sort]).limit(limit).offset(offset)).all()


@app.get("/blog/{blog_id}", response_model=BlogOut)
def show(session: SessionDep, blog_id: str):
    return _get(session, blog_id)


@app.post("/blog", response_model=BlogOut, status_code=201)
def create(session: SessionDep, user: CurrentUser, body: BlogIn):
    moment = entities.now()
    blog = entities.Blog(
        id=security.new_id(),
        owner=user,
        title=body.title,
        content=body.content,
        status="published",
        published_at=moment,
        created_at=moment,
        updated_at=moment,
        tags=_tags(session, body.tags),
    )
    session.add(blog)
    session.commit()
    return _get(session, blog.id)


@app.put("/blog/{blog_id}", response_model=BlogOut)
def replace(session: SessionDep, user: CurrentUser, blog_id: str, body: BlogIn):
    blog = _get(session, blog_id)
    if blog.owner_id != user.id:
        raise HTTPException(403)
    blog.title, blog.content, blog.tags = body.title, body.content, _tags(session, body.tags)
    blog.updated_at = entities.now()
    session.commit()
    return _get(session, blog_id)


@app.post("/auth/login", response_model=TokenOut)
def login(session: SessionDep, body: LoginIn):
    user = session.scalars(select(entities.User).where(entities.User.name == body.name)).one_or_none()
    if user is None or not security.is_right(user.password_hash, body.password):
        raise HTTPException(401)
    token, columns = security.new_session(user.id)
    session.add(entities.Session(**columns))
    session.commit()
    return TokenOut(token=token)


@app.get("/auth/me", response_model=Named)
def me(user: CurrentUser):
    return user


def _get(session: Session, blog_id: str) -> entities.Blog:
    blog = session.scalars(select(entities.Blog).options(*LOADED).where(entities.Blog.id == blog_id)).one_or_none()
    if blog is None:
        raise HTTPException(404)
    return blog


def _tags(session: Session, ids: list[str]) -> list[entities.Tag]:
    tags = list(session.scalars(select(entities.Tag).where(entities.Tag.id.in_(ids)).order_by(entities.Tag.name)))
    if len(tags) != len(set(ids)):
        raise HTTPException(422)
    return tags
