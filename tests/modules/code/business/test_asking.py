"""Codes that are asked for at once."""

from functools import partial

from flask import Flask

from application.database import transaction
from application.libs.error import Refusal
from application.modules.code import business
from tests.modules.code.conftest import MAIL
from tests.parallel import at_once
from tests.post import Post
from tests.tables import count_rows


def ask(app: Flask, to: str) -> str:
    try:
        with app.app_context(), transaction():
            business.ask(business.Purpose.RESET, to, asked_by=None, language="en", remote="192.0.2.1")
    except Refusal as refusal:
        return refusal.code
    return ""


class TestAsk:
    def test_lets_one_of_many_at_once_be_sent(self, app: Flask, post: Post) -> None:
        answers = at_once([partial(ask, app, MAIL)] * 4)
        assert sorted(answers) == ["", *["code_just_sent"] * 3]
        assert count_rows(app, "code") == count_rows(app, "task") == 1

    def test_stores_nothing_but_what_it_takes_to_send_one(self, app: Flask) -> None:
        assert ask(app, MAIL) == ""
        assert count_rows(app, "code", address="Ada@example.org", hash=None, link_digest=None, user_id=None) == 1
