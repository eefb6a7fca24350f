"""Runs over HTTP: read along, cancel, and see what goes on."""

import pytest
from flask import Flask

from application.permissions import Role
from tests.conftest import Caller, SignIn
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Ledger, Node, Start, job

NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def root(sign_in: SignIn) -> Caller:
    """Return somebody who may manage the scheduler."""
    return sign_in("root", Role.ADMIN)


@pytest.fixture
def talking(node: Start) -> Node:
    """Start a competitor with a job that talks, and waits at the gate."""
    started = node(job("talk", "talk_and_wait"), ticking=True)
    while not started.engine.leads:
        pass
    return started


def run(root: Caller, ledger: Ledger) -> str:
    """Ask for a run, and wait until it goes on."""
    answer = root.client.post("/scheduler/jobs/talk/run").json or {}
    ledger.wait(lambda: ledger.statuses("talk") == ["running"])
    return str(answer["run_id"])


class TestCancelRun:
    def test_asks_what_runs_to_end_and_says_why(self, root: Caller, ledger: Ledger, talking: Node) -> None:
        run_id = run(root, ledger)
        answer = root.client.post(f"/scheduler/runs/{run_id}/cancel")
        assert answer.status_code == 200
        assert answer.json is not None
        assert (answer.json["status"], answer.json["stop_reason"]) == ("running", "cancelled by root")
        functions.GATE.set()
        ledger.settle()
        again = root.client.post(f"/scheduler/runs/{run_id}/cancel")
        assert again.status_code == 409
        assert again.json is not None
        assert again.json["error_message"] == "The run has succeeded already; there is nothing to cancel"

    def test_knows_no_other_run(self, root: Caller) -> None:
        assert root.client.post(f"/scheduler/runs/{NOBODY}/cancel").status_code == 404


class TestGetOutput:
    def test_reads_on_from_where_the_last_answer_ended(self, root: Caller, ledger: Ledger, talking: Node) -> None:
        run_id = run(root, ledger)

        def read(after: int) -> dict[str, object]:
            answer = root.client.get(f"/scheduler/runs/{run_id}/output?after={after}").json
            assert isinstance(answer, dict)
            return answer

        ledger.wait(lambda: "before the gate" in str(read(0)["text"]))
        first = read(0)
        assert first["ended"] is False
        functions.GATE.set()
        ledger.settle()
        assert read(int(str(first["next"]))) == {"text": "", "next": first["next"], "ended": True}
        assert read(2**50) == {"text": "", "next": 2**50, "ended": True}, "as far as the document lets one read"

    def test_knows_no_other_run(self, root: Caller) -> None:
        assert root.client.get(f"/scheduler/runs/{NOBODY}/output").status_code == 404


class TestGetBusy:
    def test_lists_what_goes_on(self, app: Flask, root: Caller, ledger: Ledger, talking: Node) -> None:
        run_id = run(root, ledger)
        ledger.wait(lambda: ledger.attempts("talk")[0].started_at)
        (busy,) = root.client.get("/scheduler/busy").json or [{}]
        assert (busy["run_id"], busy["job_id"], busy["attempt"]) == (run_id, "talk", 1)
        assert (busy["executor"], busy["stop_reason"]) == ("default", None)
        assert busy["seconds"] >= 0
        functions.GATE.set()
        ledger.settle()
        assert root.client.get("/scheduler/busy").json == []
