"""Who has shown the right password on the page before."""

from collections.abc import Iterator

import msgspec
import pytest
from flask import Flask

from application.database import transaction
from application.libs.secret import hash_password
from application.modules.auth.business import AccountRow, find_account
from application.modules.auth.business.pending import find_pending, sign_pending
from application.modules.user import business as user_business
from tests.modules.auth.business.conftest import HASH
from tests.moments import at


@pytest.fixture
def ada(app: Flask) -> Iterator[AccountRow]:
    """Create a user, `NOW`."""
    with app.app_context(), at():
        with transaction():
            user_business.create(name="ada", password_hash=HASH)
            account = find_account("ada")
        assert account is not None
        yield account


class TestFindPending:
    def test_knows_the_account_for_five_minutes(self, ada: AccountRow) -> None:
        pending = sign_pending(ada)
        assert find_pending(pending) == ada
        with at(seconds=300):
            assert find_pending(pending) == ada
        with at(seconds=301):
            assert find_pending(pending) is None

    def test_knows_nobody_once_the_password_has_changed_or_the_user_is_gone(self, ada: AccountRow) -> None:
        pending = sign_pending(ada)
        with transaction():
            user_business.update(ada.user_id, password_hash=hash_password("another password"))
        assert find_pending(pending) is None
        with transaction():
            user_business.delete(ada.user_id)
        assert find_pending(pending) is None

    def test_knows_nobody_by_what_we_did_not_sign(self, ada: AccountRow) -> None:
        pending = sign_pending(ada)
        for forged in ("", "x", pending[:-1], pending[1:], f"{pending}.x", pending.swapcase(), "é"):
            assert find_pending(forged) is None

    def test_holds_no_hash(self, ada: AccountRow) -> None:
        other = msgspec.structs.replace(ada, password_hash="other")
        assert ada.password_hash is not None
        assert ada.password_hash not in sign_pending(ada)
        assert sign_pending(ada) != sign_pending(other)
