"""What is due, late or hostile: each instant is accounted for once, and rows that nobody should write stop nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from application.database import transaction
from application.libs import clock
from application.libs.trigger import MOST_CAUGHT_UP, Misfire, to_micros
from application.modules.scheduler import business
from application.modules.scheduler.business import ledger as ledger_rules
from application.modules.scheduler.business.definition import encode
from application.modules.scheduler.business.lease import Pause
from application.modules.scheduler.models import Job, Run
from application.modules.scheduler.store import DueJob
from tests.modules.scheduler.conftest import HOUR, JOBS, Ledger, Start, declare_all, job, request_run
from tests.statements import statements


class TestHostileRows:
    @pytest.mark.parametrize(
        "definition",
        [
            "",
            "no JSON",
            "[]",
            "{}",
            "[" * 5000,
            '{"format":2}',
            "gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu",
            '{"args":[],"coalesce":true,"executor":"default","format":1,"func":"os:system","kwargs":{},"max_instances":1,'
            '"misfire_grace_time":60,"name":"x","trigger":{"type":"interval","minutes":1}}',
            '{"args":[],"coalesce":true,"executor":"default","format":1,"func":"tests.modules.scheduler.jobs:do_nothing",'
            '"kwargs":{},"max_instances":1,"misfire_grace_time":60,"name":"x","trigger":{"type":["interval"]}}',
            '{"args":[],"coalesce":true,"executor":"default","format":1,"func":"tests.modules.scheduler.jobs:do_nothing",'
            '"kwargs":{},"max_instances":1,"misfire_grace_time":60,"name":"x",'
            '"trigger":{"type":"interval","seconds":-1}}',
        ],
    )
    def test_are_put_aside_and_stop_nobody(self, app: Flask, node: Start, ledger: Ledger, definition: str) -> None:
        one = node(job("good", "do_nothing"))
        one.tick()
        due = ledger.due("good")
        ledger.change(self.insert(definition, due=to_micros(due) - 1))
        one.tick(due)
        ledger.settle()
        assert ledger.statuses("good") == ["succeeded"]
        hostile = ledger.job("hostile")
        assert hostile.quarantine
        assert hostile.definition == definition
        assert ledger.runs("hostile") == []
        with app.app_context(), transaction(write=False):
            assert business.get("hostile").state == "quarantined"

    @pytest.mark.parametrize("micros", [-(2**63), -1, 0])
    def test_may_be_due_at_any_time(self, node: Start, ledger: Ledger, micros: int) -> None:
        one = node(job("good"))
        one.tick()
        ledger.change(sa.update(Job).values(next_run_time=micros))
        one.tick()
        ledger.settle()
        assert set(ledger.statuses()) <= {"missed", "succeeded"}
        assert ledger.due("good") > clock.now()

    def test_are_tried_again_by_the_next_leader(self, node: Start, ledger: Ledger) -> None:
        one = node(job("good"))
        one.tick()
        ledger.change(sa.update(Job).values(quarantine="its function was not there"))
        one.tick(ledger.due("good"))
        assert ledger.runs() == []
        one.stop()
        node(job("good")).tick(ledger.due("good"))
        ledger.settle()
        assert ledger.statuses("good") == ["succeeded"]

    @pytest.mark.parametrize("definition", ["", '{"format":2}', "[" * 5000])
    def test_among_the_runs_fail_alone(self, app: Flask, node: Start, ledger: Ledger, definition: str) -> None:
        one = node(job("good"))
        one.tick()
        request_run(app, "good")
        ledger.change(sa.update(Run).values(definition=definition))
        one.tick()
        (run,) = ledger.runs()
        assert (run.status, run.started_at) == ("failed", None)
        assert "cannot be read" in run.reason

    @staticmethod
    def insert(definition: str, *, due: int) -> sa.Insert:
        return sa.insert(Job).values(
            id="hostile",
            definition=definition,
            version=1,
            source="api",
            next_run_time=due,
            created_at=clock.now(),
            updated_at=clock.now(),
        )


class TestStatements:
    def test_are_as_many_for_one_fire_as_for_many(self, app: Flask, node: Start, ledger: Ledger) -> None:
        jobs = {count: [f"{count}-{number}" for number in range(count)] for count in (1, 2, 60)}
        one = node(*(job(name, "tell_the_answer") for names in jobs.values() for name in names))
        one.tick()
        due = max(ledger.due(name) for names in jobs.values() for name in names)
        ledger.change(sa.update(Job).values(next_run_time=to_micros(due + HOUR)))
        asked: dict[int, list[str]] = {}
        for count, names in jobs.items():
            one.tick(due)  # which numbers the events so far
            ledger.change(sa.update(Job).where(Job.id.in_(names)).values(next_run_time=to_micros(due)))
            with statements(app, one.engine._database) as asked[count]:
                one.tick(due)
            ledger.settle()
        assert len(ledger.runs()) == sum(jobs)
        assert len(asked[1]) == len(asked[2]) == len(asked[60]) <= 16, asked[60]


class TestMisfire:
    def late(self, node: Start, ledger: Ledger, misfire: str, **options: Any) -> datetime:
        """Let a job be claimed that was due every ten seconds since 95 s ago; return the first instant."""
        one = node(job("often", trigger="interval", seconds=10, misfire=misfire, overlap="allow", **options))
        one.tick()
        due = ledger.due("often")
        one.tick(due + timedelta(seconds=95))
        ledger.settle()
        return due

    def test_once_runs_the_last_for_all(self, node: Start, ledger: Ledger) -> None:
        due = self.late(node, ledger, "once", coalesce=False)
        merged, *runs = ledger.runs()
        last_late = due + timedelta(seconds=30)
        assert (merged.status, merged.fires) == ("missed", 3)
        assert merged.reason == f"merged into the run of {last_late.isoformat()}"
        assert [run.status for run in runs] == ["succeeded"] * 7
        assert [run.cause for run in runs] == ["catch-up"] + ["schedule"] * 6
        assert runs[0].scheduled_at == to_micros(last_late)

    def test_all_runs_each(self, node: Start, ledger: Ledger) -> None:
        self.late(node, ledger, "all")
        assert [(run.cause, run.status) for run in ledger.runs()] == [
            *[("catch-up", "succeeded")] * 4,
            ("schedule", "missed"),
            ("schedule", "succeeded"),
        ]

    def test_all_is_bounded_and_says_what_is_left_out(self, node: Start, ledger: Ledger) -> None:
        one = node(job("often", trigger="interval", seconds=1, misfire="all", coalesce=False))
        one.tick()
        due = ledger.due("often")
        one.tick(due + timedelta(seconds=200))
        missed = [run for run in ledger.runs() if run.status == "missed"]
        assert [(run.scheduled_at, run.fires) for run in missed] == [
            (to_micros(due + timedelta(seconds=MOST_CAUGHT_UP)), 40)
        ]
        assert missed[0].reason == "late by 100.0 s, grace 60 s; 100 that were later are caught up with, and no more"
        assert [run.cause for run in ledger.runs()].count("catch-up") == MOST_CAUGHT_UP

    @settings(max_examples=40, deadline=None)
    @given(
        interval=st.integers(1, 400),
        grace=st.none() | st.integers(1, 900),
        coalesce=st.booleans(),
        misfire=st.sampled_from(["skip", "once", "all"]),
        gaps=st.lists(st.integers(0, 3000), min_size=1, max_size=5),
    )
    def test_accounts_for_each_instant_once(
        self, interval: int, grace: int | None, coalesce: bool, misfire: Misfire, gaps: list[int]
    ) -> None:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        timing: dict[str, Any] = {"trigger": "interval", "seconds": interval, "start_date": start}
        policy: dict[str, Any] = {"misfire": misfire, "coalesce": coalesce, "misfire_grace_time": grace}
        definition = encode(declare_all(job("x", **timing, **policy))[0].definition)
        known, now, due, rows = {f"{JOBS}:do_nothing"}, start, start, []
        for gap in gaps:
            now += timedelta(seconds=gap)
            while due <= now:
                row = DueJob(id="x", definition=definition, next_run_time=to_micros(due))
                after, fires = ledger_rules.fires_of(row, known, now, Pause(paused=False))
                assert after is not None
                assert after > due
                due = after
                rows += fires
        assert sum(row["fires"] for row in rows) == (now - start) // timedelta(seconds=interval) + 1
        instants = [row["scheduled_at"] for row in rows]
        assert len(set(instants)) == len(instants)
        if misfire == "skip":
            assert {row["cause"] for row in rows} == {"schedule"}
