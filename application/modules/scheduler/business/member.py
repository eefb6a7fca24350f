"""Members: which processes compete for the lease, as each shows itself every few seconds."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from application.database import change, execute
from application.libs.clock import now
from application.libs.record import Record
from application.modules.scheduler.business.lease import Holder
from application.modules.scheduler.models import LEASE, Lease, Member

SHOWN_SECONDS = 5
"""How often a process shows itself."""

STALE_SECONDS = 3 * SHOWN_SECONDS
"""After how long people are told that one is probably gone; elections do not ask this."""

_FORGOTTEN_AFTER = timedelta(days=1)
_MOST = 200


class MemberRow(Record):
    """Hold a process that competes; `seen_at` is by its own clock."""

    host: str
    process: int
    since: datetime
    seen_at: datetime
    leads: bool
    is_stale: bool


_SEEN = sa.update(Member).where(Member.name == sa.bindparam("member"))
_INSERT = sa.insert(Member)
_LEAVE = sa.delete(Member).where(Member.name == sa.bindparam("member"))
_FORGET = sa.delete(Member).where(Member.seen_at < sa.bindparam("moment"))
_MEMBERS = (
    sa.select(Member.host, Member.process, Member.since, Member.seen_at, Lease.name.is_not(None))
    .join(Lease, sa.and_(Lease.name == LEASE, Lease.holder == Member.name), isouter=True)
    .order_by(Member.since, Member.name)
    .limit(_MOST)
)


def show(holder: Holder, moment: datetime) -> None:
    """Say that a process competes, and goes on to; forget those that nobody has seen for a day."""
    if change(_SEEN, member=holder.name, seen_at=moment):
        return
    change(_FORGET, moment=moment - _FORGOTTEN_AFTER)
    change(_INSERT, name=holder.name, host=holder.host, process=holder.process, since=moment, seen_at=moment)


def leave(holder: Holder) -> None:
    """Say that a process competes no more."""
    change(_LEAVE, member=holder.name)


def search() -> Sequence[MemberRow]:
    """List who competes, the longest first; who has not been seen lately is marked."""
    oldest = now() - timedelta(seconds=STALE_SECONDS)
    return [MemberRow(*row, is_stale=row.seen_at < oldest) for row in execute(_MEMBERS)]
