"""The rules about keys for machines, on a real database."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, execute, transaction
from application.libs.clock import now
from application.libs.error import Unauthenticated
from application.libs.ident import new_id
from application.libs.secret import digest_token
from application.modules.auth import business as auth_business
from application.modules.key import business
from application.modules.key.models import ApiKey
from application.modules.session.models import Session
from application.modules.user import business as user_business
from application.permissions import Permission, Role
from tests.callers import by_token
from tests.conftest import Caller
from tests.modules.key.conftest import MakeKey
from tests.parallel import at_once
from tests.statements import statements

HELD = {Permission.TAG_CREATE, Permission.BLOG_WRITE, Permission.USER_MANAGE}


def create(user_id: str, *permissions: str) -> business.FreshKeyRow:
    return business.create(user_id=user_id, held=HELD, name="import", permissions=permissions, expires_in_days=1)


class TestCreate:
    @pytest.mark.usefixtures("unit")
    def test_stores_no_more_than_the_digest(self, ada: Caller) -> None:
        made = create(ada.id, Permission.TAG_CREATE, Permission.BLOG_WRITE, Permission.TAG_CREATE)
        row = execute(sa.select(*ApiKey.__table__.c)).one()
        assert (row.digest, row.prefix, row.permissions) == (
            digest_token(made.key),
            made.key[:11],
            "blog:write tag:create",
        )
        assert not [value for value in row if made.key[12:] in str(value)]
        assert business.is_key(made.key)

    @pytest.mark.usefixtures("unit")
    @pytest.mark.parametrize("wanted", [Permission.TAG_MANAGE, Permission.USER_MANAGE])
    def test_gives_nothing_the_user_lacks_or_that_is_for_people(self, ada: Caller, wanted: Permission) -> None:
        with pytest.raises(business.NotYoursToGive):
            create(ada.id, Permission.TAG_CREATE, wanted)

    @pytest.mark.usefixtures("unit")
    def test_refuses_a_user_who_was_deleted_meanwhile(self) -> None:
        with pytest.raises(Unauthenticated):
            create(new_id(), Permission.TAG_CREATE)

    def test_makes_no_more_at_once_than_one_may_have(
        self, app: Flask, ada: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(business, "MOST_KEYS", 2)

        def make() -> bool:
            try:
                with app.app_context(), transaction():
                    create(ada.id, Permission.TAG_CREATE)
            except business.TooManyKeys:
                return False
            return True

        assert sorted(at_once([make] * 4)) == [False, False, True, True]
        with app.app_context(), transaction():
            create(bob.id, Permission.TAG_CREATE)
            change(sa.update(ApiKey).values(expires_at=now()))
        assert make()


class TestIsKey:
    @pytest.mark.usefixtures("unit")
    def test_takes_no_token_for_a_key_that_begins_like_one(self, ada: Caller) -> None:
        token = "rp_" + "a" * 40
        change(sa.update(Session).where(Session.user_id == ada.id).values(access_digest=digest_token(token)))
        identity = by_token(token)
        assert identity is not None
        assert (identity.user_id, identity.key_id) == (ada.id, None)


class TestUse:
    def test_knows_the_user_within_what_both_hold_now(self, app: Flask, admin: Caller, make_key: MakeKey) -> None:
        made = make_key(admin.id, Permission.TAG_MANAGE, Permission.TAG_CREATE)
        with app.app_context(), transaction(write=False):
            identity = by_token(made.key)
            assert identity is not None
            assert (identity.user_id, identity.name) == (admin.id, "root")
            assert (identity.key_id, identity.session_id, identity.pass_id) == (made.id, None, made.id)
            assert identity.permissions == {Permission.TAG_MANAGE, Permission.TAG_CREATE}
            assert identity.roles == ()
        with app.app_context(), transaction():
            user_business.create(name="other", password_hash=None, roles=[Role.ADMIN])
            user_business.update(admin.id, roles=[Role.USER])
        with app.app_context(), transaction(write=False):
            identity = by_token(made.key)
            assert identity is not None
            assert identity.permissions == {Permission.TAG_CREATE}

    def test_gives_nothing_that_has_become_for_people_alone(self, app: Flask, admin: Caller, make_key: MakeKey) -> None:
        made = make_key(admin.id, Permission.TAG_CREATE)
        with app.app_context(), transaction():
            change(sa.update(ApiKey).values(permissions="gone:long tag:create user:manage"))
        with app.app_context(), transaction(write=False):
            identity = by_token(made.key)
        assert identity is not None
        assert identity.permissions == {Permission.TAG_CREATE}

    def test_asks_once(self, app: Flask, ada: Caller, make_key: MakeKey) -> None:
        made = make_key(ada.id, Permission.TAG_CREATE)
        with app.app_context(), statements(app) as seen, transaction(write=False):
            assert by_token(made.key) is not None
            assert by_token(made.key[:-1] + "?") is None
        assert len(seen) == 2

    def test_knows_nobody_once_it_has_expired_or_its_user_is_gone(
        self, app: Flask, ada: Caller, bob: Caller, make_key: MakeKey
    ) -> None:
        expired, left = (make_key(user.id, Permission.TAG_CREATE) for user in (ada, bob))
        with app.app_context(), transaction():
            change(sa.update(ApiKey).where(ApiKey.id == expired.id).values(expires_at=now()))
            user_business.delete(bob.id)
        with app.app_context(), transaction(write=False):
            assert [by_token(one.key) for one in (expired, left)] == [None, None]
            assert business.find_by_ids([expired.id, left.id]) == []
            assert execute(sa.select(ApiKey.id)).scalars().all() == [expired.id]

    def test_knows_nobody_while_its_user_is_disabled(self, app: Flask, ada: Caller, make_key: MakeKey) -> None:
        made, found = make_key(ada.id, Permission.TAG_CREATE), []
        for is_disabled in (True, False):
            with app.app_context(), transaction():
                user_business.update(ada.id, is_disabled=is_disabled)
            with app.app_context(), transaction(write=False):
                found.append((by_token(made.key) is not None, len(business.find_by_ids([made.id]))))
        assert found == [(False, 0), (True, 1)]


class TestFindByIds:
    def test_finds_keys_beside_tokens_in_parts(
        self, app: Flask, ada: Caller, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(business, "_MOST_IDS", 2)
        key_ids = {make_key(ada.id, Permission.MONITOR_VIEW).id for _key in range(3)}
        with app.app_context(), transaction(write=False):
            token = by_token(ada.token)
            assert token is not None
            assert token.pass_id is not None
            found = auth_business.find_by_pass_ids([token.pass_id, *key_ids, new_id()])
        assert {pass_id: one.key_id is not None for pass_id, one in found.items()} == {
            token.pass_id: False,
            **dict.fromkeys(key_ids, True),
        }


class TestNoteUse:
    def test_writes_once_a_minute_whoever_calls(self, app: Flask, ada: Caller, make_key: MakeKey) -> None:
        key_id = make_key(ada.id, Permission.TAG_CREATE).id

        def note() -> bool:
            with app.app_context():
                return business.note_use.now(key_id, address="2001:db8::7%eth0" + "0" * 60)

        assert sorted(at_once([note] * 4)) == [False, False, False, True]
        with app.app_context(), transaction():
            change(sa.update(ApiKey).values(last_used_at=now() - timedelta(seconds=61)))
        assert [note(), note()] == [True, False]
        with app.app_context(), transaction(write=False):
            row = execute(sa.select(ApiKey.last_used_at, ApiKey.last_used_address)).one()
        assert now() - row.last_used_at < timedelta(seconds=30)
        assert len(row.last_used_address) == 45
