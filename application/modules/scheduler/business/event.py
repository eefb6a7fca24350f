"""Events: what happens to jobs and runs, written down by the unit of work that does it, and numbered by the leader.

A unit writes one row for all its events. The leader numbers rows in the unit that its lease fences: with one writer
there are no gaps, and who reads by number misses nothing. While nobody leads, events wait for their numbers.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from application.database import change, execute, gather, gathered
from application.libs.clock import now
from application.libs.record import Record
from application.modules.scheduler.business import totals
from application.modules.scheduler.business.totals import Totals
from application.modules.scheduler.models import FEED, EventBatch, Feed

_LOG = logging.getLogger(__name__)

KEPT = 10_000
"""How many events are kept for who comes back."""

KEPT_FOR = timedelta(days=1)

_MOST_ROWS = 200  # numbered in one tick, and read at once
_MOST_EVENTS = 1000
_MOST_PRUNED = 2000
_MOST_REASON = 200  # characters; the run has it whole

_KINDS = {"queued": "queued", "running": "started", "missed": "missed", "skipped": "skipped", "held": "queued"}
_ENDS = frozenset({"finished", "missed", "skipped"})


class Event(Record, omit_defaults=True):
    """Hold what happened; `number` is 0 until the leader has given it, and what is None is left out."""

    kind: str
    at: datetime
    number: int = 0
    job_id: str | None = None
    run_id: str | None = None
    status: str | None = None
    attempt: int | None = None
    reason: str | None = None
    by: str | None = None
    host: str | None = None
    process: int | None = None
    late_seconds: float | None = None
    duration_seconds: float | None = None


class Events(Record):
    """Hold events in order; `last` is what to ask for the next ones after.

    With `reset`, what followed the number asked for is kept no more: read the state anew, then go on from `last`.
    """

    events: Sequence[Event]
    last: int
    reset: bool


_INSERT = sa.insert(EventBatch)
_WAITING = (
    sa.select(EventBatch.id, EventBatch.size, EventBatch.content)
    .where(EventBatch.number.is_(None))
    .order_by(EventBatch.id)
    .limit(_MOST_ROWS)
)
_NUMBER = sa.update(EventBatch).where(EventBatch.id == sa.bindparam("row")).values(number=sa.bindparam("last"))
_FEED = sa.select(Feed.number, Feed.totals).where(Feed.name == FEED)
_LAST = sa.select(Feed.number).where(Feed.name == FEED)
_INSERT_FEED = sa.insert(Feed)
_UPDATE_FEED = sa.update(Feed).where(Feed.name == FEED)
_OLDEST = (
    sa.select(EventBatch.number, EventBatch.size)
    .where(EventBatch.number.is_not(None))
    .order_by(EventBatch.number)
    .limit(1)
)
_SINCE = (
    sa.select(EventBatch.number, EventBatch.size, EventBatch.content)
    .where(EventBatch.number > sa.bindparam("after"))
    .order_by(EventBatch.number)
    .limit(_MOST_ROWS)
)
_PRUNE = sa.delete(EventBatch).where(
    EventBatch.number < sa.bindparam("bound"),
    sa.or_(EventBatch.number <= sa.bindparam("least"), EventBatch.at < sa.bindparam("moment")),
)
_DECODER = msgspec.json.Decoder(list[Event])


def note(kind: str, **what: Any) -> None:
    """Say what the current unit of work does; whoever may see it is told once that is committed and numbered."""
    gather(_write, Event(kind=kind, at=now(), **what))


def note_run(job_id: str, run_id: str, status: str, **what: Any) -> None:
    """Say what has become of a run."""
    if what.get("reason") is not None:
        what["reason"] = what["reason"][:_MOST_REASON]
    note(_KINDS.get(status, "finished"), job_id=job_id, run_id=run_id, status=status, **what)


def number() -> None:
    """Give numbers to what waits and to what the current unit has noted; the lease must fence it."""
    waiting, ours = execute(_WAITING).all(), gathered(_write)
    if not waiting and not ours:
        return
    feed = execute(_FEED).one_or_none()
    last, counted = (0, Totals()) if feed is None else (feed.number, totals.decode(feed.totals))
    numbers = []
    for row in waiting:
        last += row.size
        numbers.append({"row": row.id, "last": last})
        _count(_read(row.content), counted)
    if numbers:
        change(_NUMBER, numbers)
    if ours:
        last += len(ours)
        _count(ours, counted)
        _write(ours, last)
    if feed is None:
        change(_INSERT_FEED, name=FEED, number=last, totals=counted.encode())
    else:
        change(_UPDATE_FEED, number=last, totals=counted.encode())


def prune(moment: datetime) -> None:
    """Delete some of the events that are older than a day, or that too many have followed."""
    last, oldest = execute(_LAST).scalar_one_or_none(), execute(_OLDEST).one_or_none()
    if last is not None and oldest is not None:
        change(_PRUNE, bound=oldest.number + _MOST_PRUNED, least=last - KEPT, moment=moment - KEPT_FOR)


def since(after: int | None) -> Events:
    """Return what followed an event, the first thousand; without a number only where the numbers stand now."""
    last = execute(_LAST).scalar_one_or_none() or 0
    if after is None or after >= last:
        return Events([], last, reset=after is not None and after > last)  # larger: of another database
    oldest, rows = execute(_OLDEST).one_or_none(), execute(_SINCE, after=after).all()
    if oldest is None or after < oldest.number - oldest.size or not rows:
        return Events([], last, reset=True)
    found = [event for row in rows for event in _numbered(row) if event.number > after][:_MOST_EVENTS]
    return Events(found, found[-1].number if found else rows[-1].number, reset=False)


def read_totals() -> tuple[int, Totals]:
    """Return how many events were numbered, and what they say of all runs."""
    feed = execute(_FEED).one_or_none()
    return (0, Totals()) if feed is None else (feed.number, totals.decode(feed.totals))


def _write(events: list[Event], number: int | None = None) -> None:
    content = msgspec.json.encode(events).decode()
    change(_INSERT, number=number, size=len(events), at=now(), content=content)


def _numbered(row: Any) -> list[Event]:
    first = row.number - row.size + 1
    return [replace(event, number=first + place) for place, event in enumerate(_read(row.content))]


def _read(content: str) -> list[Event]:
    try:
        return _DECODER.decode(content)
    except (msgspec.MsgspecError, ValueError) as error:
        _LOG.error("Events cannot be read and are passed over: %s", error)
        return []


def _count(events: Sequence[Event], counted: Totals) -> None:
    for event in events:
        if event.kind in _ENDS and event.status is not None:
            counted.count(counted.runs, event.status)
        elif event.kind == "alert" and event.status is not None:
            counted.count(counted.alerts, event.status)
        if event.duration_seconds is not None:
            counted.duration.add(event.duration_seconds)
        if event.late_seconds is not None:
            counted.lateness.add(event.late_seconds)
