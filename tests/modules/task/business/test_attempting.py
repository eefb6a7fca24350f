"""What attempts write: only the one that has the task has a say."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from msgspec.structs import replace

from application.database import transaction
from application.libs.clock import now
from application.libs.delivery import TemporaryFailure
from application.libs.outcome_text import fault_of
from application.libs.task import Options, Progress
from application.modules.task.business import Wish, attempting
from application.modules.task.business.attempting import Claimed, Superseded, Worker
from tests.modules.task import specimen
from tests.modules.task.conftest import Rows
from tests.parallel import at_once

WORKER = Worker("1@here", "here", 1)


def claim(rows: Rows, task_id: str) -> Claimed | None:
    with rows.app.app_context(), transaction():
        return attempting.claim(task_id, WORKER)


@pytest.fixture
def claimed(rows: Rows) -> Claimed:
    found = claim(rows, rows.enqueue(specimen.add, left=1, right=2))
    assert found is not None
    return found


class TestClaim:
    def test_gives_a_task_to_one(self, rows: Rows) -> None:
        task_id = rows.enqueue(specimen.add, left=1, right=2)
        found = at_once([lambda: claim(rows, task_id)] * 6)
        assert [one.attempt for one in found if one is not None] == [1]
        row = rows.get(task_id)
        assert (row.state, row.worker, row.host, row.process, row.due_at) == ("running", "1@here", "here", 1, None)

    def test_gives_nothing_that_waits_or_is_too_late(self, rows: Rows) -> None:
        later = rows.enqueue(specimen.add, Wish(eta=now() + timedelta(hours=1)), left=1, right=2)
        past = rows.enqueue(specimen.add, Wish(expires_at=now() - timedelta(seconds=1)), left=1, right=2)
        assert [claim(rows, later), claim(rows, past), claim(rows, specimen.unique_name())] == [None, None, None]


class TestFencing:
    def test_lets_nobody_write_who_has_been_given_up(self, app: Flask, rows: Rows, claimed: Claimed) -> None:
        rows.change(claimed.id, attempt=2)
        writes: tuple[Callable[[], object], ...] = (
            lambda: attempting.succeed(claimed, 3),
            lambda: attempting.fail(claimed, ValueError(), fault_of(ValueError()), Options()),
            lambda: attempting.end_cancelled(claimed, "cancelled"),
            lambda: attempting.hand_back(claimed, "stopping"),
            lambda: attempting.overrun(claimed, 1),
            lambda: attempting.lose(claimed, most=3, reason="gone"),
            lambda: attempting.postpone(claimed, "away"),
        )
        for write in writes:
            with pytest.raises(Superseded), app.app_context(), transaction():
                write()
        with app.app_context(), transaction():
            attempting.beat([(claimed.id, 1)])
            attempting.note_progress({(claimed.id, 1): Progress(1, 2, "half")})
            assert attempting.marks([(claimed.id, 1)])[claimed.id].is_ours is False
        row = rows.get(claimed.id)
        assert (row.state, row.attempt, row.beat, row.current) == ("running", 2, 0, 0)

    def test_lets_who_has_it(self, app: Flask, rows: Rows, claimed: Claimed) -> None:
        with app.app_context(), transaction():
            attempting.beat([(claimed.id, 1)])
            attempting.note_progress({(claimed.id, 1): Progress(1, 2, "half")})
            assert attempting.marks([(claimed.id, 1)])[claimed.id] == attempting.Mark(None, is_ours=True)
        row = rows.get(claimed.id)
        assert (row.beat, row.current, row.total, row.message) == (1, 1, 2, "half")


class TestAskedToEnd:
    def test_is_never_begun_again(self, app: Flask, rows: Rows, claimed: Claimed) -> None:
        writes: tuple[Callable[[], object], ...] = (
            lambda: attempting.fail(claimed, ValueError(), fault_of(ValueError()), Options(retries=5)),
            lambda: attempting.hand_back(claimed, "stopping"),
            lambda: attempting.lose(claimed, most=3, reason="gone"),
            lambda: attempting.postpone(claimed, "away"),
        )
        for write in writes:
            rows.change(claimed.id, state="running", stop_reason="Cancelled by ada", finished_at=None, due_at=None)
            with app.app_context(), transaction():
                write()
            row = rows.get(claimed.id)
            assert (row.state, row.message, row.due_at) == ("cancelled", "Cancelled by ada", None)
            assert row.finished_at is not None


class TestFail:
    def test_lets_the_next_attempt_wait(self, app: Flask, rows: Rows, claimed: Claimed) -> None:
        options = Options(retries=1, backoff_seconds=60)
        with app.app_context(), transaction():
            attempting.fail(claimed, ValueError("a\x00b"), fault_of(ValueError("a\x00b")), options)
        row = rows.get(claimed.id)
        assert (row.state, row.failures, row.error_message) == ("scheduled", 1, "a\ufffdb")
        assert timedelta(seconds=29) < row.due_at - now() <= timedelta(seconds=60)

    @pytest.mark.parametrize(("asked", "waits"), [(120.0, 120), (9000.0, 600), (0.0, 1), (None, 1)])
    def test_waits_as_long_as_an_error_asks(
        self, app: Flask, rows: Rows, claimed: Claimed, asked: float | None, waits: float
    ) -> None:
        error = TemporaryFailure("429 too often", retry_after_seconds=asked)
        with app.app_context(), transaction():
            attempting.fail(claimed, error, fault_of(error), Options(retries=1))
        left = rows.get(claimed.id).due_at - now()
        assert timedelta(seconds=waits - 5) < left <= timedelta(seconds=waits)


class TestPostpone:
    def test_counts_as_nothing(self, app: Flask, rows: Rows, claimed: Claimed) -> None:
        with app.app_context(), transaction():
            attempting.postpone(claimed, "the database was away")
        row = rows.get(claimed.id)
        assert (row.state, row.failures, row.losses) == ("scheduled", 0, 0)

    def test_waits_longer_each_time(self, app: Flask, rows: Rows, claimed: Claimed) -> None:
        for attempt, longest in ((1, 2), (6, 64), (60, 600)):
            rows.change(claimed.id, state="running", attempt=attempt)
            with app.app_context(), transaction():
                attempting.postpone(replace(claimed, attempt=attempt), "away")
            assert longest / 2 - 1 < (rows.get(claimed.id).due_at - now()).total_seconds() <= longest


class TestDelayOf:
    @pytest.mark.parametrize(("failures", "longest"), [(1, 2), (2, 4), (5, 32), (6, 50), (1000, 50)])
    def test_doubles_up_to_the_most_and_is_spread(self, failures: int, longest: float) -> None:
        options = Options(backoff_seconds=2, backoff_max_seconds=50)
        delays = {attempting.delay_of(options, failures) for _ in range(50)}
        assert len(delays) > 1
        assert all(longest / 2 <= delay <= longest for delay in delays)
