"""Rules about tags."""

from typing import Any

import sqlalchemy as sa

from application.database import change, execute
from application.database.filter import TEXT, Filter, Filters, contains
from application.database.keyset import Orders
from application.database.listing import Listing, each
from application.libs.clock import now
from application.libs.error import Conflict, NotFound
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.record import Record
from application.modules.audit import business as audit
from application.modules.tag.models import Tag


class TagNotFound(NotFound):
    """There is no such tag."""


class NameTaken(Conflict):
    """There is a tag of this name."""


class TagInUse(Conflict):
    """The tag is on blogs; take it off them first."""


class TagRow(Record):
    """Hold one tag."""

    id: str
    name: str


ORDERS = Orders({"name": Tag.name, "id": Tag.id}, tie=Tag.id)
FILTERS = Filters({"name": Filter(Tag.name, *TEXT)})

_ALL = sa.select(Tag.id, Tag.name)
_LIST = Listing(_ALL, ORDERS, FILTERS)
_GET = _ALL.where(Tag.id == sa.bindparam("tag_id"))
_LOCK = _GET.with_for_update()
_INSERT = sa.insert(Tag)
_UPDATE = sa.update(Tag).where(Tag.id == sa.bindparam("tag_id"))
_DELETE = sa.delete(Tag).where(Tag.id == sa.bindparam("tag_id"))


def search(
    *,
    limit: int,
    after: str | None = None,
    sort: str = "name",
    count: bool = False,
    q: str | None = None,
    **filters: object,
) -> Page[TagRow]:
    """List tags, those whose name contains `q`; the filters are those of `FILTERS`."""
    also = () if q is None else [contains(Tag.name, q)]
    return _LIST.page(each(_row), limit=limit, after=after, sort=sort, count=count, filters=filters, also=also)


def get(tag_id: str) -> TagRow:
    """Return a tag."""
    row = execute(_GET, tag_id=tag_id).one_or_none()
    if row is None:
        raise TagNotFound
    return TagRow(*row)


def create(*, name: str) -> TagRow:
    """Create a tag; two never share a name."""
    tag = TagRow(id=new_id(), name=name)
    change(_INSERT, conflict=NameTaken, id=tag.id, name=name, created_at=now())
    return tag


def update(tag_id: str, *, name: str | None = None) -> TagRow:
    """Rename a tag; without a name nothing changes."""
    before = _lock(tag_id)
    if name is None:
        return before
    change(_UPDATE, conflict=NameTaken, tag_id=tag_id, name=name)
    after = TagRow(id=tag_id, name=name)
    audit.record("tag.update", tag_id, name, before=before, after=after)
    return after


def delete(tag_id: str) -> None:
    """Delete a tag that is on no blog."""
    before = _lock(tag_id)
    change(_DELETE, conflict=TagInUse, tag_id=tag_id)
    audit.record("tag.delete", tag_id, before.name, before=before)


def _lock(tag_id: str) -> TagRow:
    """Return a tag that nobody else changes until the end."""
    row = execute(_LOCK, tag_id=tag_id).one_or_none()
    if row is None:
        raise TagNotFound
    return TagRow(*row)


def _row(row: sa.Row[*tuple[Any, ...]]) -> TagRow:
    return TagRow(*row)
