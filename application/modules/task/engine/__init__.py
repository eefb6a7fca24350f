"""Where tasks are done: by threads of this process, or by Celery's workers."""

from application.modules.task.engine.binding import init_app
from application.modules.task.engine.engine import TaskEngine

__all__ = ["TaskEngine", "init_app"]
