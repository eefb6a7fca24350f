"""All processes together: who leads, and the pause for all."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs import clock
from application.modules.scheduler.business import cluster
from application.modules.scheduler.models import Lease
from tests.modules.scheduler.conftest import Ledger, Start, job


class TestStatus:
    def test_knows_nobody_in_a_fresh_database(self, app: Flask) -> None:
        with app.app_context(), transaction(write=False):
            status = cluster.status()
        assert status == cluster.StatusRow("cluster", False, None, paused=False, paused_by=None, paused_at=None)

    def test_takes_a_leader_that_is_silent_for_gone(self, app: Flask, node: Start, ledger: Ledger) -> None:
        node(job("tidy")).tick()
        ledger.change(sa.update(Lease).values(beat_at=clock.now() - timedelta(minutes=1)))
        with app.app_context(), transaction(write=False):
            assert cluster.status().leader is None


class TestPause:
    def test_stops_the_schedule_of_every_process_until_it_is_resumed(
        self, app: Flask, node: Start, ledger: Ledger
    ) -> None:
        old, new = node(job("tidy")), node(job("tidy"))
        old.tick()
        with app.app_context(), transaction():
            cluster.pause(by="root")
            cluster.pause(by="somebody later")
            assert cluster.status().paused_by == "root"
        due = ledger.due("tidy")
        old.tick(due)
        old.stop()
        new.tick(due)
        assert new.engine.leads
        assert ledger.runs() == []
        with app.app_context(), transaction():
            cluster.resume()
            assert (cluster.status().paused, cluster.status().paused_by) == (False, None)
        new.tick(due)
        ledger.settle()
        assert ledger.statuses() == ["succeeded"]

    def test_is_refused_where_nobody_fires(self, app: Flask) -> None:
        with app.app_context(), transaction():
            with pytest.raises(cluster.NotRunning):
                cluster.pause(by="root")
            with pytest.raises(cluster.NotRunning):
                cluster.resume()
