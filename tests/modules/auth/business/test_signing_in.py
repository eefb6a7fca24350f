"""From a password to a session."""

import pytest
import sqlalchemy as sa

from application.database import execute
from application.libs.remote import Client
from application.modules.auth import business
from application.modules.session import business as sessions
from application.modules.session.models import Session
from tests.callers import by_token
from tests.modules.auth.business.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("unit")


class TestSignIn:
    def test_lets_the_account_in(self, ada: str) -> None:
        tokens = business.sign_in("ada", PASSWORD, client=Client("curl", "192.0.2.7"), begin=sessions.begin)
        assert tokens.token_type == "Bearer"
        assert by_token(tokens.token) is not None
        row = execute(sa.select(Session)).mappings().one()
        assert (row["user_id"], row["device"], row["address"]) == (ada, "curl", "192.0.2.7")

    @pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("ADA", PASSWORD)])
    def test_begins_no_session_for_anybody_else(self, ada: str, name: str, password: str) -> None:
        with pytest.raises(business.WrongPassword):
            business.sign_in(name, password, begin=sessions.begin)
        assert execute(sa.select(Session)).all() == []
