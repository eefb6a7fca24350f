"""Creating administrators from the command line."""

import pytest
from click.testing import Result
from flask import Flask

from application.database import transaction
from application.libs.secret import verify_password
from application.modules.auth import business as auth_business
from application.modules.user import business
from application.modules.user.commands import create_admin


class TestCreateAdmin:
    @pytest.fixture(autouse=True)
    def _no_password_in_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ADMIN_PASSWORD", raising=False)

    def run(self, app: Flask, *arguments: str, typed: str | None = None, **environment: str) -> Result:
        return app.test_cli_runner().invoke(create_admin, arguments, input=typed, env=environment)

    def account(self, app: Flask, name: str) -> auth_business.AccountRow | None:
        with app.app_context(), transaction(write=False):
            return auth_business.find_account(name)

    def test_creates_one(self, app: Flask) -> None:
        result = self.run(app, "--name", "root", "--password", "a good long one")
        assert (result.exit_code, result.output) == (0, "root is an administrator.\n")
        account = self.account(app, "root")
        assert account is not None
        assert account.roles == ("admin", "user")
        assert verify_password("a good long one", account.password_hash)

    def test_takes_the_password_of_the_environment(self, app: Flask) -> None:
        assert self.run(app, ADMIN_PASSWORD="a good long one").exit_code == 0
        assert self.account(app, "admin") is not None

    def test_asks_for_the_password_twice_without_showing_it(self, app: Flask) -> None:
        result = self.run(app, typed="a good long one\na good long one\n")
        assert result.exit_code == 0
        assert "a good long one" not in result.output

    def test_ends_without_a_password(self, app: Flask) -> None:
        assert self.run(app, typed="").exit_code == 1
        assert self.account(app, "admin") is None

    @pytest.mark.parametrize("password", ["short", "password", "sunshine1", "the admin's own", "x" * 129])
    def test_refuses_a_bad_password(self, app: Flask, password: str) -> None:
        result = self.run(app, "--password", password)
        assert result.exit_code == 1
        assert result.output.startswith("Error: ")
        assert self.account(app, "admin") is None

    def test_refuses_a_taken_name_with_the_cure(self, app: Flask) -> None:
        self.run(app, "--password", "a good long one")
        result = self.run(app, "--password", "a good long one")
        assert result.exit_code == 1
        assert "--existing" in result.output

    def test_promotes_a_user_who_exists(self, app: Flask) -> None:
        with app.app_context(), transaction():
            business.create(name="ada", password_hash=None)
        assert self.run(app, "--name", "ada", "--existing", "--password", "a good long one").exit_code == 0
        account = self.account(app, "ada")
        assert account is not None
        assert account.roles == ("admin", "user")
        assert verify_password("a good long one", account.password_hash)

    def test_promotes_nobody_who_does_not(self, app: Flask) -> None:
        result = self.run(app, "--name", "ada", "--existing", "--password", "a good long one")
        assert result.exit_code == 1
        assert "There is no user ada" in result.output
