"""The group of commands, as a stranger meets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _manage(*arguments: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manager.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestManager:
    def test_waits_at_the_end_for_what_a_command_called_in_the_background(self, tmp_path: Path) -> None:
        lines = (
            "import time",
            "from application.libs.background import background",
            "later = background(lambda: (time.sleep(0.3), print('called later')))",
            "later()",
        )
        result = _manage(
            "shell",
            given="\n".join(lines) + "\n",
            DATABASE_URL=f"sqlite:///{tmp_path / 'a.db'}",
            LOG_DIRECTORY=str(tmp_path),
        )
        assert result.returncode == 0, result.stderr
        assert "called later" in result.stdout

    def test_lists_every_command_with_a_sentence(self) -> None:
        result = _manage("--help")
        assert result.returncode == 0, result.stderr
        listed = result.stdout.partition("Commands:")[2].strip().splitlines()
        commands = {line.split()[0]: line.split(maxsplit=1)[1:] for line in listed}
        assert {"runserver", "run", "init-db", "init_db", "clear-db", "clear_db", "db", "create-admin"} <= set(commands)
        assert {"routes", "shell", "openapi", "upgrade", "runner", "build-dashboard"} <= set(commands)
        assert [name for name, sentence in commands.items() if not sentence] == []

    @pytest.mark.parametrize("command", ["clear-db", "create-admin", "openapi", "run", "runner", "db"])
    def test_explains_each_command(self, command: str) -> None:
        result = _manage(command, "--help")
        assert (result.returncode, "Usage:" in result.stdout) == (0, True)

    def test_fails_with_one_line_for_settings_that_cannot_work(self) -> None:
        result = _manage("routes", ENVIRONMENT="production", SECRET_KEY="secret!")
        assert result.returncode != 0
        assert "SECRET_KEY" in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1

    @pytest.mark.parametrize(
        "arguments",
        [("--help",), ("db", "--help"), ("db", "upgrade", "--help"), ("clear-db", "--help"), ("--version",)],
    )
    def test_helps_where_the_settings_are_refused(self, arguments: tuple[str, ...]) -> None:
        result = _manage(*arguments, ENVIRONMENT="production", SECRET_KEY="")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout

    def test_names_an_unknown_command_where_the_settings_are_refused(self) -> None:
        result = _manage("nothing", ENVIRONMENT="production", SECRET_KEY="")
        assert result.returncode == 2
        assert "No such command 'nothing'" in result.stderr
