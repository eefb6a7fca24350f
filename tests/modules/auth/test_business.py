"""Rules about signing in."""

import base64
from datetime import timedelta

import pytest
import sqlalchemy as sa

from application.database import change, execute
from application.libs.auth import Credentials
from application.libs.clock import now
from application.libs.secret import hash_password
from application.modules.auth import business
from application.modules.auth.models import Token
from application.modules.user import business as user_business
from application.modules.user.models import User, UserRole
from application.permissions import Permission, Role

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
PASSWORD = "correct horse: 电池"
HASH = hash_password(PASSWORD)

pytestmark = pytest.mark.usefixtures("unit")


@pytest.fixture
def ada(unit: None) -> str:
    """Create a user with a password."""
    return user_business.create(name="ada", password_hash=HASH).id


def account() -> business.AccountRow:
    found = business.find_account("ada")
    assert found is not None
    return found


def basic(name: str, password: str) -> Credentials:
    return Credentials("basic", base64.b64encode(f"{name}:{password}".encode()).decode())


class TestIdentify:
    def test_knows_who_holds_a_token(self, ada: str) -> None:
        token = business.create_token(ada, ttl_seconds=60).token
        identity = business.identify(Credentials("bearer", token))
        assert identity is not None
        assert (identity.user_id, identity.name, identity.roles) == (ada, "ada", ("user",))
        assert identity.may(Permission.BLOG_WRITE)
        assert not identity.may(Permission.USER_MANAGE)
        assert identity.token_id is not None

    def test_knows_a_name_with_its_password(self, ada: str) -> None:
        identity = business.identify(basic("ada", PASSWORD))
        assert identity is not None
        assert (identity.user_id, identity.token_id) == (ada, None)

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


class TestFindByTokenIds:
    def test_knows_who_holds_which_and_leaves_the_others_out(self, ada: str) -> None:
        bob = user_business.create(name="bob", password_hash=HASH, roles=[Role.ADMIN, Role.USER]).id
        tokens = [
            business.create_token(user_id, ttl_seconds=seconds).token
            for user_id, seconds in ((ada, 60), (ada, 60), (bob, 60), (bob, 60), (bob, 0))
        ]
        ids = [identity.token_id for token in tokens if (identity := business.find_by_token(token))]
        first, second, third, ended = [token_id for token_id in ids if token_id]
        business.revoke(ended)
        expired = execute(sa.select(Token.id).where(Token.expires_at <= now())).scalar_one()
        found = business.find_by_token_ids([first, second, third, ended, expired, UNKNOWN])
        assert {token_id: (one.name, one.roles) for token_id, one in found.items()} == {
            first: ("ada", ("user",)),
            second: ("ada", ("user",)),
            third: ("bob", ("admin", "user")),
        }
        assert found[third].may(Permission.SCHEDULER_MANAGE)
        assert not found[first].may(Permission.SCHEDULER_MANAGE)

    def test_knows_somebody_without_any_role(self, ada: str) -> None:
        identity = business.find_by_token(business.create_token(ada, ttl_seconds=60).token)
        assert identity is not None
        assert identity.token_id is not None
        user_business.update(ada, roles=[])
        found = business.find_by_token_ids([identity.token_id])
        assert found[identity.token_id].permissions == frozenset()

    def test_asks_in_parts(self, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(business, "_MOST_IDS", 2)
        tokens = [business.create_token(ada, ttl_seconds=60).token for _token in range(5)]
        ids = {identity.token_id for token in tokens if (identity := business.find_by_token(token))}
        found = business.find_by_token_ids([token_id for token_id in ids if token_id])
        assert found.keys() == ids
        assert business.find_by_token_ids([]) == {}


class TestFindByToken:
    def test_follows_the_roles_at_once(self, ada: str) -> None:
        token = business.create_token(ada, ttl_seconds=60).token
        user_business.update(ada, roles=[Role.ADMIN])
        identity = business.find_by_token(token)
        assert identity is not None
        assert identity.permissions == frozenset(Permission)

    def test_gives_nothing_for_a_role_nobody_knows(self, ada: str) -> None:
        token = business.create_token(ada, ttl_seconds=60).token
        change(sa.update(UserRole).values(role="given-up"))
        identity = business.find_by_token(token)
        assert identity is not None
        assert identity.permissions == frozenset()

    def test_knows_a_user_without_roles(self, ada: str) -> None:
        token = business.create_token(ada, ttl_seconds=60).token
        user_business.update(ada, roles=[])
        identity = business.find_by_token(token)
        assert identity is not None
        assert (identity.roles, identity.permissions) == ((), frozenset())

    @pytest.mark.parametrize("ttl_seconds", [0, -1])
    def test_forgets_an_expired_token(self, ada: str, ttl_seconds: int) -> None:
        token = business.create_token(ada, ttl_seconds=ttl_seconds).token
        assert business.find_by_token(token) is None

    def test_takes_the_whole_token_only(self, ada: str) -> None:
        token = business.create_token(ada, ttl_seconds=60).token
        for other in (token[:-1], f"{token}x", token.swapcase(), f" {token}"):
            assert business.find_by_token(other) is None

    def test_does_not_take_what_is_stored(self, ada: str) -> None:
        business.create_token(ada, ttl_seconds=60)
        digest = execute(sa.select(Token.digest)).scalar_one()
        assert business.find_by_token(digest) is None


class TestFindAccount:
    def test_returns_hash_and_roles(self, ada: str) -> None:
        assert account() == business.AccountRow(ada, "ada", HASH, ("user",))

    def test_finds_nobody_of_an_unknown_name(self) -> None:
        assert business.find_account("nobody") is None


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


class TestOpenSession:
    def test_lets_the_account_in(self, ada: str) -> None:
        session = business.open_session(account(), ttl_seconds=60)
        assert session.token_type == "Bearer"
        assert session.expires_in == 60
        assert business.find_by_token(session.token) is not None

    def test_refuses_when_the_password_was_changed_meanwhile(self, ada: str) -> None:
        checked = account()
        user_business.update(ada, password_hash="another")
        with pytest.raises(business.WrongPassword):
            business.open_session(checked, ttl_seconds=60)

    def test_refuses_when_the_user_was_deleted_meanwhile(self, ada: str) -> None:
        checked = account()
        user_business.delete(ada)
        with pytest.raises(business.WrongPassword):
            business.open_session(checked, ttl_seconds=60)


class TestCreateToken:
    def test_stores_no_token(self, ada: str) -> None:
        session = business.create_token(ada, ttl_seconds=60)
        row = execute(sa.select(Token)).mappings().one()
        assert session.token not in str(dict(row))
        assert len(session.token) == 43

    def test_gives_another_token_each_time(self, ada: str) -> None:
        tokens = {business.create_token(ada, ttl_seconds=60).token for _ in range(5)}
        assert len(tokens) == 5

    def test_says_when_it_ends(self, ada: str) -> None:
        before = now()
        session = business.create_token(ada, ttl_seconds=60)
        assert before <= session.expires_at - timedelta(seconds=60) <= now()


class TestRevoke:
    def test_ends_this_token_only(self, ada: str) -> None:
        first, second = (business.create_token(ada, ttl_seconds=60).token for _ in range(2))
        identity = business.find_by_token(first)
        assert identity is not None
        assert identity.token_id is not None
        business.revoke(identity.token_id)
        assert business.find_by_token(first) is None
        assert business.find_by_token(second) is not None

    def test_forgives_a_token_that_has_ended(self) -> None:
        business.revoke(UNKNOWN)


class TestPruneExpired:
    def test_deletes_what_has_expired(self, ada: str) -> None:
        for ttl_seconds in (-5, 0, 60):
            business.create_token(ada, ttl_seconds=ttl_seconds)
        assert business.prune_expired() == 2
        assert business.prune_expired() == 0
        assert execute(sa.select(sa.func.count()).select_from(Token)).scalar_one() == 1
