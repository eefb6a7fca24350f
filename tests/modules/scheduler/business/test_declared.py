"""Jobs that the code declares, over restarts and changes of the code."""

from flask import Flask

from application.database import transaction
from application.libs import clock
from application.libs.catalogue import Catalogue
from application.modules.scheduler import business
from application.modules.scheduler.business.definition import decode
from tests.modules.scheduler.conftest import HOUR, Ledger, Start, Store, job


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
        assert ledger.statuses() == ["skipped"]

    def test_begins_when_it_is_told_to_or_paused(self, node: Start, ledger: Ledger) -> None:
        soon = (clock.now() + HOUR / 2).replace(microsecond=0)
        node(
            job("soon", next_run_time=soon.isoformat()), job("paused", next_run_time=None, replace_existing=True)
        ).tick()
        assert ledger.due("soon") == soon
        assert (ledger.job("paused").next_run_time, ledger.job("paused").paused_by) == (None, "code")

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

    def test_writes_down_what_the_code_changes(self, app: Flask, stored: Store) -> None:
        stored(job("tidy"))
        stored(job("tidy"))
        stored(job("tidy", name="Tidy up"))
        stored()
        stored()
        with app.app_context(), transaction(write=False):
            told = [(change.version, change.action, change.by) for change in business.history_of("tidy")]
        assert told == [(2, "paused", None), (2, "declared", None), (1, "added", None)]

    def test_leaves_a_patch_until_the_declaration_changes(
        self, app: Flask, stored: Store, ledger: Ledger, registered: Catalogue
    ) -> None:
        stored(job("tidy"))
        with app.app_context(), transaction():
            business.update("tidy", {"name": "Patched"}, by="ada")
        stored(job("tidy"))
        assert decode(ledger.job("tidy").definition).name == "Patched"
        stored(job("tidy", name="Declared"))
        assert decode(ledger.job("tidy").definition).name == "Declared"
        with app.app_context(), transaction():
            told = [(change.action, change.by) for change in business.history_of("tidy")]
            assert told == [("declared", None), ("changed", "ada"), ("added", None)]
            assert business.revert("tidy", 1, by="ada").name == "tidy"
