"""Bring Celery's configuration together: what Python says, and variables that begin with CELERY."""

import json
import os
from collections.abc import Mapping
from typing import Any

from celery.app.defaults import SETTING_KEYS
from dotenv import dotenv_values

from application.config.setting import ROOT, SettingsRefused

_PREFIX = "CELERY_"

_OURS = {
    "broker_url": "set BROKER_URL",
    "broker_read_url": "set BROKER_URL",
    "broker_write_url": "set BROKER_URL",
    "result_backend": "leave it out: results are in the database, with their tasks",
    "accept_content": "leave it out: JSON alone is read",
    "task_serializer": "leave it out: JSON alone is read",
    "task_default_queue": "set TASK_QUEUE_PREFIX",
    "task_always_eager": "leave it out: a task that a rollback takes back would have been done",
}
"""What would take the ground from under tasks, and what to do instead."""


def environment_keys() -> dict[str, str]:
    """Return the variables that are meant for Celery, of `.env` and of the environment, which wins."""
    known = {**dotenv_values(ROOT / ".env"), **os.environ}
    return {name: value for name, value in known.items() if name.startswith(_PREFIX) and value}


def celery_keys(variables: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said to Celery, by its names in lower case; a variable is read as JSON, or else as text.

    `given` is what Python says.
    """
    keys = {**given, **{name: _value(text) for name, text in variables.items()}}
    return {name.removeprefix(_PREFIX).lower(): value for name, value in keys.items() if name.startswith(_PREFIX)}


def celery_config(broker_url: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return Celery's settings among its keys, without the schedule of its beat, which the scheduler has.

    Raises `SettingsRefused` for what tasks cannot live with.
    """
    settings = {name: value for name, value in keys.items() if name != "beat_schedule"}
    if settings.get("broker_url") == broker_url:  # so Celery's own command tells its processes
        del settings["broker_url"]
    for name, cure in _OURS.items():
        if name in settings:
            raise SettingsRefused(f"{_PREFIX}{name.upper()} cannot be set: {cure}")
    return {name: value for name, value in settings.items() if name in SETTING_KEYS}  # its command sets others


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
