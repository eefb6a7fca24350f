"""Look at tasks, start them by name, cancel them, and try those again that ended badly."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from application.database import after_commit, change, execute
from application.database.filter import CHOICE, RANGE, Filter, Filters
from application.database.keyset import Orders
from application.database.listing import Listing
from application.extensions import bell
from application.libs.arguments import InvalidArguments
from application.libs.catalogue import NotRegistered
from application.libs.clock import now
from application.libs.error import Conflict, Forbidden, Invalid, NotFound, TooManyRequests, field_error
from application.libs.page import Page
from application.libs.record import Record
from application.libs.task import MOST_PRIORITY, TASKS, Declared
from application.modules.audit import business as audit
from application.modules.task.business import following
from application.modules.task.business.enqueuing import Wish, put
from application.modules.task.models import OPEN, Task


class TaskNotFound(NotFound):
    """There is no such task."""


class UnknownTask(Invalid):
    """There is no task of this name that the caller may start."""


class NotYours(Forbidden):
    """The caller may not start this task."""


class TooManyTasks(TooManyRequests):
    """The caller has too many tasks that have not ended."""


class TaskEnded(Conflict):
    """The task has ended already."""


class TaskNotEnded(Conflict):
    """Only a task that ended badly can be tried again."""


class NotRetryable(Conflict):
    """What this task belongs to is tried again in its own way: ask for a new run of its job."""


class Caller(Record):
    """Hold who steers tasks, and what they may do; `manages` is whether everybody's tasks are theirs."""

    user_id: str
    permissions: frozenset[str]
    manages: bool

    @property
    def viewer_id(self) -> str | None:
        """Return whose tasks they see; None is everybody's."""
        return None if self.manages else self.user_id


class ErrorRow(Record):
    """Hold what a task raised; for who manages tasks."""

    type: str
    message: str
    traceback: str | None


class TaskRow(Record):
    """Hold a task as it is now; `status` says so for people."""

    id: str
    name: str
    queue: str
    priority: int
    state: str
    current: int
    total: int
    status: str
    result: Any
    error: ErrorRow | None
    attempt: int
    failures: int
    losses: int
    unique_key: str | None
    host: str | None
    process: int | None
    created_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    due_at: datetime | None
    expires_at: datetime | None


class CatalogueRow(Record):
    """Hold what may be started, and what it takes."""

    name: str
    summary: str
    queue: str
    priority: int
    parameters: dict[str, Any]


MOST_OPEN = 100
"""How many tasks of one user, who manages none, may wait or run at once."""

RETRYABLE = ("failed", "dead", "cancelled", "expired")

_MOST_IDS = 500  # in one statement

_STATUS = {
    "queued": "Waiting for a worker",
    "scheduled": "Waiting for its time",
    "running": "Running",
    "done": "Done",
    "cancelled": "Cancelled",
}

ORDERS = Orders({"created_at": Task.created_at}, tie=Task.id)
FILTERS = Filters(
    {
        "name": Filter(Task.name, *CHOICE),
        "state": Filter(Task.state, *CHOICE),
        "queue": Filter(Task.queue, "eq"),
        "created_by": Filter(Task.created_by, "eq"),
        "created_at": Filter(Task.created_at, *RANGE),
    }
)

_COLUMNS = (
    Task.id,
    Task.name,
    Task.queue,
    Task.rank,
    Task.state,
    Task.current,
    Task.total,
    Task.message,
    Task.result,
    Task.error_type,
    Task.error_message,
    Task.traceback,
    Task.attempt,
    Task.failures,
    Task.losses,
    Task.unique_key,
    Task.host,
    Task.process,
    Task.created_by,
    Task.created_at,
    Task.started_at,
    Task.finished_at,
    Task.due_at,
    Task.expires_at,
)
_ALL = sa.select(*_COLUMNS)
_LIST = Listing(_ALL, ORDERS, FILTERS)
_OF_ONE = (Task.created_by == sa.bindparam("viewer_id"),)
_GET = _ALL.where(Task.id == sa.bindparam("task_id"))
_MANY = _ALL.where(Task.id.in_(sa.bindparam("ids", expanding=True)))
_LOCK = (
    sa.select(Task.id, Task.state, Task.created_by, Task.queue, Task.rank, Task.name)
    .where(Task.id == sa.bindparam("task_id"))
    .with_for_update()
)
_OPEN = sa.select(sa.func.count()).where(Task.created_by == sa.bindparam("user_id"), Task.state.in_(OPEN))
_RETRY = sa.update(Task).where(Task.id == sa.bindparam("task_id"), Task.state.in_(RETRYABLE))


def search(
    *,
    viewer_id: str | None,
    sees_errors: bool,
    limit: int,
    after: str | None = None,
    sort: str = "-created_at",
    count: bool = False,
    **filters: object,
) -> Page[TaskRow]:
    """List tasks: those that the viewer enqueued, or all where there is none."""
    where = () if viewer_id is None else _OF_ONE
    return _LIST.page(
        lambda rows: [_row(row, sees_errors) for row in rows],
        limit=limit,
        after=after,
        sort=sort,
        count=count,
        filters=filters,
        where=where,
        parameters={"viewer_id": viewer_id},
    )


def get(task_id: str, *, viewer_id: str | None, sees_errors: bool = False) -> TaskRow:
    """Return a task; to a viewer somebody else's is not there."""
    row = execute(_GET, task_id=task_id).one_or_none()
    if row is None or (viewer_id is not None and row.created_by != viewer_id):
        raise TaskNotFound
    return _row(row, sees_errors)


def states(task_ids: Collection[str]) -> dict[str, TaskRow]:
    """Return those of the tasks that there are, by id, as the one who enqueued them sees them."""
    ids = sorted(task_ids)
    parts = (ids[first : first + _MOST_IDS] for first in range(0, len(ids), _MOST_IDS))
    return {row.id: _row(row, False) for part in parts for row in execute(_MANY, ids=part)}


def catalogue(permissions: Collection[str]) -> Sequence[CatalogueRow]:
    """List what may be started by who holds these permissions."""
    return [
        CatalogueRow(
            name=one.name,
            summary=one.entry.summary,
            queue=one.options.queue,
            priority=one.options.priority,
            parameters=dict(one.entry.parameters),
        )
        for one in TASKS
        if one.options.permission in permissions
    ]


def start(name: str, kwargs: Mapping[str, Any], *, caller: Caller, wish: Wish) -> TaskRow:
    """Enqueue a task by its name; raise `UnknownTask` or `InvalidArguments`, each with the places.

    Its key is the caller's own. Who does not manage tasks gets no more urgency than was declared, and has so many
    tasks open at most.
    """
    declared = _startable(name, caller.permissions)
    if not caller.manages:
        _check_room(caller.user_id)
        wanted = declared.options.priority if wish.priority is None else wish.priority
        wish = replace(wish, priority=min(wanted, declared.options.priority))
    key = None if wish.unique_key is None else f"{caller.user_id}:{wish.unique_key}"
    try:
        task_id = put(declared, [], kwargs, replace(wish, unique_key=key, created_by=caller.user_id))
    except InvalidArguments as error:
        places = [field_error("body", *one["loc"], msg=one["msg"], type_=one["type"]) for one in error.errors]
        raise InvalidArguments(error.detail, errors=places) from None
    return _row(execute(_GET, task_id=task_id).one(), caller.manages)


def cancel(task_id: str, *, caller: Caller, by: str) -> TaskRow:
    """End a task: what waits never begins, what runs is asked to end, and killed where it has a process of its own."""
    row = _lock(task_id, caller.viewer_id)
    if row.state not in OPEN:
        raise TaskEnded(f"The task is {row.state} already; there is nothing to cancel")
    following.ask_to_end(task_id, f"Cancelled by {by}", now())
    audit.record("task.cancel", task_id, row.name)
    return _row(execute(_GET, task_id=task_id).one(), caller.manages)


def retry(task_id: str, *, caller: Caller) -> TaskRow:
    """Let a task begin anew that ended otherwise than done; its retries and losses are counted from the start.

    Raises `NotYours` where the caller could not start it either.
    """
    row = _lock(task_id, caller.viewer_id)
    if not caller.manages and row.name not in {one.name for one in catalogue(caller.permissions)}:
        raise NotYours
    if row.name in {one.name for one in TASKS if not one.options.retryable}:
        raise NotRetryable
    if row.state not in RETRYABLE:
        raise TaskNotEnded(f"The task is {row.state}; what can be tried again is {', '.join(RETRYABLE)}")
    counted: dict[str, Any] = {
        "failures": 0,
        "losses": 0,
        "rings": 0,
        "stop_reason": None,
        "message": None,
        "finished_at": None,
    }
    later = now() + timedelta(seconds=bell.again_seconds)
    change(_RETRY, task_id=task_id, state="queued", due_at=later, **counted)
    audit.record("task.retry", task_id, row.name)
    after_commit(partial(bell.ring, task_id, row.queue, MOST_PRIORITY - row.rank))
    return _row(execute(_GET, task_id=task_id).one(), caller.manages)


def _startable(name: str, permissions: Collection[str]) -> Declared:
    try:
        declared = TASKS.get(name)
    except NotRegistered:
        declared = None
    if declared is None or declared.name != name or declared.options.permission not in permissions:
        error = field_error("body", "name", msg="There is no such task that you may start", type_="unknown_task")
        raise UnknownTask("GET /task/catalogue lists what you may start", errors=[error])
    return declared


def _check_room(user_id: str) -> None:
    if execute(_OPEN, user_id=user_id).scalar_one() >= MOST_OPEN:
        raise TooManyTasks(f"{MOST_OPEN} of yours have not ended: wait for some, or cancel them")


def _own_key(row: Any) -> str | None:
    """Return a task's key as whoever started it said it."""
    key: str | None = row.unique_key
    return None if key is None else key.removeprefix(f"{row.created_by}:")


def _lock(task_id: str, viewer_id: str | None) -> sa.Row[*tuple[Any, ...]]:
    row = execute(_LOCK, task_id=task_id).one_or_none()
    if row is None or (viewer_id is not None and row.created_by != viewer_id):
        raise TaskNotFound
    return row


def _row(row: Any, sees_errors: bool) -> TaskRow:
    has_error = sees_errors and row.error_type is not None
    return TaskRow(
        id=row.id,
        name=row.name,
        queue=row.queue,
        priority=MOST_PRIORITY - row.rank,
        state=row.state,
        current=row.current,
        total=row.total,
        status=row.message or _STATUS.get(row.state, row.state.capitalize()),
        result=None if row.result is None else json.loads(row.result),
        error=ErrorRow(row.error_type, row.error_message or "", row.traceback) if has_error else None,
        attempt=row.attempt,
        failures=row.failures,
        losses=row.losses,
        unique_key=_own_key(row),
        host=row.host,
        process=row.process,
        created_by=row.created_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        due_at=row.due_at,
        expires_at=row.expires_at,
    )
