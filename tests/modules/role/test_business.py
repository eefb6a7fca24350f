"""Rules about roles."""

from collections.abc import Iterable
from typing import Any

import pytest
import sqlalchemy as sa

from application.database import change, execute
from application.modules.role import business
from application.modules.role.models import Role as RoleTable
from application.modules.role.models import RolePermission
from application.modules.session import business as sessions
from application.modules.user import business as user_business
from application.modules.user.models import User
from application.permissions import ROLE_PERMISSIONS, Permission, Role
from tests.callers import by_token

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"
EVERYTHING = frozenset(Permission)
TAGS = [Permission.TAG_CREATE, Permission.TAG_MANAGE]

pytestmark = pytest.mark.usefixtures("unit")


def add(name: str, permissions: Iterable[str] = TAGS) -> business.RoleRow:
    return business.create(name=name, permissions=permissions, held=None)


def built_in(name: Role) -> business.RoleRow:
    return next(role for role in business.search(limit=10).items if role.name == name)


class TestSearch:
    def test_gives_each_with_what_it_holds(self) -> None:
        editor = add("editor")
        page = business.search(limit=10, count=True)
        assert {role.name: set(role.permissions) for role in page.items} == {
            "admin": EVERYTHING,
            "editor": set(TAGS),
            "user": ROLE_PERMISSIONS[Role.USER],
        }
        assert (page.total, page.items[1]) == (3, editor)
        assert [role.name for role in business.search(limit=10, q="DIT").items] == ["editor"]
        assert [role.name for role in business.search(limit=10, is_builtin=True).items] == ["admin", "user"]


class TestCreate:
    def test_answers_with_what_stands_in_the_table(self) -> None:
        role = business.create(name="编辑", description="…", permissions=[*TAGS, *TAGS], held=EVERYTHING)
        assert business.get(role.id) == role
        assert role.permissions == ["tag:create", "tag:manage"]
        assert not role.is_builtin

    def test_refuses_a_taken_name(self) -> None:
        with pytest.raises(business.NameTaken):
            add("user")

    def test_gives_no_permission_that_the_caller_lacks(self) -> None:
        with pytest.raises(business.PermissionNotHeld) as refused:
            business.create(name="editor", permissions=TAGS, held=frozenset({"role:manage", "tag:create"}))
        assert refused.value.detail == "You do not hold tag:manage"
        assert business.create(name="editor", permissions=TAGS, held=frozenset(TAGS)).permissions == sorted(TAGS)


class TestUpdate:
    def test_renames_a_role_with_all_who_have_it(self) -> None:
        role = add("editor")
        user = user_business.create(name="ada", password_hash=None, roles=["editor"])
        changed = business.update(role.id, name="keeper", description="Keeps.", held=None)
        assert (changed.name, changed.description, changed.permissions) == ("keeper", "Keeps.", role.permissions)
        assert user_business.get(user.id).roles == ["keeper"]
        assert changed.updated_at > role.updated_at

    def test_counts_at_once_for_who_has_the_role(self) -> None:
        role = add("editor")
        user = user_business.create(name="ada", password_hash=None, roles=["editor", "user"])
        token = sessions.begin(user.id).token
        for wanted in ([Permission.USER_MANAGE], [], TAGS):
            business.update(role.id, permissions=wanted, held=None)
            identity = by_token(token)
            assert identity is not None
            assert identity.permissions == ROLE_PERMISSIONS[Role.USER] | set(wanted)
            assert identity.roles == ("editor", "user")

    def test_is_for_who_holds_what_the_role_held_and_will_hold(self) -> None:
        role = add("editor")
        wishes: list[dict[str, Any]] = [{"permissions": []}, {"name": "mine"}, {"permissions": [Permission.TAG_CREATE]}]
        for held in ({Permission.TAG_CREATE}, {Permission.TAG_MANAGE}, set[Permission]()):
            for changes in wishes:
                with pytest.raises(business.PermissionNotHeld):
                    business.update(role.id, **changes, held=held)
        with pytest.raises(business.PermissionNotHeld):
            business.update(role.id, permissions=[*TAGS, Permission.USER_MANAGE], held=set(TAGS))
        assert business.update(role.id, permissions=[], held=set(TAGS)).permissions == []

    def test_lets_nobody_change_what_admins_hold(self) -> None:
        admin = built_in(Role.ADMIN)
        wishes: list[dict[str, Any]] = [{"permissions": []}, {"name": "root"}, {"description": "x"}]
        for changes in wishes:
            with pytest.raises(business.RoleBuiltIn):
                business.update(admin.id, **changes, held=None)

    def test_changes_what_users_hold_but_not_the_name(self) -> None:
        role = built_in(Role.USER)
        assert business.update(role.id, name="user", permissions=TAGS, held=None).permissions == sorted(TAGS)
        with pytest.raises(business.RoleBuiltIn):
            business.update(role.id, name="everybody", held=None)

    def test_refuses_a_taken_name(self) -> None:
        with pytest.raises(business.NameTaken):
            business.update(add("editor").id, name="user", held=None)

    def test_finds_no_unknown_role(self) -> None:
        with pytest.raises(business.RoleNotFound):
            business.update(UNKNOWN, held=None)


class TestDelete:
    def test_takes_a_role_away_with_its_permissions(self) -> None:
        role = add("editor")
        business.delete(role.id, held=set(TAGS))
        with pytest.raises(business.RoleNotFound):
            business.get(role.id)
        rows = execute(sa.select(RolePermission).where(RolePermission.role == "editor")).all()
        assert rows == []

    def test_refuses_one_that_somebody_has(self) -> None:
        role = add("editor")
        user_business.create(name="ada", password_hash=None, roles=["editor"])
        with pytest.raises(business.RoleInUse):
            business.delete(role.id, held=None)

    @pytest.mark.parametrize("name", Role)
    def test_refuses_what_is_built_in(self, name: Role) -> None:
        with pytest.raises(business.RoleBuiltIn):
            business.delete(built_in(name).id, held=None)

    def test_is_for_who_holds_what_the_role_holds(self) -> None:
        with pytest.raises(business.PermissionNotHeld):
            business.delete(add("editor").id, held={Permission.TAG_MANAGE})


class TestReadHeld:
    def test_tells_roles_and_permissions_of_one_user_apart(self) -> None:
        add("a, b: c")
        add("空 的", permissions=[])
        names = ["空 的", "a, b: c", "user"]
        user = user_business.create(name="ada", password_hash=None, roles=names)
        held = execute(sa.select(business.HELD).select_from(User).where(User.id == user.id)).scalar_one()
        assert business.read_held(held) == (tuple(sorted(names)), ROLE_PERMISSIONS[Role.USER] | set(TAGS))

    def test_gives_nothing_to_who_has_no_role(self) -> None:
        user = user_business.create(name="ada", password_hash=None, roles=[])
        held = execute(sa.select(business.HELD).select_from(User).where(User.id == user.id)).scalar_one()
        assert business.read_held(held) == ((), frozenset())


class TestFindPermissions:
    def test_adds_up_what_roles_hold(self) -> None:
        add("editor")
        assert business.find_permissions(["user", "editor"]) == ROLE_PERMISSIONS[Role.USER] | set(TAGS)
        assert business.find_permissions(["admin"]) == EVERYTHING
        assert business.find_permissions(["nobody"]) == business.find_permissions([]) == frozenset()


class TestHolders:
    def test_names_the_roles_of_each_permission(self) -> None:
        add("editor")
        change(sa.insert(RolePermission).values(role="editor", permission="given:up"))
        found = business.holders()
        assert found["tag:create"] == ["admin", "editor", "user"]
        assert (found["tag:manage"], found["user:manage"]) == (["admin", "editor"], ["admin"])
        assert found.keys() == EVERYTHING


class TestStoreBuiltIn:
    def test_writes_nothing_a_second_time(self) -> None:
        assert business.store_built_in() == 0

    def test_adds_what_the_code_gives_newly_and_leaves_what_was_taken(self) -> None:
        role = built_in(Role.USER)
        business.update(role.id, permissions=[Permission.TAG_MANAGE], held=None)
        assert business.store_built_in() == 0
        change(sa.update(RoleTable).where(RoleTable.id == role.id).values(declared="blog:write file:write tag:create"))
        assert business.store_built_in() == 3
        assert business.get(role.id).permissions == ["monitor:view", "tag:manage", "task:run"]

    def test_makes_a_role_of_the_name_the_built_in_one(self) -> None:
        role = built_in(Role.USER)
        change(sa.update(RoleTable).where(RoleTable.id == role.id).values(declared=None, is_builtin=False))
        change(sa.delete(RolePermission))
        business.store_built_in()
        assert business.get(role.id).is_builtin
        assert set(business.get(role.id).permissions) == ROLE_PERMISSIONS[Role.USER]
