"""Operating many jobs at once: lists, pages, tags, bulk changes."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from application.database import change, transaction
from application.libs.catalogue import Catalogue
from application.libs.page import BadCursor, encode_cursor
from application.modules.scheduler.business.definition import encode
from application.modules.scheduler.models import Job
from tests.conftest import Caller
from tests.links import next_url
from tests.modules.scheduler.conftest import JOBS, Ledger, Start, Store, declare_all, job

HOURLY = {"id": "hourly", "func": "do-nothing", "trigger": "interval", "hours": 1}
ABOUT: dict[str, Any] = {"tags": ["nightly", "a.b-c_D9"], "description": "For sales.\n每晚", "owner": "sales"}


@pytest.fixture
def client(admin: Caller, registered: Catalogue) -> FlaskClient:
    """Return an admin's client of an application that knows the functions of the tests."""
    return admin.client


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.get_json()]


class TestTags:
    def test_are_echoed_changed_and_taken_back(self, client: FlaskClient) -> None:
        made = client.post("/scheduler/jobs", json=HOURLY | ABOUT).get_json()
        assert {name: made[name] for name in ABOUT} == ABOUT
        again = client.patch("/scheduler/jobs/hourly", json=made)
        assert again.get_json() == made
        changed = client.patch("/scheduler/jobs/hourly", json={"tags": ["x", "x"], "owner": None}).get_json()
        assert (changed["tags"], changed["owner"], changed["description"]) == (["x"], None, ABOUT["description"])
        plain = client.post("/scheduler/jobs", json=HOURLY | {"id": "plain"}).get_json()
        assert (plain["tags"], plain["description"], plain["owner"]) == ([], None, None)

    @pytest.mark.parametrize(
        "given",
        [
            {"tags": ["a,b"]},
            {"tags": [""]},
            {"tags": ["x" * 51]},
            {"tags": ["né"]},
            {"tags": ["x\n"]},
            {"tags": "nightly"},
            {"tags": [f"t{n}" for n in range(21)]},
            {"description": "x" * 2001},
            {"owner": "x" * 192},
        ],
    )
    def test_are_bounded(self, client: FlaskClient, given: dict[str, Any]) -> None:
        response = client.post("/scheduler/jobs", json=HOURLY | given)
        assert response.status_code == 422
        assert {error["loc"][1] for error in response.get_json()["errors"]} == set(given)

    def test_may_be_declared(self, client: FlaskClient, stored: Store) -> None:
        stored(job("tidy", **ABOUT))
        shown = client.get("/scheduler/jobs/tidy").get_json()
        assert {name: shown[name] for name in ABOUT} == ABOUT

    def test_find_jobs_and_the_runs_they_had_then(self, client: FlaskClient, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", tags=["a_b"]), job("other", tags=["axb"]))
        one.tick()
        one.tick(ledger.due("tidy"))
        ledger.settle()
        assert ids(client.get("/scheduler/jobs?tag=a_b")) == ["tidy"]
        client.patch("/scheduler/jobs/tidy", json={"tags": ["new"]})
        client.post("/scheduler/jobs/tidy/run")
        client.delete("/scheduler/jobs/tidy")
        (before,) = client.get("/scheduler/runs?tag=a_b").get_json()
        assert (before["job_id"], before["cause"], before["tags"]) == ("tidy", "schedule", ["a_b"])
        (after,) = client.get("/scheduler/runs?tag=new&job_id=tidy&status=queued").get_json()
        assert (after["cause"], after["tags"]) == ("manual", ["new"])
        assert client.get("/scheduler/runs?tag=a").get_json() == []


class TestGetJobs:
    def fill(self, client: FlaskClient) -> None:
        for number in range(7):
            given = {"id": f"job-{number}", "trigger": "interval", "hours": 1 + number % 3, "name": f"Näme {number}"}
            client.post("/scheduler/jobs", json=HOURLY | given | {"tags": ["odd"] if number % 2 else []})
        for number in (1, 4, 5):
            client.post(f"/scheduler/jobs/job-{number}/pause")

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 1000])
    def test_pages_are_the_list_together(self, client: FlaskClient, limit: int) -> None:
        self.fill(client)
        whole = ids(client.get("/scheduler/jobs"))
        assert set(whole[-3:]) == {"job-1", "job-4", "job-5"}
        seen: list[str] = []
        url = f"/scheduler/jobs?limit={limit}"
        while url:
            response = client.get(url)
            assert len(response.get_json()) <= limit
            seen += ids(response)
            url = next_url(response)
        assert seen == whole

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("tag=odd", {1, 3, 5}),
            ("tag=odd&state=paused", {1, 5}),
            ("tag=odd&state=scheduled", {3}),
            ("state=quarantined", set[int]()),
            ("source=code", set[int]()),
            ("source=api&q=JOB-6", {6}),
            ("q=nÄme 2", {2}),
            ("q=%25", set[int]()),
        ],
    )
    def test_filters(self, client: FlaskClient, query: str, found: set[int]) -> None:
        self.fill(client)
        assert set(ids(client.get(f"/scheduler/jobs?{query}"))) == {f"job-{number}" for number in found}
        url, seen = f"/scheduler/jobs?{query}&limit=1", []
        while url:
            response = client.get(url)
            seen += ids(response)
            url = next_url(response)
        assert set(seen) == {f"job-{number}" for number in found}

    @pytest.mark.parametrize("query", ["limit=0", "limit=1001", "tag=a,b", "state=ended", "q=", "after=abc", "x=1"])
    def test_refuses_what_it_does_not_know(self, client: FlaskClient, query: str) -> None:
        assert client.get(f"/scheduler/jobs?{query}").status_code == 422

    @pytest.mark.parametrize(
        ("order", "values"),
        [("next_run_time", []), ("next_run_time", [1]), ("id", ["x"]), ("next_run_time", ["x", 1, 2])],
    )
    def test_refuses_a_cursor_that_is_not_ours(self, client: FlaskClient, order: str, values: list[str | int]) -> None:
        response = client.get(f"/scheduler/jobs?limit=1&after={encode_cursor(order, values)}")
        assert response.status_code == 422
        assert response.get_json()["code"] == BadCursor.code

    def test_holds_as_many_as_there_are(self, app: Flask, client: FlaskClient) -> None:
        text = encode(declare_all(job("any"))[0].definition)
        moment = datetime(2999, 1, 1, tzinfo=UTC)
        rows = [
            {
                "id": f"job-{number:05}",
                "definition": text,
                "version": 1,
                "source": "api",
                "next_run_time": None if number % 5 == 0 else number // 10,
                "created_at": moment,
                "updated_at": moment,
            }
            for number in range(2500)
        ]
        with app.app_context(), transaction():
            change(sa.insert(Job), rows)
        expected = [row["id"] for row in sorted(rows, key=lambda row: (row["next_run_time"] is None, row["id"]))]
        assert ids(client.get("/scheduler/jobs")) == expected


class TestBulk:
    def post(self, client: FlaskClient, action: str, **given: Any) -> dict[str, Any]:
        response = client.post(f"/scheduler/bulk/{action}", json=given)
        assert response.status_code == 200, response.text
        outcome: dict[str, Any] = response.get_json()
        return outcome

    @pytest.fixture(autouse=True)
    def _jobs(self, client: FlaskClient) -> None:
        for name in "abc":
            client.post("/scheduler/jobs", json=HOURLY | {"id": name, "tags": ["x"] if name < "c" else []})

    def test_pauses_and_resumes_each_once(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs/a/pause")
        outcome = self.post(client, "pause", ids=["a", "b", "b", "never", "/"])
        assert outcome == {"changed": 1, "unchanged": 1, "not_found": ["/", "never"]}
        assert set(ids(client.get("/scheduler/jobs?state=paused"))) == {"a", "b"}
        assert self.post(client, "resume", tag="x") == {"changed": 2, "unchanged": 0, "not_found": []}
        assert self.post(client, "pause", all=True) == {"changed": 3, "unchanged": 0, "not_found": []}
        assert self.post(client, "resume", all=True) == {"changed": 3, "unchanged": 0, "not_found": []}
        changes = client.get("/scheduler/jobs/b/history").get_json()
        assert [(change["action"], change["by"]) for change in changes] == [
            ("resumed", "root"),
            ("paused", "root"),
            ("resumed", "root"),
            ("paused", "root"),
            ("added", "root"),
        ]

    def test_leaves_what_cannot_be_restored(self, client: FlaskClient, ledger: Ledger) -> None:
        ledger.change(sa.update(Job).where(Job.id == "a").values(definition="{", next_run_time=None))
        assert self.post(client, "resume", ids=["a"]) == {"changed": 0, "unchanged": 1, "not_found": []}

    def test_runs_and_deletes(self, client: FlaskClient, ledger: Ledger) -> None:
        assert self.post(client, "run", tag="x")["changed"] == 2
        assert {run.job_id for run in ledger.runs()} == {"a", "b"}
        assert self.post(client, "delete", tag="x") == {"changed": 2, "unchanged": 0, "not_found": []}
        assert ids(client.get("/scheduler/jobs")) == ["c"]
        assert client.get("/scheduler/jobs/a/history").get_json()[0]["action"] == "removed"

    @pytest.mark.parametrize(
        "given",
        [{}, {"all": False}, {"ids": ["a"], "all": True}, {"ids": ["a"], "tag": "x"}, {"tag": "x", "all": True}],
    )
    @pytest.mark.parametrize("action", ["pause", "resume", "run", "delete"])
    def test_takes_exactly_one_selector(self, client: FlaskClient, action: str, given: dict[str, Any]) -> None:
        response = client.post(f"/scheduler/bulk/{action}", json=given)
        assert (response.status_code, response.get_json()["code"]) == (422, "invalid_selection")
        assert len(ids(client.get("/scheduler/jobs?state=scheduled"))) == 3

    def test_takes_no_more_ids_than_it_says(self, client: FlaskClient) -> None:
        response = client.post("/scheduler/bulk/pause", json={"ids": [str(n) for n in range(1001)]})
        assert response.status_code == 422


class TestQuarantine:
    def break_(self, client: FlaskClient, node: Start, ledger: Ledger) -> None:
        client.post("/scheduler/jobs", json=HOURLY | {"func": "create-a-tag", "kwargs": {"name": "x"}})
        one = node(job("other"))  # a process of other code
        one.tick()
        one.tick(ledger.due("hourly"))

    def test_lists_what_cannot_be_restored(self, client: FlaskClient, node: Start, ledger: Ledger) -> None:
        assert client.get("/scheduler/quarantine").get_json() == []
        self.break_(client, node, ledger)
        client.post("/scheduler/jobs", json=HOURLY | {"id": "torn"})
        ledger.change(sa.update(Job).where(Job.id == "torn").values(definition="{torn"))
        listed = {item["id"]: item for item in client.get("/scheduler/quarantine").get_json()}
        assert set(listed) == {"hourly", "torn"}
        assert "no function is registered as" in listed["hourly"]["reason"]
        assert datetime.fromisoformat(listed["hourly"]["since"]) == ledger.job("hourly").quarantined_at
        assert "create_a_tag" in listed["hourly"]["definition"]
        assert (listed["torn"]["since"], listed["torn"]["definition"]) == (None, "{torn")

    @pytest.mark.parametrize("paused", [False, True])
    def test_is_left_by_another_function(
        self, client: FlaskClient, node: Start, ledger: Ledger, *, paused: bool
    ) -> None:
        self.break_(client, node, ledger)
        if paused:
            client.post("/scheduler/jobs/hourly/pause")
        response = client.post("/scheduler/quarantine/hourly/repair", json={"func": "do-nothing"})
        assert response.status_code == 422, "arguments that do not fit are refused"
        given = {"func": "do-nothing", "kwargs": {}}
        made = client.post("/scheduler/quarantine/hourly/repair", json=given).get_json()
        assert (made["func"], made["hours"], made["reason"]) == (f"{JOBS}:do_nothing", 1, None)
        assert made["state"] == ("paused" if paused else "scheduled")
        assert client.get("/scheduler/quarantine").get_json() == []
        again = client.post("/scheduler/quarantine/hourly/repair", json=given)
        assert (again.status_code, again.get_json()["code"]) == (409, "not_quarantined")

    def test_is_left_by_the_same_function_once_it_is_there_again(
        self, client: FlaskClient, node: Start, ledger: Ledger
    ) -> None:
        self.break_(client, node, ledger)
        made = client.post("/scheduler/quarantine/hourly/repair", json={"func": "create-a-tag"}).get_json()
        assert (made["state"], made["kwargs"]) == ("scheduled", {"name": "x"})

    @pytest.mark.parametrize("definition", ["", "{}", "null", '{"format":2}', "[" * 5000])
    @pytest.mark.parametrize("paused", [False, True])
    def test_takes_a_whole_job_where_nothing_can_be_read(
        self, client: FlaskClient, ledger: Ledger, definition: str, *, paused: bool
    ) -> None:
        client.post("/scheduler/jobs", json=HOURLY)
        if paused:
            client.post("/scheduler/jobs/hourly/pause")
        ledger.change(sa.update(Job).values(definition=definition))
        part = client.post("/scheduler/quarantine/hourly/repair", json={"func": "do-nothing"})
        assert part.status_code == 422
        assert [error["loc"] for error in part.get_json()["errors"]] == [["body", "trigger"]]
        whole = {**HOURLY, "minutes": 5}
        made = client.post("/scheduler/quarantine/hourly/repair", json=whole).get_json()
        assert (made["hours"], made["minutes"], made["version"]) == (1, 5, 2)
        assert made["state"] == ("paused" if paused else "scheduled")

    def test_is_left_by_delete(self, client: FlaskClient, ledger: Ledger) -> None:
        client.post("/scheduler/jobs", json=HOURLY)
        ledger.change(sa.update(Job).values(definition="{"))
        assert client.delete("/scheduler/jobs/hourly").status_code == 204
        assert client.get("/scheduler/quarantine").get_json() == []

    def test_is_404_for_a_job_that_there_is_not(self, client: FlaskClient) -> None:
        response = client.post("/scheduler/quarantine/never/repair", json={"func": "do-nothing"})
        assert (response.status_code, response.get_json()["error_message"]) == (404, "Job never not found")


class TestExplainJob:
    def test_answers_at_an_instant_and_now(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs", json={"id": "at3", "func": "do-nothing", "trigger": "cron", "hour": 3})
        answer = client.get("/scheduler/jobs/at3/explain?at=2999-01-01T03:00:00Z").get_json()
        assert (answer["verdict"], answer["run"], answer["facts"]) == ("not_yet", None, {"version": 1})
        assert answer["previous_fire"].startswith("2998-12-31T03:00:00")
        answer = client.get("/scheduler/jobs/at3/explain?at=2999-01-01T04:00:00%2B08:00").get_json()
        assert answer["verdict"] == "not_due"
        run_id = client.post("/scheduler/jobs/at3/run").get_json()["run_id"]
        shown = client.get(f"/scheduler/runs/{run_id}").get_json()
        answer = client.get(f"/scheduler/jobs/at3/explain?at={shown['scheduled_at']}").get_json()
        assert (answer["verdict"], answer["run"]["id"]) == ("queued", run_id)

    @pytest.mark.parametrize("at", ["yesterday", "2026-11-28", "2026-11-28T03:00:00", "1969-01-01T00:00:00Z"])
    def test_refuses_what_is_no_instant(self, client: FlaskClient, at: str) -> None:
        assert client.get(f"/scheduler/jobs/x/explain?at={at}").status_code == 422


class TestHeaders:
    def test_a_stale_reader_deletes_nothing(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs", json=HOURLY)
        tag = client.get("/scheduler/jobs/hourly").headers["ETag"]
        changed = client.patch("/scheduler/jobs/hourly", json={"name": "New"}, headers={"If-Match": tag})
        assert changed.status_code == 200
        assert client.delete("/scheduler/jobs/hourly", headers={"If-Match": tag}).status_code == 412
        tag = client.get("/scheduler/jobs/hourly").headers["ETag"]
        assert client.delete("/scheduler/jobs/hourly", headers={"If-Match": tag}).status_code == 204

    def test_a_repeated_request_is_one(self, client: FlaskClient, ledger: Ledger) -> None:
        key = {"Idempotency-Key": "add-it-once"}
        first = client.post("/scheduler/jobs", json=HOURLY | {"id": None}, headers=key)
        again = client.post("/scheduler/jobs", json=HOURLY | {"id": None}, headers=key)
        assert first.status_code == again.status_code == 200
        assert first.get_json() == again.get_json()
        assert len(ids(client.get("/scheduler/jobs"))) == 1
        job_id = first.get_json()["id"]
        key = {"Idempotency-Key": "run-it-once"}
        answers = [client.post(f"/scheduler/jobs/{job_id}/run", headers=key).get_json() for _again in range(3)]
        assert [run.id for run in ledger.runs()] == [answers[0]["run_id"]]
        assert answers[0] == answers[1] == answers[2]
        other = client.post("/scheduler/jobs", json=HOURLY, headers=key)
        assert other.status_code == 422
