"""Hold every user to the room they have, also while they send many files at once."""

from collections.abc import Sequence

import sqlalchemy as sa

from application.config.current import current_settings
from application.database import execute
from application.libs.error import Conflict
from application.libs.record import Record
from application.modules.file.models import PURGING, File, State
from application.modules.user.models import User

BIN = 2
"""How many times the quota a user's files may take together with what is in the bin."""


class QuotaUsedUp(Conflict):
    """There is no room left for this file."""


class Usage(Record):
    """Hold how much room a user takes, and has; sizes are in bytes."""

    used_bytes: int
    used_count: int
    quota_bytes: int
    quota_count: int
    max_bytes: int
    media_types: Sequence[str]


_LOCK_OWNER = sa.select(User.id).where(User.id == sa.bindparam("owner_id")).with_for_update(key_share=True)
_USED = (
    sa.select(File.state, sa.func.count(), sa.func.coalesce(sa.func.sum(File.size), 0))
    .where(File.owner_id == sa.bindparam("owner_id"), File.state != PURGING)
    .group_by(File.state)
)


def usage(owner_id: str) -> Usage:
    """Return how much room a user takes; what is in the bin takes none."""
    settings = current_settings()
    count, size, _all_count, _all_size = _used(owner_id)
    return Usage(
        size,
        count,
        settings.file_quota_bytes,
        settings.file_quota_count,
        settings.file_max_bytes,
        sorted(settings.file_types),
    )


def check_quota(owner_id: str, size: int, *, is_kept: bool = False) -> None:
    """Refuse a file for which there is no room; until the end of the unit the user gets no other one.

    What `is_kept` already, in the bin, takes no room there any more.
    """
    settings = current_settings()
    execute(_LOCK_OWNER, owner_id=owner_id).one()
    count, used, all_count, all_used = _used(owner_id)
    more = (0, 0) if is_kept else (1, size)
    if count + 1 > settings.file_quota_count or all_count + more[0] > BIN * settings.file_quota_count:
        raise QuotaUsedUp(f"You may keep {settings.file_quota_count} files")
    if used + size > settings.file_quota_bytes or all_used + more[1] > BIN * settings.file_quota_bytes:
        raise QuotaUsedUp(f"You may keep {settings.file_quota_bytes} bytes, and {used} are taken")


def _used(owner_id: str) -> tuple[int, int, int, int]:
    """Return the count and the bytes of what is not deleted, and of everything."""
    by_state = {state: (count, int(size)) for state, count, size in execute(_USED, owner_id=owner_id)}
    living = [used for state, used in by_state.items() if state != State.DELETED]
    counts = (sum(used[0] for used in living), sum(used[1] for used in living))
    return (*counts, sum(used[0] for used in by_state.values()), sum(used[1] for used in by_state.values()))
