"""Second factors from the command line."""

import pytest
from click import Command
from flask import Flask
from flask.testing import FlaskClient

from application.modules.factor.commands import reset_factor
from application.permissions import Role
from tests.modules.factor.conftest import Enrol
from tests.modules.factor.test_endpoints import log_in, refused


class TestResetFactor:
    def run(self, app: Flask, name: str) -> tuple[int, str]:
        command: Command = reset_factor
        result = app.test_cli_runner().invoke(command, [name])
        return result.exit_code, result.output.strip()

    def test_lets_the_last_admin_in(self, app: Flask, client: FlaskClient, enrol: Enrol) -> None:
        enrol("root", Role.ADMIN)
        assert refused(log_in(client, "root")) == (401, "second_factor_needed")
        assert self.run(app, "root") == (0, "root signs in by the password alone.")
        assert log_in(client, "root").status_code == 200

    @pytest.mark.parametrize("name", ["nobody", "root"])
    def test_says_what_is_not_there(self, app: Flask, enrol: Enrol, name: str) -> None:
        enrol("root", Role.ADMIN)
        self.run(app, "root")
        code, said = self.run(app, name)
        wanted = {
            "nobody": "Error: There is no user nobody, or they are disabled.",
            "root": "Error: root has no second factor.",
        }
        assert (code, said) == (1, wanted[name])
