"""Tasks that are done by the threads of this process, and what becomes of them."""

import os
import time
from datetime import timedelta

import pytest
from flask import Flask

from application.database import transaction
from application.libs.clock import now
from application.modules.task import business
from application.modules.task.business import Caller, Wish
from application.modules.task.engine import TaskEngine
from tests.modules.task import specimen
from tests.modules.task.conftest import Make, Rows
from tests.tables import count_rows
from tests.waiting import wait_until


@pytest.mark.usefixtures("engine")
class TestDone:
    def test_gives_what_the_function_returned(self, rows: Rows) -> None:
        row = rows.done(rows.enqueue(specimen.add, left=2, right=3))
        assert (row.result, row.attempt, row.failures, row.losses, row.error_type) == ("5", 1, 0, 0, None)
        assert row.finished_at >= row.started_at >= row.created_at
        assert row.process == os.getpid()

    def test_writes_what_the_function_wrote(self, app: Flask, rows: Rows) -> None:
        rows.done(rows.enqueue(specimen.write, name="written"))
        assert count_rows(app, "tag", name="written") == 1

    def test_does_many_at_once_and_each_once(self, rows: Rows) -> None:
        ids = [rows.enqueue(specimen.add, left=number, right=0) for number in range(60)]
        for task_id in ids:
            rows.done(task_id)
        assert [(row.result, row.attempt) for row in rows.all()] == [(str(number), 1) for number in range(60)]

    def test_says_how_far_it_is(self, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.count, steps=40)
        wait_until(lambda: rows.get(task_id).total == 40)
        row = rows.get(task_id)
        assert (row.state, row.message) == ("running", f"step {row.current}")
        row = rows.done(task_id)
        assert (row.current, row.message) == (39, "step 39")

    def test_tells_the_function_which_task_it_is(self, rows: Rows) -> None:
        one, other = rows.enqueue(specimen.key), rows.enqueue(specimen.key, Wish(unique_key="report of May"))
        assert rows.done(one).result == f'"{one} task.key 1"'
        assert rows.done(other).result == '"report of May task.key 1"'

    def test_knows_a_function_that_is_called_without_a_task(self) -> None:
        assert (specimen.key(), specimen.count(1, 0)) == (None, 1)


@pytest.mark.usefixtures("engine")
class TestFailed:
    def test_takes_back_what_the_function_wrote(self, app: Flask, rows: Rows) -> None:
        row = rows.await_state(rows.enqueue(specimen.write_and_fail, name="undone"), "failed")
        assert (row.error_type, row.error_message, row.failures) == ("ValueError", "no", 1)
        assert "write_and_fail" in row.traceback
        assert row.message == "It failed; the operators see why"
        assert count_rows(app, "tag", name="undone") == 0

    def test_is_tried_again_as_often_as_declared(self, rows: Rows) -> None:
        done = rows.done(rows.enqueue(specimen.fail_until, attempt=3))
        assert (done.result, done.attempt, done.failures) == ("3", 3, 2)
        failed = rows.await_state(rows.enqueue(specimen.fail_until, attempt=9), "failed")
        assert (failed.attempt, failed.failures) == (3, 3)

    def test_is_not_tried_again_for_what_is_not_named(self, rows: Rows) -> None:
        row = rows.await_state(rows.enqueue(specimen.refuse), "failed")
        assert (row.attempt, row.message) == (1, "Choose another")


@pytest.mark.usefixtures("engine")
class TestWaiting:
    def test_begins_no_sooner_than_it_should(self, rows: Rows) -> None:
        eta = now() + timedelta(seconds=0.7)
        task_id = rows.enqueue(specimen.add, Wish(eta=eta), left=1, right=1)
        assert rows.get(task_id).state == "scheduled"
        assert rows.done(task_id).started_at >= eta

    def test_is_begun_no_more_once_it_expired(self, make_engine: Make, rows: Rows) -> None:
        rows.app.extensions["tasks"].stop()
        task_id = rows.enqueue(specimen.brief)
        time.sleep(0.2)
        make_engine()
        row = rows.await_state(task_id, "expired")
        assert (row.attempt, row.expires_at) == (0, None)

    def test_begins_what_is_urgent_first(self, make_engine: Make, rows: Rows) -> None:
        rows.app.extensions["tasks"].stop()
        ids = [rows.enqueue(specimen.sleep, Wish(priority=priority), seconds=0.05) for priority in (0, 4, 9, 4)]
        make_engine(concurrency=1)
        began = [rows.done(task_id).started_at for task_id in ids]
        assert sorted(range(4), key=began.__getitem__) == [2, 1, 3, 0]


@pytest.mark.usefixtures("engine")
class TestCancel:
    def cancel(self, rows: Rows, task_id: str) -> None:
        with rows.app.app_context(), transaction():
            business.cancel(task_id, caller=Caller("", frozenset(), manages=True), by="ada")

    def test_lets_what_waits_never_begin(self, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.add, Wish(eta=now() + timedelta(hours=1)), left=1, right=1)
        self.cancel(rows, task_id)
        assert (rows.get(task_id).state, rows.get(task_id).message) == ("cancelled", "Cancelled by ada")

    def test_asks_what_runs_to_end(self, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.count_until_cancelled, seconds=20)
        rows.await_state(task_id, "running")
        self.cancel(rows, task_id)
        assert rows.await_state(task_id, "cancelled").message == "Cancelled by ada"

    def test_kills_what_has_a_process_of_its_own(self, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.sleep, seconds=30)
        rows.change(task_id, losses=1)  # it is done in a process of its own, then
        wait_until(lambda: rows.get(task_id).beat > 0, 60)
        self.cancel(rows, task_id)
        rows.await_state(task_id, "cancelled")

    def test_holds_for_the_attempts_that_would_follow(self, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.fail_when_asked, seconds=20)
        rows.await_state(task_id, "running")
        self.cancel(rows, task_id)
        row = rows.await_state(task_id, "cancelled")
        assert (row.attempt, row.message) == (1, "Cancelled by ada")


@pytest.mark.usefixtures("engine")
class TestLimits:
    def test_asks_a_task_to_end_that_takes_longer_than_it_should(self, rows: Rows) -> None:
        row = rows.await_state(rows.enqueue(specimen.gentle, seconds=20), "failed")
        assert row.error_type.endswith("SoftLimitExceeded")

    def test_kills_a_task_that_takes_longer_than_it_may(self, rows: Rows) -> None:
        row = rows.await_state(rows.enqueue(specimen.limited, seconds=60), "failed", seconds=30)
        assert (row.error_type, row.error_message) == ("TimeLimitExceeded", "it took longer than 0.5 s")


@pytest.mark.usefixtures("engine")
class TestDead:
    def test_is_what_takes_too_many_processes_with_it(self, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.die)
        rows.change(task_id, losses=1)  # a process died with it already, so it has one of its own
        other = rows.enqueue(specimen.add, left=1, right=1)
        row = rows.await_state(task_id, "dead", seconds=40)
        assert (row.losses, row.error_type) == (3, "ProcessDied")
        assert rows.done(other).losses == 0

    def test_is_not_what_one_process_died_with(self, app: Flask, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.die_once, name="once")
        rows.change(task_id, losses=1)
        row = rows.await_state(task_id, "done", seconds=40)
        assert (row.losses, row.attempt) == (2, 2)
        assert int(row.result) != os.getpid()
        assert count_rows(app, "tag", name="once") == 1


class TestSilent:
    def test_begins_anew_elsewhere(self, engine: TaskEngine, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.add, Wish(eta=now() + timedelta(hours=1)), left=1, right=2)
        rows.change(task_id, state="running", attempt=1, worker="gone@there", due_at=None)
        row = rows.await_state(task_id, "done", seconds=40)  # in a process of its own, which starts first
        assert (row.result, row.attempt, row.losses) == ("3", 2, 1)

    def test_begins_anew_at_once_where_it_is_known_who_has_ended(self, make_engine: Make, rows: Rows) -> None:
        engine = make_engine(start=False, lease_seconds=600)
        task_id = rows.enqueue(specimen.add, left=1, right=2)
        other = rows.enqueue(specimen.add, left=1, right=2)
        for one, worker in ((task_id, "1-a@here"), (other, "1-b@here")):
            rows.change(one, state="running", attempt=1, worker=worker, due_at=None)
        engine.predecessor = "1-a@here"
        engine.start()
        assert rows.await_state(task_id, "done", seconds=40).attempt == 2
        assert rows.get(other).state == "running"

    def test_is_given_up_by_who_had_it(self, engine: TaskEngine, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.count_until_cancelled, seconds=20)
        rows.await_state(task_id, "running")
        rows.change(task_id, attempt=7)  # another process has begun it
        wait_until(lambda: engine.drain(0.1))
        assert (rows.get(task_id).state, rows.get(task_id).attempt) == ("running", 7)


class TestStop:
    def test_lets_what_runs_end(self, engine: TaskEngine, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.sleep, seconds=0.5)
        rows.await_state(task_id, "running")
        waiting = [rows.enqueue(specimen.sleep, seconds=0.5) for _ in range(3)]
        engine.close()
        assert engine.drain(10)
        engine.stop()
        assert rows.get(task_id).state == "done"
        assert "queued" in {rows.get(one).state for one in waiting}

    def test_hands_back_what_does_not(self, make_engine: Make, rows: Rows) -> None:
        engine = make_engine()
        task_id = rows.enqueue(specimen.count_until_cancelled, seconds=1.5)
        rows.await_state(task_id, "running")
        assert not engine.drain(0.1)
        engine.stop()
        assert (rows.get(task_id).state, rows.get(task_id).losses) == ("queued", 0)
        make_engine()
        assert rows.done(task_id).attempt == 2

    @pytest.mark.timed
    def test_waits_for_nothing_that_heeds_nobody(self, make_engine: Make, rows: Rows) -> None:
        engine = make_engine()
        task_id = rows.enqueue(specimen.sleep, seconds=2.5)
        rows.await_state(task_id, "running")
        began = time.monotonic()
        engine.stop()
        assert rows.get(task_id).state == "queued"
        assert time.monotonic() - began < 2

    def test_may_be_followed_by_another_start(self, engine: TaskEngine, rows: Rows) -> None:
        engine.stop()
        engine.start()
        rows.done(rows.enqueue(specimen.add, left=1, right=1))
