"""Be what `celery -A tests.celery_specimen worker` opens: an application that knows the tests' tasks, too."""

from functools import cache
from typing import Any

from celery import Celery

from application.config.setting import AsyncMode, settings_or_exit
from application.modules.task.engine import TaskEngine
from application.worker import attach
from tests.modules.task import specimen


def __getattr__(name: str) -> Any:
    if name == "celery":
        return _celery()
    raise AttributeError(name)


@cache
def _celery() -> Celery:
    app = specimen.build(settings_or_exit(async_mode=AsyncMode.THREADING))
    engine: TaskEngine = app.extensions["tasks"]
    engine.lease_seconds = 3
    attach(app)
    return engine.celery
