"""Be what `celery -A application.worker worker` opens; `manager.py worker` does it with the settings of this project.

The application is built when Celery asks for it, and not when this file is imported.
"""

from functools import cache
from typing import Any

from celery import Celery
from celery.signals import (
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from flask import Flask

from application.config.setting import AsyncMode, settings_or_exit
from application.factory import create_app
from application.libs.background import background_of
from application.libs.run_output import copy_prints
from application.modules.task.engine import TaskEngine

_THREADS = ("celery.concurrency.thread", "celery.concurrency.solo")


def __getattr__(name: str) -> Any:
    """Return Celery's application as `celery`."""
    if name == "celery":
        return _celery()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _celery() -> Celery:
    app = create_app(settings_or_exit(async_mode=AsyncMode.THREADING))
    engine: TaskEngine = app.extensions["tasks"]
    attach(app)
    return engine.celery


def attach(app: Flask) -> None:
    """Let the worker's process look after tasks as long as it runs; one of a pool does one at a time.

    At its end it waits for what tasks have called in the background.
    """
    engine: TaskEngine = app.extensions["tasks"]

    def begin(sender: Any, **_given: object) -> None:
        controller = sender.controller
        copy_prints()
        threads = controller.pool_cls.__module__ in _THREADS
        engine.start_sweeping(processes=controller.concurrency if threads else 0)

    def own(**_given: object) -> None:
        copy_prints()
        engine.has_own_process = True

    def drain(**_given: object) -> None:
        background_of(app).drain(app.extensions["settings"].graceful_timeout_seconds)

    worker_process_shutdown.connect(drain, weak=False)
    worker_shutdown.connect(drain, weak=False)
    worker_ready.connect(begin, weak=False)
    worker_process_init.connect(own, weak=False)
    worker_shutting_down.connect(lambda **_given: engine.close(), weak=False)
    worker_shutdown.connect(lambda **_given: engine.stop(), weak=False)
