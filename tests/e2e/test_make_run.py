"""`make run` from a fresh clone, with nothing installed by hand: what a newcomer does first."""

import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.server import ROOT
from tests.port import free_port
from tests.waiting import wait_until

INSTALL_SECONDS = 400
START_SECONDS = 60


class Newcomer:
    """Be somebody who cloned the project and types `make run`."""

    def __init__(self, folder: Path) -> None:
        """Clone what is committed."""
        self.folder = folder / "redprint"
        self.output = folder / "output.txt"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        subprocess.run(["git", "clone", "--quiet", ROOT, self.folder], check=True)
        foreign = ("DATABASE_URL", "ADMIN_PASSWORD", "ENVIRONMENT", "MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV")
        self.environment = {name: value for name, value in os.environ.items() if name not in foreign}
        self.environment |= {"PORT": str(self.port), "LC_ALL": "C.UTF-8"}
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, seconds: float) -> str:
        """Type `make run`, wait until it serves, and return what it said."""
        self.output.unlink(missing_ok=True)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                ["make", "run"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._answers, seconds, lambda: f"no answer; it said: {self.said()}")
        return self.said()

    def stop(self) -> None:
        """Press Ctrl-C, which reaches everything in the terminal, and wait for the end."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            self.process.wait(30)

    def said(self) -> str:
        """Return what was printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def jobs(self, token: dict[str, str]) -> list[str]:
        """Return the ids of the jobs."""
        return [job["id"] for job in requests.get(f"{self.url}/scheduler/jobs", headers=token, timeout=9).json()]

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.said()}"
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/blog", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    """Clone the project; stop what was started."""
    somebody = Newcomer(tmp_path)
    yield somebody
    somebody.stop()


class TestMakeRun:
    @pytest.mark.timeout(2 * INSTALL_SECONDS)
    def test_leads_from_a_clone_to_a_page_an_api_and_a_scheduler(self, newcomer: Newcomer) -> None:
        said = newcomer.run(INSTALL_SECONDS)
        found = re.search(r"admin, password (\S+) \(shown this once\)", said)
        assert found is not None, said
        assert "A sample is loaded" in said
        for address in ("/", "/docs", "/api/v1/openapi.json", "/scheduler"):
            assert f"{newcomer.url}{address}" in said
        login = requests.post(
            f"{newcomer.url}/api/v1/auth/login", json={"name": "admin", "password": found[1]}, timeout=9
        )
        token = {"Authorization": f"Bearer {login.json()['data']['token']}"}
        assert (
            requests.get(f"{newcomer.url}/api/v1/auth/me", headers=token, timeout=9).json()["data"]["name"] == "admin"
        )
        assert len(requests.get(f"{newcomer.url}/api/v1/blog", timeout=9).json()["data"]) == 7
        assert "prune-expired-sessions" in newcomer.jobs(token)
        assert "/dashboard/assets/" in requests.get(newcomer.url, timeout=9).text, "the page is built"
        key = newcomer.folder / ".secret_key"
        assert key.stat().st_mode & 0o777 == 0o600
        newcomer.stop()
        assert "Traceback" not in newcomer.said()

        again = newcomer.run(START_SECONDS)
        assert "password" not in again.partition("Redprint serves")[0]
        assert requests.get(f"{newcomer.url}/api/v1/auth/me", headers=token, timeout=9).status_code == 200
