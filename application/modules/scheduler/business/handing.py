"""Hand attempts over to workers: the task is written in the unit of work that claims the attempt."""

from application.extensions import scheduler
from application.libs.task import TASKS
from application.modules.scheduler.business.definition import Unreadable, decode
from application.modules.task.business import Wish, enqueue_new

TASK = "scheduler.run"
"""The name of the task that runs an attempt, as `handed` says; a process without the scheduler leaves it to others."""


def hand_over(attempt_id: str, run_id: str, number: int, definition: str, *, losses: int) -> str | None:
    """Enqueue the task that runs an attempt, and return its id; None where this process is to run it.

    `losses` is how many processes the run was lost with: what one died with has a process of its own.
    """
    try:
        job = decode(definition)
    except Unreadable:
        return None
    handing = scheduler.setup.handings.get(job.executor)
    if handing is None:
        return None
    wish = Wish(
        queue=handing.queue,
        priority=handing.priority,
        unique_key=f"run:{run_id}:{number}",
        hard_limit_seconds=job.timeout,
        losses=losses,
    )
    return enqueue_new(TASKS.get(TASK), {"attempt_id": attempt_id}, wish)
