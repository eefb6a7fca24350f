"""The scheduler's configuration: what wins over what."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from flask import Flask

from application.config.choice import Environment
from application.config.scheduler_keys import python_keys, scheduler_config
from application.config.setting import Settings, SettingsRefused, load_settings
from application.database import db, transaction
from application.extensions import scheduler
from application.factory import create_app
from application.libs import clock
from application.libs.scheduling import Scheduler, TickScheduler
from application.modules.scheduler.engine import Engine
from tests.modules.scheduler import jobs as functions
from tests.modules.scheduler.conftest import JOBS, Ledger, job


@pytest.fixture
def ledger(app: Flask) -> Ledger:
    """Return a look into the ledger."""
    return Ledger(app)


def settings(**given: Any) -> Settings:
    return load_settings(environment=Environment.TESTING, _env_file=None, **given)


class TestPythonKeys:
    def test_hold_the_jobs_that_ship(self) -> None:
        assert {job["id"] for job in python_keys()["SCHEDULER_JOBS"]} >= {"prune-expired-sessions"}


class TestSchedulerConfig:
    def test_has_defaults(self) -> None:
        assert scheduler_config(settings(), {}) == {
            "SCHEDULER_JOBS": [],
            "SCHEDULER_JOB_DEFAULTS": {"misfire_grace_time": 60, "coalesce": True, "max_instances": 1},
            "SCHEDULER_TIMEZONE": "UTC",
        }

    def test_takes_python_and_lets_a_variable_win(self) -> None:
        given = {
            "SCHEDULER_TIMEZONE": ZoneInfo("Asia/Shanghai"),
            "SCHEDULER_API_PREFIX": "/jobs",
            "SCHEDULER_JOB_DEFAULTS": {"coalesce": False, "max_instances": 3},
            "SECRET_KEY": "none of its business",
        }
        found = scheduler_config(settings(), given)
        assert (found["SCHEDULER_TIMEZONE"], found["SCHEDULER_API_PREFIX"]) == ("Asia/Shanghai", "/jobs")
        assert found["SCHEDULER_JOB_DEFAULTS"] == {"misfire_grace_time": 60, "coalesce": False, "max_instances": 3}
        assert "SECRET_KEY" not in found
        found = scheduler_config(settings(scheduler_timezone="Europe/Berlin", scheduler_api_prefix="/ours"), given)
        assert (found["SCHEDULER_TIMEZONE"], found["SCHEDULER_API_PREFIX"]) == ("Europe/Berlin", "/ours")

    def test_reads_the_old_name_of_the_switch(self) -> None:
        assert scheduler_config(settings(), {"SCHEDULER_VIEWS_ENABLED": False})["SCHEDULER_API_ENABLED"] is False
        assert scheduler_config(settings(scheduler_views_enabled=False), {})["SCHEDULER_API_ENABLED"] is False
        both = {"SCHEDULER_VIEWS_ENABLED": False, "SCHEDULER_API_ENABLED": True}
        assert scheduler_config(settings(), both)["SCHEDULER_API_ENABLED"] is True

    def test_takes_jobs_else(self) -> None:
        assert scheduler_config(settings(), {"JOBS": ({"id": "a"},)})["SCHEDULER_JOBS"] == [{"id": "a"}]
        both = {"JOBS": [{"id": "a"}], "SCHEDULER_JOBS": [{"id": "b"}]}
        assert scheduler_config(settings(), both)["SCHEDULER_JOBS"] == [{"id": "b"}]

    def test_lets_the_variable_say_where_jobs_are_kept(self) -> None:
        said = settings(scheduler_jobstores='{"default": {"type": "redis"}}', redis_url="redis://h/1")
        found = scheduler_config(said, {"SCHEDULER_JOBSTORES": {"default": {"type": "memory"}}})
        assert found["SCHEDULER_JOBSTORES"] == {"default": {"type": "redis", "url": "redis://h/1"}}

    @pytest.mark.parametrize("given", ["redis", '{"default": {"type": "moon"}}'])
    def test_refuses_a_store_that_cannot_be(self, given: str) -> None:
        with pytest.raises(SettingsRefused, match="SCHEDULER_JOBSTORES: "):
            scheduler_config(settings(scheduler_jobstores=given), {})

    def test_refuses_what_other_processes_would_not_see(self) -> None:
        told: dict[str, Any] = {
            "environment": Environment.DEVELOPMENT,
            "runner": "inline",
            "async_mode": "threading",
            "_env_file": None,
        }
        given = {"SCHEDULER_JOBSTORES": {"quick": {"type": "memory"}}}
        assert scheduler_config(load_settings(**told), given)["SCHEDULER_JOBSTORES"] == given["SCHEDULER_JOBSTORES"]
        with pytest.raises(SettingsRefused, match="set RUNNER=inline and WORKERS=1"):
            scheduler_config(load_settings(**told | {"runner": "auto"}), given)

    def test_refuses_a_zone_without_a_name(self) -> None:
        with pytest.raises(SettingsRefused, match="SCHEDULER_TIMEZONE"):
            scheduler_config(settings(), {"SCHEDULER_TIMEZONE": "Mars/Olympus"})

    def test_refuses_executors_that_cannot_be(self) -> None:
        for given in ({"type": "celery", "priority": 10}, {"type": "magic"}, 5):
            with pytest.raises(SettingsRefused, match="SCHEDULER_EXECUTORS 'default'"):
                scheduler_config(settings(), {"SCHEDULER_EXECUTORS": {"default": given}})


class TestCreateApp:
    def test_starts_the_executors_that_are_named(self, app: Flask, ledger: Ledger) -> None:
        config = {
            "SCHEDULER_EXECUTORS": {"few": {"type": "threadpool", "max_workers": 1}},
            "JOBS": [job("declared", executor="few", trigger="date")],
        }
        other = create_app(settings(database_url=app.config["SQLALCHEMY_DATABASE_URI"]), config)
        with other.app_context():
            scheduler.start()
            try:
                made = scheduler.add_job("given", functions.do_nothing, executor="few")
                ledger.wait(lambda: ledger.statuses() == ["succeeded", "succeeded"])
            finally:
                scheduler.shutdown()
                db.engine.dispose()
        assert made.executor == "few"

    @pytest.mark.parametrize("key", ["SCHEDULER_JOBS", "JOBS"])
    def test_declares_jobs_with_dates_tuples_and_trigger_objects(self, app: Flask, key: str) -> None:
        soon = clock.now() + timedelta(days=1)
        jobs = [
            job("dated", trigger="date", run_date=soon),
            job("daily", "report", trigger=CronTrigger(hour=3), args=(date(2030, 1, 2),), replace_existing=True),
            {
                "id": "callable",
                "func": functions.do_nothing,
                "trigger": {"type": "interval", "hours": 2},
                "next_run_time": None,
            },
        ]
        other = create_app(settings(database_url=app.config["SQLALCHEMY_DATABASE_URI"]), {key: jobs})
        with other.app_context():
            db.engine.dispose()
        engine: Engine = other.extensions["scheduler"]
        paused, dated = (engine.declared[name] for name in ("callable", "dated"))
        assert (paused.paused, dated.paused, dated.first) == (True, False, None)
        assert {entry.reference for entry in engine.setup.functions} == {f"{JOBS}:do_nothing", f"{JOBS}:report"}

    def test_lets_a_host_lead_only_where_it_is_listed(self) -> None:
        extension = Scheduler(scheduler=TickScheduler(timezone="UTC"))
        for hosts, allowed in ((["another"], False), ([extension.host_name], True), (["*"], True)):
            extension.init_app(Flask("x", static_folder=None), None)
            extension.allowed_hosts = hosts
            assert extension.is_allowed is allowed

    def test_keeps_attributes_that_were_set_before(self) -> None:
        extension = Scheduler(scheduler=TickScheduler(timezone="UTC"))
        extension.api_prefix, extension.allowed_hosts, extension.api_enabled = "/mine", ["a"], False
        first, second = Flask("first"), Flask("second")
        first.config["SCHEDULER_API_PREFIX"] = "/configured"
        extension.init_app(first)
        assert (extension.api_prefix, extension.allowed_hosts) == ("/configured", ["a"])
        assert vars(first)["apscheduler"] is extension
        extension.init_app(second)
        assert (second.config["SCHEDULER_API_PREFIX"], second.config["SCHEDULER_API_ENABLED"]) == ("/mine", False)
        assert extension.app is second

    def test_starts_with_the_attributes_of_the_extension(self, app: Flask) -> None:
        with app.app_context(), transaction(write=False):
            assert scheduler.setup.timezone == "UTC"
        assert app.config["SCHEDULER_ENDPOINT_PREFIX"] == "scheduler."
        assert app.config["SCHEDULER_ALLOWED_HOSTS"] == ["*"]
