"""An engine that does tasks in this process, and a look at their rows."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, execute, transaction
from application.extensions import bell
from application.modules.task.business import Wish, enqueue_as
from application.modules.task.engine import TaskEngine
from application.modules.task.models import Task
from tests.modules.task import specimen
from tests.waiting import wait_until


class Rows:
    """Enqueue tasks, and look at what becomes of them."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def enqueue(self, function: Callable[..., object], wish: Wish | None = None, **kwargs: Any) -> str:
        with self.app.app_context(), transaction():
            return enqueue_as(wish or Wish(), function, **kwargs)

    def get(self, task_id: str) -> Any:
        with self.app.app_context(), transaction(write=False):
            return execute(sa.select(Task.__table__).where(Task.id == task_id)).one()

    def all(self) -> list[Any]:
        with self.app.app_context(), transaction(write=False):
            return list(execute(sa.select(Task.__table__).order_by(Task.id)))

    def change(self, task_id: str, **values: Any) -> None:
        with self.app.app_context(), transaction():
            change(sa.update(Task).where(Task.id == task_id), **values)

    def await_state(self, task_id: str, *states: str, seconds: float = 15) -> Any:
        """Wait until a task is in one of the states, and return its row."""
        wait_until(lambda: self.get(task_id).state in states, seconds, lambda: f"it is {self.get(task_id)}")
        return self.get(task_id)

    def done(self, task_id: str) -> Any:
        return self.await_state(task_id, "done")


@pytest.fixture
def rows(app: Flask) -> Rows:
    return Rows(app)


Make = Callable[..., TaskEngine]


@pytest.fixture
def make_engine(app: Flask) -> Iterator[Make]:
    """Return a function that makes an engine of the application, and starts it."""
    own, own_bell = app.extensions["tasks"], app.extensions["bell"]
    with ExitStack() as stack:

        def make(*, concurrency: int = 2, start: bool = True, lease_seconds: float = 2, **options: Any) -> TaskEngine:
            known: dict[str, Any] = {"broker_url": "memory://", "prefix": "test", "celery_settings": {}}
            known["build"] = specimen.builder(app.extensions["settings"])
            engine = TaskEngine(app, concurrency=concurrency, **{**known, **options})
            engine.lease_seconds = lease_seconds
            app.extensions["tasks"] = engine
            bell.init_app(app, engine.bell)
            stack.callback(engine.stop)
            if start:
                engine.start()
            return engine

        yield make
    app.extensions["tasks"] = own
    bell.init_app(app, own_bell)


@pytest.fixture
def engine(make_engine: Make) -> TaskEngine:
    """Return an engine that does what is enqueued."""
    return make_engine()
