"""Write the ledger of runs: what is due is claimed once, and what did not run says why.

The leader calls this in the unit of work that its lease fences.
"""

import logging
from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from application.database import after_commit, change, execute
from application.extensions import scheduler
from application.libs.ident import new_id
from application.libs.outcome_text import message_of
from application.libs.record import Record
from application.libs.trigger import MOST_CAUGHT_UP, from_micros, plan, to_micros
from application.modules.scheduler.business import alert, attempt, event, held, pausing
from application.modules.scheduler.business.attempt import Launch
from application.modules.scheduler.business.definition import Definition, Unreadable, build_trigger, decode
from application.modules.scheduler.business.lease import Holder, Pause
from application.modules.scheduler.business.room import Occupant, Room
from application.modules.scheduler.models import Run
from application.modules.scheduler.store import DueJob, JobStore

_LOG = logging.getLogger(__name__)

MOST_JOBS = 200
"""How many due jobs one unit of work claims; the rest follows at once."""

_MERGED = "merged into the run of "

_TAKEN = sa.select(Run.job_id, Run.scheduled_at, Run.id, Run.status, Run.reason).where(
    Run.job_id.in_(sa.bindparam("job_ids", expanding=True)),
    Run.scheduled_at.between(sa.bindparam("first"), sa.bindparam("last")),
)
_NEXT_ATTEMPT = sa.select(Run.due_at).where(Run.due_at > sa.bindparam("moment")).order_by(Run.due_at).limit(1)
_INSERT = sa.insert(Run)


class Claim(Record):
    """Hold who claims, and when: the leader's token and name, the room there is, the functions it knows, the pause."""

    token: int
    holder: Holder
    room: Room
    known: Container[str]
    moment: datetime
    pause: Pause


def claim_due(store: JobStore, rows: Sequence[DueJob], claim: Claim) -> tuple[list[Launch], bool]:
    """Write down each fire of what is due in a store; return what is to start, and whether more waits.

    Of several fires of one job the later ones wait in the queue as long as it has no room. A job that cannot be
    restored, or whose function is not among the known ones, is put aside and stops nobody.
    """
    moment, room = claim.moment, claim.room
    fires: list[dict[str, Any]] = []
    advanced: list[tuple[DueJob, int]] = []
    for row in rows:
        try:
            after, of_job = fires_of(row, claim.known, moment, claim.pause)
        except (Unreadable, ValueError, ArithmeticError) as error:
            _LOG.error("Job %s is quarantined: %s", row.id, error)
            store.quarantine(row, message_of(error), moment)
            event.note("changed", job_id=row.id, status="quarantined")
            continue
        fires += of_job
        if after is None:
            store.end(row)
            event.note("removed", job_id=row.id, reason="its trigger has ended")
        else:
            advanced.append((row, to_micros(after)))
    store.advance(advanced)
    fresh = _fresh(fires)
    launches = _admit(fresh, claim.token, room, moment)
    _tell(fire for fire in fresh if fire["status"] == "missed")
    if fresh:
        change(_INSERT, [_completed(fire, claim.holder, moment) for fire in fresh])
        _show(fresh)
        _judge(fresh)
    return attempt.insert(launches, claim.holder, moment), len(rows) == MOST_JOBS


def _show(fires: Sequence[dict[str, Any]]) -> None:
    """Tell the viewers what has become of each fire."""
    for fire in fires:
        event.note_run(fire["job_id"], fire["id"], fire["status"], reason=fire["reason"])


def _judge(fires: Sequence[dict[str, Any]]) -> None:
    """Raise the alerts to fires that were missed; what is merged into a run is run."""
    alert.judge_all(
        alert.Verdict(
            job_id=fire["job_id"],
            run_id=fire["id"],
            status="missed",
            definition=fire["definition"],
            message=fire["reason"],
            missed=fire["fires"],
        )
        for fire in fires
        if fire["status"] == "missed" and _MERGED not in fire["reason"]
    )


def due_in(store: JobStore, moment: datetime) -> Sequence[DueJob]:
    """Return what is due in a store, so many at once."""
    return store.due(to_micros(moment), MOST_JOBS)


def next_in(store: JobStore, after: datetime) -> datetime | None:
    """Return when a job of a store is due next, after an instant."""
    instant = store.next_time(to_micros(after))
    return None if instant is None else from_micros(instant)


def next_attempt(after: datetime) -> datetime | None:
    """Return when the next attempt of a run may begin, after an instant."""
    instant = execute(_NEXT_ATTEMPT, moment=to_micros(after)).scalar_one_or_none()
    return None if instant is None else from_micros(instant)


def _admit(fires: Sequence[dict[str, Any]], token: int, room: Room, moment: datetime) -> list[Launch]:
    """Begin the fires whose jobs have room; of a job that is full, let them become what it says.

    What is due at once with a fire that begins waits for it, and never overlaps: it was to run.
    """
    full, launches = frozenset(room.full), []
    for fire in fires:
        job_id, definition = fire["job_id"], fire["definition"]
        if fire["status"] != "queued":
            continue
        if job_id in room.full:
            fire |= room.judge(job_id, definition, moment, together=job_id not in full)
            _tell([fire] if fire["status"] == "skipped" else [])
        else:
            room.take(Occupant(job_id, definition, fire["id"], moment))
            fire |= {"status": "running", "attempts": 1}
            launches.append(Launch(new_id(), fire["id"], job_id, fire["scheduled_at"], token, 1, definition))
    return launches


def _tell(fires: Iterable[dict[str, Any]]) -> None:
    """Tell the listeners of this process what has not run."""
    for fire in fires:
        scheduled_at, missed = from_micros(fire["scheduled_at"]), fire["status"] == "missed"
        after_commit(partial(scheduler.tell_left_out, fire["job_id"], scheduled_at, missed=missed))


def _completed(fire: dict[str, Any], holder: Holder, moment: datetime) -> dict[str, Any]:
    """Return the row of a fire; what will never run has ended now."""
    here = fire["status"] == "running"
    return fire | {
        "host": holder.host if here else None,
        "process": holder.process if here else None,
        "started_at": moment if here else None,
        "finished_at": None if fire["status"] in {"running", "queued"} else moment,
    }


def fires_of(
    row: DueJob, known: Container[str], moment: datetime, pause: Pause
) -> tuple[datetime | None, list[dict[str, Any]]]:
    """Return when a job is due next, and the rows of what is due now."""
    definition = decode(row.definition)
    if definition.func not in known:
        raise Unreadable(f"no function is registered as {definition.func}")
    grace = None if definition.misfire_grace_time is None else timedelta(seconds=definition.misfire_grace_time)
    due = from_micros(row.next_run_time)
    planned = plan(
        build_trigger(definition), due, moment, grace=grace, coalesce=definition.coalesce, misfire=definition.misfire
    )
    oldest = due if grace is None else moment - grace
    rows = [_fire(row, fire, "queued", cause="schedule" if fire >= oldest else "catch-up") for fire in planned.runs]
    if planned.late:
        first = planned.late[0]
        reason = _reason_of_lateness(definition, first, moment, pause)
        rows.append(_fire(row, first, "missed", fires=planned.late_count, reason=reason))
    if planned.merged_into is not None:
        reason = f"{_MERGED}{planned.merged_into.isoformat()}"
        rows.append(_fire(row, planned.merged[0], "missed", fires=planned.merged_count, reason=reason))
    return planned.after, rows


def _reason_of_lateness(definition: Definition, first: datetime, moment: datetime, pause: Pause) -> str:
    reason = f"late by {(moment - first).total_seconds():.1f} s, grace {definition.misfire_grace_time} s"
    if definition.misfire == "all":
        reason = f"{reason}; {MOST_CAUGHT_UP} that were later are caught up with, and no more"
    if pause.last_from is not None and pause.last_until is not None and first < pause.last_until:
        reason = f"{pausing.reason_of(pause.last_by, pause.last_from, pause.last_until)}; {reason}"
    return reason


def _fire(
    row: DueJob, fire: datetime, status: str, *, cause: str = "schedule", fires: int = 1, reason: str | None = None
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "job_id": row.id,
        "scheduled_at": to_micros(fire),
        "status": status,
        "cause": cause,
        "reason": reason,
        "fires": fires,
        "attempts": 0,
        "due_at": None,
        "definition": row.definition,
    }


def _fresh(fires: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what has a row already; a fire that was held takes the place and the id of the row that says so.

    The lease lets nobody else insert meanwhile, the unique key proves it.
    """
    if not fires:
        return []
    instants = [fire["scheduled_at"] for fire in fires]
    job_ids = sorted({fire["job_id"] for fire in fires})
    rows = execute(_TAKEN, job_ids=job_ids, first=min(instants), last=max(instants))
    taken = {(row.job_id, row.scheduled_at): row for row in rows}
    fresh, judged = [], []
    for fire in fires:
        row = taken.get((fire["job_id"], fire["scheduled_at"]))
        if row is None:
            fresh.append(fire)
        elif row.status == "held":
            judged.append(row.id)
            reason = fire["reason"] and f"{row.reason}; {fire['reason']}"
            fresh.append(fire | {"id": row.id, "reason": reason})
    held.remove(judged)
    return fresh
