"""What ends while the database is away: it is written down before anybody gives it up, and nothing runs twice."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
import sqlalchemy as sa
from flask import Flask

from application.modules.scheduler.engine import TTL_SECONDS
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Ledger, Node, job, request_run
from tests.private_server import PrivateServer

pytestmark = pytest.mark.timed

OUTAGE_SECONDS = 2 * TTL_SECONDS

SLOW = job("slow", "wait_at_the_gate")

AGAIN_SECONDS = 1.5
"""A try, and the longest rest before the next one."""


class Handover:
    """One process that has let go of the lease and still runs a job, and another one that leads meanwhile."""

    def __init__(self, app: Flask) -> None:
        """Bring it about."""
        functions.GATE.clear()
        functions.ARRIVED.clear()
        self.ledger = ledger = Ledger(app)
        self.old = Node(app, SLOW, ticking=True, drain_seconds=60)
        ledger.wait(lambda: self.old.engine.leads)
        request_run(app, "slow")
        ledger.wait(lambda: functions.ARRIVED)
        self._draining = threading.Thread(target=self.old.engine.drain, kwargs={"wait": True})
        self._draining.start()
        ledger.wait(lambda: ledger.lease().holder is None)
        self.new = Node(app, SLOW, ticking=True)
        ledger.wait(lambda: self.new.engine.leads)
        (attempt,) = ledger.attempts()
        ledger.wait(lambda: ledger.attempts()[0].beat > attempt.beat)  # the new leader has seen it go on

    def end(self) -> None:
        """Stop both."""
        functions.GATE.set()
        self._draining.join(60)
        for node in (self.old, self.new):
            node.stop()


@contextmanager
def handover(app: Flask) -> Iterator[Handover]:
    """Lend two processes, of which none is left."""
    both = Handover(app)
    try:
        yield both
    finally:
        both.end()


def tries_of_the_recorder(node: Node) -> list[float]:
    """Return a list that grows by a moment whenever the thread that writes ends down asks for a connection."""
    tries: list[float] = []

    def note(*_connection: object) -> None:
        if threading.current_thread().name == "scheduler-recorder":
            tries.append(time.monotonic())

    sa.event.listen(node.engine._database, "do_connect", note)
    return tries


def once(ledger: Ledger) -> bool:
    """Tell whether the run has ended well; fail if it was begun again, or given up."""
    assert [attempt.status for attempt in ledger.attempts()] in (["running"], ["succeeded"])
    assert len(functions.ARRIVED) == 1
    return ledger.statuses() == ["succeeded"]


class TestOutage:
    @pytest.mark.timeout(180)
    def test_loses_nothing_that_ended_meanwhile(self, server: PrivateServer, private_app: Flask) -> None:
        with handover(private_app) as both:
            tries = tries_of_the_recorder(both.old)
            server.kill()
            functions.GATE.set()
            time.sleep(OUTAGE_SECONDS)
            assert len(tries) >= OUTAGE_SECONDS
            assert max(after - before for before, after in pairwise(tries)) < AGAIN_SECONDS
            server.start()
            both.ledger.wait(lambda: once(both.ledger), AGAIN_SECONDS + 1)
            time.sleep(TTL_SECONDS + 1)
            assert once(both.ledger)
            assert both.new.engine.leads
