"""Jobs in several stores through every way in: the API, code, commands; and a process that keeps its own."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apscheduler.jobstores.base import JobLookupError
from flask import Flask

from application.cli import database
from application.config.choice import Environment
from application.config.setting import load_settings
from application.database import db, transaction
from application.extensions import scheduler
from application.factory import create_app
from application.libs import clock
from application.modules.scheduler.business import copying
from application.modules.scheduler.commands import scheduler_group
from application.permissions import Role
from tests.conftest import Caller
from tests.modules.scheduler.store.conftest import places
from tests.services import DATABASES, fresh_database

__all__ = ["places"]

HOURLY = {"func": "prune-expired-sessions", "trigger": "interval", "hours": 1}
Build = Callable[..., Flask]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Return a function that builds an application whose jobs are in these stores."""
    built: list[Flask] = []
    with fresh_database(DATABASES[0], tmp_path) as url:

        def make(**stores: Any) -> Flask:
            settings = load_settings(
                environment=Environment.TESTING,
                database_url=url,
                log_directory=tmp_path / "logs",
                rate_limits_enabled=False,
                scheduler_jobstores=json.dumps(stores),
                _env_file=None,
            )
            app = create_app(settings)
            database.init_app(app)
            with app.app_context():
                database.upgrade_database()
            built.append(app)
            return app

        yield make
        for app in built:
            with app.app_context():
                scheduler.setup.stores.close()
                db.engine.dispose()


@pytest.fixture
def both(build: Build, places: Callable[[str], dict[str, Any]]) -> Flask:
    """Build an application with the database and a Redis."""
    return build(far=places("redis"))


@pytest.fixture
def root(both: Flask) -> Caller:
    """Sign an admin in there."""
    return Caller(both, "root", Role.ADMIN)


def add(root: Caller, job_id: str, status: int = 200, **given: Any) -> dict[str, Any]:
    """Add a job and return the answer."""
    answer = root.client.post("/scheduler/jobs", json={**HOURLY, "id": job_id, **given})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def ids(root: Caller, query: str = "") -> list[str]:
    """Return the ids of all jobs as they are listed."""
    return [one["id"] for one in root.client.get(f"/scheduler/jobs{query}").get_json()]


class TestApi:
    def test_keeps_a_job_where_it_says(self, root: Caller) -> None:
        assert add(root, "far", jobstore="far")["jobstore"] == "far"
        assert add(root, "near")["jobstore"] == "default"
        shown = root.client.get("/scheduler/jobs/far").get_json()
        assert shown["jobstore"] == "far"
        again = root.client.post("/scheduler/jobs", json={**shown, "replace_existing": True})
        assert (again.status_code, again.get_json()["jobstore"]) == (200, "far")
        assert root.client.delete("/scheduler/jobs/far").status_code == 204
        assert root.client.get("/scheduler/jobs/far").status_code == 404

    def test_has_one_job_of_an_id_in_all_stores(self, root: Caller) -> None:
        add(root, "tidy", jobstore="far")
        assert add(root, "tidy", status=409)["error_message"] == "Job tidy already exists."
        told = add(root, "tidy", status=409, jobstore="default", replace_existing=True)
        assert told["error_message"] == "Job tidy already exists in the job store far."

    def test_refuses_a_store_that_there_is_not(self, root: Caller) -> None:
        assert add(root, "tidy", status=422, jobstore="moon")["errors"][0]["type"] == "unknown_jobstore"

    def test_selects_by_the_store_what_is_changed(self, root: Caller) -> None:
        add(root, "tidy", jobstore="far")
        patched = root.client.patch("/scheduler/jobs/tidy", json={"jobstore": "far", "name": "Tidy up"})
        assert (patched.status_code, patched.get_json()["name"]) == (200, "Tidy up")
        assert root.client.patch("/scheduler/jobs/tidy", json={"jobstore": "default"}).status_code == 404
        assert root.client.patch("/scheduler/jobs/tidy", json={"jobstore": "moon"}).status_code == 422

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_lists_store_after_store_in_pages(self, root: Caller, limit: int) -> None:
        for number in range(3):
            add(root, f"far{number}", jobstore="far", hours=number + 1)
            add(root, f"near{number}", hours=number + 1)
        root.client.post("/scheduler/jobs/near0/pause")
        expected = ["near1", "near2", "near0", "far0", "far1", "far2"]
        assert ids(root) == expected
        found, query = list[str](), f"?limit={limit}"
        while query:
            page = root.client.get(f"/scheduler/jobs{query}")
            found += [one["id"] for one in page.get_json()]
            link = page.headers.get("Link", "")
            query = "?" + link.split("?")[1].split(">")[0] if 'rel="next"' in link else ""
        assert found == expected

    def test_pauses_resumes_and_runs_a_job_wherever_it_is(self, root: Caller) -> None:
        add(root, "tidy", jobstore="far")
        assert root.client.post("/scheduler/jobs/tidy/pause").get_json()["next_run_time"] is None
        assert root.client.post("/scheduler/jobs/tidy/resume").get_json()["next_run_time"] is not None
        run_id = root.client.post("/scheduler/jobs/tidy/run").get_json()["run_id"]
        assert root.client.get(f"/scheduler/runs/{run_id}").get_json()["status"] == "queued"
        done = root.client.post("/scheduler/bulk/pause", json={"ids": ["tidy"]})
        assert done.status_code == 200
        assert root.client.get("/scheduler/jobs/tidy").get_json()["state"] == "paused"
        assert [change["action"] for change in root.client.get("/scheduler/jobs/tidy/history").get_json()] == [
            "paused",
            "resumed",
            "paused",
            "added",
        ]

    def test_is_503_while_the_store_is_away(self, build: Build) -> None:
        app = build(far={"type": "redis", "host": "127.0.0.1", "port": 1})
        root = Caller(app, "root", Role.ADMIN)
        answer = root.client.post("/scheduler/jobs", json={**HOURLY, "id": "tidy", "jobstore": "far"})
        assert (answer.status_code, answer.get_json()["code"]) == (503, "store_unavailable")


class TestCode:
    def test_chooses_the_store(self, both: Flask) -> None:
        with both.app_context():
            made = scheduler.add_job("tidy", "prune-expired-sessions", trigger="interval", hours=1, jobstore="far")
            scheduler.add_job("near", "prune-expired-sessions", trigger="interval", hours=1)
            assert [one.id for one in scheduler.get_jobs("far")] == ["tidy"]
            assert scheduler.get_job("tidy", "default") is None
            with pytest.raises(JobLookupError):
                scheduler.pause_job("tidy", "default")
            assert made.pause().next_run_time is None
            scheduler.remove_all_jobs("far")
            assert [one.id for one in scheduler.get_jobs() if one.id in ("tidy", "near")] == ["near"]
            with pytest.raises(KeyError, match="No such job store: moon"):
                scheduler.get_jobs("moon")


class TestCopy:
    def test_takes_jobs_as_they_are_and_may_be_called_again(self, both: Flask, root: Caller) -> None:
        for number in range(3):
            add(root, f"job{number}")
        root.client.post("/scheduler/jobs/job1/pause")
        before = {job_id: root.client.get(f"/scheduler/jobs/{job_id}").get_json() for job_id in ids(root)}
        done = both.test_cli_runner().invoke(scheduler_group, ["copy", "default", "far"])
        assert done.exit_code == 0, done.output
        assert "3 jobs copied, 0 stood there already." in done.output
        assert "call this again with --move" in done.output
        moved = both.test_cli_runner().invoke(scheduler_group, ["copy", "default", "far", "--move"])
        assert "0 jobs copied, 3 stood there already." in moved.output
        after = {job_id: root.client.get(f"/scheduler/jobs/{job_id}").get_json() for job_id in ids(root)}
        assert after == {job_id: {**one, "jobstore": "far"} for job_id, one in before.items()}

    def test_leaves_another_job_of_the_same_id(self, both: Flask, root: Caller) -> None:
        add(root, "tidy")
        both.test_cli_runner().invoke(scheduler_group, ["copy", "default", "far"])
        root.client.patch("/scheduler/jobs/tidy", json={"name": "Tidy up", "jobstore": "default"})
        done = both.test_cli_runner().invoke(scheduler_group, ["copy", "default", "far", "--move"])
        assert done.exit_code == 1
        assert "tidy is another job in far; both stay as they are" in done.output
        with both.app_context(), transaction(write=False):
            assert copying.job_ids("default") == copying.job_ids("far") == ["tidy"]

    @pytest.mark.parametrize(
        ("arguments", "said"), [(["moon", "far"], "There is no job store 'moon'"), (["far", "far"], "Name two stores")]
    )
    def test_says_what_is_wrong(self, both: Flask, arguments: list[str], said: str) -> None:
        done = both.test_cli_runner().invoke(scheduler_group, ["copy", *arguments])
        assert done.exit_code == 1
        assert said in done.output


class TestMemory:
    def test_is_started_and_stopped_through_the_api(self, build: Build) -> None:
        app = build(default={"type": "memory"})
        root = Caller(app, "root", Role.ADMIN)

        def state() -> tuple[bool, str, str]:
            shown = root.client.get("/scheduler").get_json()
            return shown["running"], shown["state"], shown["mode"]

        assert state() == (False, "stopped", "process")
        assert root.client.post("/scheduler/shutdown").status_code == 400
        try:
            assert root.client.post("/scheduler/start").status_code == 204
            assert state() == (True, "running", "process")
            assert root.client.post("/scheduler/start").status_code == 400
            assert root.client.post("/scheduler/pause").status_code == 204
            assert state() == (True, "paused", "process")
            assert root.client.post("/scheduler/resume").status_code == 204
            now = clock.now().isoformat()
            add(root, "once", trigger="date", hours=None, run_date=now)
            run = self._first_run(root)
            assert (run["job_id"], run["cause"]) == ("once", "schedule")
            assert root.client.post("/scheduler/shutdown", json={"wait": False}).status_code == 204
            assert state() == (False, "stopped", "process")
        finally:
            scheduler.shutdown()

    def test_is_not_started_on_a_host_that_is_left_out(self, build: Build) -> None:
        app = build(default={"type": "memory"})
        root = Caller(app, "root", Role.ADMIN)
        before = scheduler.allowed_hosts
        scheduler.allowed_hosts = ["another"]
        try:
            refused = root.client.post("/scheduler/start")
        finally:
            scheduler.allowed_hosts = before
        assert (refused.status_code, refused.get_json()["code"]) == (409, "host_not_allowed")
        assert not scheduler.running

    @staticmethod
    def _first_run(root: Caller) -> dict[str, Any]:
        """Wait for a run; for a moment the job is gone from its store, and a reader does not see the commit before."""
        deadline = clock.now().timestamp() + 10
        while True:
            answer = root.client.get("/scheduler/jobs/once/runs")
            if answer.status_code == 200 and answer.get_json():
                first: dict[str, Any] = answer.get_json()[0]
                return first
            assert clock.now().timestamp() < deadline, answer.text
            time.sleep(0.02)
