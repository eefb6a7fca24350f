"""The guide's client that watches the scheduler, as it is printed, across a restart of the server."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.e2e.conftest import Serve
from tests.e2e.server import PASSWORD, Server
from tests.waiting import wait_until

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "scheduler.md"
JOB = "prune-expired-sessions"


def printed() -> str:
    """Return the example."""
    found = re.search(r"<!-- example: watch -->\n```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@contextmanager
def watching(server: Server, folder: Path) -> Iterator[Path]:
    """Run the example with an admin's token; yield where it writes what it prints."""
    login = requests.post(
        f"{server.url}/api/v1/auth/login", json={"name": "admin", "password": PASSWORD}, timeout=10
    ).json()
    script, output = folder / "watch.py", folder / "watched.txt"
    script.write_text(printed(), encoding="utf-8")
    with output.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, str(script), server.url, login["data"]["token"]], stdout=stream, stderr=subprocess.DEVNULL
        )
        try:
            yield output
        finally:
            process.kill()
            process.wait()


def run(server: Server) -> str:
    """Ask for a run, and return its id."""
    answer = requests.post(f"{server.url}/scheduler/jobs/{JOB}/run", auth=("admin", PASSWORD), timeout=10)
    assert answer.status_code == 200, answer.text
    run_id: str = answer.json()["run_id"]
    return run_id


def finished(output: Path) -> int:
    return output.read_text().count(f"finished {JOB} succeeded")


class TestWatch:
    def test_misses_nothing_across_a_restart(self, server: Serve, tmp_path: Path) -> None:
        served = server(async_mode="gevent")
        assert served.manage("create-admin").returncode == 0
        served.await_runner()
        with watching(served, tmp_path) as output:
            wait_until(lambda: output.read_text().startswith("from"), 60, output.read_text)
            run(served)
            wait_until(lambda: finished(output) == 1, 60, output.read_text)
            assert served.stop() == 0
            served.start()
            served.await_runner()
            run(served)
            wait_until(lambda: finished(output) == 2, 60, output.read_text)
            lines = output.read_text().splitlines()
        start = int(lines[0].removeprefix("from "))
        assert [int(line.split()[0]) for line in lines[1:]] == list(range(start + 1, start + len(lines))), lines
        assert [line.split()[1] for line in lines if JOB in line] == ["queued", "started", "finished"] * 2
        assert sum(line.split()[1] == "leader" for line in lines[1:]) >= 2  # one gave it back, one took it
