"""Rules of contacts."""

import unicodedata
from functools import partial

import pytest
from flask import Flask

from application.database import transaction
from application.modules.contact import business
from application.modules.message.business import InvalidRecipient
from application.modules.user import business as user_business
from tests.conftest import Caller
from tests.parallel import at_once
from tests.post import contact_rows, give_contact


class TestReadAddress:
    @pytest.mark.parametrize(
        ("text", "normal"),
        [
            ("Ada@Example.ORG", "Ada@example.org"),
            ("ada@xn--mnchen-3ya.example", "ada@münchen.example"),
            ("ada@MÜNCHEN.example", "ada@münchen.example"),
            ("ada@例え.example", "ada@例え.example"),
            (unicodedata.normalize("NFD", "jürgen@example.org"), "jürgen@example.org"),
            ("+49 (151) 123-456.78", "+4915112345678"),
        ],
    )
    def test_returns_the_normal_form(self, text: str, normal: str) -> None:
        assert business.read_address(text).text == normal

    @pytest.mark.parametrize(
        "alike",
        [
            ("ada@example.org", "ADA@example.org", "Ada@EXAMPLE.ORG"),
            ("ada@münchen.example", "ADA@xn--mnchen-3ya.example", "ada@MÜNCHEN.example"),
            (unicodedata.normalize("NFD", "jürgen@example.org"), "JÜRGEN@example.org"),
            ("+4915112345678", "+49 151 12345678"),
        ],
    )
    def test_finds_one_however_it_is_written(self, alike: tuple[str, ...]) -> None:
        assert len({business.read_address(text).digest for text in alike}) == 1

    def test_tells_addresses_apart(self) -> None:
        texts = ("ada@example.org", "a.da@example.org", "ada+x@example.org", "ada@example.com", "аda@example.org")
        assert len({business.read_address(text).digest for text in texts}) == len(texts)

    @pytest.mark.parametrize(
        "text", ["", "ada", "ada@", "a@b@c.org", "Ada <ada@example.org>", "+", "+0123456789", "+٤٩١٥١١"]
    )
    def test_refuses_what_is_no_address(self, text: str) -> None:
        with pytest.raises(InvalidRecipient):
            business.read_address(text)


class TestFindAddress:
    def test_takes_no_name_for_one(self) -> None:
        assert [business.find_address(text) for text in ("ada", "", "4915112345678", "ada@", "+x")] == [None] * 5
        found = business.find_address(" +49 151 12345678")
        assert found is not None
        assert found.text == "+4915112345678"


class TestAdd:
    def test_gives_an_address_to_one_of_many_at_once(self, app: Flask, ada: Caller, bob: Caller) -> None:
        def add(user_id: str, to: str) -> str:
            try:
                return give_contact(app, user_id, to)
            except business.ContactTaken:
                return ""

        answers = at_once(
            [partial(add, user, to) for user in (ada.id, bob.id) for to in ("a@example.org", "A@example.org")]
        )
        assert answers.count("") == 3
        assert len(contact_rows(app)) == 1

    def test_gives_ten_to_a_user(self, app: Flask, ada: Caller) -> None:
        for number in range(business.MOST):
            give_contact(app, ada.id, f"ada{number}@example.org")
        with pytest.raises(business.TooManyContacts):
            give_contact(app, ada.id, "ada@example.org")


class TestDelete:
    def test_goes_with_the_user(self, app: Flask, ada: Caller) -> None:
        give_contact(app, ada.id, "ada@example.org")
        with app.app_context(), transaction():
            user_business.delete(ada.id)
        assert contact_rows(app) == []
