"""A schedule of Celery's beat, as jobs of the scheduler."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.schedules import crontab, schedule, solar
from flask import Flask

from application.config.beat_schedule import beat_jobs, check_tasks
from application.config.celery_keys import celery_keys
from application.config.setting import Environment, SettingsRefused, load_settings
from application.factory import create_app
from application.libs import trigger
from application.libs.declaration import DeclarationError
from application.modules.scheduler.business.definition import declare
from tests.config.test_scheduler import DEFAULTS

TASK = "demo.count_slowly"
SPECIMEN = "tests.modules.task.specimen"

SETUP: dict[str, Any] = {"timezone": "UTC", "defaults": DEFAULTS}

CRONTABS: list[dict[str, Any]] = [
    {},
    {"minute": "*/5"},
    {"minute": "*/7", "hour": "*/5"},
    {"minute": "1,13,30-45,50-59/2", "hour": "8-17"},
    {"minute": [3, 59], "hour": {0, 23}},
    {"minute": 0, "hour": "22-2"},
    {"minute": 30, "hour": 7, "day_of_week": 0},
    {"minute": 0, "hour": 12, "day_of_week": "1-5"},
    {"minute": 0, "hour": 12, "day_of_week": "*/2"},
    {"minute": 15, "hour": 9, "day_of_week": "fri-mon"},
    {"minute": 15, "hour": 9, "day_of_week": "sunday,wed"},
    {"minute": 0, "hour": 0, "day_of_month": 1},
    {"minute": 0, "hour": 6, "day_of_month": "2-30/2"},
    {"minute": 0, "hour": 6, "day_of_month": "*/10", "month_of_year": "*/3"},
    {"minute": 0, "hour": 6, "day_of_month": 31},
    {"minute": 0, "hour": 6, "day_of_month": 29, "month_of_year": 2},
    {"minute": 45, "hour": 18, "month_of_year": "jan,jul-sep"},
    {"minute": "*/20", "hour": "10,14", "day_of_month": "1-7,15-21", "day_of_week": 1},
    {"minute": 59, "hour": 23, "day_of_month": 13, "day_of_week": "fri"},
]


def entry(when: Any, **others: Any) -> dict[str, Any]:
    return {"task": TASK, "schedule": when, **others}


def converted(when: Any, **celery: Any) -> dict[str, Any]:
    (job,) = beat_jobs({"beat_schedule": {"each": entry(when)}, **celery})
    assert (job.pop("id"), job.pop("func")) == ("each", "application.modules.task.tasks:enqueue_by_name")
    assert (job.pop("kwargs"), job.pop("overlap")) == ({"name": TASK}, "queue")
    return job


def refused(given: Any, **celery: Any) -> str:
    with pytest.raises(SettingsRefused) as caught:
        beat_jobs({"beat_schedule": given, **celery})
    text = str(caught.value)
    assert "\n" not in text
    return text


class TestInterval:
    @pytest.mark.parametrize("when", [90, 90.0, timedelta(seconds=90), schedule(90), schedule(timedelta(seconds=90))])
    def test_is_its_seconds(self, when: Any) -> None:
        assert converted(when) == {"trigger": "interval", "seconds": 90, "misfire": "once"}

    @pytest.mark.parametrize("when", [0, -5, True, float("nan"), float("inf"), None, [], schedule(None)])
    def test_is_refused_where_it_is_none(self, when: Any) -> None:
        assert refused({"each": entry(when)}).startswith("CELERY_BEAT_SCHEDULE 'each': ")

    @pytest.mark.parametrize(("when", "fault"), [(0.5, "at least a second"), (1.5, "give whole ones")])
    def test_is_refused_where_the_scheduler_has_none(self, when: float, fault: str) -> None:
        assert fault in refused({"each": entry(when)})


class TestCrontab:
    def test_is_written_as_people_would(self) -> None:
        assert converted(crontab(minute="*/5", hour="8-10", day_of_week="0,6", month_of_year="*/2")) == {
            "trigger": "cron",
            "timezone": "UTC",
            "month": "*/2",
            "day": "*",
            "day_of_week": "sun,sat",
            "hour": "8,9,10",
            "minute": "*/5",
            "misfire": "once",
        }

    @pytest.mark.parametrize(
        ("celery", "zone"),
        [
            ({}, "UTC"),
            ({"timezone": "Asia/Shanghai"}, "Asia/Shanghai"),
            ({"timezone": "Asia/Shanghai", "enable_utc": False}, "Asia/Shanghai"),
        ],
    )
    def test_fires_in_the_zone_of_celery(self, celery: dict[str, Any], zone: str) -> None:
        assert converted(crontab(hour=3, minute=0), **celery)["timezone"] == zone

    def test_refuses_the_clock_of_a_machine_and_one_of_its_own(self) -> None:
        assert "set CELERY_TIMEZONE" in refused({"each": entry(crontab())}, enable_utc=False)
        assert "nowfun" in refused({"each": entry(crontab(nowfun=datetime.now))})
        assert "timezone" in refused({"each": entry(crontab())}, timezone="Mars/Olympus")

    def test_is_as_late_as_celery_lets_it_be(self) -> None:
        found = converted(crontab(), beat_cron_starting_deadline=7200)
        assert (found["misfire"], found["misfire_grace_time"]) == ("skip", 7200)
        assert "give one" in refused({"each": entry(crontab())}, beat_cron_starting_deadline="soon")

    @pytest.mark.parametrize("fields", CRONTABS, ids=str)
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/Caracas"])
    def test_fires_when_celery_says_it_is_due(self, zone: str, fields: dict[str, Any]) -> None:
        celery = Celery(set_as_current=False)
        celery.conf.timezone = zone
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        theirs = crontab(**fields, nowfun=lambda: moment, app=celery)
        (ours,) = declare(beat_jobs({"beat_schedule": {"each": entry(crontab(**fields))}, "timezone": zone}), **SETUP)
        built = trigger.build(ours.definition.trigger)
        for number in range(40):
            last = moment = datetime(2026, 1, 1, tzinfo=UTC) + number * timedelta(seconds=6_311_527)
            for _fire in range(3):
                fire = trigger.next_fire(built, None, last + timedelta(microseconds=1))
                assert fire is not None
                moment = last
                assert fire - last == theirs.remaining_estimate(last), f"after {last}"
                moment = fire - timedelta(microseconds=1)
                assert not theirs.is_due(last).is_due
                moment = fire
                assert theirs.is_due(last).is_due
                last = fire


class TestText:
    """JSON, as a variable holds it."""

    def test_holds_intervals_and_crontabs(self) -> None:
        text = json.dumps({"often": entry(30), "daily": entry("30 7 * * 1-5", args=[3], options={"priority": 9})})
        often, daily = beat_jobs(celery_keys({"CELERY_BEAT_SCHEDULE": text, "CELERY_TIMEZONE": "Europe/Berlin"}, {}))
        assert (often["trigger"], often["seconds"]) == ("interval", 30)
        assert (daily["hour"], daily["minute"], daily["timezone"]) == ("7", "30", "Europe/Berlin")
        assert daily["day_of_week"] == "mon,tue,wed,thu,fri"
        assert daily["kwargs"] == {"name": TASK, "args": [3], "priority": 9}

    def test_stands_in_the_place_of_what_python_says(self) -> None:
        given = {"CELERY_BEAT_SCHEDULE": {"python": entry(30)}}
        variables = {"CELERY_BEAT_SCHEDULE": json.dumps({"variable": entry(30)})}
        assert [job["id"] for job in beat_jobs(celery_keys(variables, given))] == ["variable"]

    @pytest.mark.parametrize(
        "text", ["* * * *", "0 0 * * 7", "61 * * * *", "*/0 * * * *", "x * * * *", "", ", * * * *"]
    )
    def test_is_refused_where_it_is_no_crontab(self, text: str) -> None:
        assert refused({"each": entry(text)}).startswith(f"CELERY_BEAT_SCHEDULE 'each': {text!r} ")

    @pytest.mark.parametrize("given", ["{not json", [entry(30)]])
    def test_is_refused_where_it_is_no_object(self, given: Any) -> None:
        assert "JSON object" in refused(given)


class TestEntry:
    def test_gives_all_that_it_says_to_what_enqueues(self) -> None:
        options = {"queue": "mail", "priority": 0, "expires": 60}
        given = entry(30, args=(1, "two"), kwargs={"three": 3}, options=options, relative=False)
        (job,) = beat_jobs({"beat_schedule": {"each": given}})
        assert job["kwargs"] == {
            "name": TASK,
            "args": [1, "two"],
            "kwargs": {"three": 3},
            "queue": "mail",
            "priority": 0,
            "expires_seconds": 60,
        }

    @pytest.mark.parametrize("given", [{}, None])
    def test_is_none_where_there_is_no_schedule(self, given: Any) -> None:
        assert beat_jobs({"beat_schedule": given}) == beat_jobs({}) == []

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            (entry(30, relative=True), "relative"),
            (entry(schedule(30, relative=True)), "relative"),
            (entry(30, enabled=True), "unknown field `enabled`"),
            (entry(30, options={"countdown": 5}), "unknown field `countdown`"),
            (entry(30, options={"priority": 10}), "priority (0 to 9)"),
            (entry(30, options={"queue": "No such"}), "`$.options.queue`"),
            (entry(30, options={"expires": datetime(2030, 1, 1, tzinfo=UTC)}), "expires (seconds)"),
            (entry(30, args="abc"), "`$.args`"),
            (entry(30, args=[object()]), "args"),
            ({"schedule": 30}, "`task`"),
            ({"task": TASK}, "`schedule`"),
            (5, "an entry holds task, schedule"),
        ],
    )
    def test_is_refused_with_the_cure(self, given: Any, fault: str) -> None:
        text = refused({"each": given})
        assert text.startswith("CELERY_BEAT_SCHEDULE 'each': ")
        assert fault in text

    def test_is_refused_where_it_needs_the_sun_or_a_class_of_others(self) -> None:
        own = type("Own", (schedule,), {})
        assert "Own" in refused({"each": entry(own(30))})
        sun = object.__new__(solar)  # which needs a package to be made
        vars(sun).update(event="sunset", lat=0, lon=0)
        assert "solar" in refused({"each": entry(sun)})

    def test_is_told_together_with_all_that_are_wrong(self) -> None:
        text = refused({"first": entry(0), "right": entry(5), "second": entry("x")})
        assert ("'first'" in text, "'right'" in text, "'second'" in text) == (True, False, True)


def make(folder: Path, scheduled: dict[str, Any], *jobs: dict[str, Any]) -> Flask:
    settings = load_settings(
        environment=Environment.TESTING,
        database_url=f"sqlite:///{folder / 'made.db'}",
        log_directory=folder / "logs",
        _env_file=None,
    )
    config = {"TASKS": (SPECIMEN,), "SCHEDULER_JOBS": jobs, "CELERY_BEAT_SCHEDULE": scheduled}
    return create_app(settings, config)


class TestCheckTasks:
    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            ({"task": "task.ad"}, "Did you mean task.add"),
            ({"task": "task.add", "args": [1]}, "its arguments do not fit task.add: kwargs.right: Missing"),
            ({"task": "task.add", "args": [1, "two"]}, "args.1: "),
        ],
    )
    def test_refuses_what_no_worker_would_do(self, tmp_path: Path, given: dict[str, Any], fault: str) -> None:
        with pytest.raises(SettingsRefused) as caught:
            make(tmp_path, {"each": {"schedule": 30, **given}})
        assert str(caught.value).startswith("CELERY_BEAT_SCHEDULE 'each': ")
        assert fault in str(caught.value)

    def test_lets_pass_what_is_declared(self, tmp_path: Path) -> None:
        given = {"schedule": 30, "task": "task.add", "args": [1, 2], "options": {"queue": "sums"}}
        celery = make(tmp_path, {"each": given}).extensions["tasks"].celery
        check_tasks([])
        assert celery.conf.beat_schedule == {}
        assert {queue.name.rpartition(".")[2] for queue in celery.conf.task_queues} >= {"default", "sums"}


class TestCreateApp:
    def test_refuses_an_id_that_a_job_has_and_one_that_no_job_can_have(self, tmp_path: Path) -> None:
        job = {"id": "each", "func": f"{SPECIMEN}:unique_name", "trigger": "interval", "hours": 1}
        given = {"schedule": 30, "task": "task.key"}
        with pytest.raises(DeclarationError, match="'each': it is declared twice. Give each job an id of its own"):
            make(tmp_path, {"each": given}, job)
        with pytest.raises(DeclarationError, match="'a/b': its id .* Choose another id"):
            make(tmp_path, {"a/b": given})
