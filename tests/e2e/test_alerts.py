"""Alerts of a real runner: from a job that fails to people and a server that are told."""

import json
import sqlite3
from contextlib import closing

import requests

from application.libs.webhook_signature import verify
from tests.e2e.conftest import Serve
from tests.e2e.server import PASSWORD, Server
from tests.http_receiver import receiver
from tests.mail_server import Mailbox, mail_server
from tests.waiting import wait_until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

JOB = "prune-expired-idempotency-keys"


def statement(served: Server, sql: str) -> None:
    """Change the server's database."""
    with closing(sqlite3.connect(served.folder / "application.db", timeout=10)) as database, database:
        database.execute(sql)


class TestAlerts:
    def test_tell_of_failure_and_recovery_by_mail_and_webhook(self, server: Serve) -> None:
        mailbox = Mailbox()
        with receiver() as listening, mail_server(mailbox) as port:
            served = server(
                mail_backend="smtp",
                mail_server="127.0.0.1",
                mail_port=port,
                scheduler_alert_mail="ann@example.org",
                webhook_hosts="127.0.0.1",
                webhook_private_hosts="127.0.0.1",
                webhook_secret=SECRET,
                scheduler_alert_webhook=f"http://127.0.0.1:{listening.port}/in?key=s3cret",
            )
            assert served.manage("create-admin").returncode == 0
            served.await_runner()
            served.await_leader()
            jobs = f"{served.url}/scheduler/jobs/{JOB}"
            wait_until(lambda: self.ask("GET", jobs).status_code == 200)
            assert self.ask("PATCH", jobs, {"alerts": {"on_recovery": True}}).status_code == 200
            statement(served, "ALTER TABLE idempotency_key RENAME TO elsewhere")
            assert self.ask("POST", f"{jobs}/run").status_code == 200
            wait_until(lambda: (len(listening.received), len(mailbox.mails)) == (1, 1), 20, served.said)
            statement(served, "ALTER TABLE elsewhere RENAME TO idempotency_key")
            assert self.ask("POST", f"{jobs}/run").status_code == 200
            wait_until(lambda: (len(listening.received), len(mailbox.mails)) == (2, 2), 20, served.said)
        assert [mail["Subject"] for mail in mailbox.mails] == [
            "Job “Prune expired idempotency keys” fails",
            "Job “Prune expired idempotency keys” has recovered",
        ]
        told = [json.loads(received.body) for received in listening.received]
        assert [one["type"] for one in told] == ["job.failure", "job.recovery"]
        assert {one["data"]["job_id"] for one in told} == {JOB}
        assert [received.headers["webhook-id"] for received in listening.received] == [
            f"{one['data']['run_id']}-{one['data']['kind']}" for one in told
        ]
        assert all(verify(SECRET, received.headers, received.body) for received in listening.received)
        assert "s3cret" not in served.said() + served.log.read_text()

    def ask(self, method: str, url: str, body: object = None) -> requests.Response:
        return requests.request(method, url, auth=("admin", PASSWORD), json=body, timeout=10)
