"""The extension in front of APScheduler."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from apscheduler.schedulers import SchedulerAlreadyRunningError
from apscheduler.schedulers.base import STATE_PAUSED, STATE_RUNNING
from flask import Flask

from application.libs.catalogue import Catalogue
from application.libs.scheduling import Scheduler, Setup, Submit, TickScheduler


class Counter:
    """Be a ticker that counts, and fails as often as it is told to."""

    poll_seconds = rest_seconds = 0.01
    setup = Setup(Catalogue(), "UTC", {}, ("default",), None)

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.ticks = 0
        self.calls: list[str] = []
        self.ticked = threading.Event()

    def start(
        self, submit: Submit, wakeup: Callable[[], object], replace_thread: Callable[[str], object] = str
    ) -> None:
        self.calls.append("start")

    def tick(self, now: datetime | None = None) -> bool:
        self.ticks += 1
        if self.ticks <= self.failures:
            raise RuntimeError("the database is away")
        self.ticked.set()
        return False

    def drain(self, *, wait: bool) -> bool:
        self.calls.append(f"drain {wait}")
        return True

    def stop(self) -> None:
        self.calls.append("stop")


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """Return an extension that is stopped in the end."""
    extension = Scheduler(scheduler=TickScheduler(timezone="UTC"))
    yield extension
    extension.shutdown()


class TestScheduler:
    def test_ticks_until_it_is_shut_down(self, scheduler: Scheduler) -> None:
        before, ticker = set(threading.enumerate()), Counter()
        scheduler.init_app(Flask("one"), ticker)
        scheduler.start()
        assert ticker.ticked.wait(5)
        scheduler.shutdown()
        scheduler.shutdown()
        assert ticker.calls == ["start", "drain True", "stop"]
        assert set(threading.enumerate()) <= before

    def test_refuses_to_start_twice(self, scheduler: Scheduler) -> None:
        ticker = Counter()
        scheduler.init_app(Flask("one"), ticker)
        scheduler.start()
        with pytest.raises(SchedulerAlreadyRunningError):
            scheduler.start()
        assert ticker.calls == ["start"]

    def test_survives_failing_ticks_and_logs_them_once(
        self, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
    ) -> None:
        ticker = Counter(failures=20)
        scheduler.init_app(Flask("one"), ticker)
        with caplog.at_level(logging.ERROR):
            scheduler.start()
            assert ticker.ticked.wait(5)
        assert [record.getMessage() for record in caplog.records] == ["A tick failed; it is tried again every 0.01 s"]

    def test_ticks_at_once_when_woken(self, scheduler: Scheduler) -> None:
        ticker = Counter()
        ticker.poll_seconds = 60
        scheduler.init_app(Flask("one"), ticker)
        scheduler.start()
        assert ticker.ticked.wait(5)
        ticker.ticked.clear()
        scheduler.wakeup()
        assert ticker.ticked.wait(5)

    def test_ticks_not_while_paused(self, scheduler: Scheduler) -> None:
        ticker = Counter()
        scheduler.init_app(Flask("one"), ticker)
        scheduler.start(paused=True)
        scheduler.wakeup()
        assert not ticker.ticked.wait(0.1)
        assert scheduler.state == STATE_PAUSED
        scheduler.resume()
        assert ticker.ticked.wait(5)
        assert scheduler.state == STATE_RUNNING

    def test_wakes_nobody_where_it_was_not_started(self, scheduler: Scheduler) -> None:
        scheduler.init_app(Flask("one"), Counter())
        scheduler.wakeup()

    def test_starts_nothing_where_it_is_switched_off(self, scheduler: Scheduler) -> None:
        with Flask("one").app_context():
            scheduler.start()
        assert not scheduler.running

    def test_starts_nothing_on_a_host_that_is_left_out(self, scheduler: Scheduler) -> None:
        app, ticker = Flask("one"), Counter()
        app.config["SCHEDULER_ALLOWED_HOSTS"] = ["another.example"]
        scheduler.init_app(app, ticker)
        scheduler.start()
        assert not scheduler.running
        assert ticker.calls == []

    def test_starts_for_the_application_whose_context_it_is(self, scheduler: Scheduler) -> None:
        first, second = (Flask("first"), Counter()), (Flask("second"), Counter())
        for app, ticker in (first, second):
            scheduler.init_app(app, ticker)
        with first[0].app_context():
            scheduler.start()
        assert (first[1].calls, second[1].calls) == (["start"], [])

    def test_goes_on_when_another_application_is_built(self, scheduler: Scheduler) -> None:
        ticker, other = Counter(), Flask("other")
        scheduler.init_app(Flask("one"), ticker)
        scheduler.start()
        scheduler.init_app(other, Counter())
        assert vars(other)["apscheduler"] is scheduler
        ticker.ticked.clear()
        assert ticker.ticked.wait(5)

    def test_refuses_a_job_that_would_never_fire(self, scheduler: Scheduler) -> None:
        with pytest.raises(NotImplementedError, match="the extension's add_job"):
            scheduler.scheduler.add_job("x", print)
