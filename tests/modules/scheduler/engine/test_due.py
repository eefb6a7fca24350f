"""Jobs outside the database: claimed in the database, told to their store after the commit."""

import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from flask import Flask
from msgspec.structs import replace

from application.database import transaction
from application.libs import clock
from application.libs.jobstore import read_places
from application.libs.trigger import to_micros
from application.modules.scheduler.business import lease, retention
from application.modules.scheduler.business.definition import encode
from application.modules.scheduler.business.ledger import Claim
from application.modules.scheduler.business.room import Room
from application.modules.scheduler.engine.due import DueJobs
from application.modules.scheduler.models import Alarm, StoreOrder
from application.modules.scheduler.store import StoredJob, Stores, make_stores
from tests.modules.scheduler.conftest import HOUR, Ledger, Node, Start, declare_all, job
from tests.modules.scheduler.store.conftest import places
from tests.private_redis import PrivateRedis, private_redis

__all__ = ["places"]


@pytest.fixture(params=["memory", "redis", "zookeeper"])
def stores(request: pytest.FixtureRequest, places: Callable[[str], dict[str, Any]]) -> Iterator[Stores]:
    """Return stores of which the default one is outside the database."""
    made = make_stores(read_places({"default": places(request.param)}))
    yield made
    made.close()


def found(stores: Stores, job_id: str) -> StoredJob:
    """Return a job that is there; it is asked outside a unit of work."""
    one = stores["far" if "far" in stores.aliases else "default"].get(job_id)
    assert one is not None
    return one


def claim_and_die(app: Flask, one: Node, stores: Stores, moment: Any) -> int:
    """Claim what is due as the leader does, and be killed after the commit; return how much was claimed."""
    engine = one.engine
    due = DueJobs(stores)
    with app.app_context(), transaction() as unit:
        seen = due.look(moment, nullcontext)
        lease.beat(engine._token, moment)
        claim = Claim(engine._token, engine._holder, Room(()), engine._firing.known(), moment, lease.pause())
        launches, _more = due.claim(claim, seen)
        unit.after_commit.clear()
    return len(launches)


class TestDueJobs:
    def test_fire_once_and_are_due_again(self, node: Start, ledger: Ledger, stores: Stores) -> None:
        one = node(job("tidy"), stores=stores)
        one.tick()
        due = clock.now() + 2 * HOUR
        for _again in range(3):
            one.tick(due)
        ledger.settle()
        assert ledger.statuses("tidy").count("succeeded") == 1
        after = found(stores, "tidy").next_run_time
        assert after is not None
        assert after > to_micros(due)
        assert ledger.rows(sa.select(StoreOrder.id)) == []

    def test_of_a_killed_leader_are_not_fired_again(self, node: Start, ledger: Ledger, stores: Stores) -> None:
        options: dict[str, Any] = {"trigger": "interval", "hours": 1, "jitter": 600, "misfire_grace_time": 36_000}
        one = node(job("tidy", coalesce=False, **options), stores=stores)
        one.tick()
        due = clock.now() + timedelta(hours=2, minutes=30)
        claimed = claim_and_die(ledger.app, one, stores, due)
        rows = [run.scheduled_at for run in ledger.runs("tidy")]
        assert claimed == 1, "of the same job one begins, the others wait"
        assert len(rows) > 1
        assert found(stores, "tidy").next_run_time in rows, "its store was not told"
        one.tick(due)
        assert [run.scheduled_at for run in ledger.runs("tidy")] == rows
        assert ledger.rows(sa.select(StoreOrder.id)) == []
        after = found(stores, "tidy").next_run_time
        assert after is not None
        assert after > to_micros(due)

    def test_end_with_their_trigger(self, node: Start, ledger: Ledger, stores: Stores) -> None:
        moment = clock.now() + timedelta(minutes=1)
        one = node(job("once", trigger="date", run_date=moment.isoformat()), stores=stores)
        one.tick()
        one.tick(moment + timedelta(seconds=1))
        ledger.settle()
        assert ledger.statuses("once") == ["succeeded"]
        assert stores["default"].get("once") is None

    def test_are_put_aside_when_they_cannot_be_restored(self, node: Start, ledger: Ledger, stores: Stores) -> None:
        one = node(job("tidy"), stores=stores)
        one.tick()
        bad = replace(found(stores, "tidy"), id="bad", definition="{}", declaration=None, kept=b"")
        stores["default"].insert(bad)
        one.tick(clock.now() + 2 * HOUR)
        ledger.settle()
        assert ledger.statuses("bad") == []
        assert ledger.statuses("tidy") == ["missed", "succeeded"]
        assert found(stores, "bad").quarantine is not None

    def test_are_held_while_memory_is_short(self, node: Start, ledger: Ledger, stores: Stores) -> None:
        one = node(job("tidy"), stores=stores)
        one.tick()
        due = found(stores, "tidy").next_run_time
        assert due is not None
        one.free_mb = 10
        moment = clock.now() + HOUR + timedelta(seconds=1)
        one.tick(moment)
        one.tick(moment)
        assert [(run.status, run.scheduled_at) for run in ledger.runs("tidy")] == [("held", due)]
        one.free_mb = 1000
        one.tick(moment)
        ledger.settle()
        assert [(run.status, run.scheduled_at) for run in ledger.runs("tidy")] == [("succeeded", due)]

    def test_keep_their_pause_over_a_restart(self, node: Start, stores: Stores) -> None:
        node(job("tidy"), job("other"), stores=stores).tick()
        seen = found(stores, "tidy")
        stores["default"].replace(seen, {"next_run_time": None, "paused_by": "ada", "updated_at": clock.now()})
        node(job("tidy", name="Tidy up"), stores=stores).tick()
        assert found(stores, "tidy").next_run_time is None
        assert found(stores, "tidy").paused_by == "ada"
        assert found(stores, "other").declaration is None, "it is declared no more"


class TestAlarms:
    def test_of_jobs_elsewhere_stay_when_old_ones_are_pruned(
        self, app: Flask, places: Callable[[str], dict[str, Any]], ledger: Ledger
    ) -> None:
        stores = make_stores(read_places({"far": places("redis")}))
        here = app.extensions["scheduler"]
        kept, here.setup = here.setup, replace(here.setup, stores=stores)
        alarm = {"failures": 1, "misses": 0, "failure_told": False, "told": False}
        try:
            (declared,) = declare_all(job("far"))
            bare: dict[str, Any] = dict.fromkeys(StoredJob.__struct_fields__) | {
                "definition": encode(declared.definition)
            }
            moment = clock.now()
            times = {"created_at": moment, "updated_at": moment, "kept": b"", "store": "far"}
            stores["far"].insert(StoredJob(**bare | times | {"id": "far", "version": 1, "source": "api"}))
            for job_id in ("far", "gone"):
                old = moment - timedelta(days=90)
                ledger.change(sa.insert(Alarm).values(job_id=job_id, changed_at=old, **alarm))
            with app.app_context(), transaction():
                retention.prune(keep_days=30, keep_per_job=100)
            assert ledger.rows(sa.select(Alarm.job_id)) == [("far",)]
        finally:
            here.setup = kept
            stores.close()


class TestRedis:
    @pytest.fixture
    def server(self) -> Iterator[PrivateRedis]:
        """Run a Redis that the test may freeze."""
        with private_redis() as started:
            yield started

    @pytest.fixture
    def both(self, server: PrivateRedis) -> Iterator[Stores]:
        """Return the database and a Redis."""
        made = make_stores(read_places({"far": {"type": "redis", "url": server.url}}))
        yield made
        made.close()

    @pytest.mark.timed
    def test_that_is_away_stops_no_job_of_the_database(
        self, node: Start, ledger: Ledger, both: Stores, server: PrivateRedis
    ) -> None:
        one = node(job("near"), job("far", jobstore="far"), stores=both)
        one.tick()
        server.freeze()
        moment = clock.now() + HOUR + timedelta(seconds=1)
        began = time.monotonic()
        one.tick(moment)
        one.tick(moment)
        assert time.monotonic() - began < 3, "it is waited for once, and for less than the lease lives"
        ledger.settle()
        assert ledger.statuses("near") == ["succeeded"]
        assert ledger.statuses("far") == []
        server.thaw()
        one.engine._due._ask_at.clear()
        one.tick(moment)
        ledger.settle()
        assert ledger.statuses("far") == ["succeeded"]

    def test_of_another_program_loads_no_pickle(
        self, node: Start, ledger: Ledger, both: Stores, server: PrivateRedis
    ) -> None:
        client = redis.Redis.from_url(server.url)
        planted = pickle.dumps(Planted())
        client.hset("apscheduler.jobs", "planted", planted)
        client.zadd("apscheduler.run_times", {"planted": 1})
        one = node(job("far", jobstore="far"), stores=both)
        one.tick()
        one.tick(clock.now() + HOUR + timedelta(seconds=1))
        ledger.settle()
        assert ledger.statuses("far") == ["succeeded"]
        assert found(both, "planted").quarantine is not None
        assert client.hget("apscheduler.jobs", "planted") == planted, "what was there stays as it was"
        assert Planted.loaded == 0
        client.close()


class Planted:
    """Tell when it is loaded."""

    loaded = 0

    def __setstate__(self, state: object) -> None:
        """Count."""
        type(self).loaded += 1

    def __getstate__(self) -> dict[str, int]:
        """Have a state, so that it is set."""
        return {"something": 1}
