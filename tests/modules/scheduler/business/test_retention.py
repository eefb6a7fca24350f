"""Pruning the ledger: what goes, what stays, and how much at a time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.config import scheduler as schedule
from application.database import change, execute, transaction
from application.libs import clock
from application.libs.ident import first_id, new_id
from application.libs.trigger import to_micros
from application.modules.scheduler import tasks
from application.modules.scheduler.business import history, retention
from application.modules.scheduler.business.definition import encode
from application.modules.scheduler.models import Attempt, JobChange, Run
from tests.modules.scheduler.conftest import Ledger, Start, declare_all, job

DAY = timedelta(days=1)


def run_of(job_id: str, age: timedelta, *, status: str = "succeeded", grace: int | None = 60) -> dict[str, Any]:
    """Return the row of a run so old."""
    definition = declare_all(job(job_id, misfire_grace_time=grace))[0].definition
    micros = to_micros(clock.now() - age)
    return {
        "id": f"{first_id(micros)[:24]}{abs(hash((job_id, micros))) % 10**12:012}",
        "job_id": job_id,
        "scheduled_at": micros,
        "status": status,
        "cause": "schedule",
        "fires": 1,
        "attempts": 1,
        "definition": encode(definition),
    }


@pytest.fixture
def hold(app: Flask) -> Any:
    """Return a function that fills the ledger."""

    def fill(rows: Sequence[dict[str, Any]]) -> None:
        with app.app_context(), transaction():
            change(sa.insert(Run), list(rows))

    return fill


def prune(app: Flask, *, days: int = 30, per_job: int = 1000) -> int:
    with app.app_context(), transaction():
        return retention.prune(keep_days=days, keep_per_job=per_job)


class TestPrune:
    def test_deletes_what_is_too_old_with_its_attempts(self, app: Flask, hold: Any, ledger: Ledger) -> None:
        old, young = run_of("tidy", 31 * DAY), run_of("tidy", 29 * DAY)
        hold([old, young])
        with app.app_context(), transaction():
            attempt = {"number": 1, "status": "succeeded", "token": 1, "beat": 0, "host": "x", "process": 1}
            for row in (old, young):
                values = {**attempt, "id": new_id(), "run_id": row["id"], "claimed_at": clock.now()}
                change(sa.insert(Attempt), **values)
        assert prune(app) == 1
        assert [run.id for run in ledger.runs()] == [young["id"]]
        assert [attempt.run_id for attempt in ledger.attempts()] == [young["id"]]
        assert prune(app) == 0

    def test_keeps_the_newest_of_each_job(self, app: Flask, hold: Any, ledger: Ledger) -> None:
        rows = [run_of(name, timedelta(hours=n)) for name in ("tidy", "other") for n in range(1, 8)]
        hold(rows)
        hold([run_of("small", 2 * DAY)])
        assert prune(app, per_job=3) == 8
        kept = {row["id"] for row in (*rows[:3], *rows[7:10])}
        assert {run.id for run in ledger.runs() if run.job_id != "small"} == kept
        assert len(ledger.runs("small")) == 1

    @pytest.mark.parametrize("status", ["queued", "running"])
    def test_leaves_what_has_not_ended(self, app: Flask, hold: Any, ledger: Ledger, status: str) -> None:
        hold([run_of("tidy", n * 100 * DAY, status=status) for n in range(1, 4)])
        assert prune(app, per_job=1) == 0
        assert len(ledger.runs()) == 3

    def test_leaves_what_could_be_claimed_anew(self, app: Flask, hold: Any, ledger: Ledger) -> None:
        hold([run_of("slow", timedelta(hours=n), grace=3 * 3600) for n in range(1, 6)])
        hold([run_of("ever", timedelta(hours=10 * n), grace=None) for n in range(1, 6)])
        hold([run_of("year", 40 * DAY, grace=365 * 86_400)])
        assert prune(app, per_job=1) == 3 + 3
        assert len(ledger.runs("slow")) == 2
        assert len(ledger.runs("ever")) == 2
        assert len(ledger.runs("year")) == 1

    def test_goes_on_where_it_ended(self, app: Flask, hold: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        hold([run_of("tidy", 40 * DAY + timedelta(seconds=n)) for n in range(1100)])
        monkeypatch.setattr(retention, "MOST_PRUNED", 600)
        assert [prune(app) for _turn in range(3)] == [1000, 100, 0]


class TestPruneChanges:
    def test_keeps_the_version_in_force(self, app: Flask, ledger: Ledger) -> None:
        definition = declare_all(job("tidy"))[0].definition
        with app.app_context(), transaction():
            for version in (1, 2):
                history.note("tidy", version, "changed", by="ada", definition=definition)
            for _turn in range(history.MOST_CHANGES // 2):
                history.note("tidy", 2, "paused", by="ada")
                history.note("tidy", 2, "resumed", by="ada")
            history.note("other", 1, "added", by="ada", definition=definition)
            assert retention.prune_changes() == 1
            assert retention.prune_changes() == 0
            assert history.definition_of("tidy", 2) == definition
            with pytest.raises(history.VersionNotFound):
                history.definition_of("tidy", 1)
            count = execute(sa.select(sa.func.count()).select_from(JobChange)).scalar_one()
            assert count == history.MOST_CHANGES + 2


class TestPruneRuns:
    def test_is_declared_and_goes_by_the_settings(self, app: Flask, hold: Any, ledger: Ledger) -> None:
        assert f"{tasks.__name__}:prune_runs" in {declared["func"] for declared in schedule.SCHEDULER_JOBS}
        hold([run_of("tidy", 31 * DAY), run_of("tidy", 2 * DAY)])
        with app.app_context(), transaction():
            assert tasks.prune_runs() == 1
        assert len(ledger.runs()) == 1

    def test_fires_on_its_schedule_and_says_how_many(self, node: Start, hold: Any, ledger: Ledger) -> None:
        (declared,) = (job for job in schedule.SCHEDULER_JOBS if job["func"] == f"{tasks.__name__}:prune_runs")
        young = run_of("tidy", 2 * DAY)
        hold([*(run_of("tidy", days * DAY) for days in (31, 32, 33)), young])
        one = node(declared)
        one.tick()
        for _fire in range(2):
            one.tick(ledger.due("prune-runs"))
            ledger.settle()
        assert [(run.status, run.result) for run in ledger.runs("prune-runs")] == [
            ("succeeded", "3"),
            ("succeeded", "0"),
        ]
        assert [run.id for run in ledger.runs("tidy")] == [young["id"]]
