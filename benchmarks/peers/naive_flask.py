"""Flask as most tutorials write it: entities, dictionaries by hand, `jsonify`; nothing is validated."""

from flask import Flask, abort, g, jsonify, request
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from benchmarks.peers import entities, security

engine = entities.make_engine()
app = Flask(__name__)
LOADED = (selectinload(entities.Blog.owner), selectinload(entities.Blog.tags))
ORDERS = {"-created_at": entities.Blog.created_at.desc(), "title": entities.Blog.title}


@app.before_request
def open_session() -> None:
    g.session = Session(engine)


@app.teardown_request
def close_session(_error) -> None:
    g.session.close()


@app.get("/blog")
def index():
    statement = select(entities.Blog).options(*LOADED).where(entities.Blog.status == "published")
    if "title__contains" in request.args:
        statement = statement.where(entities.Blog.title.contains(request.args["title__contains"]))
    statement = statement.order_by(ORDERS[request.args.get("sort", "-created_at")])
    limit, offset = int(request.args.get("limit", 20)), int(request.args.get("offset", 0))
    return jsonify([as_dict(blog) for blog in g.session.scalars(statement.limit(limit).offset(offset))])


@app.get("/blog/<blog_id>")
def show(blog_id: str):
    return jsonify(as_dict(_get(blog_id)))


@app.post("/blog")
def create():
    user, body, moment = _current_user(), request.get_json(), entities.now()
    blog = entities.Blog(
        id=security.new_id(),
        owner=user,
        title=body["title"],
        content=body["content"],
        status="published",
        published_at=moment,
        created_at=moment,
        updated_at=moment,
        tags=_tags(body["tags"]),
    )
    g.session.add(blog)
    g.session.commit()
    return jsonify(as_dict(_get(blog.id))), 201


@app.put("/blog/<blog_id>")
def replace(blog_id: str):
    user, body, blog = _current_user(), request.get_json(), _get(blog_id)
    if blog.owner_id != user.id:
        abort(403)
    blog.title, blog.content, blog.tags = body["title"], body["content"], _tags(body["tags"])
    blog.updated_at = entities.now()
    g.session.commit()
    return jsonify(as_dict(_get(blog_id)))


@app.post("/auth/login")
def login():
    body = request.get_json()
    user = g.session.scalars(select(entities.User).where(entities.User.name == body["name"])).one_or_none()
    if user is None or not security.is_right(user.password_hash, body["password"]):
        abort(401)
    token, columns = security.new_session(user.id)
    g.session.add(entities.Session(**columns))
    g.session.commit()
    return jsonify(token=token, token_type="bearer")


@app.get("/auth/me")
def me():
    user = _current_user()
    return jsonify(id=user.id, name=user.name)


def as_dict(blog: entities.Blog) -> dict:
    return {
        "id": blog.id,
        "title": blog.title,
        "content": blog.content,
        "status": blog.status,
        "published_at": blog.published_at and blog.published_at.isoformat(),
        "owner": {"id": blog.owner.id, "name": blog.owner.name},
        "tags": [{"id": tag.id, "name": tag.name} for tag in blog.tags],
        "created_at": blog.created_at.isoformat(),
        "updated_at": blog.updated_at.isoformat(),
    }


def _get(blog_id: str) -> entities.Blog:
    statement = select(entities.Blog).options(*LOADED).where(entities.Blog.id == blog_id)
    return g.session.scalars(statement).one_or_none() or abort(404)


def _current_user() -> entities.User:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    statement = (
        select(entities.Session)
        .options(joinedload(entities.Session.user))
        .where(entities.Session.access_digest == security.digest(token))
    )
    found = g.session.scalars(statement).one_or_none()
    if scheme != "Bearer" or found is None or found.access_expires_at <= entities.now():
        abort(401)
    return found.user


def _tags(ids: list[str]) -> list[entities.Tag]:
    return list(g.session.scalars(select(entities.Tag).where(entities.Tag.id.in_(ids)).order_by(entities.Tag.name)))
