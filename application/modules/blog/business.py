"""Rules about blogs: who sees a draft, who may change what."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from application.database import change, execute
from application.database.filter import CHOICE, RANGE, TEXT, Filter, Filters
from application.database.full_text import matches
from application.database.keyset import Orders
from application.database.listing import Listing, each
from application.database.nested import Nested
from application.database.types import Id
from application.libs.clock import now
from application.libs.error import Conflict, Forbidden, Invalid, NotFound, field_error
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.record import Record
from application.libs.search_text import index_text, query_terms
from application.modules.blog.models import Blog, BlogTag, Status
from application.modules.tag.models import Tag
from application.modules.user.models import User


class BlogNotFound(NotFound):
    """There is no such blog."""


class NotYourBlog(Forbidden):
    """Only its owner may change a blog."""


class UnknownTag(Invalid):
    """A tag does not exist."""


class OwnerGone(Conflict):
    """The owner was deleted in this moment."""


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
FILTERS = Filters(
    {
        "title": Filter(Blog.title, *TEXT),
        "status": Filter(Blog.status, "eq"),
        "tag": Filter(BlogTag.tag_id, *CHOICE, through=(Blog.id, BlogTag.blog_id)),
        "owner": Filter(Blog.owner_id, *CHOICE),
        "created_at": Filter(Blog.created_at, *RANGE),
        "updated_at": Filter(Blog.updated_at, *RANGE),
        "published_at": Filter(Blog.published_at, *RANGE),
    }
)

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
).outerjoin(User, User.id == Blog.owner_id)  # outer, so that no planner starts at the users and sorts all blogs
_TAG_NAME = sa.select(Tag.name).where(Tag.id == BlogTag.tag_id).scalar_subquery()
_TAGS = Nested(TagRow, lambda blog_id: sa.select(BlogTag.tag_id, _TAG_NAME).where(BlogTag.blog_id == blog_id))
_LIST = Listing(_ALL, ORDERS, FILTERS, nested=[_TAGS])
_GET = _ALL.add_columns(_TAGS.beside(Blog.id)).where(Blog.id == sa.bindparam("blog_id"))
_BY_NAME = attrgetter("name")
_PUBLISHED = Blog.status == sa.bindparam("published", Status.PUBLISHED)
_OWN = Blog.owner_id == sa.bindparam("viewer_id")
_PUBLISHED_OR_OWN = sa.or_(_PUBLISHED, _OWN)
_LOCK = (
    sa.select(Blog.owner_id, Blog.status, Blog.title, Blog.content)
    .where(Blog.id == sa.bindparam("blog_id"))
    .with_for_update()
)
_LOCK_TAGS = (  # until the end nobody deletes them
    sa.select(Tag.id, Tag.name)
    .where(Tag.id.in_(sa.bindparam("tag_ids", expanding=True)))
    .order_by(Tag.name)
    .with_for_update(read=True, key_share=True)
)
_OWNER = sa.select(User.id, User.name).where(User.id == sa.bindparam("user_id"))
_INSERT = sa.insert(Blog)
_UPDATE = sa.update(Blog).where(Blog.id == sa.bindparam("blog_id"))
_DELETE = sa.delete(Blog).where(Blog.id == sa.bindparam("blog_id"))
_PUT_TAGS = sa.insert(BlogTag).from_select(  # one statement for all of them, of any number
    ["blog_id", "tag_id"],
    sa.select(sa.bindparam("key", type_=Id()), Tag.id).where(Tag.id.in_(sa.bindparam("tag_ids", expanding=True))),
)
_DELETE_TAGS = sa.delete(BlogTag).where(BlogTag.blog_id == sa.bindparam("key"))


def search(
    *,
    viewer_id: str | None,
    limit: int,
    after: str | None = None,
    sort: str = "-created_at",
    count: bool = False,
    q: str | None = None,
    **filters: object,
) -> Page[BlogRow]:
    """List the blogs the viewer may see, published ones and their own drafts; the filters are those of `FILTERS`."""
    where = [_visible(viewer_id, **filters)]
    also = [matches(Blog.id, Blog.search, query_terms(q))] if q is not None and q.strip() else ()
    return _LIST.page(
        each(_row),
        limit=limit,
        after=after,
        sort=sort,
        count=count,
        filters=filters,
        where=where,
        also=also,
        parameters={"viewer_id": viewer_id},
    )


def get(blog_id: str, *, viewer_id: str | None) -> BlogRow:
    """Return a blog; somebody else's draft is not found."""
    row = execute(_GET, blog_id=blog_id).one_or_none()
    if row is None or (row.status != Status.PUBLISHED and row.owner_id != viewer_id):
        raise BlogNotFound
    return _row(row)


def create(
    *,
    owner_id: str,
    title: str,
    content: str,
    tag_ids: Sequence[str] = (),
    status: Status = Status.PUBLISHED,
) -> BlogRow:
    """Write a blog; what takes time comes before the first statement, for SQLite has one writer at a time."""
    found_by = index_text(title, content)
    tags, moment = _known_tags(tag_ids), now()
    owner = execute(_OWNER, user_id=owner_id).one_or_none()
    if owner is None:
        raise OwnerGone
    blog = BlogRow(
        id=new_id(),
        title=title,
        content=content,
        status=status,
        published_at=moment if status == Status.PUBLISHED else None,
        owner=OwnerRow(*owner),
        tags=tags,
        created_at=moment,
        updated_at=moment,
    )
    change(
        _INSERT,
        conflict=OwnerGone,
        id=blog.id,
        owner_id=owner_id,
        title=title,
        content=content,
        search=found_by,
        status=status,
        published_at=blog.published_at,
        created_at=moment,
        updated_at=moment,
    )
    _put_tags(blog.id, tags)
    return blog


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
    before = _lock_own(blog_id, editor_id)
    moment = now()
    values: dict[str, Any] = {name: text for name, text in (("title", title), ("content", content)) if text is not None}
    if values:
        values["search"] = index_text(values.get("title", before.title), values.get("content", before.content))
    if status is not None and status != before.status:
        values |= {"status": status, "published_at": moment if status == Status.PUBLISHED else None}
    if tag_ids is not None:
        tags = _known_tags(tag_ids)
        change(_DELETE_TAGS, key=blog_id)
        _put_tags(blog_id, tags)
    if values or tag_ids is not None:
        change(_UPDATE, blog_id=blog_id, updated_at=moment, **values)
    return get(blog_id, viewer_id=editor_id)


def delete(blog_id: str, *, editor_id: str) -> None:
    """Delete a blog and take its tags off it."""
    _lock_own(blog_id, editor_id)
    change(_DELETE, blog_id=blog_id)


def _visible(
    viewer_id: str | None, *, owner: object = None, status: object = None, **_others: object
) -> sa.ColumnElement[bool]:
    """Match what the viewer may see; the simpler the condition, the better an index serves it."""
    if viewer_id is None or status == Status.PUBLISHED:
        return _PUBLISHED
    if status == Status.DRAFT or owner == viewer_id:
        return _OWN
    return _PUBLISHED if owner is not None else _PUBLISHED_OR_OWN


def _row(row: sa.Row[*tuple[Any, ...]]) -> BlogRow:
    blog_id, title, content, status, published_at, owner_id, owner_name, created_at, updated_at, nested = row
    tags = _TAGS.read(nested)
    tags.sort(key=_BY_NAME)
    return BlogRow(
        blog_id,
        title,
        content,
        status,
        published_at,
        OwnerRow(owner_id, owner_name),
        tags,
        created_at,
        updated_at,
    )


def _lock_own(blog_id: str, editor_id: str) -> sa.Row[*tuple[Any, ...]]:
    """Return the editor's own blog; until the end nobody else changes it."""
    row = execute(_LOCK, blog_id=blog_id).one_or_none()
    if row is None or (row.owner_id != editor_id and row.status != Status.PUBLISHED):
        raise BlogNotFound
    if row.owner_id != editor_id:
        raise NotYourBlog
    return row


def _known_tags(tag_ids: Sequence[str]) -> list[TagRow]:
    """Return the tags, each once and by name; name the places of those that do not exist."""
    tags = [TagRow(*row) for row in execute(_LOCK_TAGS, tag_ids=list(tag_ids))] if tag_ids else []
    tags.sort(key=_BY_NAME)
    known = {tag.id for tag in tags}
    errors = [
        field_error("body", "tags", index, msg="There is no such tag", type_="unknown_tag")
        for index, tag_id in enumerate(tag_ids)
        if tag_id not in known
    ]
    if errors:
        raise UnknownTag(errors=errors)
    return tags


def _put_tags(blog_id: str, tags: Sequence[TagRow]) -> None:
    if tags:
        change(_PUT_TAGS, key=blog_id, tag_ids=[tag.id for tag in tags])
