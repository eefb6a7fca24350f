"""Steering jobs from code: declarations, changes in the store, and what they raise."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from apscheduler.events import (
    EVENT_ALL,
    EVENT_JOB_ADDED,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_MODIFIED,
    EVENT_JOB_REMOVED,
)
from apscheduler.job import Job
from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from flask_apscheduler.utils import job_to_dict

from application.database import transaction
from application.extensions import scheduler as extension
from application.libs import clock
from application.libs.catalogue import Catalogue
from application.libs.declaration import DeclarationError
from application.libs.scheduling import Scheduler, TickScheduler
from application.modules.scheduler import business
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import JOBS, Ledger, Start, job


@pytest.fixture
def scheduler(app: Flask) -> Iterator[Scheduler]:
    """Return the extension, bound to the application."""
    bound, extension.app = extension.app, app
    yield extension
    extension.app = bound


@pytest.fixture
def unbound() -> Scheduler:
    """Return an extension that no application is bound to."""
    return Scheduler(scheduler=TickScheduler(timezone="UTC"))


class TestAddJob:
    def test_stores_a_callable_and_returns_the_job(self, scheduler: Scheduler, ledger: Ledger) -> None:
        made = scheduler.add_job(
            "hourly", functions.report, args=(date(2030, 1, 2),), kwargs={"copies": 2}, trigger="interval", hours=1
        )
        assert isinstance(made, Job)
        assert (made.id, made.name, made.func, made.func_ref) == (
            "hourly",
            "hourly",
            functions.report,
            f"{JOBS}:report",
        )
        assert (list(made.args), made.kwargs) == ([date(2030, 1, 2)], {"copies": 2})
        assert isinstance(made.trigger, IntervalTrigger)
        assert made.trigger.interval == timedelta(hours=1)
        assert (made.pending, made.executor, made.max_instances) == (False, "default", 1)
        stored = ledger.job("hourly")
        assert (stored.source, stored.version) == ("api", 1)
        assert made.next_run_time == ledger.due("hourly")

    def test_takes_trigger_objects_and_datetimes(self, scheduler: Scheduler) -> None:
        later = clock.now() + timedelta(days=2)
        made = scheduler.add_job("cron", functions.do_nothing, trigger=CronTrigger(hour=5), next_run_time=later)
        assert isinstance(made.trigger, CronTrigger)
        assert str(made.trigger) == "cron[hour='5']"
        assert made.next_run_time == later
        once = scheduler.add_job("once", functions.do_nothing, trigger="date", run_date=later.date())
        assert once.trigger.run_date.date() == later.date()
        again = scheduler.add_job("copy", functions.do_nothing, trigger=made.trigger)
        assert str(again.trigger) == str(made.trigger)

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            (
                {"trigger": "date", "run_date": "2035-07-01 12:00", "timezone": "Europe/Berlin"},
                "date[2035-07-01 12:00:00",
            ),
            ({"trigger": "interval", "weeks": 1, "seconds": 5, "jitter": 3}, "interval[7 days, 0:00:05]"),
            (
                {"trigger": "cron", "day": "last", "hour": "*/6", "timezone": "Asia/Shanghai"},
                "cron[day='last', hour='*/6']",
            ),
            (
                {"trigger": "calendarinterval", "months": 1, "hour": 3, "start_date": "2035-01-01"},
                "CalendarIntervalTrigger(months=1",
            ),
            ({"trigger": OrTrigger([CronTrigger(hour=2), IntervalTrigger(hours=5)])}, "or[cron[hour='2']"),
            ({"trigger": AndTrigger([CronTrigger(hour=2), CronTrigger(hour="*/2")])}, "and[cron[hour='2']"),
        ],
    )
    def test_shows_every_trigger_as_an_object_that_fires_alike(
        self, app: Flask, scheduler: Scheduler, given: dict[str, Any], text: str
    ) -> None:
        made = scheduler.add_job("kind", functions.do_nothing, **given)
        assert str(made.trigger).startswith(text)
        again = scheduler.add_job("again", functions.do_nothing, trigger=made.trigger)
        assert again.next_run_time is not None
        assert made.next_run_time is not None
        if "jitter" not in given:
            assert abs(again.next_run_time - made.next_run_time) < timedelta(seconds=1)
            after = made.trigger.get_next_fire_time(None, clock.now())
            assert abs(after - made.next_run_time) < timedelta(seconds=1)

    def test_hands_out_a_crontab_that_can_be_given_on(self, scheduler: Scheduler) -> None:
        made = scheduler.add_job("sunday", functions.do_nothing, crontab="30 4 * * 0")
        fire = made.trigger.get_next_fire_time(None, datetime(2030, 1, 1, tzinfo=UTC))
        assert (fire.isoweekday(), fire.hour) == (7, 4)
        again = scheduler.add_job("copy", functions.do_nothing, trigger=made.trigger)
        assert str(again.trigger) == "cron[30 4 * * 0]"
        assert "30 4" in repr(again.trigger)

    def test_registers_no_text(self, scheduler: Scheduler) -> None:
        with pytest.raises(ValueError, match="No function is registered as 'os:system'"):
            scheduler.add_job("evil", "os:system", trigger="interval", hours=1)

    def test_registers_nothing_that_has_no_name(self, scheduler: Scheduler) -> None:
        with pytest.raises(ValueError, match="lambda"):
            scheduler.add_job("nameless", lambda: None, trigger="interval", hours=1)

    def test_raises_what_apscheduler_raises_for_an_id_that_is_taken(self, scheduler: Scheduler) -> None:
        scheduler.add_job("one", functions.do_nothing, trigger="interval", hours=1)
        with pytest.raises(ConflictingIdError):
            scheduler.add_job("one", functions.do_nothing, trigger="interval", hours=2)
        made = scheduler.add_job("one", functions.do_nothing, trigger="interval", hours=2, replace_existing=True)
        assert made.trigger.interval == timedelta(hours=2)

    @pytest.mark.parametrize(
        ("given", "place"),
        [
            ({"colour": "red"}, "colour"),
            ({"trigger": "interval", "hours": "often"}, "hours"),
            ({"trigger": "interval", "hours": 1, "kwargs": {"x": 1}}, "kwargs"),
            ({"trigger": "interval", "hours": 1, "executor": "nowhere"}, "executor"),
        ],
    )
    def test_says_what_is_wrong(self, scheduler: Scheduler, given: dict[str, Any], place: str) -> None:
        with pytest.raises(ValueError, match=r"\w") as caught:
            scheduler.add_job("bad", functions.do_nothing, **given)
        assert place in {error["loc"][1] for error in vars(caught.value)["errors"]}
        with pytest.raises(ValueError, match="coalesce"):
            scheduler.add_job("bad", functions.do_nothing, trigger="interval", hours=1, coalesce="perhaps")
        assert scheduler.get_job("bad") is None

    def test_is_a_part_of_the_unit_of_work_around_it(self, app: Flask, scheduler: Scheduler) -> None:
        with pytest.raises(RuntimeError), app.app_context(), transaction():
            scheduler.add_job("never", functions.do_nothing, trigger="interval", hours=1)
            assert scheduler.get_job("never") is not None
            raise RuntimeError
        assert scheduler.get_job("never") is None


class TestModifyJob:
    @pytest.fixture(autouse=True)
    def _hourly(self, scheduler: Scheduler) -> None:
        scheduler.add_job("hourly", functions.do_nothing, trigger="interval", hours=1)

    def test_changes_and_reschedules(self, scheduler: Scheduler) -> None:
        scheduler.modify_job(
            "hourly", trigger="cron", hour=5, name="Morning", func=functions.report, args=["2030-01-02"]
        )
        changed = scheduler.get_job("hourly")
        assert changed is not None
        assert (changed.name, changed.func, str(changed.trigger)) == ("Morning", functions.report, "cron[hour='5']")
        scheduler.reschedule_job("hourly", trigger="interval", minutes=5)
        assert scheduler.get_jobs()[0].trigger.interval == timedelta(minutes=5)

    def test_raises_for_a_job_that_there_is_not(self, scheduler: Scheduler) -> None:
        for act in (scheduler.modify_job, scheduler.pause_job, scheduler.resume_job, scheduler.remove_job):
            with pytest.raises(JobLookupError):
                act("never")
        with pytest.raises(JobLookupError):
            scheduler.run_job("never")
        with pytest.raises(KeyError, match="No such job store"):
            scheduler.get_jobs("elsewhere")

    def test_is_done_through_the_object_as_well(self, scheduler: Scheduler) -> None:
        found = scheduler.get_job("hourly")
        assert found is not None
        assert found.modify(name="Often").name == "Often"
        assert found.reschedule("interval", minutes=2).trigger.interval == timedelta(minutes=2)
        assert found.pause().next_run_time is None
        assert found.resume().next_run_time is not None
        assert job_to_dict(found)["minutes"] == 2
        found.remove()
        assert scheduler.get_jobs() == []

    def test_removes_all(self, scheduler: Scheduler) -> None:
        scheduler.add_job("another", functions.do_nothing, trigger="interval", hours=1)
        assert {found.id for found in scheduler.get_jobs()} == {"hourly", "another"}
        scheduler.remove_all_jobs()
        assert scheduler.get_jobs() == []

    def test_is_told_to_listeners(self, scheduler: Scheduler) -> None:
        told: list[tuple[int, str]] = []

        def listen(event: Any) -> None:
            told.append((event.code, event.job_id))

        scheduler.add_listener(listen, EVENT_JOB_ADDED | EVENT_JOB_MODIFIED | EVENT_JOB_REMOVED)
        scheduler.add_job("new", functions.do_nothing, trigger="interval", hours=1)
        scheduler.modify_job("new", name="x")
        scheduler.remove_job("new")
        scheduler.remove_listener(listen)
        scheduler.remove_all_jobs()
        assert told == [(EVENT_JOB_ADDED, "new"), (EVENT_JOB_MODIFIED, "new"), (EVENT_JOB_REMOVED, "new")]


class TestRunJob:
    def test_asks_the_leader(self, scheduler: Scheduler, ledger: Ledger, node: Start) -> None:
        node(job("other", "do_nothing"), ticking=True)
        scheduler.add_job("asked", functions.do_nothing, trigger="interval", hours=1, next_run_time=None)
        run_id = scheduler.run_job("asked")
        ledger.wait(lambda: ledger.statuses("asked") == ["succeeded"])
        assert [run.id for run in ledger.runs("asked")] == [run_id]
        assert ledger.runs("asked")[0].requested_by == "code"

    def test_fires_on_time_in_another_process(self, scheduler: Scheduler, ledger: Ledger, node: Start) -> None:
        node(job("other", "do_nothing"), ticking=True)
        scheduler.add_job("soon", functions.do_nothing, trigger="interval", seconds=1)
        ledger.wait(lambda: "succeeded" in ledger.statuses("soon"), seconds=5)


class TestPause:
    def test_is_for_all_processes(self, app: Flask, scheduler: Scheduler, node: Start) -> None:
        with pytest.raises(SchedulerNotRunningError):
            scheduler.pause()
        node(job("other")).tick()
        scheduler.pause()
        with app.app_context(), transaction(write=False):
            assert business.cluster.status().paused_by == "code"
        scheduler.resume()
        with app.app_context(), transaction(write=False):
            assert not business.cluster.status().paused


class TestTask:
    def test_declares_a_job_before_an_application_is_bound(self, unbound: Scheduler) -> None:
        @unbound.task("interval", id="ours", minutes=5)
        def tidy() -> None:
            """Do nothing."""

        assert unbound.declared == [{"id": "ours", "func": tidy, "trigger": "interval", "minutes": 5}]
        (shown,) = unbound.get_jobs()
        assert (shown.id, shown.func, shown.pending, shown.next_run_time) == ("ours", tidy, True, None)
        with pytest.raises(DeclarationError, match="twice"):
            unbound.task("interval", id="ours", minutes=5)(tidy)

    def test_is_what_adding_means_before_an_application_is_bound(self, unbound: Scheduler) -> None:
        made = unbound.add_job("early", functions.do_nothing, trigger="interval", hours=1)
        assert made.pending
        with pytest.raises(ConflictingIdError):
            unbound.add_job("early", functions.do_nothing)
        unbound.add_job("early", functions.do_nothing, trigger="interval", hours=2, replace_existing=True)
        assert [known["hours"] for known in unbound.declared] == [2]
        assert unbound.get_job("early") == made
        assert unbound.get_job("late") is None
        with pytest.raises(RuntimeError, match="SCHEDULER_ENABLED"):
            unbound.run_job("early")

    def test_is_reconciled_by_whoever_starts(self, ledger: Ledger, node: Start) -> None:
        one = node(job("first"))
        one.engine.declare({"id": "second", "func": functions.do_nothing, "trigger": "interval", "hours": 1})
        one.tick()
        one.tick()
        assert (ledger.job("second").source, ledger.job("second").declaration is None) == ("code", False)
        with pytest.raises(DeclarationError, match="twice"):
            one.engine.declare({"id": "second", "func": functions.do_nothing, "trigger": "interval", "hours": 1})


class TestFunction:
    def test_is_known_by_its_name(self, scheduler: Scheduler, app: Flask) -> None:
        catalogue: Catalogue = app.extensions["scheduler"].setup.functions

        def water_the_plants() -> None:
            """Do nothing."""

        before = len(scheduler.functions)
        assert scheduler.function("water")(water_the_plants) is water_the_plants
        try:
            assert catalogue.get("water").function is water_the_plants
            assert scheduler.functions[-1] == (water_the_plants, "water")
            assert scheduler.job(water_the_plants) is water_the_plants
            assert scheduler.job(name="water")(water_the_plants) is water_the_plants
            assert catalogue.get("water").parameters["properties"] == {}
        finally:
            del scheduler.functions[before:]


class TestAddListener:
    def test_hears_why_something_did_not_run(self, scheduler: Scheduler, ledger: Ledger, node: Start) -> None:
        told: list[tuple[int, str]] = []

        def listen(event: Any) -> None:
            told.append((event.code, event.job_id))

        scheduler.add_listener(listen, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        one = node(job("busy", "wait_at_the_gate"), job("late"))
        one.tick()
        one.tick(ledger.due("busy"))
        ledger.wait(lambda: functions.ARRIVED)
        one.tick(ledger.due("busy"))
        one.tick(ledger.due("late") + timedelta(minutes=2))
        scheduler.remove_listener(listen)
        functions.GATE.set()
        assert (EVENT_JOB_MAX_INSTANCES, "busy") in told
        assert (EVENT_JOB_MISSED, "late") in told

    def test_hears_what_a_function_returned(self, ledger: Ledger, node: Start) -> None:
        heard: list[Any] = []
        one = node(job("told", "tell_the_answer"), ticking=True)
        one.scheduler.add_listener(heard.append, EVENT_JOB_EXECUTED)
        ledger.wait(lambda: one.engine.leads)
        with ledger.app.app_context(), transaction():
            business.request_run("told", by="root")
        ledger.wait(lambda: heard)
        assert [event.retval for event in heard] == [42]

    def test_hears_of_what_runs_in_this_process(self, ledger: Ledger, node: Start) -> None:
        heard: list[Any] = []
        one = node(job("tidy"), ticking=True)
        one.scheduler.add_listener(heard.append, EVENT_ALL)
        ledger.wait(lambda: one.engine.leads)
        with ledger.app.app_context(), transaction():
            business.request_run("tidy", by="root")
        ledger.wait(lambda: len(heard) >= 2)
        assert {type(event).__name__ for event in heard} == {"JobSubmissionEvent", "JobExecutionEvent"}
        assert {(event.job_id, event.jobstore) for event in heard} == {("tidy", "default")}
