"""The list of permissions, and what each role holds."""

import re

from application.permissions import ROLE_PERMISSIONS, Permission, Role


class TestPermission:
    def test_reads_resource_and_action(self) -> None:
        assert all(re.fullmatch(r"[a-z]+:[a-z]+", permission) for permission in Permission)

    def test_is_named_as_it_reads(self) -> None:
        assert all(permission.name == permission.upper().replace(":", "_") for permission in Permission)

    def test_stands_in_alphabetical_order(self) -> None:
        assert [permission.name for permission in Permission] == sorted(Permission.__members__)

    def test_says_what_it_is_in_a_sentence(self) -> None:
        assert not [permission for permission in Permission if not permission.description.endswith(".")]


class TestRolePermissions:
    def test_say_something_about_every_role(self) -> None:
        assert set(ROLE_PERMISSIONS) == set(Role)

    def test_give_the_admin_everything(self) -> None:
        assert ROLE_PERMISSIONS[Role.ADMIN] == set(Permission)

    def test_let_a_user_manage_nothing(self) -> None:
        assert not [permission for permission in ROLE_PERMISSIONS[Role.USER] if permission.endswith(":manage")]

    def test_let_a_user_write_blogs_and_create_tags(self) -> None:
        assert {Permission.BLOG_WRITE, Permission.TAG_CREATE} <= ROLE_PERMISSIONS[Role.USER]
