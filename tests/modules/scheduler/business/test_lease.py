"""Who leads, and what becomes of the runs of one who does no more."""

from datetime import timedelta

import sqlalchemy as sa

from application.modules.scheduler.engine import TTL_SECONDS
from application.modules.scheduler.models import Job, Lease
from tests.modules.scheduler.conftest import Ledger, Start, job


class TestElection:
    def test_gives_one_leader_and_one_run_a_fire(self, node: Start, ledger: Ledger) -> None:
        nodes = [node(job("tidy", trigger="interval", seconds=10)) for _competitor in range(3)]
        for one in nodes:
            one.tick()
        assert [one.engine.leads for one in nodes] == [True, False, False]
        due = ledger.due("tidy")
        for step in range(10):
            for one in nodes:
                one.tick(due + step * timedelta(seconds=10))
            ledger.settle()
        assert ledger.statuses() == ["succeeded"] * 10

    def test_waits_for_the_leader_to_be_silent_for_the_time_to_live(self, node: Start) -> None:
        old, new = node(job("tidy")), node(job("tidy"))
        old.tick()
        new.tick()
        new.clock.seconds += TTL_SECONDS - 0.1
        old.tick()  # it beats
        new.tick()
        new.clock.seconds += TTL_SECONDS - 0.1
        new.tick()
        assert not new.engine.leads
        new.clock.seconds += 0.2
        new.tick()
        assert new.engine.leads
        old.tick()
        assert not old.engine.leads

    def test_writes_nothing_for_a_leader_whose_lease_was_taken(self, node: Start, ledger: Ledger) -> None:
        old, new = node(job("tidy")), node(job("tidy"))
        old.tick()
        new.tick()
        new.clock.seconds += TTL_SECONDS
        new.tick()
        old.tick(ledger.due("tidy"))
        assert ledger.runs() == []
        assert not old.engine.leads

    def test_makes_everything_anew_in_an_emptied_database(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        for table in (Lease, Job):
            ledger.change(sa.delete(table))
        one.tick()
        one.tick()
        assert one.engine.leads
        assert ledger.job("tidy") is not None
