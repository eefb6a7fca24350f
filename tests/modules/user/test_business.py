"""Rules about users."""

from typing import Any

import pytest

from application.libs.page import UnknownOrder
from application.modules.auth import business as auth_business
from application.modules.blog import business as blog_business
from application.modules.role import business as role_business
from application.modules.session import business as sessions
from application.modules.user import business
from application.permissions import ROLE_PERMISSIONS, Permission, Role
from tests.callers import by_token

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"

pytestmark = pytest.mark.usefixtures("unit")


OF_A_USER = ROLE_PERMISSIONS[Role.USER]


def add(name: str, *roles: str, password_hash: str | None = None) -> business.UserRow:
    return business.create(name=name, password_hash=password_hash, roles=roles)


def names(*, q: str | None = None, sort: str = "name") -> list[str]:
    return [user.name for user in business.search(limit=100, after=None, sort=sort, q=q, count=False).items]


class TestSearch:
    def test_carries_the_roles_of_each(self) -> None:
        users = [add("ada", Role.USER, Role.ADMIN), add("bob", Role.USER), add("eve")]
        page = business.search(limit=3, after=None, sort="name", q=None, count=True)
        assert page.items == users
        assert [list(user.roles) for user in page.items] == [["admin", "user"], ["user"], []]
        assert page.total == 3

    def test_finds_part_of_a_name_literally_and_in_either_case(self) -> None:
        for name in ("Ada", "adam", "a_a", "陈小明"):
            add(name)
        assert sorted(names(q="ADA")) == ["Ada", "adam"]
        assert names(q="_") == ["a_a"]
        assert names(q="小") == ["陈小明"]
        assert names(q="%") == []

    @pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at"])
    def test_pages_without_gap_or_overlap_in_every_order(self, sort: str) -> None:
        for name in ("c", "a", "e", "b", "d"):
            add(name)
        seen: list[str] = []
        after = None
        for _page in range(3):
            page = business.search(limit=2, after=after, sort=sort, q=None, count=False)
            seen += [user.name for user in page.items]
            after = page.next
        assert after is None
        assert seen == names(sort=sort)
        assert len(set(seen)) == 5

    def test_refuses_to_sort_by_the_password(self) -> None:
        with pytest.raises(UnknownOrder):
            names(sort="password_hash")


class TestGet:
    def test_returns_the_user(self) -> None:
        user = add("ada", Role.USER)
        assert business.get(user.id) == user

    def test_finds_no_unknown_user(self) -> None:
        with pytest.raises(business.UserNotFound):
            business.get(UNKNOWN)


class TestCheckExists:
    def test_accepts_a_user(self) -> None:
        business.check_exists(add("ada").id)

    def test_refuses_an_unknown_user(self) -> None:
        with pytest.raises(business.UserNotFound):
            business.check_exists(UNKNOWN)


class TestGetVisible:
    @pytest.mark.parametrize("manages", [True, False])
    def test_shows_oneself(self, *, manages: bool) -> None:
        user = add("ada")
        assert business.get_visible(user.id, viewer_id=user.id, viewer_manages=manages) == user

    def test_shows_anybody_to_who_manages_users(self) -> None:
        user = add("ada")
        assert business.get_visible(user.id, viewer_id=UNKNOWN, viewer_manages=True) == user

    def test_hides_others(self) -> None:
        with pytest.raises(business.UserNotFound):
            business.get_visible(add("ada").id, viewer_id=add("bob").id, viewer_manages=False)


class TestCreate:
    def test_answers_with_what_stands_in_the_table(self) -> None:
        for name in ("陈小明", "🦊", "O'Brien; --", "x" * 50):
            user = add(name, Role.USER, Role.ADMIN, Role.USER)
            assert business.get(user.id) == user
            assert list(user.roles) == ["admin", "user"]

    def test_makes_a_plain_user_unless_told(self) -> None:
        assert business.create(name="ada", password_hash=None).roles == ["user"]

    def test_tells_names_apart_by_case_accent_and_blanks(self) -> None:
        for name in ("Rene", "rene", "René", "re ne"):
            add(name)
        assert len(names()) == 4

    def test_refuses_a_taken_name(self) -> None:
        add("ada")
        with pytest.raises(business.NameTaken):
            add("ada")

    def test_refuses_roles_that_do_not_exist_by_their_places(self) -> None:
        with pytest.raises(role_business.UnknownRole) as refused:
            business.create(name="ada", password_hash=None, roles=["root", "user", "Admin"], held=frozenset(Permission))
        assert [error["loc"] for error in refused.value.errors] == [["body", "roles", 0], ["body", "roles", 2]]

    def test_gives_no_role_beyond_what_the_caller_holds(self) -> None:
        business.create(name="ada", password_hash=None, roles=[Role.USER], held=OF_A_USER)
        for roles, held in (([Role.ADMIN], OF_A_USER), ([Role.USER], frozenset({Permission.USER_MANAGE}))):
            with pytest.raises(role_business.PermissionNotHeld):
                business.create(name="eve", password_hash=None, roles=roles, held=held)


class TestUpdate:
    def test_changes_only_what_is_given(self) -> None:
        user = add("ada", Role.USER)
        changed = business.update(user.id, name="lovelace")
        assert (changed.name, changed.roles, changed.created_at) == ("lovelace", ["user"], user.created_at)
        assert changed.updated_at > user.updated_at
        assert business.get(user.id) == changed

    def test_changes_nothing_without_fields(self) -> None:
        user = add("ada", Role.USER)
        assert business.update(user.id) == user

    @pytest.mark.parametrize("roles", [[], [Role.USER], [Role.ADMIN], [Role.ADMIN, Role.USER], [Role.USER] * 2])
    def test_replaces_the_roles(self, roles: list[Role]) -> None:
        add("root", Role.ADMIN)
        for before in ([], [Role.USER], [Role.ADMIN, Role.USER]):
            user = add(f"{len(before)}", *before)
            assert business.update(user.id, roles=roles).roles == sorted(set(roles))

    def test_ends_the_sessions_of_a_new_password_only(self) -> None:
        ada, bob = add("ada"), add("bob")
        tokens = [sessions.begin(user.id).token for user in (ada, ada, bob)]
        business.update(ada.id, name="lovelace", roles=[Role.USER])
        assert all(by_token(token) is not None for token in tokens)
        business.update(ada.id, password_hash="another")
        assert [by_token(token) is not None for token in tokens] == [False, False, True]

    def test_disables_a_user_until_it_enables_them(self) -> None:
        ada, bob = add("ada", password_hash="hash"), add("bob")
        tokens = [sessions.begin(user.id).token for user in (ada, bob)]
        assert business.update(ada.id, is_disabled=True).is_disabled
        assert [by_token(token) is not None for token in tokens] == [False, True]
        assert (auth_business.find_account("ada"), auth_business.find_account_of(ada.id)) == (None, None)
        assert business.get(ada.id).is_disabled
        assert not business.update(ada.id, is_disabled=False).is_disabled
        account = auth_business.find_account("ada")
        assert account is not None
        assert account.password_hash == "hash"
        assert by_token(tokens[0]) is None

    def test_disables_no_last_admin_who_is_not_disabled(self) -> None:
        root, other = add("root", Role.ADMIN), add("other", Role.ADMIN)
        business.update(other.id, is_disabled=True)
        for refused in (
            lambda: business.update(root.id, is_disabled=True),
            lambda: business.update(root.id, roles=[Role.USER]),
            lambda: business.delete(root.id),
        ):
            with pytest.raises(business.LastAdmin):
                refused()
        business.update(other.id, is_disabled=False)
        assert business.update(root.id, is_disabled=True).is_disabled
        assert business.update(root.id, is_disabled=True).is_disabled

    def test_keeps_the_last_admin(self) -> None:
        root = add("root", Role.ADMIN)
        add("ada", Role.USER)
        with pytest.raises(business.LastAdmin):
            business.update(root.id, roles=[Role.USER])
        assert business.update(root.id, roles=[Role.ADMIN, Role.USER]).roles == ["admin", "user"]

    def test_gives_no_role_beyond_what_the_caller_holds(self) -> None:
        user = add("ada", Role.USER)
        with pytest.raises(role_business.PermissionNotHeld):
            business.update(user.id, roles=[Role.USER, Role.ADMIN], held=OF_A_USER)
        assert business.update(user.id, roles=[], held=OF_A_USER).roles == []

    @pytest.mark.parametrize("changes", [{"name": "eve"}, {"password_hash": "known"}, {"roles": ["user"]}, {}])
    def test_changes_nobody_who_may_do_more_than_the_caller(self, changes: dict[str, Any]) -> None:
        root = add("root", Role.ADMIN)
        add("other", Role.ADMIN)
        with pytest.raises(role_business.PermissionNotHeld):
            business.update(root.id, **changes, held=frozenset(Permission) - {Permission.FILE_MANAGE})
        assert business.get(root.id) == root
        assert business.update(root.id, **changes, held=frozenset(Permission)).id == root.id

    def test_lets_an_admin_go_while_another_stays(self) -> None:
        first, second = add("first", Role.ADMIN), add("second", Role.ADMIN)
        assert business.update(first.id, roles=[]).roles == []
        with pytest.raises(business.LastAdmin):
            business.update(second.id, roles=[])

    def test_refuses_a_taken_name(self) -> None:
        add("ada")
        user = add("bob")
        with pytest.raises(business.NameTaken):
            business.update(user.id, name="ada")

    def test_finds_no_unknown_user(self) -> None:
        for name in (None, "ada"):
            with pytest.raises(business.UserNotFound):
                business.update(UNKNOWN, name=name)
        with pytest.raises(business.UserNotFound):
            business.update(UNKNOWN, roles=[Role.ADMIN])


class TestDelete:
    def test_takes_the_user_and_their_sessions_away(self) -> None:
        user = add("ada", Role.USER)
        token = sessions.begin(user.id).token
        business.delete(user.id)
        assert by_token(token) is None
        with pytest.raises(business.UserNotFound):
            business.get(user.id)

    def test_keeps_the_last_admin(self) -> None:
        root = add("root", Role.ADMIN)
        with pytest.raises(business.LastAdmin):
            business.delete(root.id)

    def test_deletes_nobody_who_may_do_more_than_the_caller(self) -> None:
        add("other", Role.ADMIN)
        with pytest.raises(role_business.PermissionNotHeld):
            business.delete(add("root", Role.ADMIN).id, held=OF_A_USER)

    def test_refuses_who_owns_blogs(self) -> None:
        user = add("ada")
        blog_business.create(owner_id=user.id, title="Hello", content="")
        with pytest.raises(business.UserInUse):
            business.delete(user.id)

    def test_finds_no_unknown_user(self) -> None:
        with pytest.raises(business.UserNotFound):
            business.delete(UNKNOWN)


class TestHasAdmin:
    def test_tells_whether_anybody_is(self) -> None:
        add("ada", Role.USER)
        assert not business.has_admin()
        add("root", Role.ADMIN)
        assert business.has_admin()
