"""The work on counts that nobody waits for."""

from datetime import timedelta

from flask import Flask

from application.config import scheduler
from application.database import transaction
from application.libs.clock import now, ruled_by
from application.modules.throttle import business, tasks


class TestPruneThrottle:
    def test_is_declared_and_deletes_what_is_over(self, app: Flask) -> None:
        assert f"{tasks.__name__}:prune_throttle" in {job["func"] for job in scheduler.SCHEDULER_JOBS}
        with app.app_context(), transaction():
            business.take_login("ada", "192.0.2.1")
            assert tasks.prune_throttle() == 0
            over = now() + timedelta(minutes=5)
            with ruled_by(lambda: over):
                assert tasks.prune_throttle() == 2
