"""Run the printed Postman collection by newman against a fresh server."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Serve
from tests.e2e.node import MODULES, run_node
from tests.e2e.server import PASSWORD, Server
from tests.waiting import wait_until

NEWMAN = MODULES / "newman" / "bin" / "newman.js"


@pytest.fixture
def fresh(server: Serve) -> Server:
    """Return a server on an empty database with an admin."""
    served = server()
    created = served.manage("create-admin")
    assert created.returncode == 0, created.stderr
    return served


def write(served: Server, folder: Path, *options: str) -> int:
    """Write the collection to a file and return how many operations the document has."""
    printed = served.manage("openapi", *options, "--postman")
    assert printed.returncode == 0, printed.stderr
    (folder / "collection.json").write_text(printed.stdout, encoding="utf-8")
    document = json.loads(served.manage("openapi", *options).stdout)
    return sum(len(item.keys() - {"parameters"}) for item in document["paths"].values())


def run(served: Server, folder: Path, password: str = PASSWORD) -> tuple[int, dict[str, Any]]:
    """Run the collection; return the exit code and newman's report."""
    options = ["--env-var", f"baseUrl={served.url}", "--env-var", f"password={password}"]
    report = ["--reporters", "json", "--reporter-json-export", "report.json"]
    result = run_node(NEWMAN, "run", "collection.json", *options, *report, cwd=folder)
    assert (folder / "report.json").exists(), result.stdout + result.stderr
    found: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))["run"]
    return result.returncode, found


def await_runs(served: Server) -> None:
    """Wait until no job waits for a run that was asked for; a second request for one would be refused."""
    address = f"{served.url}/scheduler/jobs/prune-expired-sessions/runs"
    waiting = {"queued", "running"}

    def none_waits() -> bool:
        runs = requests.get(address, auth=("admin", PASSWORD), timeout=10).json()
        return waiting.isdisjoint(run["status"] for run in runs)

    wait_until(none_waits, 30, served.said)


class TestCollection:
    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_runs_green_twice_and_asks_every_operation(self, fresh: Server, tmp_path: Path, version: str) -> None:
        operations = write(fresh, tmp_path, "--api", version)
        for _ in range(2):  # what it makes it deletes
            await_runs(fresh)
            code, report = run(fresh, tmp_path)
            assert (code, [failure["error"] for failure in report["failures"]]) == (0, [])
            assert report["stats"]["requests"] == {"total": operations, "pending": 0, "failed": 0}
            assert all(len(execution["assertions"]) >= 1 for execution in report["executions"])
            assert report["stats"]["assertions"]["total"] >= operations

    def test_fails_where_the_server_does(self, fresh: Server, tmp_path: Path) -> None:
        write(fresh, tmp_path)
        code, report = run(fresh, tmp_path, password="wrong")
        assert code != 0
        assert report["failures"][0]["error"]["test"] == "auth_login answers 200"
