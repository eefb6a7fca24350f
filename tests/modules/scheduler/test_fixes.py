"""What we do otherwise than Flask-APScheduler, a test or more for each row of SCHEDULER.md §2."""

import pickle
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from application.config.choice import Environment
from application.config.setting import load_settings
from application.database import db, transaction
from application.extensions import scheduler
from application.factory import create_app
from application.libs import clock
from application.libs.catalogue import Catalogue
from application.modules.scheduler.models import Job
from application.modules.tag.models import Tag
from tests.conftest import Caller
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import HOUR, JOBS, Ledger, Start, job

HOURLY = {"id": "hourly", "func": "do-nothing", "trigger": "interval", "hours": 1}
PAST = (clock.now() - timedelta(days=2)).isoformat()


@pytest.fixture
def client(admin: Caller, registered: Catalogue) -> FlaskClient:
    """Return an admin's client of an application that knows the functions of the tests."""
    return admin.client


@pytest.fixture
def hourly(client: FlaskClient) -> dict[str, Any]:
    """Add a job and return it."""
    made: dict[str, Any] = client.post("/scheduler/jobs", json=HOURLY).get_json()
    return made


def refused(response: Any, status: int = 422) -> set[str]:
    """Return the places of a refusal's findings."""
    assert (response.status_code, response.content_type) == (status, "application/json"), response.text
    assert isinstance(response.get_json()["error_message"], str)
    return {".".join(map(str, error["loc"])) for error in response.get_json()["errors"]}


class TestF1:
    @pytest.mark.parametrize("body", [b"{", b"", b"\xff", b"[1", b'{"id": NaN}'])
    def test_answers_what_cannot_be_parsed_with_400(self, client: FlaskClient, body: bytes) -> None:
        for method, path in (("POST", "/jobs"), ("PATCH", "/jobs/x")):
            refused(client.open(f"/scheduler{path}", method=method, data=body), 400)

    @pytest.mark.parametrize("body", ["[]", "5", "null", '"text"'])
    def test_refuses_what_is_no_object(self, client: FlaskClient, body: str) -> None:
        for method, path in (("POST", "/jobs"), ("PATCH", "/jobs/x")):
            refused(client.open(f"/scheduler{path}", method=method, data=body), 400)


class TestF2:
    @pytest.mark.parametrize(
        ("given", "place"),
        [
            ({"func": 5}, "body.func"),
            ({"colour": "red"}, "body.colour"),
            ({"trigger": "weekly"}, "body.trigger"),
            ({"trigger": "cron", "hours": None, "minute": "61"}, "body.minute"),
            ({"end_date": "yesterday-ish"}, "body.end_date"),
            ({"kwargs": {"day": 1}}, "body.kwargs.day"),
            ({"args": [1]}, "body.args.0"),
        ],
    )
    def test_names_the_place_of_a_fault(self, client: FlaskClient, given: dict[str, Any], place: str) -> None:
        body = {name: value for name, value in (HOURLY | given).items() if value is not None}
        assert any(
            found.startswith(place.rsplit(".", 1)[0]) for found in refused(client.post("/scheduler/jobs", json=body))
        )

    def test_wants_id_and_func(self, client: FlaskClient) -> None:
        assert refused(client.post("/scheduler/jobs", json={})) == {"body.id", "body.func"}


class TestF3:
    def test_says_in_json_what_routing_refuses(self, client: FlaskClient) -> None:
        refused(client.get("/scheduler/nothing"), 404)
        refused(client.put("/scheduler/jobs/x"), 405)
        refused(client.post("/scheduler/jobs", data=b" " * (2 * 1024 * 1024)), 413)

    def test_shows_nothing_of_an_error_of_its_own(self, app: Flask) -> None:
        class Broken:
            def get_authorization(self) -> None:
                raise RuntimeError("the password is hunter2")

        settings = load_settings(
            environment=Environment.DEVELOPMENT,
            database_url=app.config["SQLALCHEMY_DATABASE_URI"],
            log_directory=app.extensions["settings"].log_directory,
            secret_key="x" * 40,
            log_console=False,
            _env_file=None,
        )
        broken = create_app(settings, {"SCHEDULER_AUTH": Broken()}).test_client()
        response = broken.get("/scheduler/jobs")
        with broken.application.app_context():
            db.engine.dispose()
        refused(response, 500)
        assert "hunter2" not in response.text
        create_app(app.extensions["settings"])  # its logging again


class TestF4:
    def test_imports_nothing_that_a_text_names(self, client: FlaskClient, hourly: dict[str, Any]) -> None:
        for func in ("os:system", "application.modules.scheduler.business:delete", "sys:exit", "do_nothing"):
            assert refused(client.post("/scheduler/jobs", json=HOURLY | {"id": "evil", "func": func})) == {"body.func"}
            assert refused(client.patch("/scheduler/jobs/hourly", json={"func": func})) == {"body.func"}

    def test_knows_a_function_by_name_and_by_reference(self, client: FlaskClient) -> None:
        for job_id, func in (("name", "do-nothing"), ("reference", f"{JOBS}:do_nothing")):
            made = client.post("/scheduler/jobs", json=HOURLY | {"id": job_id, "func": func}).get_json()
            assert made["func"] == f"{JOBS}:do_nothing"


class TestF5:
    @pytest.mark.parametrize("place", ["executor", "jobstore"])
    def test_refuses_a_place_that_there_is_not(self, client: FlaskClient, hourly: dict[str, Any], place: str) -> None:
        body = HOURLY | {"id": "other", place: "nowhere"}
        assert refused(client.post("/scheduler/jobs", json=body)) == {f"body.{place}"}
        assert refused(client.patch("/scheduler/jobs/hourly", json={place: "nowhere"})) == {f"body.{place}"}


class TestF6:
    def test_refuses_what_is_over(self, client: FlaskClient) -> None:
        dated = {"id": "past", "func": "do-nothing", "trigger": "date", "run_date": PAST}
        assert refused(client.post("/scheduler/jobs", json=dated)) == {"body.run_date"}
        refused(client.post("/scheduler/jobs", json=HOURLY | {"end_date": PAST}))

    def test_takes_what_is_late_within_the_grace(self, client: FlaskClient) -> None:
        late = (clock.now() - timedelta(seconds=20)).isoformat()
        dated = {"id": "late", "func": "do-nothing", "trigger": "date", "run_date": late}
        assert client.post("/scheduler/jobs", json=dated).status_code == 200

    def test_leaves_out_what_code_declares(self, node: Start, ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
        node(job("past", trigger="date", run_date=PAST), job("tidy")).tick()
        assert (ledger.job("past"), ledger.job("tidy") is None) == (None, False)
        assert "Job past is left out" in caplog.text


class TestF7:
    @pytest.mark.parametrize("job_id", ["a/b", 5, "", ".", "..", "a\x00b", "a\nb", "x" * 192, ["a"]])
    def test_refuses_an_id_that_has_no_address(self, client: FlaskClient, job_id: Any) -> None:
        assert "body.id" in {
            place[:7] for place in refused(client.post("/scheduler/jobs", json=HOURLY | {"id": job_id}))
        }


class TestF8:
    def test_takes_an_id_once_even_while_nobody_fires(self, client: FlaskClient, hourly: dict[str, Any]) -> None:
        assert client.get("/scheduler").get_json()["running"] is False
        refused(client.post("/scheduler/jobs", json=HOURLY), 409)


class TestF9:
    def test_changes_all_or_nothing(self, client: FlaskClient, hourly: dict[str, Any]) -> None:
        refused(client.patch("/scheduler/jobs/hourly", json={"trigger": "cron", "hour": 5, "max_instances": 0}))
        refused(client.patch("/scheduler/jobs/hourly", json={"trigger": "cron", "hour": 5, "id": "other"}))
        assert client.get("/scheduler/jobs/hourly").get_json() == hourly

    def test_takes_jitter_the_same_id_and_fields_alone(self, client: FlaskClient, hourly: dict[str, Any]) -> None:
        for change in ({"trigger": "interval", "hours": 2, "jitter": 5}, {"id": "hourly"}, {"seconds": 90}):
            assert client.patch("/scheduler/jobs/hourly", json=change).status_code == 200
        made = client.get("/scheduler/jobs/hourly").get_json()
        assert (made["trigger"], made["minutes"], made["seconds"]) == ("interval", 1, 30)
        assert "hours" not in made


class TestF10:
    def test_wakes_a_paused_job_only_when_it_is_told_to(self, client: FlaskClient, hourly: dict[str, Any]) -> None:
        client.post("/scheduler/jobs/hourly/pause")
        for change in ({"minutes": 5}, {"trigger": "cron", "hour": 1}, {"name": "x"}, {"next_run_time": None}):
            assert client.patch("/scheduler/jobs/hourly", json=change).get_json()["next_run_time"] is None
        later = (clock.now() + HOUR).isoformat()
        assert client.patch("/scheduler/jobs/hourly", json={"next_run_time": later}).get_json()["state"] == "scheduled"


class TestF11:
    def test_answers_while_the_function_goes_on(
        self, app: Flask, client: FlaskClient, ledger: Ledger, node: Start
    ) -> None:
        node(job("slow", "wait_at_the_gate"), ticking=True)
        ledger.wait(lambda: ledger.job("slow"))
        client.post("/scheduler/jobs/slow/pause")
        answer = client.post("/scheduler/jobs/slow/run")
        assert (answer.status_code, answer.get_json()["id"]) == (200, "slow")
        ledger.wait(lambda: functions.ARRIVED)
        assert client.get(f"/scheduler/runs/{answer.get_json()['run_id']}").get_json()["status"] == "running"
        functions.GATE.set()
        ledger.settle()

    def test_tells_a_failure_in_the_run(self, client: FlaskClient, ledger: Ledger, node: Start) -> None:
        node(job("bad", "create_a_tag_and_fail"), ticking=True)
        ledger.wait(lambda: ledger.job("bad"))
        answer = client.post("/scheduler/jobs/bad/run")
        assert answer.status_code == 200
        ledger.settle()
        run = client.get(f"/scheduler/runs/{answer.get_json()['run_id']}").get_json()
        assert (run["status"], run["error_type"]) == ("failed", "ValueError")


class TestF12:
    def test_shows_the_last_state_of_a_job_that_has_ended(
        self, client: FlaskClient, hourly: dict[str, Any], ledger: Ledger
    ) -> None:
        client.post("/scheduler/jobs/hourly/pause")
        definition = ledger.job("hourly").definition
        ended = definition.replace('"trigger":{', f'"trigger":{{"end_date":"{PAST}",')
        ledger.change(sa.update(Job).where(Job.id == "hourly").values(definition=ended))
        answer = client.post("/scheduler/jobs/hourly/resume")
        assert (answer.status_code, answer.get_json()["state"], answer.get_json()["id"]) == (200, "ended", "hourly")
        assert client.get("/scheduler/jobs/hourly").status_code == 404


class TestF13:
    def test_neither_starts_nor_stops_a_process_of_a_cluster(self, client: FlaskClient, node: Start) -> None:
        refused(client.post("/scheduler/start"), 409)
        refused(client.post("/scheduler/shutdown"), 409)
        one = node(job("tidy"))
        one.tick()
        refused(client.post("/scheduler/start"), 400)
        refused(client.post("/scheduler/shutdown", data="{garbage"), 409)
        one.tick()
        assert one.engine.leads


class TestF14:
    @pytest.mark.parametrize("verb", ["pause", "resume"])
    def test_is_400_where_nobody_fires(self, client: FlaskClient, verb: str) -> None:
        response = client.post(f"/scheduler/{verb}")
        assert (response.status_code, response.get_json()["error_message"]) == (400, "Scheduler is not running")


class TestF15:
    def test_is_running_while_paused_and_says_what_it_is(self, client: FlaskClient, node: Start) -> None:
        node(job("tidy")).tick()
        client.post("/scheduler/pause")
        info = client.get("/scheduler").get_json()
        assert (info["running"], info["state"], info["mode"]) == (True, "paused", "cluster")
        assert info["leader"]["process"] > 0


class TestF16:
    def test_deletes_nothing_by_reading(self, client: FlaskClient, hourly: dict[str, Any], ledger: Ledger) -> None:
        gone = ledger.job("hourly").definition.replace("do_nothing", "was_removed")
        ledger.change(sa.update(Job).where(Job.id == "hourly").values(definition=gone))
        before = ledger.job("hourly")
        assert [item["func"] for item in client.get("/scheduler/jobs").get_json()] == [f"{JOBS}:was_removed"]
        assert client.get("/scheduler/jobs/hourly").status_code == 200
        assert ledger.job("hourly") == before


class TestF17:
    def test_loads_no_pickle(self, client: FlaskClient, hourly: dict[str, Any], ledger: Ledger, node: Start) -> None:
        assert ledger.job("hourly").definition.startswith("{")
        ledger.change(sa.update(Job).where(Job.id == "hourly").values(definition=repr(pickle.dumps(HOURLY))))
        shown = client.get("/scheduler/jobs/hourly").get_json()
        assert (shown["state"], shown["func"]) == ("quarantined", "")
        assert client.post("/scheduler/jobs/hourly/resume").status_code in (200, 409)


class TestF18:
    @pytest.mark.parametrize("odd", [object(), functions.do_nothing, open])
    def test_stores_no_odd_argument(self, app: Flask, registered: Catalogue, odd: object) -> None:
        registered.register(functions.take_two)
        with app.app_context():
            with pytest.raises(ValueError, match=r"args|kwargs"):
                scheduler.add_job("odd", functions.take_two, args=[odd], trigger="interval", hours=1)
            assert scheduler.get_jobs() == []


class TestF19:
    def test_is_closed_without_configuration(self, app: Flask, ada: Caller) -> None:
        assert app.test_client().get("/scheduler/jobs").status_code == 401
        refused(ada.client.get("/scheduler/jobs"), 403)


class TestF20:
    @pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
    def test_refuses_other_sites(self, client: FlaskClient, headers: dict[str, str]) -> None:
        refused(client.post("/scheduler/jobs", json=HOURLY, headers=headers), 403)


class TestF21:
    def test_has_a_minute_of_grace_and_a_row_for_what_is_later(
        self, client: FlaskClient, hourly: dict[str, Any], ledger: Ledger, node: Start
    ) -> None:
        assert hourly["misfire_grace_time"] == 60
        one = node(job("tidy"))
        one.tick()
        one.tick(ledger.due("tidy") + timedelta(seconds=61))
        (run,) = ledger.runs("tidy")
        assert run.status == "missed"
        assert "60" in run.reason


class TestF22:
    def test_fires_once_among_several(self, node: Start, ledger: Ledger) -> None:
        nodes = [node(job("tidy")) for _ in range(3)]
        for one in nodes:
            one.tick()
        due = ledger.due("tidy")
        for one in nodes:
            one.tick(due)
        ledger.settle()
        assert ledger.statuses("tidy") == ["succeeded"]


class TestF23:
    def test_runs_in_a_context_and_a_transaction(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("good", "create_a_tag"), job("bad", "create_a_tag_and_fail"))
        one.tick()
        one.tick(max(ledger.due("good"), ledger.due("bad")))
        ledger.settle()
        assert (ledger.statuses("good"), ledger.statuses("bad")) == (["succeeded"], ["failed"])
        assert [row.name for row in ledger.rows(sa.select(Tag.name))] == ["made by a job"]
        with app.app_context(), transaction(write=False):
            assert scheduler.get_job("good") is not None
