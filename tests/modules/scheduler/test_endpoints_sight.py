"""What the scheduler tells over HTTP to those who watch it."""

import pytest
from flask import Flask

from tests.conftest import Caller
from tests.modules.scheduler.conftest import Ledger, Start, job, request_run


class TestGetEvents:
    def test_lists_what_followed_a_number(self, app: Flask, admin: Caller, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "create_a_tag"))
        one.tick()
        start = admin.client.get("/scheduler/events").get_json()
        assert (start["events"], start["reset"]) == ([], False)
        request_run(app, "tidy")
        one.tick()
        ledger.settle()
        one.tick()
        answer = admin.client.get(f"/scheduler/events?after={start['last']}").get_json()
        numbers = [event["number"] for event in answer["events"]]
        assert numbers == list(range(start["last"] + 1, answer["last"] + 1))
        assert [event["kind"] for event in answer["events"]] == ["queued", "started", "finished"]
        finished = answer["events"][-1]
        assert set(finished) == {
            "number",
            "kind",
            "at",
            "job_id",
            "run_id",
            "status",
            "attempt",
            "late_seconds",
            "duration_seconds",
        }

    def test_says_where_nothing_is_to_be_had(self, admin: Caller) -> None:
        assert admin.client.get("/scheduler/events?after=5").get_json() == {"events": [], "last": 0, "reset": True}

    @pytest.mark.parametrize("after", ["-1", "x", str(2**63), ""])
    def test_refuses_what_is_no_number(self, admin: Caller, after: str) -> None:
        assert admin.client.get(f"/scheduler/events?after={after}").status_code == 422


class TestGetLeader:
    def test_names_who_competes(self, admin: Caller, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        ledger.wait(lambda: admin.client.get("/scheduler/leader").get_json()["members"])
        cluster = admin.client.get("/scheduler/leader").get_json()
        (shown,) = cluster["members"]
        assert {name: shown[name] for name in ("host", "process")} == {
            name: cluster["leader"][name] for name in ("host", "process")
        }
        assert (shown["leads"], shown["is_stale"]) == (True, False)
