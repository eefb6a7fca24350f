"""Tasks that runs of the scheduler enqueue."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from application.database import transaction
from application.libs.clock import now
from application.libs.run_context import RunContext, Stop, current_run
from application.modules.task.business.scheduled import NotScheduled, enqueue_by_name
from tests.modules.scheduler.conftest import Ledger, Node, request_run
from tests.modules.task.conftest import Rows

ADD: dict[str, Any] = {"id": "each", "func": "application.modules.task.tasks:enqueue_by_name"}
ADD |= {"trigger": "interval", "hours": 1, "kwargs": {"name": "task.add", "args": [1], "kwargs": {"right": 2}}}


@pytest.fixture
def node(app: Flask) -> Iterator[Node]:
    """Return a scheduler that has such a job, and the names that a schedule holds."""
    before, app.extensions["beat_tasks"] = app.extensions["beat_tasks"], frozenset({"task.add"})
    started = Node(app, ADD, ticking=True)
    yield started
    started.stop()
    app.extensions["beat_tasks"] = before


def enqueue(name: str = "task.add", **given: Any) -> str:
    known: dict[str, Any] = {"queue": None, "priority": None, "expires_seconds": None, "allowed": {"task.add"}}
    return enqueue_by_name(name, [1], {"right": 2}, **{**known, **given})


class TestEnqueueByName:
    def test_enqueues_as_the_entry_says(self, app: Flask, rows: Rows) -> None:
        with app.app_context(), transaction():
            task_id = enqueue(queue="mail", priority=9, expires_seconds=60)
        row = rows.get(task_id)
        assert (row.name, row.queue, row.rank, row.unique_key) == ("task.add", "mail", 0, None)
        assert timedelta(seconds=50) < row.expires_at - now() <= timedelta(seconds=60)

    def test_enqueues_once_a_run(self, app: Flask, rows: Rows) -> None:
        ids = []
        for run_id, attempt in (("first", 1), ("first", 2), ("second", 1)):
            run = RunContext(
                run_id=run_id, job_id="each", scheduled_at=now(), token=attempt, attempt=attempt, stop=Stop()
            )
            entered = current_run.set(run)
            with app.app_context(), transaction():
                ids.append(enqueue())
            current_run.reset(entered)
        assert ids[0] == ids[1] != ids[2]
        assert [row.unique_key for row in rows.all()] == ["run:first", "run:second"]

    @pytest.mark.usefixtures("unit")
    def test_refuses_what_no_schedule_names(self) -> None:
        with pytest.raises(NotScheduled, match=r"no task 'task\.write'; it names task\.add\. Give it an entry there"):
            enqueue("task.write")
        with pytest.raises(NotScheduled, match="it names none"):
            enqueue(allowed=())


class TestJob:
    def test_links_its_run_to_the_task(self, app: Flask, node: Node, rows: Rows) -> None:
        ledger = Ledger(app)
        ledger.wait(lambda: ledger.job("each"))
        request_run(app, "each")
        ledger.wait(lambda: ledger.statuses("each") == ["succeeded"])
        (run,), (task,) = ledger.runs("each"), rows.all()
        assert task.unique_key == f"run:{run.id}"
        assert json.loads(run.result) == task.id

    def test_fails_with_the_cure_once_no_schedule_names_the_task(self, app: Flask, node: Node, rows: Rows) -> None:
        ledger = Ledger(app)
        ledger.wait(lambda: ledger.job("each"))
        app.extensions["beat_tasks"] = frozenset()
        request_run(app, "each")
        ledger.wait(lambda: ledger.statuses("each") == ["failed"])
        (run,) = ledger.runs("each")
        assert "Give it an entry there" in run.error_message
        assert rows.all() == []

    def test_is_paused_once_it_has_left_the_schedule(self, app: Flask, node: Node) -> None:
        ledger = Ledger(app)
        ledger.wait(lambda: ledger.job("each"))
        node.stop()
        later = Node(app, ticking=True)
        try:
            ledger.wait(lambda: ledger.job("each").next_run_time is None)
        finally:
            later.stop()
