"""Celery's own settings."""

from typing import Any

import pytest

from application.config.celery_keys import celery_config, celery_keys, environment_keys
from application.config.setting import SettingsRefused


class TestCeleryKeys:
    def test_takes_variables_before_what_python_says(self) -> None:
        given: dict[str, Any] = {"CELERY_WORKER_MAX_TASKS_PER_CHILD": 5, "CELERY_TIMEZONE": "UTC", "TASKS": ()}
        variables = {"CELERY_TIMEZONE": "Europe/Berlin", "CELERY_WORKER_PREFETCH_MULTIPLIER": "4"}
        assert celery_keys(variables, given) == {
            "worker_max_tasks_per_child": 5,
            "timezone": "Europe/Berlin",
            "worker_prefetch_multiplier": 4,
        }


class TestCeleryConfig:
    def test_leaves_out_what_is_no_setting_of_celery(self) -> None:
        keys = {"log_level": 20, "broker_url": "redis://h", "timezone": "UTC"}
        assert celery_config("redis://h", keys) == {"timezone": "UTC"}

    def test_gives_celery_no_schedule_of_its_own(self) -> None:
        assert celery_config("redis://h", {"beat_schedule": {"each": {"task": "report.send", "schedule": 60}}}) == {}

    @pytest.mark.parametrize(
        ("name", "cure"),
        [
            ("CELERY_BROKER_URL", "set BROKER_URL"),
            ("CELERY_RESULT_BACKEND", "results are in the database"),
            ("CELERY_ACCEPT_CONTENT", "JSON alone"),
            ("CELERY_TASK_ALWAYS_EAGER", "leave it out"),
        ],
    )
    def test_refuses_what_would_take_the_ground_from_under_tasks(self, name: str, cure: str) -> None:
        with pytest.raises(SettingsRefused, match=f"{name} cannot be set: .*{cure}"):
            celery_config("redis://h", celery_keys({name: "x"}, {}))


class TestEnvironmentKeys:
    def test_are_those_of_celery(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CELERY_TIMEZONE", "UTC")
        monkeypatch.setenv("CELERY_TASK_TRACK_STARTED", "")
        monkeypatch.setenv("OTHER", "x")
        assert environment_keys() == {"CELERY_TIMEZONE": "UTC"}
