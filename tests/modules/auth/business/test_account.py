"""Who has which password."""

import pytest
import sqlalchemy as sa

from application.database import change
from application.modules.auth import business
from application.modules.auth.business.account import check_unchanged, strengthen
from application.modules.session import business as sessions
from application.modules.user import business as user_business
from application.modules.user.models import User
from tests.callers import by_token
from tests.modules.auth.business.conftest import HASH, PASSWORD, UNKNOWN, account

pytestmark = pytest.mark.usefixtures("unit")


class TestFindAccount:
    def test_returns_hash_and_roles(self, ada: str) -> None:
        assert account() == business.AccountRow(ada, "ada", HASH, ("user",))

    def test_finds_nobody_of_an_unknown_name(self) -> None:
        assert business.find_account("nobody") is None


class TestFindAccountOf:
    def test_finds_a_user_by_the_id_and_nobody_by_another(self, ada: str) -> None:
        assert business.find_account_of(ada) == account()
        assert business.find_account_of(UNKNOWN) is None


class TestCheckPassword:
    def test_returns_the_account(self, ada: str) -> None:
        assert business.check_password(account(), PASSWORD) == account()

    def test_refuses_a_wrong_password(self, ada: str) -> None:
        with pytest.raises(business.WrongPassword):
            business.check_password(account(), "wrong")

    def test_refuses_an_unknown_name(self) -> None:
        with pytest.raises(business.WrongPassword):
            business.check_password(None, PASSWORD)

    @pytest.mark.parametrize("stored", [None, "", "not a hash"])
    def test_refuses_who_has_no_password(self, ada: str, stored: str | None) -> None:
        change(sa.update(User).values(password_hash=stored))
        for password in ("", "None", PASSWORD):
            with pytest.raises(business.WrongPassword):
                business.check_password(account(), password)


class TestCheckCurrentPassword:
    def test_is_no_reason_to_sign_in_again(self, ada: str) -> None:
        assert business.check_current_password(account(), PASSWORD) == account()
        for known in (account(), None):
            with pytest.raises(business.WrongCurrentPassword) as caught:
                business.check_current_password(known, "wrong")
            assert caught.value.status == 422
            assert [error["loc"] for error in caught.value.errors] == [["body", "current_password"]]


class TestCheckUnchanged:
    def test_refuses_when_the_password_was_changed_meanwhile(self, ada: str) -> None:
        checked = account()
        user_business.update(ada, password_hash="another")
        with pytest.raises(business.WrongPassword):
            check_unchanged(checked)

    def test_refuses_when_the_user_was_deleted_meanwhile(self, ada: str) -> None:
        checked = account()
        user_business.delete(ada)
        with pytest.raises(business.WrongPassword):
            check_unchanged(checked)


class TestStrengthen:
    def test_replaces_the_hash_that_was_checked(self, ada: str) -> None:
        before = user_business.get(ada)
        strengthened = strengthen(account(), "stronger")
        assert strengthened == account()
        assert account().password_hash == "stronger"
        assert user_business.get(ada) == before

    def test_leaves_a_password_that_was_changed_meanwhile(self, ada: str) -> None:
        checked = account()
        user_business.update(ada, password_hash="another")
        assert strengthen(checked, "stronger") is None
        assert account().password_hash == "another"


class TestChangePassword:
    def test_ends_every_session_but_the_one_that_is_kept(self, ada: str) -> None:
        bob = user_business.create(name="bob", password_hash=HASH).id
        kept, other, bobs = (sessions.begin(user_id).token for user_id in (ada, ada, bob))
        identity = by_token(kept)
        assert identity is not None
        business.change_password(account(), "another", kept_session_id=identity.session_id)
        assert account().password_hash == "another"
        assert [by_token(token) is not None for token in (kept, other, bobs)] == [True, False, True]

    def test_ends_all_of_who_came_without_one(self, ada: str) -> None:
        token = sessions.begin(ada).token
        business.change_password(account(), "another", kept_session_id=None)
        assert by_token(token) is None

    def test_changes_nothing_once_another_password_is_stored(self, ada: str) -> None:
        checked = account()
        user_business.update(ada, password_hash="another")
        token = sessions.begin(ada).token
        with pytest.raises(business.WrongCurrentPassword):
            business.change_password(checked, "late", kept_session_id=None)
        assert account().password_hash == "another"
        assert by_token(token) is not None
