"""Tasks about tasks: one to look at, the pruning of those that ended, and what enqueues those of a schedule."""

from typing import Any

from application.config.current import current_beat_tasks, current_settings
from application.libs.task import task
from application.modules.task.business import demonstration, retention, scheduled
from application.permissions import Permission

count_slowly = task(
    demonstration.count_slowly,
    name="demo.count_slowly",
    permission=Permission.TASK_RUN,
    transaction=False,
    soft_limit_seconds=120,
)


def prune_tasks() -> int:
    """Delete the tasks that ended long ago; return how many."""
    return retention.prune(keep_days=current_settings().tasks_keep_days)


def enqueue_by_name(
    name: str,
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    queue: str | None = None,
    priority: int | None = None,
    expires_seconds: float | None = None,
) -> str:
    """Enqueue a task that CELERY_BEAT_SCHEDULE names, once a run; return its id."""
    return scheduled.enqueue_by_name(
        name,
        args or [],
        kwargs or {},
        queue=queue,
        priority=priority,
        expires_seconds=expires_seconds,
        allowed=current_beat_tasks(),
    )
