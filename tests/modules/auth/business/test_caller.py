"""Who asks."""

import base64

import pytest
import sqlalchemy as sa

from application.database import change, execute
from application.libs.auth import Credentials
from application.libs.clock import now
from application.modules.auth import business
from application.modules.auth.business import caller
from application.modules.role.models import RolePermission
from application.modules.session import business as sessions
from application.modules.session.models import Session
from application.modules.user import business as user_business
from application.permissions import Permission, Role
from tests.callers import by_token
from tests.modules.auth.business.conftest import HASH, PASSWORD, UNKNOWN
from tests.moments import at

pytestmark = pytest.mark.usefixtures("unit")


def basic(name: str, password: str) -> Credentials:
    return Credentials("basic", base64.b64encode(f"{name}:{password}".encode()).decode())


class TestIdentify:
    def test_knows_who_holds_a_token(self, ada: str) -> None:
        token = sessions.begin(ada).token
        identity = business.identify(Credentials("bearer", token))
        assert identity is not None
        assert (identity.user_id, identity.name, identity.roles) == (ada, "ada", ("user",))
        assert identity.may(Permission.BLOG_WRITE)
        assert not identity.may(Permission.USER_MANAGE)
        assert identity.session_id is not None

    def test_knows_a_name_with_its_password(self, ada: str) -> None:
        identity = business.identify(basic("ada", PASSWORD))
        assert identity is not None
        assert (identity.user_id, identity.session_id) == (ada, None)

    @pytest.mark.parametrize(
        "credentials",
        [
            Credentials("bearer", ""),
            Credentials("bearer", "x" * 10_000),
            Credentials("bearer", "\udce9"),
            Credentials("basic", "!"),
            Credentials("basic", base64.b64encode(b"ada").decode()),
            Credentials("basic", base64.b64encode(b"a\x00da:x").decode()),
            basic("ada", "wrong"),
            basic("ada", ""),
            basic("nobody", PASSWORD),
            basic("ADA", PASSWORD),
            basic("ada ", PASSWORD),
        ],
    )
    def test_knows_nobody_by_anything_else(self, ada: str, credentials: Credentials) -> None:
        assert business.identify(credentials) is None


class TestFindByPassIds:
    def test_knows_who_holds_which_and_leaves_the_others_out(self, ada: str) -> None:
        bob = user_business.create(name="bob", password_hash=HASH, roles=[Role.ADMIN, Role.USER]).id
        tokens = [sessions.begin(user_id).token for user_id in (ada, ada, bob, bob, bob)]
        ids = [identity.session_id for token in tokens if (identity := by_token(token))]
        first, second, third, ended, expired = [session_id for session_id in ids if session_id]
        sessions.revoke(ended)
        change(sa.update(Session).where(Session.id == expired).values(expires_at=now()))
        change(sa.update(Session).where(Session.id == second).values(access_expires_at=now()))  # refreshing helps
        found = business.find_by_pass_ids([first, second, third, ended, expired, UNKNOWN])
        assert {session_id: (one.name, one.roles) for session_id, one in found.items()} == {
            first: ("ada", ("user",)),
            second: ("ada", ("user",)),
            third: ("bob", ("admin", "user")),
        }
        assert found[third].may(Permission.SCHEDULER_MANAGE)
        assert not found[first].may(Permission.SCHEDULER_MANAGE)

    def test_knows_somebody_without_any_role(self, ada: str) -> None:
        identity = by_token(sessions.begin(ada).token)
        assert identity is not None
        assert identity.session_id is not None
        user_business.update(ada, roles=[])
        found = business.find_by_pass_ids([identity.session_id])
        assert found[identity.session_id].permissions == frozenset()

    def test_asks_in_parts(self, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(caller, "_MOST_IDS", 2)
        tokens = [sessions.begin(ada).token for _token in range(5)]
        ids = {identity.session_id for token in tokens if (identity := by_token(token))}
        found = business.find_by_pass_ids([session_id for session_id in ids if session_id])
        assert found.keys() == ids
        assert business.find_by_pass_ids([]) == {}


class TestByToken:
    def test_follows_the_roles_at_once(self, ada: str) -> None:
        token = sessions.begin(ada).token
        user_business.update(ada, roles=[Role.ADMIN])
        identity = by_token(token)
        assert identity is not None
        assert identity.permissions == frozenset(Permission)

    def test_gives_nothing_for_a_permission_that_the_code_gave_up(self, ada: str) -> None:
        token = sessions.begin(ada).token
        change(sa.delete(RolePermission))
        change(sa.insert(RolePermission).values(role="user", permission="given:up"))
        identity = by_token(token)
        assert identity is not None
        assert identity.permissions == frozenset()

    def test_knows_a_user_without_roles(self, ada: str) -> None:
        token = sessions.begin(ada).token
        user_business.update(ada, roles=[])
        identity = by_token(token)
        assert identity is not None
        assert (identity.roles, identity.permissions) == ((), frozenset())

    def test_forgets_an_expired_token(self, ada: str) -> None:
        with at():
            token = sessions.begin(ada).token
        with at(seconds=899):
            assert by_token(token) is not None
        with at(seconds=901):
            assert by_token(token) is None

    def test_takes_no_refresh_token(self, ada: str) -> None:
        assert by_token(sessions.begin(ada).refresh_token) is None

    def test_takes_the_whole_token_only(self, ada: str) -> None:
        token = sessions.begin(ada).token
        for other in (token[:-1], f"{token}x", token.swapcase(), f" {token}"):
            assert by_token(other) is None

    def test_does_not_take_what_is_stored(self, ada: str) -> None:
        sessions.begin(ada)
        digest = execute(sa.select(Session.access_digest)).scalar_one()
        assert by_token(digest) is None
