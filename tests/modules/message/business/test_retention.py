from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, db, transaction
from application.libs.clock import now
from application.libs.ident import new_id
from application.modules.message import business
from application.modules.message.business import retention
from application.modules.message.models import Message
from application.modules.task.models import Task
from tests.modules.message.conftest import CODE, Accept, row
from tests.tables import count_rows


class TestSettle:
    @pytest.mark.parametrize(
        ("end", "reply"),
        [
            (sa.update(Task).values(state="cancelled"), "Its task has ended: cancelled"),
            (sa.delete(Task), "Its task has ended: it is gone"),
        ],
    )
    def test_gives_up_what_nobody_tries(self, app: Flask, accept: Accept, end: sa.Executable, reply: str) -> None:
        left = accept(template="code", **CODE)
        with app.app_context(), transaction():
            change(end)
        tried = accept()
        with app.app_context(), transaction():
            assert business.settle() == 1
        assert (row(app, left).state, row(app, left).reply, row(app, tried).state) == ("failed", reply, "queued")
        assert row(app, left).failed_at is not None
        assert count_rows(app, "message", id=left, secrets=None) == 1

    def test_leaves_alone_what_a_command_sends(self, app: Flask, accept: Accept) -> None:
        message_id = accept()
        with app.app_context(), transaction():
            change(sa.update(Message).values(task_id=None))
            assert business.settle() == 0
        assert row(app, message_id).state == "queued"

    def test_leaves_alone_what_somebody_lets_try_again_in_this_moment(self, app: Flask, accept: Accept) -> None:
        message_id = accept()
        with app.app_context(), transaction():
            change(sa.update(Task).values(state="cancelled"))

        retried: list[str] = []

        def retry(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            if statement.startswith("UPDATE message") and "reply" in statement and not retried:
                retried.append(new_id())
                change(sa.update(Message).values(task_id=retried[0]))

        with app.app_context():
            engine = db.engine
            sa.event.listen(engine, "before_cursor_execute", retry)
            try:
                with transaction():
                    assert business.settle() == 0
            finally:
                sa.event.remove(engine, "before_cursor_execute", retry)
        assert (row(app, message_id).state, row(app, message_id).task_id) == ("queued", retried[0])


class TestPrune:
    def test_deletes_in_pieces(self, app: Flask, accept: Accept, monkeypatch: pytest.MonkeyPatch) -> None:
        messages = [accept() for _ in range(3)]
        with app.app_context():
            for message_id in messages:
                business.deliver(message_id)
        monkeypatch.setattr(retention, "_OLD", retention._OLD.limit(2))
        with app.app_context(), transaction():
            change(sa.update(Message).values(created_at=now() - timedelta(days=8)))
            assert [business.prune(keep_days=7) for _ in range(3)] == [2, 1, 0]

    def test_deletes_what_is_old_and_tried_no_more(self, app: Flask, accept: Accept) -> None:
        messages = {name: accept() for name in ("old and sent", "old and queued", "young and sent")}
        with app.app_context():
            for name, message_id in messages.items():
                if "sent" in name:
                    business.deliver(message_id)
        old = sa.update(Message).where(Message.id.in_([messages["old and sent"], messages["old and queued"]]))
        with app.app_context(), transaction():
            change(old.values(created_at=now() - timedelta(days=8)))
            assert business.prune(keep_days=7) == 1
        assert count_rows(app, "message") == 2
        assert count_rows(app, "message", id=messages["old and sent"]) == 0
