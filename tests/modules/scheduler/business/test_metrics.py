"""Figures on real databases, after real runs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from application.libs import clock
from application.modules.scheduler.business.metrics import ENDS
from application.modules.scheduler.models import Job, Run
from tests.conftest import Caller
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Ledger, Start, job, request_run

Scrape = Callable[[], dict[str, float]]


@pytest.fixture
def scrape(admin: Caller) -> Scrape:
    """Return what reads the figures as Prometheus does: by sample, `name{label value}`."""

    def scrape() -> dict[str, float]:
        response = admin.client.get("/scheduler/metrics")
        assert response.status_code == 200
        assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
        samples = {}
        for family in text_string_to_metric_families(response.text):
            assert family.documentation
            for sample in family.samples:
                value = "".join(sample.labels.values())
                samples[f"{sample.name}{{{value}}}" if value else sample.name] = sample.value
        return samples

    return scrape


class TestRead:
    def test_shows_nothing_of_a_fresh_database(self, scrape: Scrape) -> None:
        found = scrape()
        assert found["scheduler_leader"] == found["scheduler_members"] == found["scheduler_runs_running"] == 0
        assert {found[f"scheduler_runs_total{{{status}}}"] for status in ENDS} == {0}
        assert found["scheduler_jobs{scheduled}"] == found["scheduler_run_duration_seconds_count"] == 0
        assert "scheduler_leader_beat_age_seconds" not in found

    def test_counts_runs_by_what_became_of_them(self, scrape: Scrape, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "create_a_tag"), job("bad", "create_a_tag_and_fail"), job("late"))
        one.tick()
        ledger.change(sa.update(Job).where(Job.id == "late").values(next_run_time=Job.next_run_time - 7_200_000_000))
        one.tick()
        one.tick(max(ledger.due("tidy"), ledger.due("bad")))
        ledger.settle()
        one.tick()
        found = scrape()
        assert found["scheduler_runs_total{succeeded}"] >= 1
        assert found["scheduler_runs_total{failed}"] == 1
        assert found["scheduler_runs_total{missed}"] == 1
        ended = found["scheduler_runs_total{succeeded}"] + 1
        assert found["scheduler_run_duration_seconds_count"] == found["scheduler_run_lateness_seconds_count"] == ended
        assert 0 < found["scheduler_run_duration_seconds_sum"] < 60
        assert found["scheduler_events_total"] > 0

    def test_never_falls_when_the_ledger_is_pruned(self, scrape: Scrape, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "create_a_tag"))
        one.tick()
        one.tick(ledger.due("tidy"))
        ledger.settle()
        one.tick()
        ledger.change(sa.delete(Run))
        assert scrape()["scheduler_runs_total{succeeded}"] == 1

    def test_shows_the_queue_who_leads_and_the_jobs(
        self, app: Flask, scrape: Scrape, node: Start, ledger: Ledger
    ) -> None:
        one = node(job("slow", "wait_at_the_gate"), job("tidy"), job("held"), job("odd"))
        one.tick()
        ledger.change(sa.update(Job).where(Job.id == "held").values(next_run_time=None, paused_by="root"))
        ledger.change(sa.update(Job).where(Job.id == "odd").values(quarantine="no such function"))
        request_run(app, "slow")
        one.tick()
        request_run(app, "tidy")
        found = scrape()
        assert (found["scheduler_runs_running"], found["scheduler_runs_queued"]) == (1, 1)
        assert [found[f"scheduler_jobs{{{state}}}"] for state in ("scheduled", "paused", "quarantined")] == [2, 1, 1]
        assert (found["scheduler_leader"], found["scheduler_leaders_total"], found["scheduler_paused"]) == (1, 1, 0)
        assert 0 <= found["scheduler_leader_beat_age_seconds"] < 5
        assert found["scheduler_events_waiting"] == 1
        functions.GATE.set()
        ledger.wait(lambda: scrape()["scheduler_members"] == 1)

    def test_says_for_how_long_nobody_leads(self, scrape: Scrape, node: Start) -> None:
        one = node(job("tidy"))
        one.tick(clock.now() - timedelta(minutes=2))
        found = scrape()
        assert found["scheduler_leader"] == 0
        assert 119 < found["scheduler_leader_beat_age_seconds"] < 180
