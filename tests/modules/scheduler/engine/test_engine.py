"""The engine: real threads and real databases."""

import re
import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs import clock
from application.libs.run_context import RunContext
from application.libs.scheduling import MAX_THREADS
from application.libs.trigger import to_micros
from application.modules.scheduler import business
from application.modules.scheduler.engine import TTL_SECONDS
from application.modules.scheduler.models import Job, Lease, Run
from application.modules.tag.models import Tag
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import HOUR, Ledger, Start, job, request_run


class TestFire:
    def test_runs_a_due_job_once(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "create_a_tag"))
        one.tick()
        assert ledger.runs() == []
        due = ledger.due("tidy")
        for _again in range(3):
            one.tick(due)
        ledger.settle()
        (run,) = ledger.runs()
        assert (run.job_id, run.scheduled_at, run.status, run.cause) == (
            "tidy",
            to_micros(due),
            "succeeded",
            "schedule",
        )
        assert (run.attempts, run.fires, run.process) == (1, 1, one.engine._holder.process)
        assert run.started_at <= run.finished_at
        assert ledger.due("tidy") == due + HOUR

    def test_commits_what_the_job_did(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "create_a_tag", kwargs={"name": "tidy"}))
        one.tick()
        one.tick(ledger.due("tidy"))
        ledger.settle()
        assert ledger.rows(sa.select(Tag.name)) == [("tidy",)]

    def test_rolls_back_and_says_why_when_the_job_fails(self, node: Start, ledger: Ledger) -> None:
        one = node(job("bad", "create_a_tag_and_fail"))
        one.tick()
        one.tick(ledger.due("bad"))
        ledger.settle()
        (run,) = ledger.runs()
        assert (run.status, run.error_type, run.error_message) == ("failed", "ValueError", "no�good \ufffd")
        assert ledger.rows(sa.select(Tag.name)) == []

    def test_survives_a_job_that_ends_the_process(self, node: Start, ledger: Ledger) -> None:
        one = node(job("exit", "leave_the_process"), job("tidy", "create_a_tag"))
        one.tick()
        one.tick(clock.now() + 2 * HOUR)
        ledger.settle()
        one.tick(ledger.due("tidy"))
        ledger.settle()
        assert "failed" in ledger.statuses("exit")
        assert "succeeded" in ledger.statuses("tidy")

    @pytest.mark.parametrize("migrated_app", ["postgresql"], indirect=True)
    def test_tries_again_to_mark_the_end(self, node: Start, ledger: Ledger) -> None:
        one = node(job("slow", "wait_at_the_gate"))
        one.tick()
        one.tick(ledger.due("slow"))
        ledger.wait(lambda: ledger.statuses() == ["running"])
        with ledger.locked(Run):
            functions.GATE.set()
            time.sleep(3.1)  # longer than the engine waits for a lock
        ledger.settle()
        assert ledger.statuses() == ["succeeded"]

    def test_tells_the_job_which_run_it_is(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tell", "remember_the_run"))
        one.tick()
        due = ledger.due("tell")
        one.tick(due)
        ledger.settle()
        (run,) = ledger.runs()
        token = ledger.lease().token
        (seen,) = functions.SEEN
        assert isinstance(seen, RunContext)
        assert (seen.run_id, seen.job_id, seen.scheduled_at, seen.token, seen.attempt) == (
            run.id,
            "tell",
            due,
            token,
            1,
        )
        assert not seen.cancelled

    def test_notes_what_is_too_late_and_runs_the_rest(self, node: Start, ledger: Ledger) -> None:
        one = node(job("often", trigger="interval", seconds=10))
        one.tick()
        due = ledger.due("often")
        one.tick(due + timedelta(seconds=95))
        ledger.settle()
        late, merged, run = ledger.runs()
        assert (late.status, late.fires, late.reason) == ("missed", 4, "late by 95.0 s, grace 60 s")
        assert (merged.status, merged.fires) == ("missed", 5)
        assert (run.status, run.scheduled_at) == ("succeeded", to_micros(due + timedelta(seconds=90)))
        assert ledger.due("often") == due + timedelta(seconds=100)

    def test_runs_one_after_the_other_what_is_due_several_times(self, node: Start, ledger: Ledger) -> None:
        one = node(job("each", "create_a_tag", trigger="interval", seconds=10, coalesce=False))
        one.tick()
        moment = ledger.due("each") + timedelta(seconds=25)
        one.tick(moment)
        assert ledger.statuses().count("queued") == 2
        for _later in range(2):
            ledger.wait(lambda: "running" not in ledger.statuses())
            one.tick(moment)
        ledger.settle()
        assert ledger.statuses() == ["succeeded", "failed", "failed"]  # a tag's name is taken once
        first, second, third = ledger.runs()
        assert first.finished_at <= second.started_at
        assert second.finished_at <= third.started_at

    def test_skips_when_as_many_run_as_may(self, node: Start, ledger: Ledger) -> None:
        one = node(job("slow", "wait_at_the_gate"))
        one.tick()
        due = ledger.due("slow")
        one.tick(due)
        ledger.wait(lambda: ledger.statuses() == ["running"])
        one.tick(due + HOUR)
        assert ledger.statuses() == ["running", "skipped"]
        first, second = ledger.runs()
        told = f"overlaps with run {first.id}, which runs since {first.started_at.isoformat()}; 1 at once"
        assert (second.reason, second.fires) == (told, 1)
        functions.GATE.set()
        ledger.settle()
        one.tick(due + 2 * HOUR)
        ledger.settle()
        assert ledger.statuses() == ["succeeded", "skipped", "succeeded"]

    def test_runs_as_many_at_once_as_may(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("slow", "wait_at_the_gate", max_instances=2))
        one.tick()
        for _run in range(3):
            request_run(app, "slow")
        one.tick()
        assert sorted(ledger.statuses()) == ["running", "running", "skipped"]

    def test_counts_what_runs_elsewhere(self, node: Start, ledger: Ledger) -> None:
        old, new = (node(job("slow", "wait_at_the_gate"), drain_seconds=0.1) for _node in range(2))
        old.tick()
        due = ledger.due("slow")
        old.tick(due)
        ledger.wait(lambda: functions.ARRIVED)
        stopping = threading.Thread(target=old.engine.drain, kwargs={"wait": True})
        stopping.start()
        ledger.wait(lambda: ledger.lease().holder is None)
        new.tick(due + HOUR)
        stopping.join()
        assert new.engine.leads
        assert ledger.statuses() == ["running", "skipped"]

    def test_deletes_a_job_that_has_ended_and_keeps_its_run(self, node: Start, ledger: Ledger) -> None:
        once = job("once", trigger="date", run_date=clock.now())
        one = node(once)
        one.tick()
        ledger.settle()
        assert ledger.job("once") is None
        one.stop()
        node(once).tick()  # within the grace it is declared again, but it has fired
        assert ledger.statuses("once") == ["succeeded"]

    def test_leaves_out_a_date_that_is_over(self, node: Start, ledger: Ledger) -> None:
        node(job("over", trigger="date", run_date="2001-01-01")).tick()
        assert ledger.job("over") is None
        assert ledger.runs() == []

    def test_claims_in_batches_and_asks_for_the_next(self, node: Start, ledger: Ledger) -> None:
        one = node(*(job(f"job {number:03}") for number in range(201)))
        one.tick()
        moment = clock.now() + HOUR
        assert one.tick(moment) is True
        assert one.tick(moment) is False
        ledger.settle()
        assert ledger.statuses() == ["succeeded"] * 201

    def test_fires_no_schedule_while_all_is_paused_but_what_was_asked_for(
        self, app: Flask, node: Start, ledger: Ledger
    ) -> None:
        one = node(job("tidy"))
        one.tick()
        ledger.change(sa.update(Lease).values(paused=True))
        one.tick(ledger.due("tidy"))
        assert ledger.runs() == []
        request_run(app, "tidy")
        one.tick()
        ledger.settle()
        assert [(run.status, run.cause) for run in ledger.runs()] == [("succeeded", "manual")]


class TestThread:
    def test_runs_what_was_asked_for_within_the_poll(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy", "create_a_tag"), ticking=True)
        ledger.wait(lambda: one.engine.leads)
        with app.app_context(), transaction():
            business.pause("tidy", by="root")
        request_run(app, "tidy")
        ledger.wait(lambda: ledger.statuses() == ["succeeded"], seconds=3)
        (run,) = ledger.runs()
        assert (run.cause, run.requested_by) == ("manual", "root")
        assert ledger.job("tidy").next_run_time is None

    def test_outlives_a_database_that_fails(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"), ticking=True)
        ledger.wait(lambda: one.engine.leads)
        ledger.change(sa.text("ALTER TABLE scheduler_lease RENAME TO elsewhere"))
        try:
            time.sleep(0.3)
        finally:
            ledger.change(sa.text("ALTER TABLE elsewhere RENAME TO scheduler_lease"))
        request_run(app, "tidy")
        ledger.wait(lambda: ledger.statuses() == ["succeeded"])

    def test_competes_without_a_double_run(self, node: Start, ledger: Ledger) -> None:
        nodes = [
            node(job("tick", trigger="interval", seconds=1, coalesce=False), ticking=True) for _competitor in range(3)
        ]
        ledger.wait(lambda: len(ledger.runs()) >= 3)
        for one in nodes:
            one.stop()
        runs = ledger.runs()
        assert {run.status for run in runs} <= {"succeeded", "queued"}  # the last one, if no thread had begun it
        instants = [run.scheduled_at for run in runs]
        assert instants == [instants[0] + 1_000_000 * step for step in range(len(instants))]

    def test_leaves_no_thread_behind(self, app: Flask, node: Start, ledger: Ledger) -> None:
        before = set(threading.enumerate())
        one = node(job("tidy"), ticking=True)
        ledger.wait(lambda: one.engine.leads)
        request_run(app, "tidy")
        ledger.wait(lambda: ledger.statuses() == ["succeeded"])
        one.stop()
        assert set(threading.enumerate()) <= before


class TestPredecessor:
    def test_is_not_waited_for_when_it_has_ended(self, node: Start) -> None:
        killed, follower, successor = (node(job("tidy")) for _competitor in range(3))
        killed.tick()
        successor.engine.predecessor = killed.engine.name
        follower.tick()
        successor.tick()
        assert (follower.engine.leads, successor.engine.leads) == (False, True)
        killed.tick()
        assert not killed.engine.leads, "had it lived, the token would fence it"

    def test_is_nobody_to_who_finds_another_leader(self, node: Start) -> None:
        leader, other = node(job("tidy")), node(job("tidy"))
        leader.tick()
        other.engine.predecessor = "1-gone@elsewhere"
        other.tick()
        assert not other.engine.leads


class TestReconcile:
    def test_stores_what_is_declared_without_competing(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.engine.reconcile()
        one.engine.reconcile()
        assert (ledger.job("tidy").version, ledger.lease().holder) == (1, None)


class TestShutdown:
    def test_hands_over_at_once(self, node: Start) -> None:
        old, new = node(job("tidy")), node(job("tidy"))
        old.tick()
        new.tick()
        old.stop()
        new.tick()
        assert new.engine.leads

    def test_lets_a_run_end(self, node: Start, ledger: Ledger) -> None:
        one = node(job("slow", "wait_at_the_gate"))
        one.tick()
        one.tick(ledger.due("slow"))
        ledger.wait(lambda: functions.ARRIVED)
        threading.Timer(0.2, functions.GATE.set).start()
        one.stop()
        assert ledger.statuses() == ["succeeded"]

    def test_hands_over_while_a_run_goes_on(self, node: Start, ledger: Ledger) -> None:
        old = node(job("slow", "wait_at_the_gate"), job("tidy"), ticking=True)
        ledger.wait(lambda: old.engine.leads)
        ledger.change(sa.update(Job).where(Job.id == "slow").values(next_run_time=to_micros(clock.now())))
        ledger.wait(lambda: functions.ARRIVED)
        stopping = threading.Thread(target=old.stop)
        stopping.start()
        ledger.wait(lambda: ledger.lease().holder is None)
        new = node(job("slow", "wait_at_the_gate"), job("tidy"))
        new.tick()
        assert new.engine.leads
        (attempt,) = ledger.attempts("slow")
        ledger.wait(lambda: ledger.attempts("slow")[0].beat > attempt.beat)
        new.clock.seconds += TTL_SECONDS
        new.tick(ledger.due("tidy"))
        ledger.wait(lambda: ledger.statuses("tidy") == ["succeeded"])
        assert ledger.statuses("slow") == ["running"]
        functions.GATE.set()
        stopping.join()
        assert ledger.statuses("slow") == ["succeeded"]
        assert [attempt.number for attempt in ledger.attempts("slow")] == [1]

    @pytest.mark.timed
    @pytest.mark.parametrize(("on_lost", "status"), [("rerun", "queued"), ("keep", "interrupted")])
    def test_gives_up_what_does_not_end_in_time(self, node: Start, ledger: Ledger, on_lost: str, status: str) -> None:
        one = node(job("slow", "wait_at_the_gate", on_lost=on_lost), drain_seconds=0.1)
        one.tick()
        one.tick(ledger.due("slow"))
        ledger.wait(lambda: functions.ARRIVED)
        started_at = time.monotonic()
        one.stop()
        assert time.monotonic() - started_at < 1
        (attempt,) = ledger.attempts()
        assert attempt.status == "interrupted"
        assert re.fullmatch(r"its process was stopped: attempt 1, \d\.\d s after it began", attempt.reason)
        assert ledger.statuses() == [status]
        assert ledger.lease().holder is None

    def test_leaves_to_the_next_leader_what_has_not_begun(self, node: Start, ledger: Ledger) -> None:
        jobs = [job(f"slow {number:02}", "wait_at_the_gate", on_lost="keep") for number in range(MAX_THREADS + 1)]
        one = node(*jobs, drain_seconds=0.1)
        one.tick()
        one.tick(clock.now() + HOUR)
        ledger.wait(lambda: len(functions.ARRIVED) == MAX_THREADS)
        one.stop()
        assert sorted(ledger.statuses()) == ["interrupted"] * MAX_THREADS + ["queued"]
        functions.GATE.set()
        two = node(*jobs)
        two.tick()
        ledger.settle()
        assert sorted(ledger.statuses()) == ["interrupted"] * MAX_THREADS + ["succeeded"]
        assert len(functions.ARRIVED) == MAX_THREADS + 1

    @pytest.mark.parametrize("migrated_app", ["postgresql"], indirect=True)  # where a table can be locked from outside
    def test_ends_although_the_lease_cannot_be_given_back(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        with ledger.locked(Lease):
            one.stop()
        assert ledger.lease().holder is not None

    def test_can_be_started_again(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        one.stop()
        one.scheduler.start(paused=True)
        one.tick()
        request_run(app, "tidy")
        one.tick()
        ledger.settle()
        assert ledger.statuses() == ["succeeded"]
