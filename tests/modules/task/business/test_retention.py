"""Tasks that ended long ago are deleted."""

from datetime import timedelta

from flask import Flask

from application.database import transaction
from application.libs.clock import now
from application.modules.task.tasks import prune_tasks
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows


class TestPrune:
    def test_deletes_what_ended_before_as_many_days_as_are_kept(self, app: Flask, rows: Rows) -> None:
        old, new, waiting = (rows.enqueue(specimen.add, left=1, right=2) for _ in range(3))
        for task_id, days in ((old, 8), (new, 6)):
            rows.change(task_id, state="done", finished_at=now() - timedelta(days=days))
        with app.app_context(), transaction():
            assert prune_tasks() == 1
            assert prune_tasks() == 0
        assert [row.id for row in rows.all()] == [new, waiting]
