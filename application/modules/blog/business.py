"""Rules about blogs: who sees a draft, who may change what."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.database import change, execute, keyset
from application.database.keyset import Orders, contains
from application.libs.clock import now
from application.libs.error import Forbidden, Invalid, NotFound, field_error
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.record import Record
from application.modules.blog.models import Blog, BlogTag, Status
from application.modules.tag.models import Tag
from application.modules.user.models import User


class BlogNotFound(NotFound):
    """There is no such blog."""


class NotYourBlog(Forbidden):
    """Only its owner may change a blog."""


class UnknownTag(Invalid):
    """A tag does not exist."""


class OwnerRow(Record):
    """Hold who wrote a blog."""

    id: str
    name: str


class TagRow(Record):
    """Hold a tag on a blog."""

    id: str
    name: str


class BlogRow(Record):
    """Hold one blog with its owner and tags, tags by name."""

    id: str
    title: str
    content: str
    status: str
    published_at: datetime | None
    owner: OwnerRow
    tags: Sequence[TagRow]
    created_at: datetime
    updated_at: datetime


ORDERS = Orders({"created_at": Blog.created_at, "updated_at": Blog.updated_at, "title": Blog.title}, tie=Blog.id)

_ALL = sa.select(
    Blog.id,
    Blog.title,
    Blog.content,
    Blog.status,
    Blog.published_at,
    Blog.owner_id,
    User.name,
    Blog.created_at,
    Blog.updated_at,
).join(User, User.id == Blog.owner_id)
_GET = _ALL.where(Blog.id == sa.bindparam("blog_id"))
_OWNER = sa.select(Blog.owner_id, Blog.status).where(Blog.id == sa.bindparam("blog_id"))
_TAGS = (
    sa.select(BlogTag.blog_id, Tag.id, Tag.name)
    .join(Tag, Tag.id == BlogTag.tag_id)
    .where(BlogTag.blog_id.in_(sa.bindparam("blog_ids", expanding=True)))
    .order_by(Tag.name)
)
_KNOWN_TAGS = sa.select(Tag.id).where(Tag.id.in_(sa.bindparam("tag_ids", expanding=True)))
_INSERT = sa.insert(Blog)
_UPDATE = sa.update(Blog).where(Blog.id == sa.bindparam("blog_id"))
_DELETE = sa.delete(Blog).where(Blog.id == sa.bindparam("blog_id"))
_INSERT_TAG = sa.insert(BlogTag)
_DELETE_TAGS = sa.delete(BlogTag).where(BlogTag.blog_id == sa.bindparam("key"))


def search(
    *,
    viewer_id: str | None,
    limit: int,
    after: str | None = None,
    sort: str = "-created_at",
    count: bool = False,
    q: str | None = None,
    status: Status | None = None,
    tag_id: str | None = None,
    owner_id: str | None = None,
) -> Page[BlogRow]:
    """List the blogs the viewer may see: published ones, and their own drafts."""
    statement = _filtered(viewer_id=viewer_id, q=q, status=status, tag_id=tag_id, owner_id=owner_id)
    found = execute(ORDERS.page(statement, sort=sort, after=after, limit=limit)).all()
    tags = _tags_of([row[0] for row in found])
    rows = [_row(row, tags) for row in found]
    return ORDERS.cut(rows, sort=sort, limit=limit, total=keyset.count(statement) if count else None)


def get(blog_id: str, *, viewer_id: str | None) -> BlogRow:
    """Return a blog; somebody else's draft is not found."""
    row = execute(_GET, blog_id=blog_id).one_or_none()
    if row is None or (row.status != Status.PUBLISHED and row.owner_id != viewer_id):
        raise BlogNotFound
    return _row(row, _tags_of([blog_id]))


def create(
    *,
    owner_id: str,
    title: str,
    content: str,
    tag_ids: Sequence[str] = (),
    status: Status = Status.PUBLISHED,
) -> BlogRow:
    """Write a blog."""
    _check_tags(tag_ids)
    moment, blog_id = now(), new_id()
    change(
        _INSERT,
        id=blog_id,
        owner_id=owner_id,
        title=title,
        content=content,
        status=status,
        published_at=moment if status == Status.PUBLISHED else None,
        created_at=moment,
        updated_at=moment,
    )
    _put_tags(blog_id, tag_ids)
    return get(blog_id, viewer_id=owner_id)


def update(
    blog_id: str,
    *,
    editor_id: str,
    title: str | None = None,
    content: str | None = None,
    status: Status | None = None,
    tag_ids: Sequence[str] | None = None,
) -> BlogRow:
    """Change what is given; publishing notes when, going back to a draft forgets it."""
    before = _check_owner(blog_id, editor_id)
    values: dict[str, Any] = {"updated_at": now()}
    if title is not None:
        values["title"] = title
    if content is not None:
        values["content"] = content
    if status is not None and status != before:
        values |= {"status": status, "published_at": now() if status == Status.PUBLISHED else None}
    if tag_ids is not None:
        _check_tags(tag_ids)
        change(_DELETE_TAGS, key=blog_id)
        _put_tags(blog_id, tag_ids)
    change(_UPDATE, blog_id=blog_id, **values)
    return get(blog_id, viewer_id=editor_id)


def delete(blog_id: str, *, editor_id: str) -> None:
    """Delete a blog and take its tags off it."""
    _check_owner(blog_id, editor_id)
    change(_DELETE, blog_id=blog_id)


def _filtered(
    *, viewer_id: str | None, q: str | None, status: Status | None, tag_id: str | None, owner_id: str | None
) -> keyset.AnySelect:
    published = Blog.status == Status.PUBLISHED
    statement = _ALL.where(published if viewer_id is None else sa.or_(published, Blog.owner_id == viewer_id))
    if q is not None:
        statement = statement.where(sa.or_(contains(Blog.title, q), contains(Blog.content, q)))
    if status is not None:
        statement = statement.where(Blog.status == status)
    if tag_id is not None:
        statement = statement.where(Blog.id.in_(sa.select(BlogTag.blog_id).where(BlogTag.tag_id == tag_id)))
    if owner_id is not None:
        statement = statement.where(Blog.owner_id == owner_id)
    return statement


def _row(row: sa.Row[*tuple[Any, ...]], tags: dict[str, list[TagRow]]) -> BlogRow:
    blog_id, title, content, status, published_at, owner_id, owner_name, created_at, updated_at = row
    return BlogRow(
        blog_id,
        title,
        content,
        status,
        published_at,
        OwnerRow(owner_id, owner_name),
        tags.get(blog_id, []),
        created_at,
        updated_at,
    )


def _tags_of(blog_ids: Sequence[str]) -> dict[str, list[TagRow]]:
    tags: dict[str, list[TagRow]] = {}
    if blog_ids:
        for blog_id, tag_id, name in execute(_TAGS, blog_ids=blog_ids):
            tags.setdefault(blog_id, []).append(TagRow(tag_id, name))
    return tags


def _check_owner(blog_id: str, editor_id: str) -> str:
    """Return the blog's status if the editor owns it."""
    row = execute(_OWNER, blog_id=blog_id).one_or_none()
    if row is None or (row.owner_id != editor_id and row.status != Status.PUBLISHED):
        raise BlogNotFound
    if row.owner_id != editor_id:
        raise NotYourBlog
    status: str = row.status
    return status


def _check_tags(tag_ids: Sequence[str]) -> None:
    if not tag_ids:
        return
    known = set(execute(_KNOWN_TAGS, tag_ids=list(tag_ids)).scalars())
    errors = [
        field_error("body", "tags", index, msg="There is no such tag", type_="unknown_tag")
        for index, tag_id in enumerate(tag_ids)
        if tag_id not in known
    ]
    if errors:
        raise UnknownTag(errors=errors)


def _put_tags(blog_id: str, tag_ids: Sequence[str]) -> None:
    rows = [{"blog_id": blog_id, "tag_id": tag_id} for tag_id in dict.fromkeys(tag_ids)]
    if rows:
        change(_INSERT_TAG, rows, conflict=UnknownTag)
