"""Adding, changing and deleting jobs over HTTP, as a client of Flask-APScheduler does."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from application.database import transaction
from application.libs import clock
from application.libs.catalogue import Catalogue
from application.modules.scheduler import business
from application.modules.scheduler.engine import Engine
from tests.conftest import Caller
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import JOBS, Ledger, Start, job

HOURLY = {"id": "hourly", "func": "do-nothing", "trigger": "interval", "hours": 1}


@pytest.fixture
def client(admin: Caller, registered: Catalogue) -> FlaskClient:
    """Return an admin's client of an application that knows the functions of the tests."""
    return admin.client


def fields(response: Any) -> set[str]:
    """Return the places of a refusal's findings."""
    assert response.status_code == 422, response.text
    assert response.get_json()["error_message"]
    return {".".join(map(str, error["loc"])) for error in response.get_json()["errors"]}


class TestAddJob:
    def test_echoes_what_was_given(self, client: FlaskClient) -> None:
        when = (clock.now() + timedelta(days=1)).isoformat()
        given = {"id": "once", "func": f"{JOBS}:do_nothing", "trigger": "date", "run_date": when}
        response = client.post("/scheduler/jobs", json=given)
        assert response.status_code == 200
        assert "Location" not in response.headers
        made = response.get_json()
        assert (made["id"], made["func"], made["trigger"], made["name"]) == ("once", given["func"], "date", "once")
        assert datetime.fromisoformat(made["run_date"]) == datetime.fromisoformat(when)
        assert datetime.fromisoformat(made["next_run_time"]) == datetime.fromisoformat(when)
        assert (made["source"], made["version"], made["state"]) == ("api", 1, "scheduled")
        assert client.get("/scheduler/jobs/once").get_json() == made

    def test_reads_json_whatever_its_type_is_called(self, client: FlaskClient) -> None:
        body = b'{"id": "plain", "func": "do-nothing", "trigger": "interval", "minutes": 5}'
        for media_type in ("text/plain", "application/x-www-form-urlencoded"):
            response = client.post("/scheduler/jobs", data=body, content_type=media_type)
            assert response.status_code == (200 if media_type == "text/plain" else 409)
        assert response.get_json()["error_message"] == "Job plain already exists."

    def test_takes_the_place_of_another_when_it_may(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs", json=HOURLY)
        response = client.post("/scheduler/jobs", json=HOURLY | {"hours": 2, "replace_existing": True})
        assert response.status_code == 200
        assert (response.get_json()["hours"], response.get_json()["version"]) == (2, 2)

    def test_makes_an_id_for_null(self, client: FlaskClient) -> None:
        made = client.post("/scheduler/jobs", json=HOURLY | {"id": None}).get_json()
        assert len(made["id"]) == 32
        assert made["name"] == made["id"]

    def test_takes_the_legacy_trigger(self, client: FlaskClient) -> None:
        given = {"id": "old", "func": "do-nothing", "trigger": {"type": "cron", "hour": "3", "day": "3rd fri"}}
        made = client.post("/scheduler/jobs", json=given).get_json()
        assert (made["trigger"], made["hour"], made["day"]) == ("cron", "3", "3rd fri")

    def test_is_made_paused_by_a_null_next_run(self, client: FlaskClient) -> None:
        made = client.post("/scheduler/jobs", json=HOURLY | {"next_run_time": None}).get_json()
        assert (made["next_run_time"], made["state"], made["paused_by"]) == (None, "paused", "root")

    def test_runs_once_now_without_a_trigger(
        self, app: Flask, client: FlaskClient, ledger: Ledger, node: Start
    ) -> None:
        response = client.post("/scheduler/jobs", json={"id": "now", "func": "do-nothing"})
        assert response.status_code == 200, response.text
        one = node(job("other", "do_nothing"))
        one.tick()
        ledger.settle()
        assert ledger.statuses("now") == ["succeeded"]
        assert client.get("/scheduler/jobs/now").status_code == 404
        assert [run["status"] for run in client.get("/scheduler/jobs/now/runs").get_json()] == ["succeeded"]

    def test_gives_arguments_their_types(self, app: Flask, client: FlaskClient, ledger: Ledger, node: Start) -> None:
        given = HOURLY | {"func": "report", "args": ["2026-11-28"], "kwargs": {"copies": 2, "to": ["a", "b"]}}
        made = client.post("/scheduler/jobs", json=given).get_json()
        assert (made["args"], made["kwargs"]) == (["2026-11-28"], {"copies": 2, "to": ["a", "b"]})
        client.post("/scheduler/jobs/hourly/run")
        one = node(job("other", "report", args=[date(2026, 1, 1)], kwargs={"copies": 1}))
        one.tick()
        ledger.settle()
        assert ledger.statuses("hourly") == ["succeeded"]
        assert [(date(2026, 11, 28), 2, ["a", "b"])] == functions.SEEN

    @pytest.mark.parametrize("func", ["os:system", "builtins:exec", "subprocess:run", "nothing", f"{JOBS}:leave"])
    def test_refuses_a_function_that_is_not_registered(self, client: FlaskClient, func: str) -> None:
        response = client.post("/scheduler/jobs", json=HOURLY | {"func": func})
        assert fields(response) == {"body.func"}
        assert client.get("/scheduler/jobs/hourly").status_code == 404

    def test_names_every_fault_at_once(self, client: FlaskClient) -> None:
        bad = {
            "id": "bad",
            "func": "report",
            "kwargs": {"copies": 10, "cc": 1},
            "executor": "nowhere",
            "jobstore": "elsewhere",
            "trigger": "cron",
            "hour": 25,
            "minute": "x",
            "next_run_time": "tomorrow-ish",
        }
        assert fields(client.post("/scheduler/jobs", json=bad)) == {
            "body.kwargs.copies",
            "body.kwargs.cc",
            "body.kwargs.day",
            "body.executor",
            "body.jobstore",
            "body.hour",
            "body.minute",
        }
        assert fields(client.post("/scheduler/jobs", json=HOURLY | {"next_run_time": "tomorrow-ish"})) == {
            "body.next_run_time"
        }

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"id": "a/b"}, "body.id"),
            ({"id": ".."}, "body.id"),
            ({"id": ""}, "body.id"),
            ({"id": "x" * 192}, "body.id"),
            ({"id": 5}, "body.id"),
            ({"func": None}, "body.func"),
            ({"trigger": "weekly"}, "body.trigger"),
            ({"hours": "often"}, "body.hours"),
            ({"max_instances": 0}, "body.max_instances"),
            ({"misfire": "twice"}, "body.misfire"),
            ({"overlap": "often"}, "body.overlap"),
            ({"retries": -1}, "body.retries"),
            ({"retries": 101}, "body.retries"),
            ({"retry_delay": -0.1}, "body.retry_delay"),
            ({"retry_delay": 604_801}, "body.retry_delay"),
            ({"retry_backoff": 0.9}, "body.retry_backoff"),
            ({"retry_backoff": 11}, "body.retry_backoff"),
            ({"retry_max_delay": None}, "body.retry_max_delay"),
            ({"retry_jitter": "some"}, "body.retry_jitter"),
            ({"alerts": {"after_failures": 0}}, "body.alerts.after_failures"),
            ({"alerts": {"after_misses": 0}}, "body.alerts.after_misses"),
            ({"alerts": {"on_failures": True}}, "body.alerts.on_failures"),
            ({"alerts": "mail"}, "body.alerts"),
            ({"misfire_grace_time": 1.5}, "body.misfire_grace_time"),
            ({"colour": "red"}, "body.colour"),
            ({"trigger": "date", "run_date": "2001-01-01", "hours": None}, "body.run_date"),
            ({"end_date": "2001-01-01"}, "body.end_date"),
        ],
    )
    def test_says_where_a_fault_is(self, client: FlaskClient, change: dict[str, Any], place: str) -> None:
        given = {key: value for key, value in (HOURLY | change).items() if key != "hours" or value is not None}
        assert place in fields(client.post("/scheduler/jobs", json=given))

    @pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"id": "a", "id": "b"}'])
    def test_answers_what_is_no_json_with_400(self, client: FlaskClient, body: bytes) -> None:
        response = client.post("/scheduler/jobs", data=body)
        assert response.status_code == 400
        assert response.get_json()["error_message"]

    @pytest.mark.parametrize("body", ["[]", '"text"', "5", "null"])
    def test_refuses_a_body_that_is_no_object(self, client: FlaskClient, body: str) -> None:
        assert client.post("/scheduler/jobs", data=body).status_code == 400

    def test_is_picked_up_by_whoever_leads(self, client: FlaskClient, ledger: Ledger, node: Start) -> None:
        one = node(job("other"), ticking=True)
        ledger.wait(lambda: one.engine.leads)
        client.post("/scheduler/jobs", json={"id": "soon", "func": "do-nothing", "trigger": "interval", "seconds": 1})
        ledger.wait(lambda: "succeeded" in ledger.statuses("soon"), seconds=5)


class TestUpdateJob:
    @pytest.fixture(autouse=True)
    def _hourly(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs", json=HOURLY)

    def patch(self, client: FlaskClient, **given: Any) -> Any:
        return client.patch("/scheduler/jobs/hourly", json=given)

    def test_reschedules_and_modifies(self, client: FlaskClient) -> None:
        tomorrow = (clock.now() + timedelta(days=1)).replace(microsecond=0)
        given = {"trigger": "cron", "minute": "*/5", "start_date": tomorrow.isoformat(), "name": "Often"}
        made = self.patch(client, **given).get_json()
        assert (made["trigger"], made["minute"], made["name"], made["version"]) == ("cron", "*/5", "Often", 2)
        assert datetime.fromisoformat(made["next_run_time"]) >= tomorrow

    def test_reschedules_the_type_there_is(self, client: FlaskClient) -> None:
        made = self.patch(client, minutes=5).get_json()
        assert ("hours" in made, made["minutes"]) == (False, 5)
        made = self.patch(client, jitter=3).get_json()
        assert (made["minutes"], made["jitter"]) == (5, 3)

    def test_takes_a_crontab_whatever_it_was(self, client: FlaskClient) -> None:
        made = self.patch(client, crontab="30 4 * * 0").get_json()
        assert (made["trigger"], made["crontab"], made["in_words"]) == ("cron", "30 4 * * 0", "At 04:30, on Sunday.")
        assert datetime.fromisoformat(made["next_run_time"]).weekday() == 6

    def test_changes_nothing_for_nothing(self, client: FlaskClient) -> None:
        before = client.get("/scheduler/jobs/hourly").get_json()
        response = self.patch(client)
        assert (response.status_code, response.get_json()) == (200, before)
        assert self.patch(client, id="hourly").get_json() == before

    def test_takes_an_object_that_was_read(self, client: FlaskClient) -> None:
        shown = client.get("/scheduler/jobs/hourly").get_json()
        response = client.patch("/scheduler/jobs/hourly", json=shown)
        assert response.status_code == 200, response.text
        assert response.get_json()["next_run_time"] == shown["next_run_time"]
        again = client.post("/scheduler/jobs", json=shown | {"replace_existing": True})
        assert again.status_code == 200, again.text

    @pytest.mark.parametrize(
        "given",
        [
            {"name": "New", "func": "os:system"},
            {"name": "New", "kwargs": {"x": 1}},
            {"name": "New", "trigger": "weekly"},
            {"name": "New", "id": "other"},
            {"name": "New", "executor": "nowhere"},
            {"name": "New", "next_run_time": "never"},
        ],
    )
    def test_changes_nothing_where_it_fails(self, client: FlaskClient, given: dict[str, Any]) -> None:
        before = client.get("/scheduler/jobs/hourly").get_json()
        assert self.patch(client, **given).status_code == 422
        assert client.get("/scheduler/jobs/hourly").get_json() == before

    def test_leaves_a_paused_job_paused_unless_told_otherwise(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs/hourly/pause")
        made = self.patch(client, trigger="cron", hour=5).get_json()
        assert (made["next_run_time"], made["paused_by"]) == (None, "root")
        soon = (clock.now() + timedelta(minutes=5)).isoformat()
        made = self.patch(client, next_run_time=soon).get_json()
        assert datetime.fromisoformat(made["next_run_time"]) == datetime.fromisoformat(soon)
        assert made["paused_by"] is None

    def test_is_404_for_a_job_that_there_is_not(self, client: FlaskClient) -> None:
        response = client.patch("/scheduler/jobs/never", json={"name": "x"})
        assert (response.status_code, response.get_json()["error_message"]) == (404, "Job never not found")

    def test_is_refused_for_a_stale_reader(self, client: FlaskClient) -> None:
        tag = client.get("/scheduler/jobs/hourly").headers["ETag"]
        assert self.patch(client, name="First").status_code == 200
        stale = client.patch("/scheduler/jobs/hourly", json={"name": "Second"}, headers={"If-Match": tag})
        assert stale.status_code == 412

    def test_changes_the_policies_of_a_job(self, client: FlaskClient) -> None:
        policy = {"misfire": "all", "overlap": "queue", "retries": 3, "retry_delay": 0.5, "retry_jitter": 2}
        shown = {**policy, "retry_backoff": 2, "retry_max_delay": 3600, "max_instances": 1}
        made = self.patch(client, **policy).get_json()
        assert {name: made[name] for name in shown} == shown
        assert self.patch(client, retries=0).get_json()["misfire"] == "all"

    def test_changes_what_is_alerted_to(self, client: FlaskClient) -> None:
        assert client.get("/scheduler/jobs/hourly").get_json()["alerts"] is None
        whole = {"on_failure": True, "after_failures": 3, "on_recovery": False, "after_misses": None}
        made = self.patch(client, alerts={"after_failures": 3}).get_json()
        assert made["alerts"] == whole
        again = self.patch(client, name="Same", alerts=made["alerts"]).get_json()
        assert (again["alerts"], self.patch(client, name="Other").get_json()["alerts"]) == (whole, whole)
        assert self.patch(client, alerts=None).get_json()["alerts"] is None

    def test_raises_the_limit_of_what_may_overlap_and_lowers_it_again(self, client: FlaskClient) -> None:
        for given, limit in (
            ({"overlap": "allow"}, 1000),
            ({"name": "Same"}, 1000),
            ({"overlap": "skip"}, 1),
            ({"overlap": "allow", "max_instances": 7}, 7),
            ({"overlap": "queue"}, 7),
        ):
            assert self.patch(client, **given).get_json()["max_instances"] == limit


class TestDeleteJob:
    def test_deletes_once(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs", json=HOURLY)
        assert client.delete("/scheduler/jobs/hourly").status_code == 204
        response = client.delete("/scheduler/jobs/hourly")
        assert (response.status_code, response.get_json()["error_message"]) == (404, "Job hourly not found")


class TestGetHistory:
    def test_tells_who_did_what_and_outlives_the_job(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs", json=HOURLY)
        client.patch("/scheduler/jobs/hourly", json={"minutes": 5})
        client.post("/scheduler/jobs/hourly/pause")
        client.post("/scheduler/jobs/hourly/resume")
        client.delete("/scheduler/jobs/hourly")
        changes = client.get("/scheduler/jobs/hourly/history").get_json()
        told = [(change["version"], change["action"], change["by"]) for change in reversed(changes)]
        assert told == [
            (1, "added", "root"),
            (2, "changed", "root"),
            (2, "paused", "root"),
            (2, "resumed", "root"),
            (2, "removed", "root"),
        ]
        assert changes[-1]["definition"]["trigger"]["hours"] == 1
        assert changes[-2]["definition"]["trigger"]["minutes"] == 5

    def test_is_404_for_a_job_that_never_was(self, client: FlaskClient) -> None:
        assert client.get("/scheduler/jobs/never/history").status_code == 404


class TestRevertJob:
    def test_brings_an_earlier_version_back_as_a_new_one(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs", json=HOURLY)
        client.patch("/scheduler/jobs/hourly", json={"minutes": 5, "name": "Often"})
        made = client.post("/scheduler/jobs/hourly/revert/1").get_json()
        assert (made["hours"], made["name"], made["version"]) == (1, "hourly", 3)
        assert client.get("/scheduler/jobs/hourly/history").get_json()[0]["action"] == "reverted"

    def test_is_404_for_a_version_that_there_is_not(self, client: FlaskClient) -> None:
        client.post("/scheduler/jobs", json=HOURLY)
        response = client.post("/scheduler/jobs/hourly/revert/7")
        assert (response.status_code, response.get_json()["code"]) == (404, "version_not_found")


class TestGetFunctions:
    def test_lists_parameters_as_json_schema(self, client: FlaskClient) -> None:
        listed = {item["name"]: item for item in client.get("/scheduler/functions").get_json()}
        assert "prune-expired-sessions" in listed
        found = listed["report"]
        assert (found["reference"], found["summary"]) == (f"{JOBS}:report", "Remember what it was called with.")
        assert found["parameters"]["properties"]["copies"]["maximum"] == 9
        assert found["parameters"]["required"] == ["day"]


class TestPreview:
    def test_shows_fires_in_each_zone(self, client: FlaskClient) -> None:
        given = {"trigger": "cron", "hour": 3, "timezone": "Europe/Berlin", "count": 2, "zone": "Asia/Shanghai"}
        shown = client.post("/scheduler/preview", json=given).get_json()
        assert len(shown["fires"]) == 2
        local = shown["fires"][0]["local"]
        assert set(local) == {"job", "server", "asked"}
        assert {datetime.fromisoformat(text) for text in local.values()} == {
            datetime.fromisoformat(shown["fires"][0]["at"])
        }
        assert datetime.fromisoformat(local["job"]).hour == 3

    def test_warns_of_a_weekday_that_is_a_number(self, client: FlaskClient) -> None:
        shown = client.post("/scheduler/preview", json={"trigger": "cron", "day_of_week": 0}).get_json()
        assert "numeric_weekday" in {caution["kind"] for caution in shown["cautions"]}

    def test_names_jobs_that_fire_together(self, client: FlaskClient) -> None:
        for name in ("one", "two"):
            client.post("/scheduler/jobs", json={"id": name, "func": "do-nothing", "trigger": "cron", "hour": 3})
        shown = client.get("/scheduler/jobs/one/preview?n=1").get_json()
        assert [(c["kind"], c["job_id"]) for c in shown["cautions"]] == [("collision", "two")]

    def test_refuses_a_trigger_that_is_none(self, client: FlaskClient) -> None:
        given = {"trigger": "cron", "hour": 99, "zone": "Mars"}
        assert fields(client.post("/scheduler/preview", json=given)) == {"body.hour", "body.zone"}
        assert client.get("/scheduler/jobs/never/preview").status_code == 404

    @pytest.mark.parametrize("part", [5, None, [], {"type": "cron", "hour": "\x00"}, {"\x00": {}}, {"x" * 101: 1}])
    def test_refuses_a_part_that_has_no_fields(self, client: FlaskClient, part: object) -> None:
        given = {"trigger": "or", "triggers": [{"type": "cron", "hour": 3}, part]}
        (place,) = {".".join(name.split(".")[:3]) for name in fields(client.post("/scheduler/preview", json=given))}
        assert place == "body.triggers.1"


class TestQuarantined:
    def test_is_kept_and_can_be_repaired(self, client: FlaskClient, ledger: Ledger, node: Start) -> None:
        client.post("/scheduler/jobs", json=HOURLY | {"func": "create-a-tag"})
        one = node(job("other"))  # a process of older code, which knows one function only
        one.tick()
        one.tick(ledger.due("hourly"))
        shown = client.get("/scheduler/jobs/hourly").get_json()
        assert shown["state"] == "quarantined"
        assert "no function is registered as" in shown["reason"]
        made = client.patch("/scheduler/jobs/hourly", json={"func": "do-nothing"}).get_json()
        assert (made["state"], made["func"], made["reason"]) == ("scheduled", f"{JOBS}:do_nothing", None)


def test_setup_is_the_applications(app: Flask) -> None:
    engine = app.extensions["scheduler"]
    assert isinstance(engine, Engine)
    with app.app_context(), transaction(write=False):
        assert {"prune-expired-sessions", "prune-expired-idempotency-keys"} <= {
            function["name"] for function in business.functions()
        }
