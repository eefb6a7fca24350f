"""The work on codes that nobody waits for."""

from datetime import timedelta

from flask import Flask

from application.config import scheduler
from application.database import transaction
from application.libs.clock import now
from application.modules.code import business, tasks
from tests.modules.code.conftest import MAIL, STRANGER, at
from tests.tables import count_rows


class TestPruneExpiredCodes:
    def test_is_declared_and_deletes_what_is_over(self, app: Flask) -> None:
        assert f"{tasks.__name__}:prune_expired_codes" in {job["func"] for job in scheduler.SCHEDULER_JOBS}
        with app.app_context(), transaction():
            for purpose, to in ((business.Purpose.SIGN_IN, MAIL), (business.Purpose.RESET, STRANGER)):
                business.ask(purpose, to, asked_by=None, language="en", remote=None)
            assert tasks.prune_expired_codes() == 0
        for minutes, left in ((5, 1), (30, 0)):  # a link lasts longer
            over = now() + timedelta(minutes=minutes)
            with app.app_context(), transaction(), at(over):
                assert tasks.prune_expired_codes() == 1
            assert count_rows(app, "code") == left
