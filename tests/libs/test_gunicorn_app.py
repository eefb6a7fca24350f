"""A start that a declaration stops: one line, whoever starts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gunicorn.errors import AppImportError

from application.libs.declaration import mistake
from application.libs.gunicorn_app import load_app

ROOT = Path(__file__).parents[2]
SLIP = '''

@tag.get("/slip", public=True)
def slip(payload: TagIn) -> None:
    """Slip."""
'''
UNKNOWN = '''

@tag.get("/slip", permission="tag:raed")
def slip() -> None:
    """Slip."""
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the project, in which a test may spoil a file."""
    shutil.copytree(ROOT / "application", tmp_path / "application", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manager.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def spoil(folder: Path, slip: str) -> int:
    """Add a slip to a feature; return its line."""
    path = folder / "application/modules/tag/endpoints.py"
    written = path.read_text(encoding="utf-8").rstrip("\n") + "\n"
    path.write_text(written + slip, encoding="utf-8")
    return written.count("\n") + 3


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PORT": "0", "DATABASE_URL": f"sqlite:///{folder / 'x.db'}", "PYTHONPATH": ""}
    environment |= variables
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def make() -> str:
    """Make something."""
    return "made"


def refuse() -> None:
    """Refuse to be made."""
    raise mistake("a.handler (line 7)", "it is wrong", "Mend it")


class TestLoadApp:
    def test_returns_what_is_made(self) -> None:
        assert load_app(f"{__name__}:make") == "made"

    def test_says_what_is_wrong_without_a_traceback(self) -> None:
        with pytest.raises(AppImportError, match=r"^Error: a.handler \(line 7\): it is wrong\. Mend it$"):
            load_app(f"{__name__}:refuse")

    def test_halts_gunicorn_with_one_line(self, copy: Path) -> None:
        line = spoil(copy, SLIP)
        result = run(copy, "-m", "gunicorn")
        where = f"Error: application.modules.tag.endpoints.slip (line {line}): nothing fills the parameter `payload`"
        assert result.returncode == 4, result.stderr
        assert where in result.stderr
        assert "Traceback" not in result.stderr


class TestManager:
    @pytest.mark.parametrize(
        ("slip", "what"),
        [
            (SLIP, "nothing fills the parameter `payload`. Call it `body`"),
            (UNKNOWN, "there is no permission 'tag:raed'"),
        ],
    )
    def test_ends_with_one_line(self, copy: Path, slip: str, what: str) -> None:
        line = spoil(copy, slip)
        result = run(copy, "manager.py", "openapi")
        (said,) = result.stderr.strip().splitlines()
        assert result.returncode == 1
        assert said.startswith(f"Error: application.modules.tag.endpoints.slip (line {line}): {what}")

    @pytest.mark.parametrize("command", [("manager.py", "openapi"), ("-m", "gunicorn")])
    def test_ends_with_one_line_for_a_setting_that_only_the_application_can_judge(
        self, copy: Path, command: tuple[str, ...]
    ) -> None:
        schedule = '{"count": {"task": "demo.count_slowl", "schedule": 5}}'
        result = run(copy, *command, CELERY_BEAT_SCHEDULE=schedule)
        (said,) = [line for line in result.stderr.splitlines() if "Error" in line]
        assert result.returncode != 0
        assert said.startswith("Error: CELERY_BEAT_SCHEDULE 'count': ")
        assert "demo.count_slowly" in said
        assert "Traceback" not in result.stderr
