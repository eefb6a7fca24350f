"""What is due is queued and rung for; what nobody has in hand any more begins anew."""

import time
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from application.database import transaction
from application.libs.clock import now
from application.libs.watch import Watch
from application.modules.task.business import Wish, sweeping
from application.modules.task.business.sweeping import Running
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows
from tests.parallel import at_once
from tests.plans import explain


def take(rows: Rows, most: int = 100) -> list[str]:
    with rows.app.app_context(), transaction():
        return [one.id for one in sweeping.take(now(), most=most, again_seconds=60)]


class TestTake:
    def test_gives_what_is_urgent_first_and_nothing_twice(self, rows: Rows) -> None:
        low, high, normal = (
            rows.enqueue(specimen.add, Wish(priority=priority), left=1, right=2) for priority in (0, 9, 4)
        )
        assert take(rows, most=2) == [high, normal]
        assert take(rows) == [low]
        assert take(rows) == []
        assert {row.rings for row in rows.all()} == {0}

    def test_gives_each_to_one_of_several(self, rows: Rows) -> None:
        ids = {rows.enqueue(specimen.add, left=1, right=2) for _ in range(40)}
        given = [one for found in at_once([lambda: take(rows)] * 4) for one in found]
        assert sorted(given) == sorted(ids)


class TestLeave:
    def test_leaves_what_its_queue_is_busy_with_until_it_has_waited_long(self, app: Flask, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.add, left=1, right=2)
        other = rows.enqueue(specimen.add, Wish(queue="mail"), left=1, right=2)
        for look in range(sweeping.PATIENCE):
            with app.app_context(), transaction():
                sweeping.leave({"default"}, now(), seconds=60)
            assert take(rows) == ([other] if look == 0 else [])
            assert rows.get(task_id).rings == look + 1
            rows.change(task_id, due_at=now())
        with app.app_context(), transaction():
            sweeping.leave({"default"}, now(), seconds=60)
        assert take(rows) == [task_id]
        assert rows.get(task_id).rings == 0


class TestQueueDue:
    def test_queues_what_has_waited_for_its_time(self, app: Flask, rows: Rows) -> None:
        soon, later = (
            rows.enqueue(specimen.add, Wish(eta=now() + wait), left=1, right=2)
            for wait in (timedelta(seconds=0.05), timedelta(hours=1))
        )
        time.sleep(0.1)
        with app.app_context(), transaction():
            assert sweeping.look(now()).next_at == rows.get(soon).due_at
            assert sweeping.queue_due(now()) == 1
        assert (rows.get(soon).state, rows.get(later).state) == ("queued", "scheduled")


class TestLose:
    def running(self, rows: Rows, **values: Any) -> Running:
        task_id = rows.enqueue(specimen.add, left=1, right=2)
        rows.change(task_id, state="running", attempt=1, due_at=None, **values)
        with rows.app.app_context(), transaction(write=False):
            (found,) = (one for one in sweeping.look(now()).running if one.id == task_id)
        return found

    def lose(self, rows: Rows, lost: Running) -> bool:
        with rows.app.app_context(), transaction():
            return sweeping.lose(lost, most=3, moment=now(), reason="gone")

    def test_queues_it_once(self, rows: Rows) -> None:
        lost = self.running(rows)
        assert sorted(at_once([lambda: self.lose(rows, lost)] * 4)) == [False, False, False, True]
        row = rows.get(lost.id)
        assert (row.state, row.losses, row.message) == ("queued", 1, "gone")

    def test_does_nothing_where_it_goes_on(self, rows: Rows) -> None:
        lost = self.running(rows)
        rows.change(lost.id, beat=1)
        assert not self.lose(rows, lost)

    def test_gives_it_up_for_dead(self, rows: Rows) -> None:
        lost = self.running(rows, losses=2)
        assert self.lose(rows, lost)
        row = rows.get(lost.id)
        assert (row.state, row.losses, row.error_type) == ("dead", 3, "ProcessDied")
        assert row.finished_at is not None

    def test_cancels_it_where_it_was_asked_to_end(self, rows: Rows) -> None:
        lost = self.running(rows, stop_reason="Cancelled by ada")
        assert self.lose(rows, lost)
        assert (rows.get(lost.id).state, rows.get(lost.id).message) == ("cancelled", "Cancelled by ada")


class TestSilent:
    def test_is_what_shows_no_beat_and_is_not_ours(self) -> None:
        seconds = [0.0]
        watch = Watch(10, lambda: seconds[0])
        here, there = (Running(name, "task.add", 1, 0, 5, None) for name in ("here", "there"))
        for at, expected in ((0.0, []), (9.0, []), (10.0, [there])):
            seconds[0] = at
            assert sweeping.silent([here, there], watch, ours={"here"}) == expected

    def test_counts_anew_for_another_attempt(self) -> None:
        seconds = [0.0]
        watch = Watch(10, lambda: seconds[0])
        sweeping.silent([Running("one", "task.add", 1, 0, 0, None)], watch, ours=())
        seconds[0] = 10.0
        assert sweeping.silent([Running("one", "task.add", 2, 1, 0, None)], watch, ours=()) == []


class TestLook:
    @pytest.mark.parametrize(
        ("ending", "index"),
        [
            ("state = 'queued' AND due_at <= '2030-01-31'", "ix_task_state_due_at"),
            ("state = 'queued' ORDER BY rank, id LIMIT 20", "ix_task_state_rank_id"),
        ],
    )
    def test_finds_what_is_due_and_what_waits_by_an_index(
        self, app: Flask, rows: Rows, ending: str, index: str
    ) -> None:
        with app.app_context(), transaction() as unit:
            if unit.connection.dialect.name == "sqlite":  # which plans without figures
                plan = explain(unit.connection, f"SELECT id, name FROM task WHERE {ending}", ())
                assert (plan.indexes, plan.sorts) == ([index], False)
