"""Remove what nobody needs: announcements without a file, what lay in the bin for its days, objects without a row.

A file is claimed first, so that nobody restores what is being removed; its objects go next, and its row last. Whoever
is killed in between leaves a row that the next sweep finds again.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import islice

import sqlalchemy as sa

from application.config.current import current_settings
from application.database import change, execute, transaction
from application.extensions import storage
from application.libs.clock import now
from application.libs.record import Record
from application.modules.file.business.record import announced_since
from application.modules.file.models import PURGING, File, State

_MOST = 200
"""How many files one unit of work claims."""

_REST = timedelta(days=1)
"""How much older than any announcement an object is that no row names; a confirmed one may just be on its way."""


class Swept(Record):
    """Hold how many rows and objects were removed."""

    files: int
    objects: int


_OVERDUE = (
    sa.select(File.id)
    .where(
        sa.or_(
            sa.and_(File.state == State.PENDING, File.created_at <= sa.bindparam("announced")),
            sa.and_(File.state == State.DELETED, File.deleted_at <= sa.bindparam("deleted")),
        )
    )
    .limit(_MOST)
    .with_for_update(skip_locked=True)
)
_CLAIM = sa.update(File).where(File.id.in_(sa.bindparam("ids", expanding=True)))
_CLAIMED = sa.select(File.id, File.key, File.thumbnail_key).where(File.state == PURGING).limit(_MOST)
_DELETE = sa.delete(File).where(File.id == sa.bindparam("file_id"), File.state == PURGING)
_NAMED: sa.CompoundSelect[str | None] = sa.union_all(
    sa.select(File.key).where(File.key.in_(sa.bindparam("keys", expanding=True))),
    sa.select(File.thumbnail_key).where(File.thumbnail_key.in_(sa.bindparam("keys", expanding=True))),
)


def sweep() -> Swept:
    """Remove what is overdue, then what no row names; return how much."""
    files = 0
    while claimed := _claimed():
        for file_id, *keys in claimed:
            _remove([key for key in keys if key is not None])
            with transaction():
                files += change(_DELETE, file_id=file_id)
    return Swept(files, _sweep_objects())


def _claimed() -> Sequence[sa.Row[str, str, str | None]]:
    """Claim some files that are overdue; return what is claimed by now, by whomever."""
    settings = current_settings()
    with transaction():
        bin_ends = now() - timedelta(days=settings.file_deleted_keep_days)
        ids = execute(_OVERDUE, announced=announced_since(), deleted=bin_ends).scalars().all()
        if ids:
            change(_CLAIM, ids=ids, state=PURGING)
        return execute(_CLAIMED).all()


def _sweep_objects() -> int:
    older_than = announced_since() - _REST
    keys, removed = iter(storage.current.keys(older_than=older_than)), 0
    while some := list(islice(keys, _MOST)):
        with transaction(write=False):
            named = set(execute(_NAMED, keys=some).scalars())
        unnamed = [key for key in some if key not in named]
        _remove(unnamed)
        removed += len(unnamed)
    return removed


def _remove(keys: Iterable[str]) -> None:
    for key in keys:
        storage.current.delete(key)
