"""The engine: real threads, real databases, and competitors that come and go."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import transaction
from application.libs import clock
from application.libs.scheduling import RunContext
from application.libs.trigger import to_micros
from application.modules.scheduler import business
from application.modules.scheduler.engine import TTL_SECONDS
from application.modules.scheduler.models import Job, Lease, Run
from application.modules.tag.models import Tag
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Ledger, Node, job

Start = Callable[..., Node]

HOUR = timedelta(hours=1)


def request_run(app: Flask, job_id: str) -> None:
    with app.app_context(), transaction():
        business.request_run(job_id, by="root")


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
        assert (run.attempt, run.fires, run.process) == (1, 1, one.engine._holder.process)
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
        assert (run.status, run.error_type, run.error_message) == ("failed", "ValueError", "no�good ?")
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

    def test_tells_the_job_which_run_it_is(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tell", "remember_the_run"))
        one.tick()
        due = ledger.due("tell")
        one.tick(due)
        ledger.settle()
        (run,) = ledger.runs()
        expected = RunContext(run_id=run.id, job_id="tell", scheduled_at=due, token=ledger.lease().token, attempt=1)
        (seen,) = functions.SEEN
        assert seen == expected

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
        one.tick(ledger.due("each") + timedelta(seconds=25))
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
        assert ledger.runs()[1].reason == "as many runs as may were running: 1"
        functions.GATE.set()
        ledger.settle()
        one.tick(due + 2 * HOUR)
        ledger.settle()
        assert ledger.statuses() == ["succeeded", "skipped", "succeeded"]

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


class TestElection:
    def test_gives_one_leader_and_one_run_a_fire(self, node: Start, ledger: Ledger) -> None:
        nodes = [node(job("tidy", trigger="interval", seconds=10)) for _competitor in range(3)]
        for one in nodes:
            one.tick()
        assert [one.engine.leads for one in nodes] == [True, False, False]
        due = ledger.due("tidy")
        for step in range(10):
            for one in nodes:
                one.tick(due + step * timedelta(seconds=10))
            ledger.settle()
        assert ledger.statuses() == ["succeeded"] * 10

    def test_waits_for_the_leader_to_be_silent_for_the_time_to_live(self, node: Start) -> None:
        old, new = node(job("tidy")), node(job("tidy"))
        old.tick()
        new.tick()
        new.clock.seconds += TTL_SECONDS - 0.1
        old.tick()  # it beats
        new.tick()
        new.clock.seconds += TTL_SECONDS - 0.1
        new.tick()
        assert not new.engine.leads
        new.clock.seconds += 0.2
        new.tick()
        assert new.engine.leads
        old.tick()
        assert not old.engine.leads

    def test_marks_the_runs_of_a_leader_that_is_gone_as_lost(self, node: Start, ledger: Ledger) -> None:
        old, new = node(job("slow", "wait_at_the_gate")), node(job("slow", "wait_at_the_gate"))
        old.tick()
        new.tick()
        old.tick(ledger.due("slow"))
        ledger.wait(lambda: ledger.statuses() == ["running"])
        new.tick()
        new.clock.seconds += TTL_SECONDS
        new.tick()
        (run,) = ledger.runs()
        assert (run.status, run.reason) == ("lost", "its process stopped answering before it ended")
        functions.GATE.set()  # the old leader was only frozen, and ends the run
        assert old.engine.drain(wait=True)
        assert ledger.statuses() == ["lost"]

    def test_starts_what_a_leader_that_is_gone_had_only_claimed(self, app: Flask, node: Start, ledger: Ledger) -> None:
        old, new = node(job("tidy")), node(job("tidy"))
        old.tick()
        new.tick()
        request_run(app, "tidy")
        ledger.change(sa.update(Run).values(token=1, attempt=1))
        new.clock.seconds += TTL_SECONDS
        new.tick()
        ledger.settle()
        assert [(run.status, run.attempt) for run in ledger.runs()] == [("succeeded", 2)]

    def test_writes_nothing_for_a_leader_whose_lease_was_taken(self, node: Start, ledger: Ledger) -> None:
        old, new = node(job("tidy")), node(job("tidy"))
        old.tick()
        new.tick()
        new.clock.seconds += TTL_SECONDS
        new.tick()
        old.tick(ledger.due("tidy"))
        assert ledger.runs() == []
        assert not old.engine.leads

    def test_makes_everything_anew_in_an_emptied_database(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        for table in (Lease, Job):
            ledger.change(sa.delete(table))
        one.tick()
        one.tick()
        assert one.engine.leads
        assert ledger.job("tidy") is not None


class TestReconcile:
    def test_keeps_a_pause_over_restarts_and_changes(self, app: Flask, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        with app.app_context(), transaction():
            business.pause("tidy", by="root")
        one.stop()
        two = node(job("tidy", name="Tidy up"))
        two.tick(clock.now() + 2 * HOUR)
        row = ledger.job("tidy")
        assert (row.next_run_time, row.paused_by, row.version) == (None, "root", 2)
        assert '"name":"Tidy up"' in row.definition
        assert ledger.runs() == []

    def test_leaves_an_unchanged_job_on_its_grid(self, node: Start, ledger: Ledger) -> None:
        one = node(job("tidy"))
        one.tick()
        before = ledger.job("tidy")
        one.stop()
        node(job("tidy")).tick()
        assert ledger.job("tidy") == before

    def test_pauses_what_is_declared_no_more_and_wakes_what_is_again(self, node: Start, ledger: Ledger) -> None:
        for jobs, paused in (([job("tidy")], False), ([], True), ([job("tidy")], False)):
            one = node(*jobs)
            one.tick()
            assert (ledger.job("tidy").next_run_time is None) is paused
            one.stop()


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
        assert {run.status for run in runs} == {"succeeded"}
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
        ledger.wait(lambda: ledger.statuses() == ["running"])
        threading.Timer(0.2, functions.GATE.set).start()
        one.stop()
        assert ledger.statuses() == ["succeeded"]

    def test_marks_what_does_not_end_in_time(self, node: Start, ledger: Ledger) -> None:
        one = node(job("slow", "wait_at_the_gate"), drain_seconds=0.1)
        one.tick()
        one.tick(ledger.due("slow"))
        ledger.wait(lambda: ledger.statuses() == ["running"])
        started_at = time.monotonic()
        one.stop()
        assert time.monotonic() - started_at < 1
        (run,) = ledger.runs()
        assert (run.status, run.reason) == ("interrupted", "its process was stopped")
        assert ledger.lease().holder is None

    def test_keeps_the_lease_while_a_run_ends(self, node: Start, ledger: Ledger) -> None:
        one = node(job("slow", "wait_at_the_gate"), ticking=True)
        ledger.wait(lambda: one.engine.leads)
        ledger.change(sa.update(Job).values(next_run_time=to_micros(clock.now())))
        ledger.wait(lambda: ledger.statuses() == ["running"])
        stopping = threading.Thread(target=one.stop)
        stopping.start()
        beat = ledger.lease().beat
        ledger.wait(lambda: ledger.lease().beat > beat + 2)
        functions.GATE.set()
        stopping.join()
        assert ledger.statuses() == ["succeeded"]
        assert ledger.lease().holder is None

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
