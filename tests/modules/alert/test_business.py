"""Alerts to jobs, from the end of a run to people and other servers."""

import json
from datetime import UTC, datetime

import pytest
from flask import Flask

from application.database import transaction
from application.extensions import scheduler
from application.libs.alert import Alert
from application.libs.delivery import TemporaryFailure
from application.libs.error import Conflict
from application.libs.outbound import Refused
from application.libs.webhook_signature import verify
from application.modules.alert import business
from application.modules.task.engine import TaskEngine
from tests.http_receiver import Receiver
from tests.mail_server import Mailbox
from tests.modules.alert.conftest import SECRET, Configure
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Ledger, Start, job
from tests.tables import count_rows
from tests.waiting import wait_until

ALERT = Alert(
    job_id="report",
    name="Report",
    kind="failure",
    status="timed_out",
    run_id="01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
    count=3,
    error_type="TimeoutError",
    error_message="no net",
    at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)

BOTH = ("ann@example.org", "bob@example.org")


def url_of(listening: Receiver) -> str:
    return f"http://127.0.0.1:{listening.port}/alerts?key=s3cret"


def tell() -> None:
    business.tell_people(ALERT)
    business.tell_server(ALERT)


class TestTell:
    def test_reaches_people_and_servers_from_a_job_that_fails(
        self,
        app: Flask,
        node: Start,
        ledger: Ledger,
        configure: Configure,
        mailbox: Mailbox,
        listening: Receiver,
        engine: TaskEngine,
    ) -> None:
        configure(mail=BOTH, url=url_of(listening))
        functions.FAILURES[:] = ["no net"]
        one = node(job("flaky", "fail_as_told", name="Flaky", alerts={"on_recovery": True}))
        one.tick()
        one.tick(ledger.due("flaky"))
        ledger.settle()
        wait_until(lambda: len(mailbox.mails) == 2 and len(listening.received) == 1, 15)
        assert sorted(mail["To"] for mail in mailbox.mails) == list(BOTH)
        assert {mail["Subject"] for mail in mailbox.mails} == {"Job “Flaky” fails"}
        body = mailbox.mails[0].get_body(("plain",))
        assert body is not None
        assert "RuntimeError: no net" in body.get_content()
        (received,) = listening.received
        (run,) = ledger.runs("flaky")
        told = json.loads(received.body)
        assert (told["type"], told["data"]["run_id"], told["data"]["status"]) == ("job.failure", run.id, "failed")
        assert (received.path, received.headers["webhook-id"]) == ("/alerts?key=s3cret", f"{run.id}-failure")
        assert verify(SECRET, received.headers, received.body)

        one.tick(ledger.due("flaky"))
        ledger.settle()
        wait_until(lambda: len(mailbox.mails) == 4 and len(listening.received) == 2, 15)
        assert mailbox.mails[-1]["Subject"] == "Job “Flaky” has recovered"
        assert json.loads(listening.received[-1].body)["type"] == "job.recovery"

    def test_writes_down_what_is_to_be_sent_and_sends_nothing_yet(
        self, app: Flask, configure: Configure, mailbox: Mailbox, listening: Receiver
    ) -> None:
        configure(mail=BOTH, url=url_of(listening))
        with app.app_context(), transaction():
            tell()
        assert (count_rows(app, "message"), count_rows(app, "task")) == (2, 3)
        assert (count_rows(app, "task", name="alert.post_alert"), mailbox.mails, listening.connects) == (1, [], 0)

    def test_leaves_nothing_of_what_is_rolled_back(self, app: Flask, configure: Configure, listening: Receiver) -> None:
        configure(mail=BOTH, url=url_of(listening))
        with app.app_context(), pytest.raises(Conflict), transaction():
            tell()
            raise Conflict
        assert (count_rows(app, "message"), count_rows(app, "task")) == (0, 0)

    def test_tells_nobody_where_nobody_is_named(self, app: Flask, configure: Configure) -> None:
        configure()
        with app.app_context(), transaction():
            tell()
        assert (count_rows(app, "message"), count_rows(app, "task")) == (0, 0)

    def test_speaks_the_language_of_the_settings(
        self, app: Flask, configure: Configure, mailbox: Mailbox, engine: TaskEngine
    ) -> None:
        configure(mail=BOTH[:1], scheduler_alert_language="zh")
        with app.app_context(), transaction():
            tell()
        (mail,) = mailbox.wait(1)
        assert "Report" in mail["Subject"]
        assert "Job" not in mail["Subject"]

    def test_is_told_by_every_application(self, app: Flask) -> None:
        hooks = scheduler.alert_hooks
        assert (hooks.count(business.tell_people), hooks.count(business.tell_server)) == (1, 1)


class TestPostAlert:
    def post(self, app: Flask) -> str:
        fields: dict[str, business.Scalar] = {
            "job_id": "report",
            "run_id": ALERT.run_id,
            "count": 3,
            "error_type": None,
        }
        with app.app_context():
            return business.post_alert("misses", "2026-01-02T03:04:05Z", fields)

    def test_sends_what_is_known_of_the_alert(self, app: Flask, configure: Configure, listening: Receiver) -> None:
        configure(url=url_of(listening))
        assert self.post(app) == "answered 204"
        assert json.loads(listening.received[0].body) == {
            "type": "job.misses",
            "timestamp": "2026-01-02T03:04:05Z",
            "data": {"job_id": "report", "run_id": ALERT.run_id, "count": 3, "error_type": None},
        }

    def test_calls_nobody_when_the_url_has_gone_meanwhile(
        self, app: Flask, configure: Configure, listening: Receiver
    ) -> None:
        configure()
        assert self.post(app) == "nobody is to hear of it any more"
        assert listening.connects == 0

    def test_names_no_path_when_it_fails(self, app: Flask, configure: Configure, listening: Receiver) -> None:
        configure(url=url_of(listening))
        listening.statuses = [503, 404]
        for kind in (TemporaryFailure, Refused):
            with pytest.raises(kind) as failed:
                self.post(app)
            assert "s3cret" not in str(failed.value)
