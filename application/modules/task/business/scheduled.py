"""Enqueue the tasks of a schedule, from the runs of the scheduler's jobs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from application.libs.clock import now
from application.libs.run_context import current_run
from application.libs.task import TASKS
from application.modules.task.business.enqueuing import Wish, put


class NotScheduled(LookupError):
    """No schedule names this task; the text says the cure."""


def enqueue_by_name(
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    queue: str | None,
    priority: int | None,
    expires_seconds: float | None,
    allowed: Collection[str],
) -> str:
    """Enqueue a task by its name; return its id. A run that is begun again gets the task that it has enqueued before.

    Others than the `allowed` ones raise `NotScheduled`: who writes jobs may not start what is for code alone.
    """
    if name not in allowed:
        names = ", ".join(sorted(allowed)) or "none"
        raise NotScheduled(
            f"CELERY_BEAT_SCHEDULE names no task {name[:100]!r}; it names {names}. Give it an entry there"
        )
    run = current_run.get()
    wish = Wish(
        queue=queue,
        priority=priority,
        expires_at=None if expires_seconds is None else now() + timedelta(seconds=expires_seconds),
        unique_key=None if run is None else f"run:{run.run_id}",
    )
    return put(TASKS.get(name), args, kwargs, wish)
