"""Enqueue a task in the unit of work that is open: it is there exactly if that commits."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ParamSpec

import sqlalchemy as sa

from application.database import after_commit, change, execute, isolated
from application.extensions import bell
from application.libs import tagged_json
from application.libs.clock import now
from application.libs.error import Conflict
from application.libs.ident import new_id
from application.libs.record import Record
from application.libs.task import MOST_PRIORITY, TASKS, Declared
from application.modules.task.models import KEY_LENGTH, Task

P = ParamSpec("P")


class UniqueKeyTaken(Conflict):
    """Another task has this unique key."""


class Wish(Record):
    """Hold how one task differs from what was declared."""

    queue: str | None = None
    priority: int | None = None
    eta: datetime | None = None
    """When it may begin; None is at once."""
    expires_at: datetime | None = None
    unique_key: str | None = None
    """There is one task of this key: enqueued again, it is that one."""
    created_by: str | None = None
    hard_limit_seconds: float | None = None
    """After which its process is killed, and it fails."""
    losses: int = 0
    """How many processes have died with what it is part of."""


NOTHING_ELSE = Wish()

_INSERT = sa.insert(Task)
_OF_KEY = sa.select(Task.id, Task.name).where(Task.unique_key == sa.bindparam("key"))


def enqueue(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> str:
    """Let a function that is declared as a task be called with these arguments in the background; return its id.

    Raises `InvalidArguments` where they do not fit it, and `DeclarationError` where it is no task.
    """
    return put(TASKS.of(function), args, kwargs, NOTHING_ELSE)


def enqueue_as(wish: Wish, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> str:
    """Enqueue a task otherwise than declared: `enqueue_as(Wish(priority=9, unique_key=…), deliver, message_id=…)`."""
    return put(TASKS.of(function), args, kwargs, wish)


def enqueue_new(declared: Declared, kwargs: Mapping[str, Any], wish: Wish) -> str:
    """Enqueue a task whose key nothing else can have, in one statement; raise `Conflict` where something has."""
    return _insert(declared, [], kwargs, wish)


def put(declared: Declared, args: Sequence[Any], kwargs: Mapping[str, Any], wish: Wish) -> str:
    """Write a task down, and ring once it is committed; return its id, or that of the one which has its key.

    Raises `UniqueKeyTaken` where that is another task.
    """
    if wish.unique_key is None:
        return _insert(declared, args, kwargs, wish)
    if len(wish.unique_key) > KEY_LENGTH:
        message = f"A unique_key has at most {KEY_LENGTH} characters; take a hash of what is longer"
        raise ValueError(message)
    found = _of_key(declared, wish.unique_key)
    if found is not None:
        return found
    made: list[str] = []
    error = isolated(lambda: made.append(_insert(declared, args, kwargs, wish)))
    if error is None:
        return made[0]
    if not isinstance(error, Conflict):
        raise error
    found = _of_key(declared, wish.unique_key)  # enqueued by another in this moment, who has committed
    if found is None:
        raise error
    return found


def _of_key(declared: Declared, key: str) -> str | None:
    row = execute(_OF_KEY, key=key).one_or_none()
    if row is not None and row.name != declared.name:
        raise UniqueKeyTaken(f"It is of the task {row.name}: choose another key")
    return None if row is None else row.id


def _insert(declared: Declared, args: Sequence[Any], kwargs: Mapping[str, Any], wish: Wish) -> str:
    options, moment, task_id = declared.options, now(), new_id()
    bound_args, bound_kwargs = declared.entry.bind(args, kwargs)
    queue = wish.queue or options.queue
    priority = options.priority if wish.priority is None else min(max(wish.priority, 0), MOST_PRIORITY)
    is_later = wish.eta is not None and wish.eta > moment
    due = wish.eta if is_later and wish.eta is not None else moment + timedelta(seconds=bell.again_seconds)
    expires_at = wish.expires_at
    if expires_at is None and options.expires_seconds is not None:
        expires_at = moment + timedelta(seconds=options.expires_seconds)
    change(
        _INSERT,
        conflict=Conflict,
        id=task_id,
        name=declared.name,
        queue=queue,
        rank=MOST_PRIORITY - priority,
        arguments=tagged_json.encode({"args": bound_args, "kwargs": bound_kwargs}),
        unique_key=wish.unique_key,
        state="scheduled" if is_later else "queued",
        due_at=due,
        rings=0,
        expires_at=expires_at,
        attempt=0,
        failures=0,
        losses=wish.losses,
        beat=0,
        current=0,
        total=0,
        created_by=wish.created_by,
        created_at=moment,
        hard_limit_seconds=wish.hard_limit_seconds,
    )
    if not is_later:
        after_commit(partial(bell.ring, task_id, queue, priority))
    return task_id
