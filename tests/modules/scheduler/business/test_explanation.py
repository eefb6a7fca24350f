"""Why a job ran at an instant, or did not: each verdict, in the situation it is for."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs import clock
from application.libs.catalogue import Catalogue
from application.libs.trigger import from_micros, to_micros
from application.modules.scheduler import business
from application.modules.scheduler.business import cluster, explanation
from application.modules.scheduler.business.explanation import Explanation, Retention
from application.modules.scheduler.models import Job, JobChange, Run
from application.modules.scheduler.schemas_operation import ExplanationOut
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import HOUR, Ledger, Start, Store, job

KEPT = Retention(days=30, per_job=1000)
MINUTE = timedelta(minutes=1)
YEARS = timedelta(days=3650)

VERDICTS = re.findall(r"\w+", ExplanationOut.model_fields["verdict"].description or "")
"""What the API document promises."""

Ask = Callable[..., Explanation]


@pytest.fixture
def ask(app: Flask) -> Ask:
    """Return a function that asks."""

    def ask(at: datetime | None, job_id: str = "tidy", retention: Retention = KEPT) -> Explanation:
        with app.app_context(), transaction(write=False):
            answer = explanation.explain(job_id, at, retention)
        assert answer.verdict in VERDICTS, "the API document does not name it"
        assert answer.text
        return answer

    return ask


def hourly(**options: Any) -> dict[str, Any]:
    """Describe a job that is due at each full hour, for years."""
    return job("tidy", **{"trigger": "cron", "minute": 0, "timezone": "UTC", **options})


def age(ledger: Ledger, by: timedelta = YEARS) -> None:
    """Let all jobs be as old, and all their changes."""
    born = clock.now() - by
    ledger.change(sa.update(Job).values(created_at=born))
    ledger.change(sa.update(JobChange).values(at=born))


def last_hour() -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0)


class TestLedger:
    def test_ran(self, ask: Ask, node: Start, ledger: Ledger) -> None:
        one = node(hourly())
        one.tick()
        due = ledger.due("tidy")
        one.tick(due)
        ledger.settle()
        answer = ask(due)
        assert (answer.verdict, answer.next_fire) == ("ran", due)
        assert answer.run is not None
        assert (answer.run.status, answer.run.scheduled_at) == ("succeeded", due)
        assert answer.previous_fire == due - HOUR

    def test_failed(self, ask: Ask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "create_a_tag_and_fail"))
        one.tick()
        due = ledger.due("tidy")
        one.tick(due)
        ledger.settle()
        answer = ask(due)
        assert answer.verdict == "failed"
        assert "no\N{REPLACEMENT CHARACTER}good" in answer.text

    def test_running_and_skipped(self, ask: Ask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "wait_at_the_gate", misfire_grace_time=None))
        one.tick()
        due = ledger.due("tidy")
        one.tick(due)
        ledger.wait(lambda: functions.ARRIVED)
        one.tick(due + HOUR)
        assert ask(due).verdict == "running"
        answer = ask(due + HOUR)
        assert answer.verdict == "skipped"
        assert answer.run is not None
        assert answer.run.reason is not None
        assert answer.run.reason in answer.text

    def test_queued(self, app: Flask, ask: Ask, stored: Store, ledger: Ledger) -> None:
        stored(hourly())
        with app.app_context(), transaction():
            business.request_run("tidy", by="ada")
        (run,) = ledger.runs()
        assert ask(from_micros(run.scheduled_at)).verdict == "queued"

    def test_missed_and_all_of_the_gap(self, ask: Ask, node: Start, ledger: Ledger) -> None:
        one = node(hourly())
        one.tick()
        due = ledger.due("tidy")
        one.tick(due + 5 * HOUR + 30 * MINUTE)
        for hours in range(6):
            answer = ask(due + hours * HOUR)
            assert (answer.verdict, answer.run is not None) == ("missed", True)
        assert "5 more fires" in answer.text

    @pytest.mark.parametrize("status", ["lost", "interrupted", "held", "timed_out", "cancelled"])
    def test_says_whatever_became_of_it(self, ask: Ask, node: Start, ledger: Ledger, status: str) -> None:
        one = node(hourly())
        one.tick()
        due = ledger.due("tidy")
        one.tick(due)
        ledger.settle()
        ledger.change(sa.update(Run).values(status=status, reason="because"))
        answer = ask(due)
        assert (answer.verdict, answer.text.endswith(": because")) == (status, True)

    def test_paused_and_what_the_pause_left_out(self, app: Flask, ask: Ask, stored: Store, ledger: Ledger) -> None:
        stored(hourly())
        with app.app_context(), transaction():
            business.pause("tidy", by="ada")
        past = last_hour() - 3 * HOUR
        ledger.change(sa.update(Job).values(paused_at=past - MINUTE, left_out_from=to_micros(past)))
        age(ledger)
        answer = ask(past)
        assert (answer.verdict, answer.facts["by"], answer.facts["scope"]) == ("paused", "ada", "job")
        with app.app_context(), transaction():
            business.resume("tidy", by="bob")
        for hours in range(3):
            answer = ask(past + hours * HOUR)
            assert (answer.verdict, answer.run is not None) == ("paused", True)
            assert "by ada" in answer.text


class TestTrigger:
    def test_not_due(self, ask: Ask, stored: Store, ledger: Ledger) -> None:
        stored(hourly())
        age(ledger)
        past = last_hour() - HOUR
        answer = ask(past + 30 * MINUTE)
        assert (answer.verdict, answer.previous_fire, answer.next_fire) == ("not_due", past, past + HOUR)
        assert ask(last_hour() + 2 * HOUR + MINUTE).verdict == "not_due"

    def test_not_yet(self, ask: Ask, stored: Store) -> None:
        stored(hourly())
        due = last_hour() + 2 * HOUR
        answer = ask(due)
        assert (answer.verdict, answer.next_fire) == ("not_yet", due)

    def test_a_minute_stands_for_all_of_it(self, ask: Ask, stored: Store) -> None:
        stored(hourly(second=17))
        due = last_hour() + 2 * HOUR
        assert ask(due).verdict == "not_yet"
        assert ask(due + timedelta(seconds=17)).verdict == "not_yet"
        assert ask(due + timedelta(seconds=16)).verdict == "not_due"
        assert ask(due + timedelta(seconds=17, microseconds=1)).verdict == "not_due"

    def test_changed_since(self, app: Flask, ask: Ask, stored: Store, ledger: Ledger, registered: Catalogue) -> None:
        stored(hourly())
        age(ledger)
        with app.app_context(), transaction():
            business.update("tidy", {"trigger": "cron", "minute": 30}, by="ada")
        answer = ask(last_hour() - HOUR + 30 * MINUTE)
        assert (answer.verdict, answer.facts) == ("changed_since", {"version": 1, "current_version": 2})


class TestExistence:
    def test_did_not_exist(self, ask: Ask, stored: Store) -> None:
        stored(hourly())
        assert ask(last_hour() - HOUR).verdict == "did_not_exist"

    def test_deleted(self, app: Flask, ask: Ask, stored: Store, ledger: Ledger) -> None:
        stored(hourly())
        age(ledger)
        with app.app_context(), transaction():
            business.delete("tidy", by="ada")
        answer = ask(last_hour() + 2 * HOUR)
        assert (answer.verdict, answer.facts["by"]) == ("deleted", "ada")
        assert ask(None).verdict == "deleted"

    def test_ended(self, ask: Ask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", trigger="date"))
        one.tick()
        ledger.settle()
        assert ledger.job("tidy") is None
        answer = ask(last_hour() + 2 * HOUR)
        assert (answer.verdict, answer.next_fire) == ("ended", None)

    def test_is_refused_for_what_never_was(self, ask: Ask) -> None:
        for job_id in ("never", "x" * 192):
            with pytest.raises(business.JobNotFound):
                ask(None, job_id)


class TestScheduler:
    def test_was_down(self, ask: Ask, stored: Store, ledger: Ledger) -> None:
        stored(hourly())
        age(ledger)
        ledger.change(sa.update(Job).values(next_run_time=to_micros(last_hour() - HOUR)))
        assert ask(last_hour() - HOUR).verdict == "scheduler_was_down"

    def test_has_not_come_to_it(self, ask: Ask, node: Start, ledger: Ledger) -> None:
        node(hourly()).tick()
        age(ledger)
        ledger.change(sa.update(Job).values(next_run_time=to_micros(last_hour() - HOUR)))
        assert ask(last_hour() - HOUR).verdict == "not_yet"

    def test_is_unknown_where_nothing_tells(self, ask: Ask, node: Start, ledger: Ledger) -> None:
        node(hourly()).tick()
        age(ledger)
        assert ask(last_hour() - HOUR).verdict == "unknown"

    def test_is_paused_for_all(self, app: Flask, ask: Ask, node: Start, ledger: Ledger) -> None:
        node(hourly()).tick()
        with app.app_context(), transaction():
            cluster.pause(by="ada")
        answer = ask(last_hour() + 2 * HOUR)
        assert (answer.verdict, answer.facts["scope"], answer.facts["by"]) == ("paused", "cluster", "ada")

    def test_put_it_into_quarantine(self, ask: Ask, node: Start, ledger: Ledger) -> None:
        one = node(hourly())
        one.tick()
        due = ledger.due("tidy")
        ledger.change(sa.update(Job).values(definition=ledger.job("tidy").definition.replace("do_nothing", "gone")))
        one.tick(due)
        answer = ask(due)
        assert answer.verdict == "quarantined"
        assert "no function is registered" in answer.text
        assert answer.facts["since"] == due
        assert ask(due + 2 * HOUR).verdict == "quarantined"

    def test_cannot_read_it(self, ask: Ask, stored: Store, ledger: Ledger) -> None:
        stored(hourly())
        ledger.change(sa.update(Job).values(definition="{", next_run_time=0))
        ledger.change(sa.update(JobChange).values(definition="["))
        assert ask(clock.now() + HOUR).verdict == "quarantined"


class TestRetention:
    def test_by_age(self, ask: Ask, stored: Store, ledger: Ledger) -> None:
        stored(hourly())
        age(ledger)
        answer = ask(datetime(2025, 1, 1, 3, tzinfo=UTC))
        assert answer.verdict == "out_of_retention"
        assert "30 days" in answer.text

    def test_by_count(self, ask: Ask, node: Start, ledger: Ledger) -> None:
        one = node(hourly())
        one.tick()
        one.tick(ledger.due("tidy"))
        ledger.settle()
        age(ledger)
        assert ask(last_hour() - HOUR, retention=Retention(days=30, per_job=1)).verdict == "out_of_retention"
        assert ask(last_hour() - HOUR, retention=Retention(days=30, per_job=2)).verdict == "unknown"
