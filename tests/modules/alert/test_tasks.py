"""The task that posts alerts."""

from flask import Flask

from application.database import transaction
from application.libs.task import TASKS
from application.modules.alert import business
from application.modules.alert.tasks import post_alert
from application.modules.task.business import enqueue
from application.modules.task.engine import TaskEngine
from tests.http_receiver import Receiver
from tests.modules.alert.conftest import Configure
from tests.modules.task.conftest import Rows


class TestPostAlert:
    def enqueue(self, app: Flask, listening: Receiver, configure: Configure) -> str:
        configure(url=f"http://127.0.0.1:{listening.port}/?key=s3cret")
        with app.app_context(), transaction():
            return enqueue(post_alert, kind="failure", at="2026-01-02T03:04:05Z", alert={"run_id": "r-1"})

    def test_is_the_rule_itself(self, app: Flask) -> None:
        assert post_alert is business.post_alert
        assert TASKS.of(post_alert).name == "alert.post_alert"

    def test_is_tried_again_under_the_same_id_while_the_server_is_away(
        self, app: Flask, configure: Configure, listening: Receiver, engine: TaskEngine, rows: Rows
    ) -> None:
        listening.statuses = [503, 204]
        row = rows.done(self.enqueue(app, listening, configure))
        assert (row.attempt, row.failures, row.result) == (2, 1, '"answered 204"')
        assert [received.headers["webhook-id"] for received in listening.received] == ["r-1-failure"] * 2

    def test_is_given_up_when_the_server_refuses_it(
        self, app: Flask, configure: Configure, listening: Receiver, engine: TaskEngine, rows: Rows
    ) -> None:
        listening.statuses = [410]
        row = rows.await_state(self.enqueue(app, listening, configure), "failed")
        assert (row.attempt, row.error_type, row.error_message) == (
            1,
            "application.libs.outbound.Refused",
            "127.0.0.1 answered 410",
        )
        assert "s3cret" not in f"{row.arguments}{row.traceback}"
