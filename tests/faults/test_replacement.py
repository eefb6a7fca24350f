"""Processes that are replaced one after another, also by another release with other functions."""

import pytest
import sqlalchemy as sa
from flask import Flask

from application.libs.catalogue import Catalogue
from application.modules.scheduler.models import Job
from tests.conftest import Caller
from tests.faults.competition import AFTER_STOP_SECONDS, Competition, stop
from tests.modules.scheduler.conftest import JOBS, Ledger

pytestmark = [pytest.mark.timed, pytest.mark.one_database]


class TestRollingRestart:
    def test_leaves_no_hole_and_loses_nothing(self, ledger: Ledger, competition: Competition) -> None:
        competition.start(3)
        competition.await_fires(2)
        leaders = [competition.leader]
        for _leader in range(3):
            competition.start()
            assert competition.seconds_to_the_next(lambda: stop(leaders[-1])) < AFTER_STOP_SECONDS
            competition.await_fires(2)
            assert leaders[-1].wait(10) == 0
            leaders.append(competition.leader)
        assert len({leader.pid for leader in leaders}) == 4
        runs = competition.audit()
        assert {run.status for run in runs} == {"succeeded"}
        assert {attempt.status for attempt in ledger.attempts("second")} <= {"succeeded", "interrupted"}


class TestRollingDeploy:
    """A newer release declares the job `other`, whose function the older one does not have."""

    def test_keeps_a_new_job_until_new_code_leads(
        self, ledger: Ledger, competition: Competition, admin: Caller
    ) -> None:
        old = competition.start(declares=["second"])
        competition.await_fires(2)
        competition.start(declares=["second", "other"])
        ledger.wait(lambda: ledger.job("other") is not None and ledger.job("other").quarantine, seconds=20)
        assert competition.leader == old
        listed = {job["id"]: job for job in admin.client.get("/scheduler/jobs").get_json()}
        assert listed["other"]["state"] == "quarantined"
        assert f"{JOBS}:remember_the_run" in str(listed["other"])
        assert ledger.runs("other") == []

        assert competition.seconds_to_the_next(lambda: stop(old)) < AFTER_STOP_SECONDS
        competition.await_fires(3, "other")
        assert ledger.job("other").quarantine is None
        competition.audit("other")
        competition.audit()

    def test_keeps_what_it_can_no_longer_run(
        self, app: Flask, ledger: Ledger, competition: Competition, admin: Caller, registered: Catalogue
    ) -> None:
        old = competition.start(declares=["second", "other"])
        competition.await_fires(1, "other")
        given = {"id": "asked-for", "func": f"{JOBS}:remember_the_run", "trigger": "interval", "seconds": 1}
        assert admin.client.post("/scheduler/jobs", json=given).status_code == 200
        competition.await_fires(2, "asked-for")

        competition.start(declares=["second"])
        ledger.wait(lambda: ledger.job("other").next_run_time is None, seconds=20)
        fired = len(ledger.runs("other"))
        assert competition.seconds_to_the_next(lambda: stop(old)) < AFTER_STOP_SECONDS
        ledger.wait(lambda: ledger.job("asked-for").quarantine)
        assert f"{JOBS}:remember_the_run" in ledger.job("asked-for").quarantine
        competition.await_fires(2)
        assert len(ledger.runs("other")) == fired
        assert len(ledger.rows(sa.select(Job.id).where(Job.id.in_(["asked-for", "other"])))) == 2
        competition.audit()
