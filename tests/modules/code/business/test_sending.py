"""Who gets a code, and what stays of it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import execute, transaction
from application.libs.clock import now, ruled_by
from application.modules.code import business
from application.modules.code.business import Purpose
from application.modules.code.models import Code
from application.modules.user import business as user_business
from tests.conftest import Caller
from tests.modules.code.conftest import MAIL, PHONE, STRANGER
from tests.post import Post, give_contact, text_of
from tests.tables import count_rows


def ask(app: Flask, purpose: Purpose, to: str, asked_by: str | None = None) -> None:
    with app.app_context(), transaction():
        business.ask(purpose, to, asked_by=asked_by, language="en", remote=None)


def rows(app: Flask) -> list[sa.RowMapping]:
    with app.app_context(), transaction(write=False):
        return list(execute(sa.select(Code.__table__)).mappings())


class TestSend:
    @pytest.mark.parametrize("purpose", [Purpose.SIGN_IN, Purpose.RESET])
    def test_sends_nothing_to_who_has_no_account(self, app: Flask, post: Post, purpose: Purpose) -> None:
        ask(app, purpose, STRANGER)
        assert post.work() == ["code.send"]
        (row,) = rows(app)
        assert (row["address"], row["hash"], row["link_digest"], row["user_id"]) == (None,) * 4

    def test_sends_nothing_to_who_is_disabled(self, app: Flask, reached: Caller, post: Post) -> None:
        with app.app_context(), transaction():
            user_business.update(reached.id, is_disabled=True)
        for purpose in (Purpose.SIGN_IN, Purpose.RESET):
            ask(app, purpose, MAIL)
        assert post.work() == ["code.send"] * 2
        assert {row["hash"] for row in rows(app)} == {None}

    @pytest.mark.parametrize("purpose", [Purpose.REGISTER, Purpose.VERIFY])
    def test_tells_the_owner_of_an_address_that_is_taken(
        self, app: Flask, reached: Caller, bob: Caller, post: Post, purpose: Purpose
    ) -> None:
        for to in (MAIL.lower(), PHONE):
            ask(app, purpose, to, bob.id if purpose is Purpose.VERIFY else None)
        (mail,) = post.mails()
        assert (mail["To"], mail["Subject"]) == ("Ada@example.org", "You have an account already")
        assert [sms.template for sms in post.short_messages()] == ["address_taken"]
        assert {row["hash"] for row in rows(app)} == {None}

    def test_sends_to_the_address_that_was_verified_not_to_one_that_compares_alike(
        self, app: Flask, bob: Caller, post: Post
    ) -> None:
        give_contact(app, bob.id, "strasse@example.org")
        for purpose in (Purpose.SIGN_IN, Purpose.RESET, Purpose.REGISTER):
            ask(app, purpose, "STRAßE@example.org")
        assert {mail["To"] for mail in post.mails()} == {"strasse@example.org"}
        assert len(post.mails()) == 3

    def test_keeps_neither_code_nor_token_nor_address(self, app: Flask, reached: Caller, post: Post) -> None:
        settings = app.extensions["settings"]
        app.extensions["settings"] = settings.model_copy(update={"public_url": "https://app.example"})
        try:
            ask(app, Purpose.RESET, MAIL)
            link, code = post.link(), post.code()
        finally:
            app.extensions["settings"] = settings
        address, _, token = link.partition("?token=")
        assert (address, len(token), len(code)) == ("https://app.example/reset-password", 43, 6)
        with app.app_context(), transaction(write=False):
            kept = [
                str(row)
                for table in ("code", "task", "message", "audit")
                for row in execute(sa.select(sa.text("*")).select_from(sa.text(table)))
            ]
        assert [row for row in kept if token in row or code in row] == []
        (row,) = rows(app)
        assert (row["address"], row["user_id"], row["tries"]) == (None, reached.id, 0)

    def test_mails_the_code_alone_where_nobody_said_where_the_site_is(
        self, app: Flask, reached: Caller, post: Post
    ) -> None:
        ask(app, Purpose.RESET, MAIL)
        ask(app, Purpose.RESET, PHONE)
        text = text_of(post.mails()[0])
        assert "Type this code where you asked to choose another password; it is valid for 5 minutes:" in text
        assert "/reset-password" not in text
        assert "choose another password is" in post.short_messages()[0].text
        assert count_rows(app, "code", link_digest=None) == 2

    def test_sends_none_that_is_over_or_was_replaced(self, app: Flask, reached: Caller, post: Post) -> None:
        began = now()
        ask(app, Purpose.SIGN_IN, MAIL)
        with ruled_by(lambda: began + timedelta(minutes=2)):
            ask(app, Purpose.SIGN_IN, MAIL)
            assert post.work() == ["code.send", "code.send", "message.deliver"]
            ask(app, Purpose.SIGN_IN, PHONE)
        with ruled_by(lambda: began + timedelta(minutes=8)):
            assert post.work() == ["code.send"]
