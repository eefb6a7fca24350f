"""Rules about all processes together: which one leads, and whether the schedule is paused for all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from application.database import UtcDateTime, after_commit, change, execute
from application.extensions import scheduler
from application.libs.clock import now
from application.libs.error import BadRequest, Conflict
from application.libs.record import Record
from application.modules.audit import business as audit
from application.modules.scheduler.business import event, lease, member
from application.modules.scheduler.business.member import MemberRow
from application.modules.scheduler.models import LEASE, Lease
from application.modules.scheduler.store import Stores

ALIVE_SECONDS = 5
"""How old a leader's last beat may be before people are told that nobody fires; elections do not ask this."""


class NotRunning(BadRequest):
    """The scheduler is not running."""


class AlreadyRunning(BadRequest):
    """The scheduler is running already."""


class NoRunner(Conflict):
    """No runner process is alive."""


class HostNotAllowed(Conflict):
    """No job may fire on this host; name it in SCHEDULER_ALLOWED_HOSTS."""


class NotOffered(Conflict):
    """This is not offered to a cluster."""


class LeaderRow(Record):
    """Hold which process fires: `token` counts the leaders there were, `beat_at` is when it last showed itself."""

    host: str
    process: int
    token: int
    beat_at: datetime


class StatusRow(Record):
    """Hold who leads, if anybody does, and whether and by whom the schedule is paused for all.

    `mode` is `cluster`, or `process` where the jobs are in the memory of this one, whose own state `running` is then.
    """

    mode: str
    running: bool
    leader: LeaderRow | None
    paused: bool
    paused_by: str | None
    paused_at: datetime | None


class ClusterRow(StatusRow):
    """Hold who leads, and which processes compete."""

    members: Sequence[MemberRow]


_LEASE = sa.select(
    Lease.holder,
    Lease.host,
    Lease.process,
    Lease.token,
    Lease.beat_at,
    Lease.paused,
    Lease.paused_by,
    Lease.paused_at,
).where(Lease.name == LEASE)
_PAUSE = sa.update(Lease).where(Lease.name == LEASE, Lease.paused.is_(False))
_RESUME = (
    sa.update(Lease)
    .where(Lease.name == LEASE, Lease.paused.is_(True))
    .ordered_values(  # MariaDB assigns one after the other
        (Lease.last_paused_by, Lease.paused_by),
        (Lease.last_paused_at, Lease.paused_at),
        (Lease.last_resumed_at, sa.bindparam("moment", type_=UtcDateTime)),
        (Lease.paused, False),
        (Lease.paused_by, None),
        (Lease.paused_at, None),
    )
)


def status() -> StatusRow:
    """Say who fires."""
    row = execute(_LEASE).one_or_none()
    is_alone = _is_alone()
    mode = "process" if is_alone else "cluster"
    if row is None:
        return StatusRow(mode, scheduler.running and is_alone, None, paused=False, paused_by=None, paused_at=None)
    fresh = row.beat_at is not None and now() - row.beat_at < timedelta(seconds=ALIVE_SECONDS)
    alive = row.holder is not None and fresh
    leader = LeaderRow(row.host, row.process, row.token, row.beat_at) if alive else None
    running = scheduler.running if is_alone else leader is not None
    return StatusRow(mode, running, leader, paused=row.paused, paused_by=row.paused_by, paused_at=row.paused_at)


def get() -> ClusterRow:
    """Say who fires, and who would take over."""
    found = status()
    fields = {name: getattr(found, name) for name in StatusRow.__struct_fields__}
    return ClusterRow(**fields, members=member.search())


def pause(*, by: str) -> None:
    """Pause the schedule for all processes until it is resumed; what is asked for by hand still runs."""
    _check_running()
    if change(_PAUSE, paused=True, paused_by=by, paused_at=now()):
        event.note("paused", by=by)
        audit.record("scheduler.pause")


def resume() -> None:
    """Let the schedule go on for all processes; what was due meanwhile is late, and judged by each job's grace."""
    _check_running()
    if change(_RESUME, moment=now()):
        event.note("resumed")
        audit.record("scheduler.resume")
        after_commit(scheduler.wakeup)


def start() -> None:
    """Start this process where its memory keeps the jobs; those of a cluster start by themselves, which is refused."""
    if status().running:
        raise AlreadyRunning("Scheduler is already running")
    if not _is_alone():
        raise NoRunner("No runner process is alive; start one")
    if not scheduler.is_allowed:
        raise HostNotAllowed(f"{scheduler.host_name} is not among SCHEDULER_ALLOWED_HOSTS")
    if lease.read() is None:
        lease.create()  # so that it can be paused before it has ticked
    after_commit(scheduler.start)
    audit.record("scheduler.start")


def shutdown(*, wait: bool) -> None:
    """Stop this process where its memory keeps the jobs, with `wait` once those that run have ended; refuse else."""
    if not _is_alone():
        raise NotOffered("Not offered to a cluster; use pause or stop the runner process")
    _check_running()
    after_commit(partial(scheduler.shutdown, wait=wait))
    audit.record("scheduler.shutdown")


def _is_alone() -> bool:
    stores: Stores = scheduler.setup.stores
    return stores.are_local


def _check_running() -> None:
    if not status().running:
        raise NotRunning("Scheduler is not running")
