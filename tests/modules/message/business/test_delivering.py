import logging
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from application.database import db, is_inside_unit
from application.libs.delivery import PermanentFailure, TemporaryFailure
from application.libs.mail_server import MailServer
from application.libs.outgoing import Outgoing
from application.modules.message import business
from tests.mail_server import Mailbox
from tests.modules.message.conftest import CODE, Accept, mails, row, short_messages, use
from tests.port import free_port
from tests.sms_provider import Provider
from tests.tables import count_rows

ALERT = {
    "job_id": "nightly",
    "name": "Nightly <script>",
    "kind": "failure",
    "status": "failed",
    "count": 2,
    "error": "It\nbroke & <b>burned</b>",
    "link": "https://redprint.example.org/jobs/nightly",
}


def deliver(app: Flask, message_id: str) -> str:
    with app.app_context():
        return business.deliver(message_id)


def outgoing_of(app: Flask) -> Outgoing:
    held: Outgoing = app.extensions["outgoing"]
    return held


class TestMail:
    def test_goes_to_the_server_in_both_languages(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        mailbox.reply = "250 OK: queued as 4XyZ12"
        for language in ("en", "zh"):
            message_id = accept(template="code", language=language, **CODE)
            assert deliver(app, message_id) == "sent"
            sent = row(app, message_id)
            assert (sent.state, sent.attempts, sent.reply) == ("sent", 1, "250 OK: queued as 4XyZ12")
            assert sent.sent_at is not None
        english, chinese = mailbox.mails
        assert english["From"] == "Redprint <noreply@example.org>"
        assert (english["Subject"], chinese["Subject"]) == ("Your code: 204816", "您的验证码：204816")
        for mail, text in ((english, "It is valid for 10 minutes."), (chinese, "10 分钟内有效")):
            for kind in ("plain", "html"):
                body = mail.get_body((kind,))
                assert body is not None
                assert text in body.get_content()
                assert "204816" in body.get_content()

    def test_escapes_in_html_what_it_is_filled_with(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        deliver(app, accept(template="job_alert", **ALERT))
        (mail,) = mailbox.mails
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None
        assert html is not None
        assert "It\r\nbroke & <b>burned</b>" in text.get_content()
        assert "Nightly &lt;script&gt;" in html.get_content()
        assert "&amp; &lt;b&gt;burned&lt;/b&gt;" in html.get_content()
        assert ALERT["link"] in text.get_content()

    def test_lets_nobody_add_a_header(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        deliver(app, accept(template="job_alert", **{**ALERT, "name": "x\r\nBcc: eve@example.org\r\n\r\nbody"}))
        (mail,) = mailbox.mails
        assert mail["Bcc"] is None
        assert mail["Subject"] == "Job “x Bcc: eve@example.org body” fails"

    def test_is_sent_once(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        message_id = accept()
        assert [deliver(app, message_id) for _ in range(2)] == ["sent", "sent"]
        assert len(mailbox.mails) == 1
        assert row(app, message_id).attempts == 1

    def test_is_sent_once_while_the_database_is_away_for_a_moment(
        self, app: Flask, accept: Accept, mailbox: Mailbox
    ) -> None:
        message_id = accept()
        failures: list[str] = []

        def fail(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            if statement.startswith("UPDATE message") and "sent_at" in statement and len(failures) < 2:
                failures.append(statement)
                raise OperationalError(statement, None, ConnectionError("the server has gone"))

        with app.app_context():
            engine = db.engine
        sa.event.listen(engine, "before_cursor_execute", fail)
        try:
            assert deliver(app, message_id) == "sent"
        finally:
            sa.event.remove(engine, "before_cursor_execute", fail)
        assert (len(failures), len(mailbox.mails)) == (2, 1)
        assert row(app, message_id).state == "sent"

    def test_sent_again_after_a_kill_is_recognised(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        server = outgoing_of(app).mail

        class Killing:
            def send(self, message: EmailMessage) -> str:
                server.send(message)
                raise SystemExit  # as a process ends: nothing is written down any more

        use(app, mail=Killing())
        message_id = accept()
        with pytest.raises(SystemExit):
            deliver(app, message_id)
        assert row(app, message_id).state == "queued"
        use(app, mail=server)
        assert deliver(app, message_id) == "sent"
        assert [mail["Message-ID"] for mail in mailbox.mails] == [f"<{message_id}@example.org>"] * 2

    def test_fails_at_once_where_the_recipient_is_refused(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        mailbox.refused["ada@example.org"] = "550 5.1.1 mailbox unknown"
        message_id = accept()
        with pytest.raises(PermanentFailure, match="550 5.1.1 mailbox unknown"):
            deliver(app, message_id)
        failed = row(app, message_id)
        assert (failed.state, failed.attempts, failed.reply) == ("failed", 1, "550 5.1.1 mailbox unknown")
        assert failed.failed_at is not None
        assert failed.sent_at is None

    def test_stays_queued_while_the_server_is_busy(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        mailbox.refuse = True
        message_id = accept()
        with pytest.raises(TemporaryFailure, match="451 Try again later"):
            deliver(app, message_id)
        waiting = row(app, message_id)
        assert (waiting.state, waiting.attempts, waiting.reply) == ("queued", 1, "451 Try again later")
        mailbox.refuse = False
        assert deliver(app, message_id) == "sent"
        assert row(app, message_id).attempts == 2

    def test_is_given_up_after_the_last_attempt(self, app: Flask, accept: Accept) -> None:
        use(app, mail=MailServer(host="127.0.0.1", port=free_port()))
        message_id = accept()
        for _ in range(business.MOST_ATTEMPTS - 1):
            with pytest.raises(TemporaryFailure):
                deliver(app, message_id)
        with pytest.raises(PermanentFailure, match="is not reached"):
            deliver(app, message_id)
        assert row(app, message_id).state == "failed"
        assert deliver(app, message_id) == "failed"

    def test_meets_no_server_inside_a_unit_of_work(self, app: Flask, accept: Accept) -> None:
        inside = []

        class Sender:
            def send(self, message: EmailMessage) -> str:
                inside.append(is_inside_unit())
                return "ok"

        use(app, mail=Sender())
        deliver(app, accept())
        assert inside == [False]

    def test_that_cannot_be_written_any_more_is_given_up(
        self, app: Flask, accept: Accept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message_id = accept()
        monkeypatch.delitem(business.TEMPLATES, "test")
        with pytest.raises(business.UnknownTemplate):
            deliver(app, message_id)
        assert row(app, message_id).reply == "UnknownTemplate"

    def test_that_is_gone_is_said_to_be(self, app: Flask, senders: Outgoing) -> None:
        with pytest.raises(business.MessageNotFound):
            deliver(app, "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10")


class TestSms:
    def test_goes_to_the_provider(self, app: Flask, accept: Accept, provider: Provider) -> None:
        message_id = accept("+4915112345678", template="code", language="zh", **CODE)
        assert deliver(app, message_id) == "sent"
        assert row(app, message_id).reply == "SM42"
        (asked,) = provider.asked
        assert "+4915112345678" in asked.body
        assert '"code": "204816"' in asked.body

    def test_is_written_in_the_language(self, app: Flask, accept: Accept, senders: Outgoing) -> None:
        for language in ("en", "zh"):
            deliver(app, accept("+4915112345678", template="code", language=language, **CODE))
        assert [sms.text for sms in short_messages(senders)] == [
            "Your code is 204816. It is valid for 10 minutes.",
            "您的验证码是 204816，10 分钟内有效。",
        ]

    @pytest.mark.parametrize("status", [500, 429])
    def test_stays_queued_while_the_provider_is_away(
        self, app: Flask, accept: Accept, provider: Provider, status: int
    ) -> None:
        provider.status, provider.headers = status, {"Retry-After": "7"}
        message_id = accept("+4915112345678")
        with pytest.raises(TemporaryFailure) as raised:
            deliver(app, message_id)
        assert raised.value.retry_after_seconds == 7
        assert row(app, message_id).state == "queued"

    def test_stays_queued_while_the_provider_hangs(self, app: Flask, accept: Accept, provider: Provider) -> None:
        provider.hang.clear()
        message_id = accept("+4915112345678")
        with pytest.raises(TemporaryFailure, match="timed out"):
            deliver(app, message_id)
        assert row(app, message_id).state == "queued"

    def test_fails_at_once_where_the_provider_refuses(self, app: Flask, accept: Accept, provider: Provider) -> None:
        provider.status, provider.answer = 400, "no such number"
        message_id = accept("+4915112345678")
        with pytest.raises(PermanentFailure, match="400 no such number"):
            deliver(app, message_id)
        assert row(app, message_id).state == "failed"


class TestSecrets:
    @pytest.mark.parametrize("status", [200, 400])
    def test_are_gone_once_the_message_is_sent_or_given_up(
        self, app: Flask, accept: Accept, provider: Provider, status: int
    ) -> None:
        provider.status, provider.answer = status, '{"sid": "SM1", "echo": "your code is 204816"}'
        message_id = accept("+4915112345678", template="code", **CODE)
        if status == 200:
            deliver(app, message_id)
        else:
            with pytest.raises(PermanentFailure, match=r"your code is \*\*\*") as raised:
                deliver(app, message_id)
            assert raised.value.__suppress_context__
        ended = row(app, message_id)
        assert "204816" not in str(ended)
        assert count_rows(app, "message", id=message_id, secrets=None) == 1

    def test_stay_while_the_message_is_tried(self, app: Flask, accept: Accept, provider: Provider) -> None:
        provider.status, provider.answer = 500, "sorry, 204816"
        message_id = accept("+4915112345678", template="code", **CODE)
        with pytest.raises(TemporaryFailure):
            deliver(app, message_id)
        assert row(app, message_id).reply == "500 sorry, ***"
        provider.status, provider.answer = 200, '{"sid": "SM1"}'
        assert deliver(app, message_id) == "sent"

    def test_are_in_no_log(
        self, app: Flask, accept: Accept, senders: Outgoing, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        deliver(app, accept(template="code", **CODE))
        assert "was sent" in caplog.text
        assert "204816" not in caplog.text
        assert "ada@example.org" not in caplog.text
        assert len(mails(senders)) == 1
