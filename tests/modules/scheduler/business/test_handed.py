"""Runs that are handed over to workers: as tasks, whose ends are theirs."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import execute, transaction
from application.libs.catalogue import Catalogue
from application.libs.executor import Handing
from application.libs.run_output import copied_prints
from application.libs.task import TASKS
from application.modules.scheduler import business
from application.modules.scheduler.business import attempt, handing
from application.modules.scheduler.business.room import Room
from application.modules.scheduler.models import Attempt, Run
from application.modules.tag.models import Tag
from application.modules.task import business as task_business
from application.modules.task.business import Wish
from application.modules.task.engine import TaskEngine
from application.modules.task.models import Task
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import Ledger, Node, Start, job, request_run
from tests.modules.scheduler.engine.test_execution import cancel, detail
from tests.modules.task.conftest import Make, Rows, make_engine, rows
from tests.waiting import wait_until

__all__ = ["make_engine", "rows"]

ADMIN = task_business.Caller(user_id="0" * 36, permissions=frozenset(), manages=True)


@pytest.fixture
def celery(registered: Catalogue) -> Callable[..., dict[str, Any]]:
    """Return a function that describes a job for the workers, which know its function."""

    def describe(job_id: str, function: str, **options: Any) -> dict[str, Any]:
        registered.register(getattr(functions, function))
        return job(job_id, function, executor="celery", **options)

    return describe


Describe = Callable[..., dict[str, Any]]


@pytest.fixture
def engine(app: Flask, make_engine: Make) -> TaskEngine:
    """Return an engine that does tasks when it is told to, on the thread of the test."""
    return make_engine(start=False, build=functions.builder(app.extensions["settings"]))


def hand_over(app: Flask, ledger: Ledger, one: Node, job_id: str = "far") -> Any:
    """Let a run be handed over, and return its attempt."""
    one.tick()
    request_run(app, job_id)
    one.tick()
    return ledger.attempts(job_id)[-1]


def tags(app: Flask) -> list[str]:
    with app.app_context(), transaction(write=False):
        return list(execute(sa.select(Tag.name).order_by(Tag.name)).scalars())


class TestHandOver:
    def test_writes_task_and_attempt_or_neither(
        self, app: Flask, node: Start, ledger: Ledger, rows: Rows, celery: Describe
    ) -> None:
        one = node(celery("far", "leave_a_tag"))
        one.tick()
        request_run(app, "far")
        moment = ledger.due("far")
        with pytest.raises(KeyError), app.app_context(), transaction():
            attempt.begin_queued(1, one.engine._holder, Room(), moment)
            assert len(execute(sa.select(Task.id)).all()) == len(execute(sa.select(Attempt.id)).all()) == 1
            raise KeyError
        assert rows.all() == ledger.attempts() == []
        one.tick()
        (task,), (tried,) = rows.all(), ledger.attempts()
        assert (tried.task_id, tried.status, tried.started_at) == (task.id, "running", None)
        assert (task.name, task.state, task.unique_key) == ("scheduler.run", "queued", f"run:{tried.run_id}:1")

    def test_says_which_queue(self, app: Flask, node: Start, ledger: Ledger, rows: Rows, celery: Describe) -> None:
        assert app.extensions["scheduler"].setup.handings == {"celery": Handing()}
        hand_over(app, ledger, node(celery("far", "do_nothing", timeout=5)))
        (task,) = rows.all()
        assert (task.queue, task.rank, task.hard_limit_seconds) == ("default", 5, 5)

    def test_lets_a_run_that_waits_for_a_worker_count(
        self, app: Flask, node: Start, ledger: Ledger, celery: Describe
    ) -> None:
        one = node(celery("far", "do_nothing"))
        hand_over(app, ledger, one)
        request_run(app, "far")
        one.tick()
        assert ledger.statuses() == ["running", "skipped"]

    def test_gives_up_nobody_who_is_silent(self, app: Flask, node: Start, ledger: Ledger, celery: Describe) -> None:
        one = node(celery("far", "do_nothing"))
        hand_over(app, ledger, one)
        for _tick in range(3):
            one.clock.seconds += 10
            one.tick()
        assert ledger.statuses() == ["running"]


class TestRunJob:
    def test_runs_the_function_as_a_run_and_a_task(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, rows: Rows, celery: Describe
    ) -> None:
        tried = hand_over(app, ledger, node(celery("far", "tell_progress")))
        with copied_prints():
            engine.perform(tried.task_id)
        run = detail(app, tried.run_id)
        (last,) = run.history
        assert (run.status, run.result) == ("succeeded", f"{run.id} 1 run:{run.id}:1")
        assert (last.status, last.task_id, last.error_type) == ("succeeded", tried.task_id, None)
        assert last.started_at is not None
        assert last.finished_at is not None
        task = rows.get(tried.task_id)
        assert (task.state, task.current, task.total) == ("done", 1, 2)
        with app.app_context(), transaction(write=False):
            text = business.run.read(run.id, after=0).text
        assert "printed" in text
        assert "logged" in text

    def test_writes_down_what_it_raised_and_tries_again(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, rows: Rows, celery: Describe
    ) -> None:
        one = node(celery("far", "fail_as_told", retries=1, retry_delay=1, retry_jitter=0))
        functions.FAILURES.append("no")
        first = hand_over(app, ledger, one)
        engine.perform(first.task_id)
        assert rows.get(first.task_id).state == "failed"
        (run,) = ledger.runs()
        assert (run.status, run.failures, run.error_message) == ("queued", 1, "no")
        wait_until(lambda: one.tick() or len(ledger.attempts()) == 2, 10, lambda: str(ledger.runs()))
        second = ledger.attempts()[-1]
        engine.perform(second.task_id)
        assert ledger.statuses() == ["succeeded"]
        assert [each.status for each in ledger.attempts()] == ["failed", "succeeded"]
        assert second.task_id != first.task_id

    def test_undoes_what_a_failing_function_did(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, celery: Describe
    ) -> None:
        tried = hand_over(app, ledger, node(celery("far", "create_a_tag_and_fail")))
        engine.perform(tried.task_id)
        run = detail(app, tried.run_id)
        assert (run.status, run.error_type) == ("failed", "ValueError")
        assert "create_a_tag_and_fail" in (run.history[0].traceback or "")
        assert tags(app) == []

    def test_runs_again_what_a_worker_died_with(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, rows: Rows, celery: Describe
    ) -> None:
        one = node(celery("far", "leave_a_tag"))
        first = hand_over(app, ledger, one)
        leave_dead(app, ledger, rows, first)
        engine.perform(first.task_id)
        assert tags(app) == []
        assert (ledger.attempts()[0].status, rows.get(first.task_id).state) == ("lost", "done")
        one.tick()
        engine.perform(ledger.attempts()[-1].task_id)
        assert ledger.statuses() == ["succeeded"]
        assert len(tags(app)) == 1

    def test_keeps_a_run_as_lost_where_the_job_says_so(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, rows: Rows, celery: Describe
    ) -> None:
        one = node(celery("far", "leave_a_tag", on_lost="keep"))
        tried = hand_over(app, ledger, one)
        leave_dead(app, ledger, rows, tried)
        engine.perform(tried.task_id)
        one.tick()
        assert ledger.statuses() == ["lost"]
        assert tags(app) == []

    def test_undoes_what_it_did_once_its_run_is_given_up(
        self, app: Flask, node: Start, ledger: Ledger, make_engine: Make, rows: Rows, celery: Describe
    ) -> None:
        make_engine()
        tried = hand_over(app, ledger, node(celery("far", "leave_a_tag_at_the_gate")))
        ledger.wait(lambda: functions.ARRIVED)
        ledger.change(sa.update(Attempt).values(status="lost"))
        functions.GATE.set()
        task = rows.await_state(tried.task_id, "failed")
        assert "given up meanwhile" in task.error_message
        assert tags(app) == []

    def test_leaves_to_the_job_what_follows_when_its_worker_stops(
        self, app: Flask, node: Start, ledger: Ledger, make_engine: Make, rows: Rows, celery: Describe
    ) -> None:
        stopping = make_engine()
        one = node(celery("far", "fail_once_cancelled", retries=3))
        tried = hand_over(app, ledger, one)
        ledger.wait(lambda: functions.ARRIVED)
        stopping.stop()
        rows.await_state(tried.task_id, "queued")
        make_engine(start=False).perform(tried.task_id)
        (run,) = ledger.runs()
        assert (run.status, run.failures) == ("queued", 0)

    def test_keeps_an_end_until_the_database_takes_it(
        self, app: Flask, node: Start, ledger: Ledger, make_engine: Make, rows: Rows, celery: Describe
    ) -> None:
        if not app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
            pytest.skip("where rows are locked, nobody holds up everybody")
        make_engine()
        tried = hand_over(app, ledger, node(celery("far", "wait_at_the_gate")))
        ledger.wait(lambda: functions.ARRIVED)
        with app.app_context(), transaction() as unit:
            unit.connection.execute(sa.text("UPDATE tag SET name = name"))  # which holds up whoever writes
            functions.GATE.set()
            time.sleep(8)  # longer than a writer waits
        assert rows.done(tried.task_id).attempt == 1
        assert [each.status for each in ledger.attempts()] == ["succeeded"]

    def test_does_not_run_what_was_cancelled_as_it_was_handed_over(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, celery: Describe
    ) -> None:
        tried = hand_over(app, ledger, node(celery("far", "leave_a_tag")))
        ledger.change(sa.update(Run).values(status="cancelled", reason="cancelled by root"))
        engine.perform(tried.task_id)
        assert tags(app) == []
        (ended,) = ledger.attempts()
        assert (ended.status, ended.reason) == ("cancelled", "cancelled by root")

    def test_gives_what_a_process_died_with_one_of_its_own(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, rows: Rows, celery: Describe
    ) -> None:
        one = node(celery("far", "leave_a_tag"))
        first = hand_over(app, ledger, one)
        leave_dead(app, ledger, rows, first)
        engine.perform(first.task_id)
        one.tick()
        assert rows.get(ledger.attempts()[-1].task_id).losses == 1

    def test_does_not_run_again_what_has_ended(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, rows: Rows, celery: Describe
    ) -> None:
        tried = hand_over(app, ledger, node(celery("far", "leave_a_tag")))
        engine.perform(tried.task_id)
        rows.change(tried.task_id, state="queued")
        engine.perform(tried.task_id)
        assert rows.get(tried.task_id).state == "done"
        assert len(tags(app)) == 1


def leave_dead(app: Flask, ledger: Ledger, rows: Rows, tried: Any) -> None:
    """Leave an attempt and its task as a worker does that dies, and the task as who looks after it does then."""
    ledger.change(sa.update(Attempt).where(Attempt.id == tried.id).values(started_at=tried.claimed_at))
    rows.change(tried.task_id, state="queued", attempt=1, losses=1)


class TestReplace:
    def test_ends_what_begins_in_the_same_moment(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, celery: Describe
    ) -> None:
        one = node(celery("far", "leave_a_tag", overlap="replace"))
        one.tick()
        for _run in range(2):
            request_run(app, "far")
        one.tick()
        one.tick()
        engine.perform(ledger.attempts()[-1].task_id)
        assert sorted(ledger.statuses()) == ["cancelled", "succeeded"]
        assert [each.status for each in ledger.attempts()] == ["cancelled", "succeeded"]
        assert len(tags(app)) == 1


class TestSettle:
    def test_cancels_what_no_worker_has_begun(
        self, app: Flask, node: Start, ledger: Ledger, rows: Rows, celery: Describe
    ) -> None:
        one = node(celery("far", "leave_a_tag", retries=3))
        tried = hand_over(app, ledger, one)
        cancel(app, tried.run_id)
        assert rows.get(tried.task_id).state == "cancelled"
        one.tick()
        run = detail(app, tried.run_id)
        assert (run.status, run.reason, run.history[0].status) == ("cancelled", "cancelled by root", "cancelled")

    def test_cancels_what_runs(
        self, app: Flask, node: Start, ledger: Ledger, make_engine: Make, rows: Rows, celery: Describe
    ) -> None:
        make_engine()
        one = node(celery("far", "work_until_cancelled", retries=3))
        tried = hand_over(app, ledger, one)
        ledger.wait(lambda: functions.ARRIVED)
        cancel(app, tried.run_id)
        rows.await_state(tried.task_id, "cancelled")
        one.tick()
        run = detail(app, tried.run_id)
        assert (run.status, run.reason) == ("cancelled", "cancelled by root")
        assert tags(app) == []

    def test_cancels_the_run_of_a_task_that_is_cancelled(
        self, app: Flask, node: Start, ledger: Ledger, celery: Describe
    ) -> None:
        one = node(celery("far", "leave_a_tag"))
        tried = hand_over(app, ledger, one)
        with app.app_context(), transaction():
            task_business.cancel(tried.task_id, caller=ADMIN, by="ada")
        one.tick()
        (run,) = ledger.runs()
        assert (run.status, run.reason) == ("cancelled", "Cancelled by ada")

    def test_kills_what_takes_too_long(
        self, app: Flask, node: Start, ledger: Ledger, make_engine: Make, rows: Rows, celery: Describe
    ) -> None:
        make_engine(build=functions.builder(app.extensions["settings"]))
        one = node(celery("far", "sleep_long", timeout=1, retries=1, retry_delay=600))
        tried = hand_over(app, ledger, one)
        rows.await_state(tried.task_id, "failed", seconds=30)
        one.tick()
        (run,), (ended,) = ledger.runs(), ledger.attempts()
        assert (ended.status, ended.reason) == ("timed_out", "it took longer than 1 s")
        assert ended.started_at is not None  # its process had the time to start
        assert (ended.finished_at - ended.started_at).total_seconds() >= 0.5
        assert (run.status, run.failures) == ("queued", 1)

    def test_runs_again_what_a_worker_handed_back(
        self, app: Flask, node: Start, ledger: Ledger, make_engine: Make, rows: Rows, celery: Describe
    ) -> None:
        stopping = make_engine()
        one = node(celery("far", "work_until_cancelled"))
        tried = hand_over(app, ledger, one)
        ledger.wait(lambda: functions.ARRIVED)
        stopping.stop()
        assert rows.get(tried.task_id).state == "queued"
        make_engine(start=False).perform(tried.task_id)
        one.tick()
        first, second = ledger.attempts()
        assert (first.status, second.number) == ("interrupted", 2)
        assert first.reason.startswith("its process was stopped: attempt 1, ")

    @pytest.mark.parametrize(
        ("state", "error"),
        [("dead", "ProcessDied"), ("expired", None), ("failed", None)],
    )
    def test_runs_again_what_ended_without_a_word(
        self, app: Flask, node: Start, ledger: Ledger, rows: Rows, celery: Describe, state: str, error: str | None
    ) -> None:
        one = node(celery("far", "leave_a_tag"))
        tried = hand_over(app, ledger, one)
        rows.change(tried.task_id, state=state, error_type=error, error_message=error)
        one.tick()
        first, second = ledger.attempts()
        assert (first.status, second.number) == ("lost", 2)
        assert f"its task is {state}" in first.reason

    def test_runs_again_what_has_no_task(self, app: Flask, node: Start, ledger: Ledger, celery: Describe) -> None:
        one = node(celery("far", "leave_a_tag"))
        hand_over(app, ledger, one)
        ledger.change(sa.delete(Task))
        one.tick()
        assert [each.status for each in ledger.attempts()] == ["lost", "running"]

    def test_fails_what_raised_outside_of_its_function(
        self, app: Flask, node: Start, ledger: Ledger, rows: Rows, celery: Describe
    ) -> None:
        one = node(celery("far", "leave_a_tag"))
        tried = hand_over(app, ledger, one)
        rows.change(tried.task_id, state="failed", error_type="MemoryError", error_message="none left", traceback="…")
        one.tick()
        (run,) = ledger.runs()
        assert (run.status, run.error_type, run.error_message) == ("failed", "MemoryError", "none left")


class TestTask:
    def test_is_not_tried_again_by_hand(
        self, app: Flask, node: Start, ledger: Ledger, engine: TaskEngine, rows: Rows, celery: Describe
    ) -> None:
        tried = hand_over(app, ledger, node(celery("far", "create_a_tag_and_fail")))
        engine.perform(tried.task_id)
        with pytest.raises(task_business.NotRetryable), app.app_context(), transaction():
            task_business.retry(tried.task_id, caller=ADMIN)
        assert rows.get(tried.task_id).state == "failed"

    def test_is_for_code_alone(self, app: Flask) -> None:
        assert TASKS.get(handing.TASK).options.permission is None
        with pytest.raises(task_business.UnknownTask), app.app_context(), transaction():
            task_business.start(handing.TASK, {"attempt_id": "x"}, caller=ADMIN, wish=Wish())
