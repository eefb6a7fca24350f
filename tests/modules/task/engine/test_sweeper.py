"""Looking after tasks, step by step."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import pytest
from flask import Flask

from application.database import db, transaction
from application.libs.error import Unavailable
from application.libs.unit_of_work import UnitOfWork
from application.modules.task.business.sweeping import Waiting
from application.modules.task.engine.sweeper import POLL_SECONDS, Sweeper
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows


class Clock:
    """Be a monotonic clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def sweeper(app: Flask, rung: list[str], clock: Clock, **options: Any) -> Sweeper:
    def ring(found: Sequence[Waiting]) -> None:
        rung.extend(one.id for one in found)

    with app.app_context():
        unit = partial(transaction, engine=db.engine)
    known: dict[str, Any] = {"ours": frozenset, "again_seconds": 60, "monotonic": clock}
    return Sweeper(unit, ring, **{**known, **options})


class TestSweep:
    def test_rings_for_as_many_as_there_is_room_for(self, app: Flask, rows: Rows) -> None:
        ids = [rows.enqueue(specimen.add, left=1, right=2) for _ in range(5)]
        rung: list[str] = []
        one = sweeper(app, rung, Clock(), capacity=lambda: 2)
        assert one.sweep() == POLL_SECONDS
        assert rung == ids[:2]
        one.sweep()
        one.sweep()
        assert rung == ids

    def test_gives_up_what_is_silent_and_rings_for_it(self, app: Flask, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.add, left=1, right=2)
        rows.change(task_id, state="running", attempt=1, due_at=None)
        rung: list[str] = []
        clock = Clock()
        one = sweeper(app, rung, clock)
        one.sweep()
        clock.seconds += 9
        one.sweep()
        assert (rows.get(task_id).state, rung) == ("running", [])
        clock.seconds += 1
        one.sweep()
        assert (rows.get(task_id).state, rows.get(task_id).losses) == ("queued", 1)
        one.sweep()
        assert rung == [task_id]

    def test_gives_up_nobody_after_a_long_wait_for_who_writes(self, app: Flask, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.add, left=1, right=2)
        rows.change(task_id, state="running", attempt=1, due_at=None)
        clock = Clock()
        one = sweeper(app, [], clock)
        one.sweep()
        clock.seconds += 20
        inner = one._unit

        @contextmanager
        def slow(*, write: bool = True) -> Iterator[UnitOfWork]:
            with inner(write=write) as unit:
                if write:
                    clock.seconds += 3  # whoever writes before it holds the lock so long
                yield unit

        one._unit = slow
        one.sweep()
        assert rows.get(task_id).state == "running"

    def test_rests_until_something_is_due(self, app: Flask) -> None:
        assert sweeper(app, [], Clock()).sweep() == POLL_SECONDS


class TestRun:
    def test_survives_a_database_that_is_away(self, caplog: pytest.LogCaptureFixture) -> None:
        tries: list[int] = []

        def unit(*, write: bool = True) -> AbstractContextManager[UnitOfWork]:
            tries.append(1)
            raise Unavailable

        with caplog.at_level(logging.WARNING):
            one = Sweeper(unit, lambda _found: None, ours=frozenset, again_seconds=1)
            one.start()
            while len(tries) < 3:
                one.wake()
            one.stop()
        assert caplog.text.count("Nobody can look after tasks") == 1
