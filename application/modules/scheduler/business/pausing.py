"""Remember since when a job is paused, and write down what its pause has left out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from application.database import change, execute
from application.libs import trigger
from application.libs.ident import new_id
from application.libs.trigger import MOST_FIRES, from_micros, to_micros
from application.modules.scheduler.business import event
from application.modules.scheduler.business.definition import Definition, Unreadable, build_trigger, decode
from application.modules.scheduler.models import Run

OVER: dict[str, Any] = {"paused_at": None, "left_out_from": None}
"""What the row of a job says of its pause when there is none."""

_TAKEN = sa.select(Run.job_id).where(sa.tuple_(Run.job_id, Run.scheduled_at).in_(sa.bindparam("fires", expanding=True)))
_INSERT = sa.insert(Run)


def begun(row: Any, moment: datetime) -> dict[str, Any]:
    """Return what the row of a job that is paused now says of it."""
    return {"paused_at": moment, "left_out_from": row.next_run_time}


def changed(row: Any, definition: Definition, first: datetime | None, moment: datetime) -> dict[str, Any]:
    """Return what the row of a job, None for a new one, says of its pause when it becomes this and is due `first`.

    What its trigger so far would have fired is written down where that ends, or the trigger becomes another.
    """
    paused = row is not None and row.next_run_time is None
    if first is None and row is not None and _triggers_alike(row, definition):
        return {} if paused else begun(row, moment)
    if paused:
        note([row], moment)
    if first is not None:
        return OVER
    due = trigger.next_fire(build_trigger(definition), None, moment)
    left_out_from = None if due is None else to_micros(due)
    return {"paused_at": (row.paused_at if paused else None) or moment, "left_out_from": left_out_from}


def note(rows: Iterable[Any], moment: datetime) -> None:
    """Write one row for all fires that the pause of each job has left out before a moment, if there are any."""
    paused = [row for row in rows if row.left_out_from is not None]
    if not paused:
        return
    taken = set(execute(_TAKEN, fires=[(row.id, row.left_out_from) for row in paused]).scalars())
    left_out = []
    for row in paused:
        first = _following(row, moment) if row.id in taken else row.left_out_from  # what is taken is accounted for
        if first is not None and first < to_micros(moment):
            left_out.append(_left_out(row, first, moment))
    if left_out:
        change(_INSERT, left_out)
    for run in left_out:
        event.note_run(run["job_id"], run["id"], "skipped", reason=run["reason"])


def _left_out(row: Any, first: int, moment: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "job_id": row.id,
        "scheduled_at": first,
        "status": "skipped",
        "cause": "schedule",
        "reason": reason_of(row.paused_by, row.paused_at, moment),
        "fires": _count(row, first, moment),
        "attempts": 0,
        "definition": row.definition,
        "finished_at": moment,
    }


def reason_of(paused_by: str | None, since: datetime, until: datetime) -> str:
    """Say who paused, from when to when; nobody did where the code declared a job no more."""
    who = "as the code declared it no more" if paused_by is None else f"by {paused_by}"
    return f"paused {who}, from {since.isoformat()} to {until.isoformat()}"


def _following(row: Any, moment: datetime) -> int | None:
    try:
        after = trigger.next_fire(build_trigger(decode(row.definition)), from_micros(row.left_out_from), moment)
    except (Unreadable, ValueError, ArithmeticError):
        return None
    return None if after is None else to_micros(after)


def _count(row: Any, first: int, moment: datetime) -> int:
    try:
        fires = build_trigger(decode(row.definition))
        return max(1, fires.count(from_micros(first), moment, MOST_FIRES))
    except (Unreadable, ValueError, ArithmeticError):
        return 1


def _triggers_alike(row: Any, definition: Definition) -> bool:
    try:
        return decode(row.definition).trigger == definition.trigger
    except Unreadable:
        return False
