"""What a developer sees whose last change keeps the application from being built: real processes, edited meanwhile."""

import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.test import Client

from application.cli.failing import HIDDEN, TITLE, described, stand_in
from application.config.setting import ROOT
from application.libs.declaration import DeclarationError
from application.libs.redprint import Redprint
from tests.e2e.server import Server
from tests.waiting import wait_until

SLIP = "rate_limits="
HANDLER = "Error: application.modules.tag.endpoints.create (line "


class Development(Server):
    """The development server on a copy of the sources."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.root = folder / "sources"
        for name in ("application", "migrations"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "manager.py", self.root)
        self.environment |= {"PYTHONPATH": "", "RUNNER": "none"}

    def command(self) -> list[str]:
        return [sys.executable, "manager.py", "runserver"]

    def edit(self, name: str, old: str, new: str) -> None:
        """Save a file with another text in it."""
        path = self.root / "application" / name
        path.write_text(path.read_text().replace(old, new))

    def problem(self) -> dict[str, Any]:
        """Return what is answered while nothing can be served, empty meanwhile."""
        try:
            answer = requests.get(f"{self.url}/api/v1/blog", timeout=5)
        except requests.RequestException:  # it is being started again
            return {}
        found: dict[str, Any] = answer.json() if answer.status_code == 503 else {}
        return found

    def await_problem(self, words: str) -> None:
        """Wait until the answer names the mistake."""
        wait_until(lambda: words in self.problem().get("detail", ""), 30, self.said)


@pytest.fixture
def development(tmp_path: Path) -> Iterator[Development]:
    made = Development(tmp_path)
    made.start()
    yield made
    made.end()


class TestRunserver:
    def test_outlives_every_mistake_that_is_saved(self, development: Development) -> None:
        development.edit("modules/tag/endpoints.py", "rate_limit=", SLIP)
        development.await_problem("there is no option `rate_limits`. Did you mean `rate_limit`?")
        assert development.problem()["detail"].startswith(HANDLER)
        page = requests.get(f"{development.url}/", headers={"Accept": "text/html"}, timeout=5)
        assert (page.status_code, TITLE in page.text, "rate_limits" in page.text) == (503, True, True)
        development.edit("modules/tag/endpoints.py", SLIP, "rate_limit=")
        wait_until(development.answers, 30, development.said)
        development.edit("modules/tag/business.py", "def get(", "def (")
        development.await_problem("SyntaxError")
        development.edit("modules/tag/business.py", "def (", "def get(")
        wait_until(development.answers, 30, development.said)
        development.edit(
            "modules/tag/endpoints.py", "Permission.TAG_CREATE", '"tag:nobody"'
        )  # found when it is mounted
        development.await_problem("there is no permission 'tag:nobody'")
        said = development.said()
        assert "Traceback" not in said
        assert "\\u001b" not in said
        assert development.stop(signal.SIGTERM) in (0, -signal.SIGTERM)


class TestManager:
    def test_says_a_slip_of_a_declaration_in_one_line(self, tmp_path: Path) -> None:
        development = Development(tmp_path)
        development.edit("modules/tag/endpoints.py", "rate_limit=", SLIP)
        result = development.manage("openapi")
        assert result.returncode == 1
        assert result.stderr.startswith(HANDLER)
        assert len(result.stderr.splitlines()) == 1
        development.edit("modules/tag/endpoints.py", SLIP, "rate_limit=")
        development.edit("modules/tag/endpoints.py", "Permission.TAG_CREATE", '"tag:nobody"')
        result = development.manage("openapi")
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)


class TestDescribed:
    def test_says_a_slip_of_a_declaration_alone(self) -> None:
        with pytest.raises(DeclarationError) as caught:
            Redprint("note", __name__).get("no slash")(described)
        assert described(caught.value) == f"Error: {caught.value}"

    def test_shows_the_way_to_anything_else(self) -> None:
        with pytest.raises(ValueError, match="deep") as caught:
            int_of("deep")
        assert described(caught.value).startswith("Traceback")
        assert "in int_of" in described(caught.value)


def int_of(text: str) -> int:
    return int(text)


class TestStandIn:
    def test_shows_a_stranger_nothing(self) -> None:
        answer = Client(stand_in(ValueError("<inside>"), tells=False)).get("/api/v1/blog")
        assert (answer.status_code, answer.json) == (
            503,
            {"type": "about:blank", "title": TITLE, "status": 503, "detail": HIDDEN},
        )

    def test_escapes_what_it_shows(self) -> None:
        answer = Client(stand_in(ValueError("<inside>"), tells=True)).get("/", headers={"Accept": "text/html"})
        assert "ValueError: &lt;inside&gt;" in answer.text
