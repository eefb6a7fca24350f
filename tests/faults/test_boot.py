"""Processes that meet an empty database at the same moment, as after a power cut or a first deployment."""

import pytest
import sqlalchemy as sa

from application.modules.scheduler.models import Job, Lease
from tests.faults.competition import Competition
from tests.modules.scheduler.conftest import Ledger

pytestmark = pytest.mark.timed


class TestBootRace:
    def test_of_four_on_an_empty_database_makes_one_lease_and_one_of_each_job(
        self, ledger: Ledger, competition: Competition
    ) -> None:
        assert ledger.rows(sa.select(Lease.name)) == []
        competition.start(4, declares=["second", "other", "long"])
        competition.await_fires(3)
        competition.await_fires(1, "other")
        assert len(ledger.rows(sa.select(Lease.name))) == 1
        jobs = ledger.rows(sa.select(Job.id, Job.version, Job.quarantine).order_by(Job.id))
        assert [tuple(job) for job in jobs] == [("long", 1, None), ("other", 1, None), ("second", 1, None)]
        assert ledger.lease().token == 1, "one election"
        competition.audit()
        competition.audit("other")
