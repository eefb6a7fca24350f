"""Say which modules declare tasks: the table of contents of what can be done in the background.

Whatever else Celery reads from its configuration may stand here, too, as CELERY_…; a variable of the environment wins.
CELERY_BEAT_SCHEDULE says which tasks the scheduler enqueues by itself; `celery beat` is not needed.
"""

TASKS: tuple[str, ...] = (
    "application.modules.alert.tasks",
    "application.modules.code.tasks",
    "application.modules.file.tasks",
    "application.modules.message.tasks",
    "application.modules.task.tasks",
)
