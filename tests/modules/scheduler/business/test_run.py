"""Runs, as people look at them."""

import pytest
from flask import Flask

from application.database import transaction
from application.modules.scheduler import business
from application.modules.scheduler.business import run
from tests.modules.scheduler.conftest import Ledger, Start, job, request_run


class TestSearchOf:
    def test_outlives_the_job(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("once", trigger="date"))
        one.tick()
        ledger.settle()
        assert ledger.job("once") is None
        with app.app_context(), transaction(write=False):
            (found,) = run.search_of("once", limit=10, after=None).items
            assert (found.status, found.cause, found.due_at) == ("succeeded", "schedule", None)
            with pytest.raises(business.JobNotFound):
                run.search_of("never", limit=10, after=None)


class TestGet:
    def test_says_when_the_next_attempt_may_begin(self, app: Flask, node: Start) -> None:
        node(job("tidy")).tick()
        request_run(app, "tidy")
        with app.app_context(), transaction(write=False):
            (queued,) = run.search(limit=1).items
            found = run.get(queued.id)
        assert (found.due_at, found.history) == (found.scheduled_at, [])

    def test_knows_no_run_that_there_is_not(self, app: Flask) -> None:
        with app.app_context(), transaction(write=False), pytest.raises(run.RunNotFound):
            run.get("00000000-0000-7000-8000-000000000000")
