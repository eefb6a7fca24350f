import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, transaction
from application.libs.delivery import PermanentFailure
from application.modules.message import business
from application.modules.message.business.handling import MessageRow
from application.modules.task.models import Task
from tests.mail_server import Mailbox
from tests.modules.message.conftest import CODE, Accept, row
from tests.tables import count_rows

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


def fail(app: Flask, mailbox: Mailbox, message_id: str) -> None:
    mailbox.refused["ada@example.org"] = "550 5.1.1 mailbox unknown"
    with app.app_context(), pytest.raises(PermanentFailure):
        business.deliver(message_id)
    mailbox.refused.clear()


def retry(app: Flask, message_id: str) -> MessageRow:
    with app.app_context(), transaction():
        return business.retry(message_id)


def bounce(app: Flask, message_id: str, reason: str = "550 no") -> MessageRow:
    with app.app_context(), transaction():
        return business.bounce(message_id, reason=reason)


class TestSearch:
    def test_filters_and_counts(self, app: Flask, accept: Accept) -> None:
        accept("ada@example.org")
        accept("bob@example.org")
        accept("+4915112345678")
        with app.app_context(), transaction(write=False):
            by_mail = business.search(limit=1, count=True, channel="mail")
            assert (len(by_mail.items), by_mail.total) == (1, 2)
            assert by_mail.next is not None
            found = business.search(limit=10, recipient__startswith="BOB", state="queued", template="test").items
        assert [message.recipient for message in found] == ["bob@example.org"]


class TestRetry:
    def test_sends_what_was_given_up(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        message_id = accept()
        fail(app, mailbox, message_id)
        before = row(app, message_id)
        again = retry(app, message_id)
        assert (again.state, again.attempts, again.reply, again.failed_at) == ("queued", 0, None, None)
        assert again.task_id != before.task_id
        assert count_rows(app, "task", id=again.task_id) == 1
        with app.app_context():
            assert business.deliver(message_id) == "sent"
        assert len(mailbox.mails) == 1

    def test_refuses_what_was_sent_or_is_still_tried(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        message_id = accept()
        with pytest.raises(business.StillTried):
            retry(app, message_id)
        with app.app_context():
            business.deliver(message_id)
        with pytest.raises(business.AlreadySent):
            retry(app, message_id)

    def test_takes_what_is_queued_for_a_task_that_has_ended(self, app: Flask, accept: Accept) -> None:
        message_id = accept()
        with app.app_context(), transaction():
            change(sa.update(Task).values(state="cancelled"))
        assert retry(app, message_id).state == "queued"

    def test_refuses_what_lacks_its_secrets(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        message_id = accept(template="code", **CODE)
        fail(app, mailbox, message_id)
        with pytest.raises(business.SecretsGone):
            retry(app, message_id)

    def test_finds_no_unknown_message(self, app: Flask) -> None:
        with pytest.raises(business.MessageNotFound):
            retry(app, UNKNOWN)


class TestBounce:
    def test_says_why_a_message_came_back(self, app: Flask, accept: Accept, mailbox: Mailbox) -> None:
        message_id = accept()
        with app.app_context():
            business.deliver(message_id)
        bounced = bounce(app, message_id, "550 5.1.1\nmailbox unknown")
        assert (bounced.state, bounced.reply) == ("bounced", "550 5.1.1 mailbox unknown")
        assert bounced.sent_at is not None
        assert bounced.failed_at is not None
        assert bounce(app, message_id, "554 spam").reply == "554 spam"
        assert retry(app, message_id).state == "queued"

    def test_refuses_what_was_not_sent(self, app: Flask, accept: Accept) -> None:
        with pytest.raises(business.NotSent):
            bounce(app, accept())

    def test_finds_no_unknown_message(self, app: Flask) -> None:
        with pytest.raises(business.MessageNotFound):
            bounce(app, UNKNOWN)
