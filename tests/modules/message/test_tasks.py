"""The task that delivers messages."""

from flask import Flask

from application.database import transaction
from application.libs.outgoing import Outgoing
from application.modules.message.tasks import deliver, prune_messages, settle_messages
from tests.modules.message.conftest import Accept, mails
from tests.tables import count_rows


class TestDeliver:
    def test_is_the_rule_itself(self, app: Flask, accept: Accept, senders: Outgoing) -> None:
        message_id = accept()
        with app.app_context():
            assert deliver(message_id=message_id) == "sent"
        assert len(mails(senders)) == 1


class TestLookingAfter:
    def test_leaves_what_is_young_and_tried_alone(self, app: Flask, accept: Accept) -> None:
        accept()
        with app.app_context(), transaction():
            assert (settle_messages(), prune_messages()) == (0, 0)
        assert count_rows(app, "message") == 1
