"""Rules about scheduled jobs, for whoever looks at them or steers them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from application.database import after_commit
from application.extensions import scheduler
from application.libs import strict_json, trigger
from application.libs.clock import now
from application.libs.error import Conflict, NotFound, field_error
from application.libs.record import Record
from application.libs.trigger import from_micros, to_micros
from application.modules.audit import business as audit
from application.modules.scheduler.business import alert, history, pausing, steering
from application.modules.scheduler.business.definition import (
    OPTIONS,
    Alerts,
    Definition,
    Unreadable,
    build_trigger,
    decode,
    encode,
    shown_arguments,
)
from application.modules.scheduler.business.draft import Draft, InvalidJob, checked_id, restorable
from application.modules.scheduler.models import JOB_ID_LENGTH
from application.modules.scheduler.store import DEFAULT, JobChanged, StoredJob, Stores


class JobNotFound(NotFound):
    """There is no such job."""


class JobQuarantined(Conflict):
    """The job cannot be restored; mend its definition first."""


class JobExists(Conflict):
    """There is a job of this id."""


class JobRow(Record):
    """Hold one job; `trigger` has the fields that its type has, `state` is scheduled, paused, ended or quarantined."""

    id: str
    name: str
    func: str
    args: list[Any]
    kwargs: dict[str, Any]
    trigger: dict[str, Any]
    jobstore: str
    executor: str
    coalesce: bool
    max_instances: int
    overlap: str
    misfire: str
    misfire_grace_time: int | None
    on_lost: str
    timeout: float | None
    retries: int
    retry_delay: float
    retry_backoff: float
    retry_max_delay: float
    retry_jitter: float
    tags: tuple[str, ...]
    description: str | None
    owner: str | None
    alerts: Alerts | None
    next_run_time: datetime | None
    state: str
    source: str
    version: int
    paused_by: str | None
    paused_at: datetime | None
    reason: str | None
    definition: Definition | None
    """As it is stored; None where it cannot be read."""


def get(job_id: str) -> JobRow:
    """Return a job."""
    return row_of(_find(job_id))


def create(given: Mapping[str, Any], *, by: str) -> JobRow:
    """Add a job that is `given` by the names of Flask-APScheduler's JSON; without an id it gets one.

    With `replace_existing` it takes the place of a job of its id. Raises `InvalidJob` with every fault, `JobExists`.
    """
    moment = now()
    job_id = checked_id(uuid4().hex if given.get("id") is None else given["id"])
    draft = Draft(given, moment)
    definition = draft.definition(job_id)
    first = draft.next_run_time(definition)
    row = _stores().find(job_id, lock=True)
    before = None if row is None else row_of(row)
    if row is not None and not given.get("replace_existing"):
        raise JobExists(f"Job {job_id} already exists.")
    if row is not None and given.get("jobstore") not in (None, row.store):
        raise JobExists(f"Job {job_id} already exists in the job store {row.store}.")
    version = 1 if row is None else row.version + 1
    values = _written(row, definition, first, version, by, moment)
    if row is None:
        alert.forget([job_id])
        values |= {"source": "api", "declaration": None, "quarantined_at": None, "created_at": moment}
        alias = given.get("jobstore") or DEFAULT
        _stores()[alias].insert(StoredJob(id=job_id, store=alias, **values))
    else:
        _stores()[row.store].replace(row, values)
    history.note(job_id, version, "added" if row is None else "changed", by=by, definition=definition)
    after_commit(scheduler.wakeup)
    return _noted("job.create" if before is None else "job.update", before, get(job_id))


def update(job_id: str, given: Mapping[str, Any], *, by: str) -> JobRow:
    """Change what is given, all of it or nothing; a paused job stays paused unless it is given a next run."""
    row = _find(job_id, lock=True, alias=_chosen(given))
    if given.get("id") not in (None, job_id):
        message = "A job keeps its id; add another one"
        raise InvalidJob(message, errors=[field_error("body", "id", msg=message, type_="job_id")])
    try:
        before = decode(row.definition)
    except Unreadable as error:
        raise JobQuarantined(f"Job {job_id} cannot be restored: {error}") from None
    moment = now()
    draft = Draft(given, moment, before)
    definition = draft.definition(job_id)
    first = _next(row, draft, definition, before)
    if (
        row.quarantine is None
        and definition == before
        and first == (None if row.next_run_time is None else from_micros(row.next_run_time))
    ):
        return row_of(row)
    return _put(row, definition, first, "changed", by=by, moment=moment)


def revert(job_id: str, version: int, *, by: str) -> JobRow:
    """Make a job what it was in an earlier version; a paused one stays paused."""
    row = _find(job_id, lock=True)
    definition = history.definition_of(job_id, version)
    if not restorable(definition):
        raise JobQuarantined(f"Version {version} of job {job_id} cannot be restored: its function is not registered")
    moment = now()
    first = None if row.next_run_time is None else Draft({}, moment, definition).first_fire(definition)
    return _put(row, definition, first, "reverted", by=by, moment=moment)


def delete(job_id: str, *, by: str) -> None:
    """Delete a job; its runs and changes stay."""
    row = _find(job_id, lock=True)
    before = row_of(row)
    _check_done(job_id, steering.delete([row], by=by))
    audit.record("job.delete", job_id, before.name, before=_shown(before))


def _next(row: StoredJob, draft: Draft, definition: Definition, before: Definition) -> datetime | None:
    """Return when a changed job is due next: as given, else by its new trigger, else as it was."""
    if "next_run_time" in draft.given:
        return draft.next_run_time(definition)
    if row.next_run_time is None:
        return None
    return from_micros(row.next_run_time) if definition.trigger == before.trigger else draft.first_fire(definition)


def _put(
    row: StoredJob, definition: Definition, first: datetime | None, action: history.Action, *, by: str, moment: datetime
) -> JobRow:
    version = row.version + 1
    values = _written(row, definition, first, version, row.paused_by or by, moment)
    before = row_of(row)
    _stores()[row.store].replace(row, values)
    history.note(row.id, version, action, by=by, definition=definition)
    after_commit(scheduler.wakeup)
    return _noted("job.update" if action == "changed" else "job.revert", before, get(row.id))


def _written(
    row: StoredJob | None,
    definition: Definition,
    first: datetime | None,
    version: int,
    paused_by: str,
    moment: datetime,
) -> dict[str, Any]:
    return {
        "definition": encode(definition),
        "version": version,
        "next_run_time": None if first is None else to_micros(first),
        "paused_by": paused_by if first is None else None,
        **pausing.changed(row, definition, first, moment),
        "quarantine": None,
        "updated_at": moment,
    }


def pause(job_id: str, *, by: str) -> JobRow:
    """Take a job off the schedule until it is resumed; one that is paused stays whose pause it is."""
    row = _find(job_id, lock=True)
    if row.next_run_time is not None:
        _check_done(job_id, steering.pause([row], by=by))
        audit.record("job.pause", job_id, name_of(row))
    return get(job_id)


def resume(job_id: str, *, by: str) -> JobRow:
    """Put a paused job on the schedule again; one whose trigger has ended is deleted, and returned a last time."""
    row = _find(job_id, lock=True)
    if row.next_run_time is not None:
        return row_of(row)
    done = steering.resume([row], by=by)
    if job_id in done.faults:
        raise JobQuarantined(f"Job {job_id} cannot be restored: {done.faults[job_id]}")
    audit.record("job.resume", job_id, name_of(row))
    if job_id in done.ended:
        return row_of(row, state="ended")
    _check_done(job_id, done.changed)
    return get(job_id)


def request_run(job_id: str, *, by: str) -> tuple[JobRow, str]:
    """Ask the leader to run a job now, paused or not; return the job and the id of the run."""
    row = _find(job_id)
    run_id = steering.request_runs([row], by=by)[job_id]
    audit.record("job.run", job_id, name_of(row), after={"run_id": run_id})
    return row_of(row), run_id


def name_of(row: StoredJob) -> str:
    """Return what people call a job: its id where it has no name, or none that can be read."""
    try:
        return decode(row.definition).name or row.id
    except Unreadable:
        return row.id


def _noted(action: str, before: JobRow | None, after: JobRow) -> JobRow:
    """Return what a job has become, once it is written down."""
    was = None if before is None else _shown(before)
    audit.record(action, after.id, after.name, before=was, after=_shown(after))
    return after


def _shown(job: JobRow) -> dict[str, Any]:
    """Return what people see of a job; its definition says the same a second time."""
    return {name: getattr(job, name) for name in job.__struct_fields__ if name != "definition"}


def history_of(job_id: str) -> Sequence[history.ChangeRow]:
    """Return the changes of a job, newest first; they outlive it."""
    changes = history.of(job_id)
    if not changes:
        _find(job_id)
    return changes


def definition_of(job_id: str) -> Definition:
    """Return what a job is; raise `JobNotFound` or `JobQuarantined`."""
    try:
        definition = decode(_find(job_id).definition)
        build_trigger(definition)
    except Unreadable as error:
        raise JobQuarantined(f"Job {job_id} cannot be restored: {error}") from None
    return definition


def functions() -> list[dict[str, Any]]:
    """List what jobs may call: name, reference, summary, and a JSON Schema of the arguments."""
    names = ("name", "reference", "summary", "parameters")
    return [{name: getattr(entry, name) for name in names} for entry in scheduler.setup.functions]


def check_exists(job_id: str) -> None:
    """Raise `JobNotFound` for a job that there is not."""
    _find(job_id)


def _stores() -> Stores:
    stores: Stores = scheduler.setup.stores
    return stores


def _chosen(given: Mapping[str, Any]) -> str | None:
    """Return the store that a change names, which selects the job there; a name that is none is refused later."""
    alias: str | None = given.get("jobstore")
    return alias if alias in _stores().aliases else None


def _find(job_id: str, *, lock: bool = False, alias: str | None = None) -> StoredJob:
    check_findable(job_id)
    row = _stores().find(job_id, lock=lock, alias=alias)
    if row is None:
        raise JobNotFound(f"Job {job_id} not found")
    return row


def _check_done(job_id: str, done: Collection[str]) -> None:
    if job_id not in done:
        raise JobChanged


def check_findable(job_id: str) -> None:
    """Spare the database an id that no job can have."""
    if not is_findable(job_id):
        raise JobNotFound(f"Job {job_id} not found")


def is_findable(job_id: str) -> bool:
    """Tell whether a job can have an id."""
    return len(job_id) <= JOB_ID_LENGTH and not strict_json.unstorable_text(job_id)


def row_of(row: StoredJob, *, state: str | None = None) -> JobRow:
    """Return the job of a row; one that cannot be restored is shown as what it is."""
    try:
        definition = decode(row.definition)
        build_trigger(definition)
        shown = trigger.show(definition.trigger)
        args, kwargs = shown_arguments(definition)
        fault = row.quarantine
    except (Unreadable, trigger.BadTriggerError) as error:
        definition, shown, fault = _NOTHING, {"trigger": ""}, row.quarantine or str(error)
        args, kwargs = [], {}
    return JobRow(
        id=row.id,
        name=definition.name or row.id,
        func=definition.func,
        args=args,
        kwargs=kwargs,
        trigger=shown,
        jobstore=row.store,
        **{name: getattr(definition, name) for name in OPTIONS},
        next_run_time=None if row.next_run_time is None else from_micros(row.next_run_time),
        state=state or _state(paused=row.next_run_time is None, fault=fault),
        source=row.source,
        version=row.version,
        paused_by=row.paused_by,
        paused_at=row.paused_at,
        reason=fault,
        definition=None if definition is _NOTHING else definition,
    )


def _state(*, paused: bool, fault: str | None) -> str:
    if fault is not None:
        return "quarantined"
    return "paused" if paused else "scheduled"


_NOTHING = Definition(
    name="",
    func="",
    trigger={},
    args=[],
    kwargs={},
    executor="default",
    coalesce=True,
    max_instances=1,
    misfire_grace_time=None,
)
