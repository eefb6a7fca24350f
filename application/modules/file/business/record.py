"""What a file is to its owner, and which of them a caller may see."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from application.config.current import current_settings
from application.database import change, execute
from application.database.filter import RANGE, TEXT, Filter, Filters
from application.database.keyset import Orders
from application.database.listing import Listing, each
from application.libs.acting import current_actor
from application.libs.clock import now
from application.libs.error import Conflict, NotFound
from application.libs.page import Page
from application.libs.record import Record
from application.modules.audit import business as audit
from application.modules.file.business.quota import check_quota
from application.modules.file.models import PURGING, File, State


class FileNotFound(NotFound):
    """There is no such file."""


class FileNotReady(Conflict):
    """The file was announced, and nobody has confirmed that it is there."""


class ThumbnailNotFound(NotFound):
    """There is no small image of this file, or not yet."""


class FileRow(Record):
    """Hold one file; `has_thumbnail` tells whether a small image of it is there by now."""

    id: str
    owner_id: str
    name: str
    media_type: str
    size: int
    sha256: str | None
    state: str
    has_thumbnail: bool
    created_at: datetime
    confirmed_at: datetime | None
    deleted_at: datetime | None


class Kept(Record):
    """Hold where the content of a file is kept, and what is said of it."""

    key: str
    name: str
    media_type: str
    size: int
    sha256: str | None
    confirmed_at: datetime


class Small(Record):
    """Hold where a small image is kept."""

    key: str
    size: int


ORDERS = Orders({"created_at": File.created_at, "name": File.name, "size": File.size}, tie=File.id)
FILTERS = Filters(
    {
        "name": Filter(File.name, *TEXT),
        "media_type": Filter(File.media_type, "eq"),
        "state": Filter(File.state, "eq"),
        "owner": Filter(File.owner_id, "eq"),
        "size": Filter(File.size, *RANGE),
        "created_at": Filter(File.created_at, *RANGE),
    }
)

_ALL = sa.select(
    File.id,
    File.owner_id,
    File.name,
    File.media_type,
    File.size,
    File.sha256,
    File.state,
    File.thumbnail_key,
    File.created_at,
    File.confirmed_at,
    File.deleted_at,
).where(File.state != PURGING)
_LIST = Listing(_ALL, ORDERS, FILTERS)
_OF_ONE = (File.owner_id == sa.bindparam("viewer_id"),)
_GET = _ALL.where(File.id == sa.bindparam("file_id"))
_KEPT = sa.select(
    File.key,
    File.name,
    File.media_type,
    File.size,
    File.sha256,
    File.confirmed_at,
    File.thumbnail_key,
    File.thumbnail_size,
    File.owner_id,
    File.state,
).where(File.id == sa.bindparam("file_id"))
_LOCK = (
    sa.select(File.owner_id, File.name, File.state, File.confirmed_at, File.size)
    .where(File.id == sa.bindparam("file_id"))
    .with_for_update()
)
_UPDATE = sa.update(File).where(File.id == sa.bindparam("file_id"))


def search(
    *,
    viewer_id: str | None,
    limit: int,
    after: str | None = None,
    sort: str = "-created_at",
    count: bool = False,
    **filters: object,
) -> Page[FileRow]:
    """List files, the viewer's own, for None everybody's; the filters are those of `FILTERS`."""
    where = () if viewer_id is None else _OF_ONE
    return _LIST.page(
        each(_row),
        limit=limit,
        after=after,
        sort=sort,
        count=count,
        filters=filters,
        where=where,
        parameters={"viewer_id": viewer_id},
    )


def get(file_id: str, *, viewer_id: str | None) -> FileRow:
    """Return a file that is not deleted; somebody else's is not found, but by None, who sees all."""
    row = execute(_GET, file_id=file_id).one_or_none()
    if row is None or row.state == State.DELETED or viewer_id not in (None, row.owner_id):
        raise FileNotFound
    return _row(row)


def kept(file_id: str, *, viewer_id: str | None) -> Kept:
    """Return where a file's content is."""
    row = execute(_KEPT, file_id=file_id).one_or_none()
    if row is None or row.state not in (State.PENDING, State.READY) or viewer_id not in (None, row.owner_id):
        raise FileNotFound
    if row.state == State.PENDING or row.confirmed_at is None:
        raise FileNotReady
    return Kept(row.key, row.name, row.media_type, row.size, row.sha256, row.confirmed_at)


def small(file_id: str, *, viewer_id: str | None) -> Small:
    """Return where the small image of a file is."""
    row = execute(_KEPT, file_id=file_id).one_or_none()
    if row is None or row.state != State.READY or viewer_id not in (None, row.owner_id):
        raise FileNotFound
    if row.thumbnail_key is None or row.thumbnail_size is None:
        raise ThumbnailNotFound
    return Small(row.thumbnail_key, row.thumbnail_size)


def delete(file_id: str, *, editor_id: str | None) -> None:
    """Put a file into the bin, from where it is purged after some days."""
    row = _lock(file_id, editor_id, State.PENDING, State.READY)
    change(_UPDATE, file_id=file_id, state=State.DELETED, deleted_at=now())
    _note("file.delete", file_id, row)


def restore(file_id: str, *, editor_id: str | None) -> FileRow:
    """Take a file out of the bin, if it was there for less than its days and there is room for it."""
    row = _lock(file_id, editor_id, State.DELETED)
    if row.confirmed_at is None:
        raise FileNotFound
    check_quota(row.owner_id, row.size, is_kept=True)
    change(_UPDATE, file_id=file_id, state=State.READY, deleted_at=None)
    _note("file.restore", file_id, row)
    return get(file_id, viewer_id=editor_id)


def announced_since() -> datetime:
    """Return since when a file that is still pending counts; what is older is about to be swept."""
    return now() - timedelta(hours=current_settings().file_pending_hours)


def _lock(file_id: str, editor_id: str | None, *states: State) -> sa.Row[*tuple[Any, ...]]:
    row = execute(_LOCK, file_id=file_id).one_or_none()
    if row is None or row.state not in states or editor_id not in (None, row.owner_id):
        raise FileNotFound
    return row


def _note(action: str, file_id: str, row: sa.Row[*tuple[Any, ...]]) -> None:
    """Write down what is done to a file of somebody else; what one does to one's own is nobody's business."""
    if row.owner_id != current_actor().user_id:
        audit.record(action, file_id, row.name)


def _row(row: sa.Row[*tuple[Any, ...]]) -> FileRow:
    file_id, owner_id, name, media_type, size, sha256, state, small_key, created_at, confirmed_at, deleted_at = row
    return FileRow(
        file_id,
        owner_id,
        name,
        media_type,
        size,
        sha256,
        state,
        small_key is not None,
        created_at,
        confirmed_at,
        deleted_at,
    )
