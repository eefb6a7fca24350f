"""What a process has in hand, while the database is away, and when it stops."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from application.database import transaction
from application.libs.error import Unavailable
from application.libs.task import Options
from application.modules.task.business import attempting
from application.modules.task.business.attempting import Claimed, Worker
from application.modules.task.engine.keeper import Closed, Keeper
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows
from tests.waiting import wait_until


def claim(rows: Rows) -> Claimed:
    task_id = rows.enqueue(specimen.add, left=1, right=2)
    with rows.app.app_context(), transaction():
        claimed = attempting.claim(task_id, Worker("1@here", "here", 1))
    assert claimed is not None
    return claimed


class TestLimits:
    def test_are_held_once_a_database_is_back_that_was_away(self, app: Flask, rows: Rows) -> None:
        claimed, killed = claim(rows), []
        back_at = time.monotonic() + 1.5

        @contextmanager
        def unit() -> Iterator[None]:
            if time.monotonic() < back_at:
                raise Unavailable
            with app.app_context(), transaction():
                yield

        keeper = Keeper(unit)
        hand = keeper.add(claimed, Options(hard_limit_seconds=0.1), kill=lambda: killed.append(1))
        wait_until(lambda: killed)
        keeper.remove(hand)
        keeper.stop()
        assert time.monotonic() >= back_at
        assert (rows.get(claimed.id).state, rows.get(claimed.id).error_type) == ("failed", "TimeLimitExceeded")


class TestKill:
    def test_is_meant_for_a_task_that_is_in_hand_still(self, app: Flask, rows: Rows) -> None:
        killed: list[int] = []
        keeper = Keeper(transaction)
        hand = keeper.add(claim(rows), Options(), kill=lambda: killed.append(1))
        keeper.remove(hand)
        keeper._kill(hand)
        keeper.stop()
        assert killed == []

    def test_ends_what_another_process_goes_on_with(self, app: Flask, rows: Rows) -> None:
        killed: list[int] = []

        @contextmanager
        def unit() -> Iterator[None]:
            with app.app_context(), transaction():
                yield

        keeper = Keeper(unit)
        claimed = claim(rows)
        hand = keeper.add(claimed, Options(), kill=lambda: killed.append(1))
        rows.change(claimed.id, attempt=2)
        wait_until(lambda: killed)
        keeper.remove(hand)
        keeper.stop()


class TestAdd:
    def test_takes_nothing_in_hand_once_it_is_closed(self, app: Flask, rows: Rows) -> None:
        keeper = Keeper(transaction)
        keeper.close()
        with pytest.raises(Closed):
            keeper.add(claim(rows), Options())
        assert len(keeper) == 0
