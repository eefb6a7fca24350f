"""The scheduler over HTTP, as a client of Flask-APScheduler meets it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from application.libs import clock
from application.modules.scheduler.business.definition import OPTIONS
from application.modules.scheduler.models import Job, Lease, Run
from tests.conftest import Caller
from tests.links import next_url
from tests.modules.scheduler.conftest import JOBS, Ledger, Start, Store, job

INTERVAL_KEYS = {"id", "name", "func", "args", "kwargs", "trigger", "start_date", "hours", "misfire_grace_time"}
OUR_KEYS = {"timezone", "jobstore", "state", "source", "version", "paused_by", "paused_at", "reason", *OPTIONS} - {
    "misfire_grace_time"
}

ODD_IDS = [
    "nightly report",
    "报告",
    "a.b:c;d=e",
    "50%",
    "ü?&#",
    "..x",
    "'; DROP TABLE scheduler_job; --",
    "-",
    "x" * 191,
]


class TestGetSchedulerInfo:
    def test_says_that_nobody_fires(self, admin: Caller) -> None:
        response = admin.client.get("/scheduler")
        assert response.status_code == 200
        assert response.content_type == "application/json"
        info = response.get_json()
        assert isinstance(info["current_host"], str)
        assert info["allowed_hosts"] == ["*"]
        assert (info["running"], info["state"], info["mode"], info["leader"]) == (False, "stopped", "cluster", None)

    def test_says_who_fires(self, admin: Caller, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        info = admin.client.get("/scheduler").get_json()
        assert (info["running"], info["state"]) == (True, "running")
        assert info["leader"] == {"host": ledger.lease().host, "process": ledger.lease().process}
        one.stop()
        assert admin.client.get("/scheduler").get_json()["running"] is False

    def test_says_running_when_paused_for_all(self, admin: Caller, node: Start, ledger: Ledger) -> None:
        node(job("tidy")).tick()
        ledger.change(sa.update(Lease).values(paused=True))
        info = admin.client.get("/scheduler").get_json()
        assert (info["running"], info["state"]) == (True, "paused")


class TestGetLeader:
    def test_names_host_and_pid(self, admin: Caller, node: Start, ledger: Ledger) -> None:
        assert admin.client.get("/scheduler/leader").get_json()["leader"] is None
        node(job("tidy")).tick()
        shown = admin.client.get("/scheduler/leader").get_json()
        lease = ledger.lease()
        leader = shown["leader"]
        assert (leader["host"], leader["process"], leader["token"]) == (lease.host, lease.process, 1)
        assert datetime.fromisoformat(leader["beat_at"]) == lease.beat_at


class TestPauseScheduler:
    def test_says_204_again_and_again(self, admin: Caller, node: Start) -> None:
        node(job("tidy")).tick()
        for path, paused in (("pause", True), ("pause", True), ("resume", False), ("resume", False)):
            response = admin.client.post(f"/scheduler/{path}", data="{garbage")
            assert (response.status_code, response.data) == (204, b"")
            shown = admin.client.get("/scheduler/leader").get_json()
            assert (shown["paused"], shown["paused_by"]) == (paused, "root" if paused else None)

    @pytest.mark.parametrize("path", ["pause", "resume"])
    def test_is_400_while_nobody_fires(self, admin: Caller, path: str) -> None:
        response = admin.client.post(f"/scheduler/{path}")
        assert (response.status_code, response.get_json()["error_message"]) == (400, "Scheduler is not running")


class TestStartScheduler:
    def test_is_400_while_a_process_fires(self, admin: Caller, node: Start) -> None:
        one = node(job("tidy"))
        one.tick()
        response = admin.client.post("/scheduler/start")
        assert (response.status_code, response.get_json()["error_message"]) == (400, "Scheduler is already running")
        assert one.engine.leads

    def test_says_what_to_do_where_none_does(self, admin: Caller) -> None:
        response = admin.client.post("/scheduler/start")
        assert response.status_code == 409
        assert response.get_json()["error_message"] == "No runner process is alive; start one"


class TestShutdownScheduler:
    def test_is_not_offered_to_a_cluster(self, admin: Caller, node: Start) -> None:
        one = node(job("tidy"))
        one.tick()
        response = admin.client.post("/scheduler/shutdown", json={"wait": False})
        assert response.status_code == 409
        message = "Not offered to a cluster; use pause or stop the runner process"
        assert response.get_json()["error_message"] == message
        one.tick()
        assert one.engine.leads


class TestGetJobs:
    def test_is_a_bare_empty_array_at_first(self, admin: Caller) -> None:
        assert admin.client.get("/scheduler/jobs").get_json() == []

    def test_lists_by_next_run_and_paused_last(self, admin: Caller, stored: Store) -> None:
        stored(job("paused"), job("later", hours=2, trigger="interval"), job("soon", trigger="interval", minutes=1))
        admin.client.post("/scheduler/jobs/paused/pause")
        listed = admin.client.get("/scheduler/jobs").get_json()
        assert [item["id"] for item in listed] == ["soon", "later", "paused"]


class TestGetJob:
    def test_has_the_keys_of_flask_apscheduler(self, admin: Caller, stored: Store) -> None:
        stored(job("tidy", "create_a_tag", kwargs={"name": "x"}))
        shown = admin.client.get("/scheduler/jobs/tidy").get_json()
        assert set(shown) == INTERVAL_KEYS | {"max_instances", "next_run_time"} | OUR_KEYS
        assert (shown["id"], shown["name"], shown["func"]) == ("tidy", "tidy", f"{JOBS}:create_a_tag")
        assert (shown["args"], shown["kwargs"]) == ([], {"name": "x"})
        assert (shown["trigger"], shown["hours"]) == ("interval", 1)
        assert (shown["misfire_grace_time"], shown["max_instances"]) == (60, 1)
        assert datetime.fromisoformat(shown["next_run_time"]) == datetime.fromisoformat(shown["start_date"])
        assert (shown["state"], shown["source"], shown["version"]) == ("scheduled", "code", 1)

    @pytest.mark.parametrize(
        ("timing", "expected"),
        [
            ({"trigger": "cron", "minute": 5, "day": "3rd fri"}, {"trigger": "cron", "minute": "5", "day": "3rd fri"}),
            ({"trigger": "cron", "hour": "*/2", "jitter": 30}, {"trigger": "cron", "hour": "*/2", "jitter": 30}),
            (
                {"crontab": "30 2 * * 7", "trigger": "cron"},
                {"trigger": "cron", "crontab": "30 2 * * 7", "in_words": "At 02:30, on Sunday."},
            ),
            ({"trigger": CronTrigger.from_crontab("5 * * * *", timezone=UTC)}, {"trigger": "cron", "minute": "5"}),
            (
                {"trigger": "calendarinterval", "months": 1, "hour": 5, "start_date": "2999-01-31"},
                {"trigger": "calendarinterval", "months": 1, "hour": "5", "start_date": "2999-01-31T00:00:00Z"},
            ),
            (
                {"trigger": OrTrigger([CronTrigger(hour=5, timezone=UTC), CronTrigger(hour=7, timezone=UTC)])},
                {"trigger": "or[cron[hour='5'], cron[hour='7']]"},
            ),
            ({"trigger": "interval", "seconds": 90}, {"trigger": "interval", "minutes": 1, "seconds": 30}),
            ({"trigger": {"type": "interval", "days": 8}}, {"trigger": "interval", "weeks": 1, "days": 1}),
            (
                {"trigger": "date", "run_date": "2999-01-01 00:00:00", "timezone": "Europe/Berlin"},
                {"trigger": "date", "run_date": "2999-01-01T00:00:00+01:00", "timezone": "Europe/Berlin"},
            ),
        ],
    )
    def test_shows_each_trigger(
        self, admin: Caller, stored: Store, timing: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        stored(job("tidy", **timing))
        shown = admin.client.get("/scheduler/jobs/tidy").get_json()
        assert expected.items() <= shown.items()
        times = {"run_date", "start_date", "end_date", "weeks", "days", "hours", "minutes", "seconds", "day", "hour"}
        assert times & set(shown) <= set(expected) | {"start_date", "day", "hour"}

    @pytest.mark.parametrize("job_id", ["missing", "a b", "报告", "x" * 192, "9" * 3000, "%ff%fe", "\x1b[31m"])
    def test_finds_no_unknown_job(self, admin: Caller, job_id: str) -> None:
        for method, path in (("GET", ""), ("GET", "/runs"), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/run")):
            response = admin.client.open(f"/scheduler/jobs/{job_id}{path}", method=method)
            assert response.status_code == 404
            assert response.content_type == "application/json"
            assert response.get_json()["error_message"].startswith("Job ")
            assert response.get_json()["error_message"].endswith(" not found")

    def test_names_the_unknown_job(self, admin: Caller) -> None:
        response = admin.client.get("/scheduler/jobs/job2")
        assert response.get_json()["error_message"] == "Job job2 not found"
        assert response.get_json()["code"] == "job_not_found"

    @pytest.mark.parametrize("job_id", ODD_IDS)
    def test_finds_a_job_of_any_name(self, admin: Caller, stored: Store, job_id: str) -> None:
        stored(job(job_id))
        url = f"/scheduler/jobs/{quote(job_id, safe='')}"
        assert admin.client.get(url).get_json()["id"] == job_id
        assert admin.client.post(f"{url}/pause").get_json()["next_run_time"] is None
        assert admin.client.post(f"{url}/resume").get_json()["state"] == "scheduled"
        assert admin.client.post(f"{url}/run").get_json()["run_id"]
        assert len(admin.client.get(f"{url}/runs").get_json()) == 1

    @pytest.mark.parametrize("definition", ["", "{}", "no JSON", '{"format":2}', "[" * 5000, '"\\ud800"'])
    def test_shows_what_cannot_be_restored(self, admin: Caller, stored: Store, ledger: Ledger, definition: str) -> None:
        stored(job("tidy"), job("good"))
        ledger.change(sa.update(Job).where(Job.id == "tidy").values(definition=definition))
        assert len(admin.client.get("/scheduler/jobs").get_json()) == 2
        shown = admin.client.get("/scheduler/jobs/tidy").get_json()
        assert (shown["id"], shown["name"], shown["state"]) == ("tidy", "tidy", "quarantined")
        assert shown["reason"]
        assert admin.client.post("/scheduler/jobs/tidy/pause").get_json()["next_run_time"] is None
        assert admin.client.post("/scheduler/jobs/tidy/resume").status_code == 409
        assert admin.client.post("/scheduler/jobs/tidy/run").status_code == 200
        assert ledger.job("tidy").definition == definition


class TestPauseJob:
    def test_takes_the_job_off_and_says_who_did(self, admin: Caller, stored: Store) -> None:
        stored(job("tidy"))
        for _again in range(2):
            response = admin.client.post("/scheduler/jobs/tidy/pause", data=b"\xff{", content_type="text/plain")
            assert response.status_code == 200
            assert (response.get_json()["next_run_time"], response.get_json()["state"]) == (None, "paused")
            assert response.get_json()["paused_by"] == "root"


class TestResumeJob:
    def test_puts_the_job_back_on_its_grid(self, admin: Caller, stored: Store) -> None:
        stored(job("tidy"))
        before = admin.client.get("/scheduler/jobs/tidy").get_json()
        admin.client.post("/scheduler/jobs/tidy/pause")
        for _again in range(2):
            response = admin.client.post("/scheduler/jobs/tidy/resume", data="[", content_type="application/json")
            assert response.status_code == 200
            assert response.get_json() == before

    def test_returns_an_ended_job_a_last_time(self, admin: Caller, stored: Store, ledger: Ledger) -> None:
        end = clock.now() + timedelta(hours=2)
        stored(job("tidy", trigger="interval", hours=1, end_date=end))
        admin.client.post("/scheduler/jobs/tidy/pause")
        row = ledger.job("tidy")
        over = row.definition.replace(end.isoformat(), "2001-01-01T00:00:00+00:00")
        ledger.change(sa.update(Job).values(definition=over))
        response = admin.client.post("/scheduler/jobs/tidy/resume")
        assert response.status_code == 200
        assert (response.get_json()["id"], response.get_json()["state"], response.get_json()["next_run_time"]) == (
            "tidy",
            "ended",
            None,
        )
        assert admin.client.get("/scheduler/jobs/tidy").status_code == 404


class TestRunJob:
    def test_queues_a_run_and_leaves_the_job_as_it_is(self, admin: Caller, stored: Store, ledger: Ledger) -> None:
        stored(job("tidy"))
        admin.client.post("/scheduler/jobs/tidy/pause")
        response = admin.client.post("/scheduler/jobs/tidy/run")
        assert response.status_code == 200
        assert response.get_json()["state"] == "paused"
        (run,) = admin.client.get("/scheduler/jobs/tidy/runs").get_json()
        assert run["id"] == response.get_json()["run_id"]
        assert (run["status"], run["cause"], run["requested_by"], run["attempts"]) == ("queued", "manual", "root", 0)
        assert (run["started_at"], run["finished_at"], run["error_type"]) == (None, None, None)

    def test_leads_to_the_run_and_its_failure(self, admin: Caller, node: Start, ledger: Ledger) -> None:
        one = node(job("bad", "create_a_tag_and_fail"))
        one.tick()
        run_id = admin.client.post("/scheduler/jobs/bad/run").get_json()["run_id"]
        one.tick()
        ledger.settle()
        (run,) = admin.client.get("/scheduler/jobs/bad/runs").get_json()
        assert (run["id"], run["status"], run["attempts"]) == (run_id, "failed", 1)
        assert run["error_type"] == "ValueError"
        assert run["error_message"] == "no�good \ufffd"
        assert run["scheduled_at"] <= run["started_at"] <= run["finished_at"]


class TestGetJobRuns:
    def test_pages_from_the_newest(self, admin: Caller, stored: Store) -> None:
        stored(job("tidy"))
        asked = [admin.client.post("/scheduler/jobs/tidy/run").get_json()["run_id"] for _run in range(5)]
        seen: list[str] = []
        url = "/scheduler/jobs/tidy/runs?limit=2"
        while url:
            response = admin.client.get(url)
            assert len(response.get_json()) <= 2
            seen += [run["id"] for run in response.get_json()]
            url = next_url(response)
        assert seen == asked[::-1]

    def test_outlive_the_job(self, admin: Caller, stored: Store, ledger: Ledger) -> None:
        stored(job("tidy"))
        admin.client.post("/scheduler/jobs/tidy/run")
        ledger.change(sa.delete(Job))
        assert len(admin.client.get("/scheduler/jobs/tidy/runs").get_json()) == 1

    @pytest.mark.parametrize("micros", [-(2**63), -1, 2**63 - 1])
    def test_show_any_instant(self, admin: Caller, stored: Store, ledger: Ledger, micros: int) -> None:
        stored(job("tidy"))
        admin.client.post("/scheduler/jobs/tidy/run")
        ledger.change(sa.update(Run).values(scheduled_at=micros))
        ledger.change(sa.update(Job).values(next_run_time=micros))
        assert admin.client.get("/scheduler/jobs/tidy/runs").status_code == 200
        assert admin.client.get("/scheduler/jobs/tidy").status_code == 200

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=x", "x=1", "after=%00"])
    def test_refuse_what_they_do_not_know(self, admin: Caller, stored: Store, query: str) -> None:
        stored(job("tidy"))
        response = admin.client.get(f"/scheduler/jobs/tidy/runs?{query}")
        assert response.status_code == 422
        assert response.content_type == "application/json"
        assert response.get_json()["error_message"]
        assert response.get_json()["errors"]


class TestGetRuns:
    def test_holds_the_runs_of_all_jobs_newest_first(self, admin: Caller, node: Start, ledger: Ledger) -> None:
        one = node(job("good"), job("bad", "create_a_tag_and_fail"))
        one.tick()
        for name in ("good", "bad", "good"):
            admin.client.post(f"/scheduler/jobs/{name}/run")
            one.tick()
            ledger.settle()

        def ids(**query: str) -> list[str]:
            return [run["job_id"] for run in admin.client.get("/scheduler/runs", query_string=query).get_json()]

        assert ids() == ["good", "bad", "good"]
        assert ids(job_id="bad") == ["bad"]
        assert ids(status="succeeded", limit="1") == ["good"]
        second = ledger.runs("bad")[0].started_at.isoformat()
        assert ids(since=second) == ["good"]
        assert ids(until=second) == ["bad", "good"]

    @pytest.mark.parametrize("query", [{"status": "done"}, {"since": "yesterday"}, {"limit": "0"}, {"job": "x"}])
    def test_refuses_what_it_does_not_know(self, admin: Caller, query: dict[str, str]) -> None:
        response = admin.client.get("/scheduler/runs", query_string=query)
        assert response.status_code == 422
        assert response.get_json()["errors"][0]["loc"] == ["query", *query]


class TestGetRun:
    def test_shows_each_attempt(self, admin: Caller, node: Start, ledger: Ledger) -> None:
        one = node(job("bad", "create_a_tag_and_fail"))
        one.tick()
        run_id = admin.client.post("/scheduler/jobs/bad/run").get_json()["run_id"]
        waiting = admin.client.get(f"/scheduler/runs/{run_id}").get_json()
        assert (waiting["status"], waiting["history"]) == ("queued", [])
        assert waiting["due_at"] is not None
        one.tick()
        ledger.settle()
        run = admin.client.get(f"/scheduler/runs/{run_id}").get_json()
        (attempt,) = run["history"]
        assert (run["status"], run["attempts"], run["due_at"]) == ("failed", 1, None)
        assert (attempt["number"], attempt["status"], attempt["token"]) == (1, "failed", 1)
        assert attempt["claimed_at"] <= attempt["started_at"] <= attempt["finished_at"]
        assert "in create_a_tag_and_fail" in attempt["traceback"]

    def test_is_404_for_a_run_that_there_is_not(self, admin: Caller) -> None:
        response = admin.client.get("/scheduler/runs/00000000-0000-7000-8000-000000000000")
        assert (response.status_code, response.get_json()["code"]) == (404, "run_not_found")
