"""The scheduler as a way to run anything: nothing that is sent names code, a process, or more than its fields allow."""

import sys
from typing import Any

import pytest
from flask.testing import FlaskClient

from application.libs.catalogue import Catalogue
from tests.conftest import Caller
from tests.modules.scheduler.conftest import Ledger

HOURLY = {"id": "hourly", "func": "do-nothing", "trigger": "interval", "hours": 1}
REFUSED = (400, 404, 409, 422)

FUNCS: tuple[Any, ...] = (
    "os:system",
    "builtins:exec",
    "builtins:eval",
    "subprocess:run",
    "importlib:import_module",
    "antigravity:geohash",
    "this:s",
    "application.modules.user.business:delete",
    "application.factory:create_app",
    "tests.modules.scheduler.jobs:leave_the_process ",
    "do-nothing; import os",
    "../do-nothing",
    "",
    " ",
    None,
    ["os", "system"],
    {"__reduce__": ["os.system", ["true"]]},
    0,
    "x" * 10_000,
)

FIELDS: tuple[dict[str, Any], ...] = (
    {"trigger": "pickle"},
    {"trigger": "os:system"},
    {"trigger": {"type": "os:system"}},
    {"hours": -1},
    {"hours": 0.0001},
    {"hours": None, "seconds": 0.5},
    {"hours": None, "seconds": "1e-9"},
    {"hours": 10**15},
    {"executor": "os:system"},
    {"executor": {"class": "ProcessPoolExecutor"}},
    {"jobstore": "sqlite:////tmp/x.db"},
    {"jobstore": {"type": "redis"}},
    {"max_instances": 10**9},
    {"misfire_grace_time": "soon"},
    {"args": ["rm -rf /"]},
    {"kwargs": {"func": "os:system"}},
    {"kwargs": {"__class__": "os"}},
    {"args": {"0": 1}},
    {"next_run_time": "yesterday"},
    {"timezone": "../../etc/passwd"},
    {"__class__": "Job"},
    {"py/object": "os.system"},
    {"func_ref": "os:system"},
)


@pytest.fixture
def client(admin: Caller, registered: Catalogue) -> FlaskClient:
    """Return the client of an admin, who may do most."""
    return admin.client


def given(change: dict[str, Any]) -> dict[str, Any]:
    """Return a job's body with these fields, without those that are None."""
    return {name: value for name, value in (HOURLY | {"id": "evil"} | change).items() if value is not None}


class TestFunc:
    def test_names_nothing_that_is_not_registered(self, client: FlaskClient, ledger: Ledger) -> None:
        assert client.post("/scheduler/jobs", json=HOURLY).status_code == 200
        before, modules = ledger.job("hourly"), set(sys.modules)
        for func in FUNCS:
            for answer in (
                client.post("/scheduler/jobs", json=HOURLY | {"id": "evil", "func": func}),
                client.patch("/scheduler/jobs/hourly", json={"func": func}),
                client.post("/scheduler/quarantine/hourly/repair", json={"func": func}),
            ):
                assert answer.status_code in REFUSED, f"{func!r}: {answer.status_code}"
                assert "Traceback" not in answer.text
        assert {"antigravity", "this"} & set(sys.modules) == set()
        assert not [name for name in set(sys.modules) - modules if not name.startswith(("application", "tests"))]
        assert ledger.job("hourly") == before
        assert client.get("/scheduler/jobs/evil").status_code == 404


class TestFields:
    @pytest.mark.parametrize("change", FIELDS, ids=str)
    def test_are_what_they_may_be(self, client: FlaskClient, ledger: Ledger, change: dict[str, Any]) -> None:
        assert client.post("/scheduler/jobs", json=HOURLY).status_code == 200
        before = ledger.job("hourly")
        made = client.post("/scheduler/jobs", json=given(change))
        patched = client.patch("/scheduler/jobs/hourly", json={"hours": 1, "trigger": "interval"} | change)
        assert (made.status_code, patched.status_code) == (422, 422), f"{made.text} {patched.text}"
        assert ledger.job("hourly") == before
        assert client.get("/scheduler/jobs/evil").status_code == 404

    @pytest.mark.parametrize("change", [{"hours": 0}, {"hours": None}, {"hours": None, "seconds": 0}], ids=str)
    def test_let_nothing_fire_more_often_than_each_second(self, client: FlaskClient, change: dict[str, Any]) -> None:
        made = client.post("/scheduler/jobs", json=given(change))
        assert (made.status_code, made.get_json()["seconds"]) == (200, 1)  # as in APScheduler


class TestProcess:
    def test_cannot_be_started_or_stopped(self, client: FlaskClient) -> None:
        for path in ("/scheduler/shutdown", "/scheduler/start", "/scheduler/pause", "/scheduler/resume"):
            assert client.post(path, json={"wait": True}).status_code in REFUSED
        assert client.get("/scheduler").status_code == 200
