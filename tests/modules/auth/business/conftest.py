"""A user with a password, and what is known of her."""

import pytest

from application.libs.secret import hash_password
from application.modules.auth import business
from application.modules.user import business as user_business

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
PASSWORD = "correct horse: 电池"
HASH = hash_password(PASSWORD)


@pytest.fixture
def ada(unit: None) -> str:
    """Create a user with a password."""
    return user_business.create(name="ada", password_hash=HASH).id


def account() -> business.AccountRow:
    """Return what is known of her."""
    found = business.find_account("ada")
    assert found is not None
    return found
