"""Many jobs at once: the same as one by one, in few statements, beside others who do it too."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask

from application.cli import database
from application.database import change, db, transaction
from application.libs import clock
from application.libs.ident import new_id
from application.libs.trigger import to_micros
from application.modules.scheduler import business
from application.modules.scheduler.business.bulk import Outcome
from application.modules.scheduler.business.definition import encode
from application.modules.scheduler.models import Alarm, EventBatch, Job, JobChange, Run
from tests.modules.scheduler.conftest import HOUR, Ledger, Start, declare_all, job, request_run
from tests.statements import statements

NOON = datetime.fromisoformat("2026-11-28T12:00:00+00:00")

MANY: Mapping[str, Callable[..., Outcome]] = {
    "pause": business.bulk.pause,
    "resume": business.bulk.resume,
    "run": business.bulk.request_runs,
    "delete": business.bulk.delete,
}
ONE: Mapping[str, Callable[..., object]] = {
    "pause": business.pause,
    "resume": business.resume,
    "run": business.request_run,
    "delete": business.delete,
}


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """Let it be noon, so that the same is written twice."""
    with clock.ruled_by(lambda: NOON):
        yield


def row(job_id: str, **values: Any) -> dict[str, Any]:
    """Return a job that fires at each full hour."""
    timing = values.pop("timing", {"trigger": "cron", "hour": "*"})
    return {
        "id": job_id,
        "definition": encode(declare_all(job(job_id, tags=["x"], **timing))[0].definition),
        "version": 3,
        "source": "api",
        "declaration": None,
        "next_run_time": to_micros(NOON + HOUR),
        "paused_by": None,
        "paused_at": None,
        "left_out_from": None,
        "quarantine": None,
        "quarantined_at": None,
        "created_at": NOON - 9 * HOUR,
        "updated_at": NOON - 9 * HOUR,
        **values,
    }


PAUSED: dict[str, Any] = {
    "next_run_time": None,
    "paused_by": "ada",
    "paused_at": NOON - 4 * HOUR,
    "left_out_from": to_micros(NOON - 3 * HOUR),
}
ENDS = {"trigger": "cron", "hour": "*", "end_date": NOON - 2 * HOUR}

STATES = [
    row("scheduled"),
    row("ends-scheduled", timing=ENDS),
    row("paused", **PAUSED),
    row("paused-just-now", **PAUSED | {"left_out_from": to_micros(NOON + HOUR)}),
    row("paused-and-accounted-for", **PAUSED),
    row("paused-by-code", **PAUSED | {"paused_by": None}),
    row("ends", timing=ENDS, **PAUSED),
    row("torn", **PAUSED | {"definition": "{"}),
    row("torn-scheduled", definition="{"),
    row("no-trigger", **PAUSED | {"definition": '{"format":1,"trigger":{"type":"cron","hour":"99"}}'}),
    row("quarantined", quarantine="no function", quarantined_at=NOON - HOUR),
    row("quarantined-paused", **PAUSED | {"quarantine": "no function", "quarantined_at": NOON - HOUR}),
    row("Groß, é 🙂%_' \\"),
]
NEVER = ["never", "/", "x" * 191]
UNFIT = ["x" * 192, "with\x00nul"]


def fill(app: Flask) -> None:
    """Store jobs in each state there is, with what an accounted fire and an alarm leave."""
    taken: dict[str, Any] = {
        "id": new_id(),
        "job_id": "paused-and-accounted-for",
        "scheduled_at": to_micros(NOON - 3 * HOUR),
    }
    taken |= {"status": "missed", "cause": "schedule", "fires": 1, "attempts": 0, "definition": "{}", "tags": None}
    counted = {"failures": 2, "misses": 0, "failure_told": False, "told": False, "changed_at": NOON}
    with app.app_context(), transaction():
        change(sa.insert(Job), STATES)
        change(sa.insert(Run), **taken)
        change(sa.insert(Alarm), [{"job_id": name, **counted} for name in ("scheduled", "torn", "gone")])


def one_by_one(app: Flask, action: str, job_ids: Collection[str]) -> None:
    with app.app_context(), transaction():
        for job_id in sorted(job_ids):
            with suppress(business.JobNotFound, business.JobQuarantined):
                ONE[action](job_id, by="root")


def at_once(app: Flask, action: str, **given: Any) -> Outcome:
    with app.app_context(), transaction():
        return MANY[action](given, by="root")


def written(ledger: Ledger) -> dict[str, Any]:
    """Return all that is stored of jobs, without the ids that are made anew each time."""
    found: dict[str, Any] = {}
    for table in (Job, JobChange, Run, Alarm):
        rows = [dict(one._mapping) for one in ledger.rows(sa.select(table.__table__))]
        for one in rows:
            one["id"] = one["id"] if table is Job else None
        found[table.__tablename__] = sorted(rows, key=lambda one: repr(sorted(one.items(), key=str)))
    events: dict[str, list[Any]] = {}
    for content in ledger.rows(sa.select(EventBatch.content).order_by(EventBatch.id)):
        for one in msgspec.json.decode(content[0]):
            one.pop("run_id", None)
            events.setdefault(one["job_id"], []).append(one)
    return found | {"events": events, "batches": len(ledger.rows(sa.select(EventBatch.id)))}


class TestEachAction:
    @pytest.mark.parametrize("action", MANY)
    @pytest.mark.parametrize("selector", ["ids", "tag", "all"])
    def test_does_what_is_done_one_by_one(self, app: Flask, ledger: Ledger, action: str, selector: str) -> None:
        fill(app)
        readable = {one["id"] for one in STATES if len(one["definition"]) > 100}
        meant = readable if selector == "tag" else {one["id"] for one in STATES}
        one_by_one(app, action, [*meant, *NEVER])
        expected = written(ledger)
        with app.app_context():
            database.clear_database()
        fill(app)
        before = written(ledger)
        given = {"ids": [*sorted(meant, reverse=True), *NEVER, *UNFIT, "never"], "tag": "x", "all": True}
        outcome = at_once(app, action, **{selector: given[selector]})
        assert written(ledger) == expected != before
        assert outcome.not_found == (sorted([*NEVER, *UNFIT]) if selector == "ids" else [])
        changed = len(expected["scheduler_job_change"]) if action != "run" else len(expected["scheduler_run"]) - 1
        assert (outcome.changed, outcome.unchanged) == (changed, len(meant) - changed)

    @pytest.mark.parametrize("action", MANY)
    def test_does_nothing_with_none(self, app: Flask, ledger: Ledger, action: str) -> None:
        fill(app)
        before = written(ledger)
        assert at_once(app, action, ids=[]) == Outcome(0, 0, [])
        assert at_once(app, action, tag="nobody") == Outcome(0, 0, [])
        assert at_once(app, action, ids=NEVER) == Outcome(0, 0, sorted(NEVER))
        assert written(ledger) == before

    def test_is_undone_with_its_unit_of_work(self, app: Flask, ledger: Ledger) -> None:
        fill(app)
        before = written(ledger)
        with app.app_context(), pytest.raises(ZeroDivisionError), transaction():
            for action in ("pause", "resume", "run", "delete"):
                MANY[action]({"all": True}, by="root")
            _ = 1 // 0
        assert written(ledger) == before

    def test_leaves_held_runs_to_whoever_leads(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        one.free_mb = 150
        request_run(app, "tidy")
        one.tick()
        assert at_once(app, "pause", all=True).changed == 1
        with clock.ruled_by(lambda: NOON + HOUR):
            assert at_once(app, "run", all=True).changed == 1
        assert sorted(ledger.statuses("tidy")) == ["held", "queued"]


class TestStatements:
    def fill(self, app: Flask, count: int, **values: Any) -> None:
        with app.app_context():
            database.clear_database()
            alike = row("any", **values)
            with transaction():
                change(sa.insert(Job), [alike | {"id": f"job-{number:04}"} for number in range(count)])

    def counted(self, app: Flask, action: str, **given: Any) -> tuple[int, int]:
        """Return how many statements reach the driver, and how many a MariaDB server says it was asked."""
        with statements(app) as seen, app.app_context(), transaction() as unit:
            before = self.asked(unit)
            assert MANY[action](given, by="root").changed
            asked = self.asked(unit) - before
        return len([one for one in seen if not one.startswith("SHOW")]), asked

    @staticmethod
    def asked(unit: Any) -> int:
        if db.engine.dialect.name == "mysql":
            return int(unit.connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Questions'").one()[1])
        return 0

    @pytest.mark.parametrize(
        ("action", "values"), [("pause", {}), ("resume", PAUSED), ("run", {}), ("run", PAUSED), ("delete", PAUSED)]
    )
    @pytest.mark.parametrize("selector", ["ids", "tag", "all"])
    def test_are_as_many_for_five_jobs_as_for_five_hundred(
        self, app: Flask, action: str, values: dict[str, Any], selector: str
    ) -> None:
        found = []
        for count in (5, 500, 1000):
            self.fill(app, count, **values)
            given = {"ids": [f"job-{number:04}" for number in range(count)], "tag": "x", "all": True}
            found.append(self.counted(app, action, **{selector: given[selector]}))
        five, five_hundred, thousand = found
        assert five == five_hundred
        assert five[0] <= 9
        assert thousand[0] <= 2 * five_hundred[0]
        assert thousand[1] <= 2 * five_hundred[1]


class TestLock:
    def test_lets_several_do_it_at_once(self, app: Flask, ledger: Ledger) -> None:
        names = [f"job-{number}" for number in range(40)]
        with app.app_context(), transaction():
            change(sa.insert(Job), [row(name) for name in names])

        def steer(turn: int) -> Outcome:
            ids = names if turn % 2 else names[::-1]
            with clock.ruled_by(lambda: NOON + turn * timedelta(milliseconds=1)):
                return at_once(app, ("pause", "resume")[turn // 2 % 2], ids=ids)

        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(steer, range(24)))
        assert {outcome.not_found == [] for outcome in outcomes} == {True}
        changes = ledger.rows(sa.select(JobChange.job_id, JobChange.action).order_by(JobChange.id))
        assert len(changes) == sum(outcome.changed for outcome in outcomes)
        for name in names:
            actions = ["resumed", *(action for job_id, action in changes if job_id == name)]
            assert all(before != after for before, after in pairwise(actions))
