"""The same requests to Flask-APScheduler itself and to us: what SCHEDULER.md promises comes out alike."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from flask.testing import FlaskClient
from flask_apscheduler import APScheduler
from flask_apscheduler.auth import HTTPBasicAuth
from werkzeug.test import TestResponse

from application.libs import clock
from application.libs.catalogue import Catalogue
from tests.conftest import Caller
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import JOBS, Start

TIMES = frozenset({"run_date", "start_date", "end_date", "next_run_time"})
FAR = (clock.now() + timedelta(days=3)).replace(microsecond=0)
FARTHER = FAR + timedelta(days=300)

NOTHING = f"{JOBS}:do_nothing"
TAKE_TWO = f"{JOBS}:take_two"

HOURLY = {"id": "hourly", "func": NOTHING, "trigger": "interval", "hours": 1}
CRON = {
    "id": "cron",
    "func": NOTHING,
    "name": "Fridays",
    "trigger": "cron",
    "day": "3rd fri",
    "hour": "*/2",
    "minute": 5,
    "misfire_grace_time": 300,
    "max_instances": 4,
    "coalesce": False,
    "start_date": FAR.isoformat(),
    "end_date": FARTHER.isoformat(),
}
DATED = {"id": "once", "func": TAKE_TWO, "args": [1], "kwargs": {"second": {"a": None}}, "run_date": FAR.isoformat()}

Request = tuple[str, str, Any]

STORIES: dict[str, list[Request]] = {
    "info": [("GET", "", None), ("HEAD", "", None), ("POST", "/start", None)],
    "pausing": [
        ("POST", "/pause", None),
        ("GET", "", None),
        ("POST", "/pause", "{x"),
        *[("POST", "/resume", None)] * 2,
    ],
    "adding": [
        ("POST", "/jobs", HOURLY),
        ("POST", "/jobs", CRON),
        ("POST", "/jobs", DATED | {"trigger": "date"}),
        ("POST", "/jobs", DATED | {"id": "naive", "trigger": "date", "run_date": FAR.strftime("%Y-%m-%d %H:%M:%S")}),
        ("POST", "/jobs", {"id": "old", "func": NOTHING, "trigger": {"type": "interval", "seconds": 90_061}}),
        ("POST", "/jobs", {"id": "older", "func": NOTHING, "trigger": {"run_date": FAR.isoformat()}}),
        ("POST", "/jobs", {"id": "weeks", "func": NOTHING, "name": "", "trigger": "interval", "weeks": 2, "days": 9}),
        ("POST", "/jobs", {"id": "paused", "func": NOTHING, "trigger": "interval", "hours": 2, "next_run_time": None}),
        ("POST", "/jobs", {"id": "every", "func": NOTHING, "trigger": "cron", "start_date": FAR.isoformat()}),
        ("POST", "/jobs", {"id": "seconds", "func": NOTHING, "trigger": "interval", "start_date": FAR.isoformat()}),
        ("POST", "/jobs", HOURLY),
        ("POST", "/jobs", HOURLY | {"hours": 5, "replace_existing": True}),
        ("GET", "/jobs", None),
        ("GET", "/jobs/hourly", None),
        ("HEAD", "/jobs/hourly", None),
        ("GET", "/jobs/never", None),
    ],
    "changing": [
        ("POST", "/jobs", HOURLY),
        ("PATCH", "/jobs/hourly", {}),
        ("PATCH", "/jobs/hourly", {"name": "Often", "max_instances": 3, "misfire_grace_time": 9, "coalesce": False}),
        ("PATCH", "/jobs/hourly", {"func": TAKE_TWO, "args": ["a"], "kwargs": {"second": 2.5}}),
        ("PATCH", "/jobs/hourly", {"trigger": "cron", "minute": "*/5", "start_date": FAR.isoformat()}),
        ("PATCH", "/jobs/hourly", {"trigger": "date", "run_date": FARTHER.isoformat(), "args": []}),
        ("PATCH", "/jobs/hourly", {"trigger": "interval", "seconds": 3600, "start_date": FAR.isoformat()}),
        ("PATCH", "/jobs/never", {"name": "x"}),
        ("GET", "/jobs/hourly", None),
    ],
    "steering": [
        ("POST", "/jobs", CRON),
        ("POST", "/jobs/cron/pause", None),
        ("POST", "/jobs/cron/pause", "ignored"),
        ("GET", "/jobs/cron", None),
        ("POST", "/jobs/cron/resume", None),
        ("POST", "/jobs/cron/resume", None),
        ("POST", "/jobs/cron/run", None),
        *[("POST", f"/jobs/never/{verb}", None) for verb in ("pause", "resume", "run")],
        ("DELETE", "/jobs/cron", None),
        ("DELETE", "/jobs/cron", None),
        ("GET", "/jobs", None),
    ],
    "routing": [
        ("OPTIONS", "", None),
        ("OPTIONS", "/jobs", None),
        ("OPTIONS", "/jobs/x", None),
        ("PUT", "/jobs/x", None),
        ("DELETE", "/jobs", None),
        ("GET", "/pause", None),
        ("GET", "/", None),
        ("GET", "/jobs/", None),
        ("GET", "/jobs/a/b/c", None),
    ],
}


@pytest.fixture
def upstream() -> Iterator[FlaskClient]:
    """Return a client of Flask-APScheduler, whose default grace is ours."""
    app = Flask("upstream", static_folder=None)
    app.config.update(
        SCHEDULER_API_ENABLED=True,
        SCHEDULER_JOB_DEFAULTS={"misfire_grace_time": 60, "coalesce": True, "max_instances": 1},
    )
    extension = APScheduler(scheduler=BackgroundScheduler(timezone="UTC"))
    extension.init_app(app)
    extension.start()
    yield app.test_client()
    extension.shutdown()


def send(client: FlaskClient, request: Request) -> TestResponse:
    method, path, body = request
    if isinstance(body, dict):
        return client.open(f"/scheduler{path}", method=method, json=body)
    return client.open(f"/scheduler{path}", method=method, data=body)


def check(theirs: Any, ours: Any) -> None:
    """Compare what Flask-APScheduler says with ours, which may say more; times counted from now may differ a little."""
    if isinstance(theirs, list):
        assert len(theirs) == len(ours)
        for one, other in zip(theirs, ours, strict=True):
            check(one, other)
    elif isinstance(theirs, dict):
        assert theirs.keys() <= ours.keys()
        for name, value in theirs.items():
            if name in TIMES and value is not None:
                gap = datetime.fromisoformat(value) - datetime.fromisoformat(ours[name])
                assert abs(gap) < timedelta(seconds=30), name
            else:
                assert ours[name] == value, name
    else:
        assert theirs == ours


class TestRequests:
    @pytest.mark.parametrize("story", STORIES)
    def test_are_answered_alike(
        self, story: str, upstream: FlaskClient, admin: Caller, registered: Catalogue, node: Start
    ) -> None:
        node().tick()
        registered.register(functions.take_two)
        for request in STORIES[story]:
            theirs, ours = send(upstream, request), send(admin.client, request)
            assert (request, ours.status_code) == (request, theirs.status_code), ours.text
            assert set(ours.headers.get("Allow", "").split(", ")) == set(theirs.headers.get("Allow", "").split(", "))
            if theirs.is_json:
                assert ours.content_type == "application/json"
                if request[0] != "HEAD":
                    check(theirs.get_json(), ours.get_json())
            elif theirs.status_code == 204:
                assert ours.data == b""
                assert "Content-Type" not in ours.headers
            elif theirs.status_code >= 400:
                assert ours.get_json()["error_message"]

    @pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
    def test_are_read_whatever_their_type_is_called(
        self, upstream: FlaskClient, admin: Caller, registered: Catalogue, media_type: str | None
    ) -> None:
        body = f'{{"id": null, "func": "{NOTHING}", "trigger": "interval", "hours": 1}}'
        for client in (upstream, admin.client):
            response = client.post("/scheduler/jobs", data=body, content_type=media_type)
            assert response.status_code == 200
            assert len(response.get_json()["id"]) == 32

    def test_without_a_trigger_run_once(
        self, upstream: FlaskClient, admin: Caller, registered: Catalogue, node: Start
    ) -> None:
        upstream.post("/scheduler/pause")  # or it may be gone before it is shown
        made = [
            client.post("/scheduler/jobs", json={"id": "now", "func": NOTHING}) for client in (upstream, admin.client)
        ]
        theirs, ours = (response.get_json() for response in made)
        check({**theirs, "next_run_time": ours["next_run_time"]}, ours)
        assert ours["trigger"] == "date"


class TestObjects:
    def test_are_taken_back_unchanged(self, admin: Caller, registered: Catalogue) -> None:
        registered.register(functions.take_two)
        for _method, _path, body in STORIES["adding"]:
            if isinstance(body, dict):
                admin.client.post("/scheduler/jobs", json=body)
        listed = admin.client.get("/scheduler/jobs").get_json()
        assert len(listed) == 10
        for shown in listed:
            patched = admin.client.patch(f"/scheduler/jobs/{shown['id']}", json=shown)
            assert patched.status_code == 200, patched.text
            posted = admin.client.post("/scheduler/jobs", json=shown | {"replace_existing": True})
            assert posted.status_code == 200, posted.text
            ours = {"version", "paused_by", "paused_at", "source"}
            check({name: value for name, value in shown.items() if name not in ours}, posted.get_json())


class TestRefusals:
    def test_of_strangers_are_the_same(self, client: FlaskClient) -> None:
        app = Flask("upstream", static_folder=None)
        app.config.update(SCHEDULER_API_ENABLED=True, SCHEDULER_AUTH=HTTPBasicAuth())
        APScheduler(scheduler=BackgroundScheduler(timezone="UTC")).init_app(app)
        for headers in ({}, {"Authorization": "Basic !!!"}, {"Authorization": "Digest x"}):
            theirs = app.test_client().post("/scheduler/jobs", headers=headers, data="{garbage")
            ours = client.post("/scheduler/jobs", headers=headers, data="{garbage")
            assert (ours.status_code, ours.data, ours.content_type) == (401, theirs.data, theirs.content_type)
            assert ours.headers["WWW-Authenticate"] == theirs.headers["WWW-Authenticate"]
