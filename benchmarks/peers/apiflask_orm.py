"""APIFlask as its documentation writes it: marshmallow's schemas by decorators, SQLAlchemy's entities."""

from apiflask import APIFlask, HTTPTokenAuth, Schema, abort
from apiflask.fields import DateTime, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from benchmarks.peers import entities, security

engine = entities.make_engine()
app = APIFlask(__name__)
auth = HTTPTokenAuth(scheme="Bearer")
LOADED = (joinedload(entities.Blog.owner), selectinload(entities.Blog.tags))
ORDERS = {"-created_at": entities.Blog.created_at.desc(), "title": entities.Blog.title}


class Named(Schema):
    id = String()
    name = String()


class BlogOut(Schema):
    id = String()
    title = String()
    content = String()
    status = String()
    published_at = DateTime()
    owner = Nested(Named)
    tags = List(Nested(Named))
    created_at = DateTime()
    updated_at = DateTime()


class BlogIn(Schema):
    title = String(required=True, validate=Length(1, 200))
    content = String(required=True, validate=Length(max=200_000))
    tags = List(String(), load_default=list, validate=Length(max=50))


class BlogQuery(Schema):
    limit = Integer(load_default=20, validate=Range(1, 100))
    offset = Integer(load_default=0, validate=Range(0))
    sort = String(load_default="-created_at", validate=OneOf(list(ORDERS)))
    title__contains = String(load_default=None)


class LoginIn(Schema):
    name = String(required=True)
    password = String(required=True)


class TokenOut(Schema):
    token = String()
    token_type = String()


@app.before_request
def open_session() -> None:
    g.session = Session(engine)


@app.teardown_request
def close_session(_error) -> None:
    g.session.close()


@auth.verify_token
def verify_token(token: str) -> entities.User | None:
    statement = (
        select(entities.Session)
        .options(joinedload(entities.Session.user))
        .where(entities.Session.access_digest == security.digest(token))
    )
    found = g.session.scalars(statement).one_or_none()
    return None if found is None or found.access_expires_at <= entities.now() else found.user


@app.get("/blog")
@app.input(BlogQuery, location="query")
@app.output(BlogOut(many=True))
def index(query_data: dict):
    statement = select(entities.Blog).options(*LOADED).where(entities.Blog.status == "published")
    if query_data["title__contains"] is not None:
        statement = statement.where(entities.Blog.title.contains(query_data["title__contains"]))
    statement = statement.order_by(ORDERS[query_data["sort"]])
    return g.session.scalars(statement.limit(query_data["limit"]).offset(query_data["offset"])).all()


@app.get("/blog/<blog_id>")
@app.output(BlogOut)
def show(blog_id: str):
    return _get(blog_id)


@app.post("/blog")
@app.auth_required(auth)
@app.input(BlogIn)
@app.output(BlogOut, status_code=201)
def create(json_data: dict):
    moment = entities.now()
    blog = entities.Blog(
        id=security.new_id(),
        owner=auth.current_user,
        title=json_data["title"],
        content=json_data["content"],
        status="published",
        published_at=moment,
        created_at=moment,
        updated_at=moment,
        tags=_tags(json_data["tags"]),
    )
    g.session.add(blog)
    g.session.commit()
    return _get(blog.id)


@app.put("/blog/<blog_id>")
@app.auth_required(auth)
@app.input(BlogIn)
@app.output(BlogOut)
def replace(blog_id: str, json_data: dict):
    blog = _get(blog_id)
    if blog.owner_id != auth.current_user.id:
        abort(403)
    blog.title, blog.content, blog.tags = json_data["title"], json_data["content"], _tags(json_data["tags"])
    blog.updated_at = entities.now()
    g.session.commit()
    return _get(blog_id)


@app.post("/auth/login")
@app.input(LoginIn)
@app.output(TokenOut)
def login(json_data: dict):
    user = g.session.scalars(select(entities.User).where(entities.User.name == json_data["name"])).one_or_none()
    if user is None or not security.is_right(user.password_hash, json_data["password"]):
        abort(401)
    token, columns = security.new_session(user.id)
    g.session.add(entities.Session(**columns))
    g.session.commit()
    return {"token": token, "token_type": "bearer"}


@app.get("/auth/me")
@app.auth_required(auth)
@app.output(Named)
def me():
    return auth.current_user


def _get(blog_id: str) -> entities.Blog:
    statement = select(entities.Blog).options(*LOADED).where(entities.Blog.id == blog_id)
    return g.session.scalars(statement).one_or_none() or abort(404)


def _tags(ids: list[str]) -> list[entities.Tag]:
    statement = select(entities.Tag).where(entities.Tag.id.in_(ids)).order_by(entities.Tag.name)
    tags = list(g.session.scalars(statement))
    if len(tags) != len(set(ids)):
        abort(422)
    return tags
