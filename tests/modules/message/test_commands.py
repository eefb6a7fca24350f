"""Previews and test messages from the command line."""

import pytest
from click.testing import Result
from flask import Flask

from application.libs.outgoing import Outgoing
from application.modules.message.commands import message_group
from tests.mail_server import Mailbox
from tests.modules.message.conftest import mails, short_messages
from tests.tables import count_rows


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(message_group, arguments)


class TestPreview:
    def test_shows_mail_in_a_language(self, app: Flask) -> None:
        result = run(app, "preview", "code", "--language", "zh")
        assert result.exit_code == 0
        assert result.output.startswith("Subject: 您的验证码：204816\n\n您的验证码是 204816")

    def test_shows_html_and_short_messages(self, app: Flask) -> None:
        assert run(app, "preview", "code", "--html").output.startswith("<!doctype html>")
        sms = run(app, "preview", "code", "--channel", "sms")
        assert sms.output == "Your code is 204816. It is valid for 10 minutes.\n"

    def test_names_the_templates_there_are(self, app: Flask) -> None:
        assert (
            "there are address_taken, code, password_reset, test"
            in run(app, "preview", "job_alert", "--channel", "sms").output
        )
        assert (
            "'address_taken', 'code', 'contact_added', 'job_alert', 'password_changed', 'password_reset', 'test'"
            in run(app, "preview", "x").output
        )


class TestSendTest:
    def test_sends_now_and_says_what_the_server_answers(self, app: Flask, mailbox: Mailbox) -> None:
        result = run(app, "send-test", "ada@example.org")
        assert result.exit_code == 0
        assert result.output.endswith("to ada@example.org: 250 OK\n")
        assert count_rows(app, "message", state="sent", task_id=None) == len(mailbox.mails) == 1

    @pytest.mark.parametrize(("to", "kind"), [("ada@example.org", "mail"), ("+49 151 12345678", "sms")])
    def test_tells_the_channel_by_the_recipient(self, app: Flask, senders: Outgoing, to: str, kind: str) -> None:
        assert run(app, "send-test", to, "--language", "zh").exit_code == 0
        assert (len(mails(senders)), len(short_messages(senders))) == ((1, 0) if kind == "mail" else (0, 1))

    def test_says_why_a_message_was_not_sent(self, app: Flask, mailbox: Mailbox) -> None:
        mailbox.refused["ada@example.org"] = "550 5.1.1 mailbox unknown"
        result = run(app, "send-test", "ada@example.org")
        assert result.exit_code == 1
        assert "was not sent: 550 5.1.1 mailbox unknown" in result.output
        assert "no address" not in result.output
        mailbox.refused["bob@example.org"] = "451 4.7.1 try again later"
        assert run(app, "send-test", "bob@example.org").exit_code == 1
        assert count_rows(app, "message", state="failed", task_id=None) == 2  # for nobody tries again
        assert run(app, "send-test", "nobody").output.startswith("Error: nobody: ")
