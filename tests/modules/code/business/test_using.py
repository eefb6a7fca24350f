"""Codes that are shown: five tries, one use."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, execute, transaction
from application.libs.clock import now, ruled_by
from application.libs.error import Refusal
from application.modules.code import business
from application.modules.code.business import Purpose
from application.modules.code.business.life import hash_code
from application.modules.code.models import Code
from application.modules.contact import business as contacts
from application.modules.throttle.business import CODE_GUESS
from tests.conftest import Caller
from tests.modules.code.conftest import MAIL, STRANGER
from tests.parallel import at_once
from tests.post import Post, put_code
from tests.statements import statements
from tests.tables import count_rows

CODE, WRONG = "204816", "000000"


def answer(function: Callable[[], object]) -> str:
    try:
        function()
    except Refusal as refusal:
        return refusal.code
    return ""


def check(app: Flask, code: str, to: str = MAIL, purpose: Purpose = Purpose.SIGN_IN) -> business.TriedRow:
    with app.app_context():
        return business.check(purpose, contacts.read_address(to), code, remote="192.0.2.1")


def use(app: Flask, tried: business.TriedRow) -> None:
    with app.app_context(), transaction():
        business.use(tried)


def tries(app: Flask) -> list[int]:
    with app.app_context(), transaction(write=False):
        return list(execute(sa.select(Code.tries)).scalars())


class TestCheck:
    def test_looks_at_five_and_at_no_right_one_after_that(self, app: Flask, reached: Caller) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        assert [answer(partial(check, app, WRONG)) for _ in range(5)] == ["wrong_code"] * 5
        assert answer(partial(check, app, CODE)) == "wrong_code"
        assert tries(app) == [5]

    def test_looks_at_five_of_many_at_once(self, app: Flask, reached: Caller) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        answers = at_once([partial(answer, partial(check, app, CODE))] * 12)
        assert sorted(answers) == [""] * 5 + ["wrong_code"] * 7
        assert tries(app) == [5]

    def test_does_the_same_where_the_address_is_unknown(self, app: Flask, reached: Caller) -> None:
        seen = []
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        with app.app_context(), transaction():
            business.ask(Purpose.SIGN_IN, STRANGER, asked_by=None, language="en", remote=None)
        for to in (MAIL, STRANGER):
            with statements(app) as done:
                said = answer(partial(check, app, WRONG, to))
            seen.append((said, done))
        assert seen[0] == seen[1]
        assert answer(partial(check, app, WRONG, "never@asked.example")) == "wrong_code"

    def test_knows_a_code_for_its_purpose_and_address_alone(self, app: Flask, reached: Caller) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        put_code(app, Purpose.RESET, MAIL, "111111")
        assert answer(partial(check, app, CODE, purpose=Purpose.RESET)) == "wrong_code"
        assert answer(partial(check, app, CODE, STRANGER)) == "wrong_code"
        assert answer(partial(check, app, CODE, MAIL.swapcase())) == ""

    def test_knows_none_after_five_minutes(self, app: Flask, reached: Caller) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        over = now() + timedelta(minutes=5)
        with ruled_by(lambda: over):
            assert answer(partial(check, app, CODE)) == "wrong_code"

    def test_is_refused_after_twenty_wrong_ones_a_day_whoever_asks_for_more(self, app: Flask, reached: Caller) -> None:
        for number in range(CODE_GUESS.most):
            to = MAIL if number % 2 else MAIL.upper()
            assert answer(partial(check, app, WRONG, to, Purpose.RESET)) == "wrong_code"
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        assert answer(partial(check, app, CODE)) == "throttled"

    def test_makes_a_contact_only_of_the_address_as_it_was_written(self, app: Flask) -> None:
        put_code(app, Purpose.REGISTER, "strasse@example.org", CODE)
        assert answer(partial(check, app, CODE, "straße@example.org", Purpose.REGISTER)) == "wrong_code"
        assert answer(partial(check, app, CODE, "strasse@EXAMPLE.org", Purpose.REGISTER)) == ""


class TestUse:
    def test_lets_one_of_many_at_once_use_it(self, app: Flask, reached: Caller) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        tried = check(app, CODE)
        answers = at_once([partial(answer, partial(use, app, tried))] * 12)
        assert sorted(answers) == [""] + ["wrong_code"] * 11
        assert count_rows(app, "code") == 0

    def test_leaves_it_as_it_was_in_a_unit_that_is_rolled_back(self, app: Flask, reached: Caller) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        tried = check(app, CODE)
        with pytest.raises(ZeroDivisionError), app.app_context(), transaction():
            business.use(tried)
            raise ZeroDivisionError
        use(app, check(app, CODE))

    def test_forgives_the_wrong_ones_before(self, app: Flask, reached: Caller) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        assert answer(partial(check, app, WRONG)) == "wrong_code"
        use(app, check(app, CODE))
        assert count_rows(app, "throttle", scope="code-guess") == 0


class TestCheckLink:
    def test_knows_no_token_that_nobody_was_sent(self, app: Flask, reached: Caller, post: Post) -> None:
        put_code(app, Purpose.RESET, MAIL, CODE)
        with app.app_context():
            for token in ("", "x", "None", "e" * 64):
                assert answer(partial(business.check_link, token)) == "wrong_link"


class TestForget:
    def test_deletes_the_codes_of_a_user(self, app: Flask, reached: Caller, bob: Caller) -> None:
        put_code(app, Purpose.SIGN_IN, MAIL, CODE)
        put_code(app, Purpose.SIGN_IN, STRANGER, CODE)
        with app.app_context(), transaction():
            business.forget(bob.id)
            business.forget(reached.id)
        assert count_rows(app, "code") == 1


class TestHashCode:
    def test_is_bound_to_key_row_purpose_and_address(self, app: Flask, reached: Caller) -> None:
        ada, other = contacts.read_address(MAIL), contacts.read_address(STRANGER)
        with app.app_context():
            hashes = {
                hash_code("1", Purpose.RESET, ada, CODE),
                hash_code("2", Purpose.RESET, ada, CODE),
                hash_code("1", Purpose.SIGN_IN, ada, CODE),
                hash_code("1", Purpose.RESET, other, CODE),
                hash_code("1", Purpose.RESET, ada, WRONG),
            }
        assert len(hashes) == 5
        with app.app_context(), transaction():  # a hash that somebody moves to another row is worth nothing there
            put = hash_code("1", Purpose.SIGN_IN, ada, CODE)
            business.ask(Purpose.SIGN_IN, MAIL, asked_by=None, language="en", remote=None)
            change(sa.update(Code).values(hash=put))
        assert answer(partial(check, app, CODE)) == "wrong_code"
