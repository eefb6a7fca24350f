"""The rules about jobs and runs."""

import pytest
from flask import Flask

from application.database import transaction
from application.modules.scheduler import business
from tests.modules.scheduler.conftest import Ledger, Store, job


@pytest.fixture
def tidy(stored: Store) -> str:
    """Store a job and return its id."""
    stored(job("tidy"))
    return "tidy"


class TestPause:
    def test_stays_whose_it_is(self, app: Flask, tidy: str) -> None:
        for name in ("ada", "bob"):
            with app.app_context(), transaction():
                assert business.pause(tidy, by=name).paused_by == "ada"

    def test_is_over_when_the_job_is_resumed(self, app: Flask, tidy: str) -> None:
        with app.app_context(), transaction():
            business.pause(tidy, by="ada")
            resumed = business.resume(tidy, by="root")
        assert (resumed.paused_by, resumed.state) == (None, "scheduled")
        assert resumed.next_run_time is not None


class TestRequestRun:
    def test_gives_each_request_a_run_of_its_own(self, app: Flask, tidy: str, ledger: Ledger) -> None:
        run_ids = []
        for _request in range(10):
            with app.app_context(), transaction():
                run_ids.append(business.request_run(tidy, by="ada")[1])
        assert sorted(run.id for run in ledger.runs()) == sorted(run_ids)

    def test_is_undone_with_its_unit_of_work(self, app: Flask, tidy: str, ledger: Ledger) -> None:
        def fail_after_the_request() -> None:
            with app.app_context(), transaction():
                business.request_run(tidy, by="ada")
                raise LookupError

        with pytest.raises(LookupError):
            fail_after_the_request()
        assert ledger.runs() == []
