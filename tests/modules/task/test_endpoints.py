"""Tasks over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from application.libs.clock import now
from application.modules.task.business import Wish, steering
from tests.conftest import Caller
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows

START = {"name": "demo.count_slowly", "kwargs": {"steps": 2, "pause_seconds": 0}}
UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


def start(caller: Caller, **more: Any) -> dict[str, Any]:
    answer = caller.client.post("/api/v1/task", json=START | more)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/api/v1/task/{answer.get_json()['data']['id']}"
    data: dict[str, Any] = answer.get_json()["data"]
    return data


class TestCatalogue:
    def test_says_what_one_may_start_and_how(self, ada: Caller) -> None:
        (demo,) = ada.client.get("/api/v1/task/catalogue").get_json()["data"]
        assert (demo["name"], demo["queue"], demo["priority"]) == ("demo.count_slowly", "default", 4)
        assert demo["summary"].startswith("Count up to a number")
        assert demo["parameters"]["properties"]["steps"]["maximum"] == 1000


class TestCreate:
    def test_starts_a_task_and_says_where_to_follow_it(self, ada: Caller) -> None:
        started = start(ada)
        assert (started["state"], started["current"], started["total"]) == ("queued", 0, 0)
        assert (started["status"], started["result"]) == ("Waiting for a worker", None)
        assert started["created_by"] == ada.id
        shown = ada.client.get(f"/api/v1/task/{started['id']}").get_json()["data"]
        assert shown == started

    def test_takes_when_and_how_urgent(self, ada: Caller) -> None:
        eta = (now() + timedelta(hours=1)).isoformat()
        started = start(ada, eta=eta, priority=1, expires_at=(now() + timedelta(hours=2)).isoformat())
        assert (started["state"], started["priority"]) == ("scheduled", 1)
        assert started["due_at"] is not None

    def test_is_one_task_for_one_key_of_one_s_own(self, ada: Caller, bob: Caller, rows: Rows) -> None:
        mine = start(ada, unique_key="one")
        assert start(ada, unique_key="one")["id"] == mine["id"]
        assert mine["unique_key"] == "one"
        assert start(bob, unique_key="one")["id"] != mine["id"]
        rows.change(mine["id"], name="task.add")
        refused = ada.client.post("/api/v1/task", json=START | {"unique_key": "one"})
        assert (refused.status_code, refused.get_json()["code"]) == (409, "unique_key_taken")

    def test_gives_nobody_more_urgency_than_was_declared_who_manages_none(self, ada: Caller, admin: Caller) -> None:
        assert [start(ada, priority=wanted)["priority"] for wanted in (0, 4, 9)] == [0, 4, 4]
        assert start(admin, priority=9)["priority"] == 9

    def test_lets_nobody_have_too_many_open_who_manages_none(
        self, ada: Caller, admin: Caller, rows: Rows, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(steering, "MOST_OPEN", 2)
        first = start(ada)["id"]
        start(ada)
        refused = ada.client.post("/api/v1/task", json=START)
        assert (refused.status_code, refused.get_json()["code"]) == (429, "too_many_tasks")
        for _ in range(3):
            start(admin)
        rows.change(first, state="done", finished_at=now())
        start(ada)

    @pytest.mark.parametrize("name", ["no.such", "task.add", "specimen.add", "application.modules.task.tasks"])
    def test_knows_nothing_else(self, ada: Caller, name: str) -> None:
        refused = ada.client.post("/api/v1/task", json={"name": name})
        assert (refused.status_code, refused.get_json()["code"]) == (422, "unknown_task")
        assert refused.get_json()["errors"][0]["loc"] == ["body", "name"]

    def test_refuses_arguments_that_do_not_fit(self, ada: Caller, rows: Rows) -> None:
        kwargs = {"steps": "many", "pause": 1}
        refused = ada.client.post("/api/v1/task", json=START | {"kwargs": kwargs})
        assert (refused.status_code, refused.get_json()["code"]) == (422, "invalid_arguments")
        assert sorted(fault["loc"] for fault in refused.get_json()["errors"]) == [
            ["body", "kwargs", "pause"],
            ["body", "kwargs", "steps"],
        ]
        assert rows.all() == []


class TestIndex:
    def test_lists_one_s_own_and_to_who_manages_them_all(self, ada: Caller, bob: Caller, admin: Caller) -> None:
        mine, other = start(ada)["id"], start(bob)["id"]
        assert [item["id"] for item in ada.client.get("/api/v1/task").get_json()["data"]] == [mine]
        assert [item["id"] for item in admin.client.get("/api/v1/task").get_json()["data"]] == [other, mine]

    def test_finds_by_state_and_name(self, ada: Caller, rows: Rows) -> None:
        done, waiting = start(ada)["id"], start(ada)["id"]
        rows.change(done, state="done", result="2", finished_at=now())
        for query, ids in (("state=done", [done]), ("state=queued", [waiting]), ("name=no.such", [])):
            answer = ada.client.get(f"/api/v1/task?{query}&count=true").get_json()
            assert ([item["id"] for item in answer["data"]], answer["page"]["total"]) == (ids, len(ids))


class TestShow:
    def test_shows_to_who_manages_tasks_what_was_raised(self, ada: Caller, admin: Caller, rows: Rows) -> None:
        task_id = start(ada)["id"]
        error = {"error_type": "OSError", "error_message": "/etc/passwd", "traceback": "…", "message": "It failed"}
        rows.change(task_id, state="failed", finished_at=now(), **error)
        own = ada.client.get(f"/api/v1/task/{task_id}")
        assert (own.get_json()["data"]["error"], own.get_json()["data"]["status"]) == (None, "It failed")
        assert "passwd" not in own.text
        shown = admin.client.get(f"/api/v1/task/{task_id}").get_json()["data"]["error"]
        assert shown == {"type": "OSError", "message": "/etc/passwd", "traceback": "…"}

    def test_hides_what_is_somebody_else_s(self, ada: Caller, bob: Caller, client: FlaskClient) -> None:
        task_id = start(ada)["id"]
        assert bob.client.get(f"/api/v1/task/{task_id}").status_code == 404
        assert bob.client.post(f"/api/v1/task/{task_id}/cancel").status_code == 404
        assert ada.client.get(f"/api/v1/task/{UNKNOWN}").get_json()["code"] == "task_not_found"


class TestCancel:
    def test_ends_what_waits(self, ada: Caller) -> None:
        task_id = start(ada)["id"]
        cancelled = ada.client.post(f"/api/v1/task/{task_id}/cancel").get_json()["data"]
        assert (cancelled["state"], cancelled["status"]) == ("cancelled", "Cancelled by ada")
        refused = ada.client.post(f"/api/v1/task/{task_id}/cancel")
        assert (refused.status_code, refused.get_json()["code"]) == (409, "task_ended")

    def test_asks_what_runs(self, ada: Caller, rows: Rows) -> None:
        task_id = start(ada)["id"]
        rows.change(task_id, state="running", attempt=1)
        assert ada.client.post(f"/api/v1/task/{task_id}/cancel").get_json()["data"]["state"] == "running"
        assert rows.get(task_id).stop_reason == "Cancelled by ada"


class TestRetry:
    @pytest.mark.parametrize("state", ["failed", "dead", "cancelled", "expired"])
    def test_lets_it_begin_anew(self, ada: Caller, rows: Rows, state: str) -> None:
        task_id = start(ada)["id"]
        rows.change(task_id, state=state, failures=3, losses=3, finished_at=now(), stop_reason="x", message="y")
        again = ada.client.post(f"/api/v1/task/{task_id}/retry").get_json()["data"]
        assert (again["state"], again["failures"], again["losses"]) == ("queued", 0, 0)
        assert (again["finished_at"], again["status"]) == (None, "Waiting for a worker")

    @pytest.mark.parametrize("state", ["queued", "running", "done"])
    def test_refuses_what_is_well(self, ada: Caller, rows: Rows, state: str) -> None:
        task_id = start(ada)["id"]
        rows.change(task_id, state=state)
        refused = ada.client.post(f"/api/v1/task/{task_id}/retry")
        assert (refused.status_code, refused.get_json()["code"]) == (409, "task_not_ended")

    def test_starts_nothing_that_one_may_not_start(self, ada: Caller, admin: Caller, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.add, Wish(created_by=ada.id), left=1, right=2)
        rows.change(task_id, state="failed", finished_at=now())
        refused = ada.client.post(f"/api/v1/task/{task_id}/retry")
        assert (refused.status_code, refused.get_json()["code"]) == (403, "not_yours")
        assert admin.client.post(f"/api/v1/task/{task_id}/retry").status_code == 200


class TestStarted:
    @pytest.mark.usefixtures("engine")
    def test_is_done_and_shows_its_result(self, ada: Caller, rows: Rows) -> None:
        task_id = start(ada)["id"]
        rows.done(task_id)
        shown = ada.client.get(f"/api/v1/task/{task_id}").get_json()["data"]
        assert (shown["state"], shown["current"], shown["total"], shown["result"]) == ("done", 2, 2, 2)
        assert shown["status"] == "Counted"

    def test_stands_for_who_enqueued_it_alone(self, ada: Caller, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.add, Wish(created_by=ada.id), left=1, right=2)
        assert ada.client.get(f"/api/v1/task/{task_id}").get_json()["data"]["name"] == "task.add"
