"""The task to look at."""

from application.libs.run_context import Stop
from application.libs.task import Progress, TaskContext, current_task
from application.modules.task.business import demonstration


class TestCountSlowly:
    def test_says_each_step(self) -> None:
        said: list[Progress] = []
        context = TaskContext("1", "demo.count_slowly", "1", 1, Stop(), said.append)
        token = current_task.set(context)
        try:
            assert demonstration.count_slowly(steps=3, pause_seconds=0) == 3
        finally:
            current_task.reset(token)
        assert [(step.current, step.total, step.message) for step in said] == [
            (0, 3, "Step 1 of 3"),
            (1, 3, "Step 2 of 3"),
            (2, 3, "Step 3 of 3"),
            (3, 3, "Counted"),
        ]
