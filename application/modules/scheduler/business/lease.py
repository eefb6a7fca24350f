"""Elect who fires: one row, taken by compare-and-swap; every change of the leader is fenced by its token."""

from datetime import datetime

import sqlalchemy as sa

from application.database import change, execute
from application.libs.error import Conflict
from application.libs.record import Record
from application.modules.scheduler.business import event
from application.modules.scheduler.models import LEASE, Lease


class LeaseExists(Exception):
    """Another process has just made the lease."""


class LeaseLost(Exception):
    """Another process leads now; nothing that this one wanted to write is kept."""


class Holder(Record):
    """Say who wants to lead: a name that no other process has, and where it is."""

    name: str
    host: str
    process: int


class LeaseRow(Record):
    """Hold the lease as it was read; `holder` None is free."""

    holder: str | None
    token: int
    beat: int


class Pause(Record):
    """Hold whether the schedule is paused for all processes, and who paused it last, from when to when."""

    paused: bool
    last_by: str | None = None
    last_from: datetime | None = None
    last_until: datetime | None = None


_READ = sa.select(Lease.holder, Lease.token, Lease.beat).where(Lease.name == LEASE)
_LOCK = sa.select(Lease.token).where(Lease.name == LEASE).with_for_update()
_INSERT = sa.insert(Lease)
_TAKE = sa.update(Lease).where(
    Lease.name == LEASE, Lease.token == sa.bindparam("seen_token"), Lease.beat == sa.bindparam("seen_beat")
)
_BEAT = (
    sa.update(Lease)
    .where(Lease.name == LEASE, Lease.token == sa.bindparam("mine"))
    .values(beat=Lease.beat + 1, beat_at=sa.bindparam("moment"))
)
_RELEASE = sa.update(Lease).where(Lease.name == LEASE, Lease.token == sa.bindparam("mine")).values(holder=None)
_PAUSE = sa.select(Lease.paused, Lease.last_paused_by, Lease.last_paused_at, Lease.last_resumed_at).where(
    Lease.name == LEASE
)


def read() -> LeaseRow | None:
    """Return the lease, or None in a fresh database."""
    row = execute(_READ).one_or_none()
    return None if row is None else LeaseRow(*row)


def create() -> LeaseRow:
    """Make the lease, which nobody holds; raise `LeaseExists` when another process was faster."""
    try:
        change(_INSERT, conflict=Conflict, name=LEASE, holder=None, token=0, beat=0, paused=False)
    except Conflict:
        raise LeaseExists from None
    return LeaseRow(None, 0, 0)


def lock() -> None:
    """Let no other process take, beat or lock the lease until this unit of work ends."""
    execute(_LOCK)


def take(seen: LeaseRow, holder: Holder, moment: datetime) -> int:
    """Take the lease if it is still as it was seen; return the new token, or 0 if another process was faster."""
    token = seen.token + 1
    taken = change(
        _TAKE,
        seen_token=seen.token,
        seen_beat=seen.beat,
        holder=holder.name,
        host=holder.host,
        process=holder.process,
        token=token,
        beat=0,
        beat_at=moment,
    )
    if not taken:
        return 0
    event.note("leader", host=holder.host, process=holder.process)
    return token


def beat(token: int, moment: datetime) -> None:
    """Fence this unit of work, and show that the leader lives; raise `LeaseLost` when it leads no more."""
    if change(_BEAT, mine=token, moment=moment) == 0:
        raise LeaseLost


def pause() -> Pause:
    """Tell whether the schedule is paused for all processes, and when it last was."""
    return Pause(*execute(_PAUSE).one())


def release(token: int) -> None:
    """Let another process lead at once."""
    if change(_RELEASE, mine=token):
        event.note("leader", reason="it was given back")
