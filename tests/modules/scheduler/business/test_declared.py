"""Jobs that the code declares, over restarts and changes of the code."""

from flask import Flask

from application.database import transaction
from application.libs import clock
from application.modules.scheduler import business
from tests.modules.scheduler.conftest import HOUR, Ledger, Start, job


class TestReconcile:
    def test_keeps_a_pause_over_restarts_and_changes(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        with app.app_context(), transaction():
            business.pause("tidy", by="root")
        one.stop()
        two = node(job("tidy", name="Tidy up"))
        two.tick(clock.now() + 2 * HOUR)
        row = ledger.job("tidy")
        assert (row.next_run_time, row.paused_by, row.version) == (None, "root", 2)
        assert '"name":"Tidy up"' in row.definition
        assert ledger.runs() == []

    def test_leaves_an_unchanged_job_on_its_grid(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        before = ledger.job("tidy")
        one.stop()
        node(job("tidy")).tick()
        assert ledger.job("tidy") == before

    def test_pauses_what_is_declared_no_more_and_wakes_what_is_again(self, node: Start, ledger: Ledger) -> None:
        for jobs, paused in (([job("tidy")], False), ([], True), ([job("tidy")], False)):
            one = node(*jobs)
            one.tick()
            assert (ledger.job("tidy").next_run_time is None) is paused
            one.stop()
