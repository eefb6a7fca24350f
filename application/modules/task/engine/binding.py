"""Bind tasks to an application: what they are, how they are rung for, and what does them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import import_module
from typing import Any

from flask import Flask

from application.extensions import bell
from application.modules.task.engine.engine import TaskEngine


def init_app(
    app: Flask,
    modules: Iterable[str],
    *,
    broker_url: str,
    prefix: str,
    concurrency: int,
    celery_settings: Mapping[str, Any],
    queues: Collection[str] = (),
    build: Callable[[], Flask] | None = None,
) -> None:
    """Declare the tasks of these modules, and bind what does them; nothing starts.

    `queues` are those that are used beside the ones that tasks were declared with.
    `build` builds the application once more, for a process that can be killed; it is pickled to get there.
    """
    for module in modules:
        import_module(module)
    engine = TaskEngine(
        app,
        broker_url=broker_url,
        prefix=prefix,
        concurrency=concurrency,
        celery_settings=celery_settings,
        queues=queues,
        build=build,
    )
    app.extensions["tasks"] = engine
    bell.init_app(app, engine.bell)
