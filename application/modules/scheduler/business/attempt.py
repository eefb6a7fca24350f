"""Attempts: each time the function of a run is begun, who keeps it alive, and how it ended.

Whoever leads claims and gives up attempts in the unit of work that its lease fences; the process that runs one raises
its beat and marks its end, which is refused once the attempt has been given up.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from application.database import UtcDateTime, after_commit, change, execute
from application.extensions import scheduler
from application.libs.ident import new_id
from application.libs.outcome_text import MESSAGE_LENGTH
from application.libs.record import Record
from application.libs.trigger import from_micros, to_micros
from application.libs.watch import Watch
from application.modules.scheduler.business import alert, cancelling, event, handing, outcome
from application.modules.scheduler.business.definition import Unreadable, decode
from application.modules.scheduler.business.lease import Holder
from application.modules.scheduler.business.room import Occupant, Room
from application.modules.scheduler.models import Attempt, Run

MOST_LOST = 3
"""After so many lost attempts a run is given up: it may be what kills its process."""

_MOST_QUEUED = 500
_MOST_BEATS = 500  # ids in one statement

_RUNNING = (
    sa.select(
        Attempt.id,
        Attempt.beat,
        Attempt.run_id,
        Attempt.number,
        Run.job_id,
        Run.definition,
        Run.failures,
        sa.func.coalesce(Run.started_at, Attempt.claimed_at),
        Attempt.task_id,
    )
    .join(Run, Run.id == Attempt.run_id)
    .where(Attempt.status == "running")
)
_QUEUED = (
    sa.select(Run.id, Run.job_id, Run.scheduled_at, Run.attempts, Run.cause, Run.definition, Run.failures, Run.reason)
    .where(
        Run.status == "queued",
        Run.due_at <= sa.bindparam("moment"),
        sa.or_(
            sa.and_(Run.cause == "manual", Run.attempts == 0, Run.reason.is_(None)),  # nobody has judged it yet
            Run.job_id.not_in(sa.bindparam("busy", expanding=True)),
        ),
    )
    .order_by(Run.due_at, Run.id)
    .limit(_MOST_QUEUED)
    .with_for_update(skip_locked=True)  # what somebody cancels in this moment
)
_WAITING = (
    sa.select(Run.job_id)
    .where(Run.status == "queued", Run.due_at <= sa.bindparam("moment"))
    .distinct()
    .limit(_MOST_QUEUED)
)
_INSERT = sa.insert(Attempt)
_BEGIN_RUN = (
    sa.update(Run)
    .where(Run.id == sa.bindparam("run_id"), Run.status == "queued")
    .values(status="running", due_at=None, host=sa.bindparam("on_host"), process=sa.bindparam("on_process"))
    .values(
        reason=None,
        attempts=sa.bindparam("number"),
        started_at=sa.func.coalesce(Run.started_at, sa.bindparam("moment", type_=UtcDateTime)),
    )
)
_BEAT = (
    sa.update(Attempt)
    .where(Attempt.id.in_(sa.bindparam("ids", expanding=True)), Attempt.status == "running")
    .values(beat=Attempt.beat + 1)
)
_STARTED = (
    sa.update(Attempt)
    .where(Attempt.id == sa.bindparam("attempt_id"), Attempt.started_at.is_(None))
    .values(started_at=sa.bindparam("moment"))
)
_END = sa.update(Attempt).where(Attempt.id == sa.bindparam("attempt_id"), Attempt.status == "running")
_GOES_ON = sa.select(Attempt.id).where(Attempt.id == sa.bindparam("attempt_id"), Attempt.status == "running")
_BEGUN_AT = sa.select(sa.func.coalesce(Attempt.started_at, Attempt.claimed_at)).where(
    Attempt.id == sa.bindparam("attempt_id")
)
_LOSE = _END.where(Attempt.beat == sa.bindparam("seen"))


class Launch(Record):
    """Hold an attempt that this process is to run."""

    attempt_id: str
    run_id: str
    job_id: str
    scheduled_at: int
    token: int
    number: int
    definition: str
    failures: int = 0
    """How many attempts before this one failed."""

    @property
    def losses(self) -> int:
        """Return how many attempts before this one were lost with their process."""
        return self.number - 1 - self.failures


class Running(Record):
    """Hold an attempt that goes on somewhere; `beat` moves as long as its process lives."""

    id: str
    beat: int
    run_id: str
    number: int
    job_id: str
    definition: str
    failures: int
    since: datetime
    """When the first attempt of its run began."""
    task_id: str | None = None
    """What says whether it goes on, where it was handed over to a worker."""
    silent_seconds: float = 0
    """For how long its beat has not moved, by the clock of who asks."""


def running() -> list[Running]:
    """Return every attempt that goes on, on any host."""
    return [Running(*row) for row in execute(_RUNNING)]


def silent(attempts: Sequence[Running], watch: Watch, *, ours: Collection[str]) -> list[Running]:
    """Return the attempts whose process has stopped answering; what is in hand here, or was handed over, never does."""
    silences = watch.silent({one.id: one.beat for one in attempts if one.task_id is None}, ours=ours)
    return [replace(one, silent_seconds=silences[one.id]) for one in attempts if one.id in silences]


def goes_on(attempt_id: str) -> bool:
    """Tell whether an attempt has not ended."""
    return execute(_GOES_ON, attempt_id=attempt_id).first() is not None


def lose(attempt: Running, moment: datetime, reason: str | None = None) -> None:
    """Give up an attempt whose beat stands still; its run is queued again unless its job or its history says no."""
    if reason is None:
        reason = f"its process stopped answering: attempt {attempt.number}, no beat for {attempt.silent_seconds:.1f} s"
    given_up = change(_LOSE, attempt_id=attempt.id, seen=attempt.beat, status="lost", finished_at=moment, reason=reason)
    if given_up:
        _after_loss(attempt, "lost", moment, reason)


def begin_queued(token: int, holder: Holder, room: Room, moment: datetime) -> list[Launch]:
    """Begin what waits and is due: manual runs, later fires of one job, and runs whose attempt was lost.

    What was asked for by hand while its job is full becomes what the job says; whatever waits already goes on waiting.
    """
    launches: list[Launch] = []
    unjudged: list[Launch] = []
    for row in execute(_QUEUED, moment=to_micros(moment), busy=list(room.full)).all():
        launch = Launch(
            new_id(), row.id, row.job_id, row.scheduled_at, token, row.attempts + 1, row.definition, row.failures
        )
        if row.job_id not in room.full:
            launches.append(launch)
            room.take(Occupant(row.job_id, row.definition, row.id, moment))
        elif row.cause == "manual" and row.attempts == 0 and row.reason is None:
            unjudged.append(launch)
    ours = _begin(launches, holder, moment)
    for waits in unjudged:  # once what begins has begun: it may be what is replaced
        outcome.become(waits, room.judge(waits.job_id, waits.definition, moment))
    return ours


def _begin(launches: Sequence[Launch], holder: Holder, moment: datetime) -> list[Launch]:
    """Begin runs that were queued; return those that this process is to run."""
    if launches:
        where = {"on_host": holder.host, "on_process": holder.process, "moment": moment}
        change(_BEGIN_RUN, [{"run_id": launch.run_id, "number": launch.number, **where} for launch in launches])
    for launch in launches:
        event.note_run(launch.job_id, launch.run_id, "running", attempt=launch.number)
    return insert(launches, holder, moment)


def waiting(room: Room, moment: datetime) -> frozenset[str]:
    """Return the jobs that have a run in the queue which is due, and no room for it."""
    if not room.full:
        return frozenset()
    return frozenset(execute(_WAITING, moment=to_micros(moment)).scalars()) & room.full


def insert(launches: Sequence[Launch], holder: Holder, moment: datetime) -> list[Launch]:
    """Write attempts down, and hand over those for a worker; return those that this process is to run."""
    if not launches:
        return []
    where = {"status": "running", "beat": 0, "host": holder.host, "process": holder.process, "claimed_at": moment}
    rows = [
        {
            "id": one.attempt_id,
            "run_id": one.run_id,
            "number": one.number,
            "token": one.token,
            "task_id": handing.hand_over(one.attempt_id, one.run_id, one.number, one.definition, losses=one.losses),
            **where,
        }
        for one in launches
    ]
    change(_INSERT, rows)
    for one, row in zip(launches, rows, strict=True):
        if row["task_id"] is not None:
            after_commit(partial(scheduler.tell_handed_over, one.job_id, from_micros(one.scheduled_at)))
    return [one for one, row in zip(launches, rows, strict=True) if row["task_id"] is None]


def beat(attempt_ids: Collection[str]) -> None:
    """Show that the attempts go on."""
    ids = sorted(attempt_ids)
    for first in range(0, len(ids), _MOST_BEATS):
        change(_BEAT, ids=ids[first : first + _MOST_BEATS])


def note_started(started: Iterable[tuple[str, datetime]]) -> None:
    """Note since when threads work on attempts."""
    rows = [{"attempt_id": attempt_id, "moment": moment} for attempt_id, moment in started]
    if rows:
        change(_STARTED, rows)


def refuse(launch: Launch, reason: str, moment: datetime) -> None:
    """Mark an attempt that cannot be begun as failed, and say why."""
    how: dict[str, Any] = {"status": "failed", "finished_at": moment, "reason": reason[:MESSAGE_LENGTH]}
    ended = change(_END, attempt_id=launch.attempt_id, **how)
    if ended and outcome.become(launch, {"started_at": None, **how}, attempt=launch.number):
        alert.judge(alert.Verdict(launch.job_id, launch.run_id, "failed", launch.definition, message=reason))


def hand_back(launch: Launch, moment: datetime) -> None:
    """Leave to the next leader what no thread has begun."""
    reason = "its process was stopped before it began"
    if change(_END, attempt_id=launch.attempt_id, status="interrupted", finished_at=moment, reason=reason):
        values = {"status": "queued", "due_at": to_micros(moment), "started_at": None}
        outcome.become(launch, values, reason=reason)
        cancelling.heed(launch, moment)


def interrupt(launch: Launch, moment: datetime) -> None:
    """Give up an attempt that did not end before its process had to; its run is queued again unless its job says no."""
    begun_at = execute(_BEGUN_AT, attempt_id=launch.attempt_id).scalar_one()
    seconds = max(0.0, (moment - begun_at).total_seconds())
    reason = f"its process was stopped: attempt {launch.number}, {seconds:.1f} s after it began"
    if change(_END, attempt_id=launch.attempt_id, status="interrupted", finished_at=moment, reason=reason):
        _after_loss(launch, "interrupted", moment, reason)


def _after_loss(attempt: Running | Launch, status: str, moment: datetime, reason: str) -> None:
    """Queue the run again unless its job or its history says no; attempts that failed are no part of that history."""
    values: dict[str, Any] = {"status": status, "finished_at": moment, "reason": reason}
    losses = attempt.number - attempt.failures
    if losses >= MOST_LOST:
        values["reason"] = f"{reason}; {losses} were lost, and no other follows"
    elif _is_rerun(attempt.definition):
        values = {"status": "queued", "due_at": to_micros(moment)}
    told = values.get("reason", reason)
    if outcome.become(attempt, values, attempt=attempt.number, reason=told):
        alert.judge(alert.Verdict(attempt.job_id, attempt.run_id, values["status"], attempt.definition, message=told))
    cancelling.heed(attempt, moment)


def _is_rerun(definition: str) -> bool:
    try:
        return decode(definition).on_lost == "rerun"
    except Unreadable:
        return False
