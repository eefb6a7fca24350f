"""Bring the scheduler's configuration together, under the keys that Flask-APScheduler reads.

A variable that is set wins over what Python says (`scheduler.py` beside this file), which wins over the defaults.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from application.config import scheduler
from application.config.setting import RunnerMode, Settings, SettingsRefused
from application.libs.executor import fault_of
from application.libs.jobstore import JobStorePlace, read_json, read_places

JOB_DEFAULTS = {"misfire_grace_time": 60, "coalesce": True, "max_instances": 1}

VARIABLES = (
    "scheduler_api_enabled",
    "scheduler_views_enabled",
    "scheduler_api_prefix",
    "scheduler_endpoint_prefix",
    "scheduler_allowed_hosts",
    "scheduler_timezone",
)
"""What a variable can say as well as Python."""


def python_keys() -> dict[str, Any]:
    """Return the keys that stand in `scheduler.py`."""
    return {name: value for name, value in vars(scheduler).items() if name.startswith("SCHEDULER_") or name == "JOBS"}


def scheduler_config(settings: Settings, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `app.config` takes; what nobody has set is left out where the extension has an attribute for it.

    `given` are the keys in Python, whose values may be objects.
    """
    config = {name: value for name, value in given.items() if name.startswith("SCHEDULER_") or name == "JOBS"}
    config |= {name.upper(): getattr(settings, name) for name in VARIABLES if name in settings.model_fields_set}
    views = config.pop("SCHEDULER_VIEWS_ENABLED", None)
    if views is not None:
        config.setdefault("SCHEDULER_API_ENABLED", views)
    if "SCHEDULER_ALLOWED_HOSTS" in config:
        config["SCHEDULER_ALLOWED_HOSTS"] = list(config["SCHEDULER_ALLOWED_HOSTS"])
    for alias, executor in dict(config.get("SCHEDULER_EXECUTORS") or {}).items():
        fault = fault_of(executor)
        if fault is not None:
            raise SettingsRefused(f"SCHEDULER_EXECUTORS {alias!r}: {fault}")
    jobstores = _jobstores(settings, config)
    return config | {
        **({} if jobstores is None else {"SCHEDULER_JOBSTORES": jobstores}),
        "SCHEDULER_JOBS": list(config.get("SCHEDULER_JOBS") or config.get("JOBS") or ()),
        "SCHEDULER_JOB_DEFAULTS": JOB_DEFAULTS | dict(config.get("SCHEDULER_JOB_DEFAULTS") or {}),
        "SCHEDULER_TIMEZONE": _zone(config.get("SCHEDULER_TIMEZONE") or settings.scheduler_timezone),
    }


def _jobstores(settings: Settings, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the stores as they are given, each of which can be made; a Redis that is not named is REDIS_URL's."""
    given = config.get("SCHEDULER_JOBSTORES")
    try:
        if settings.scheduler_jobstores is not None:
            given = read_json(settings.scheduler_jobstores.get_secret_value())
        places = read_places(given)
    except ValueError as error:
        raise SettingsRefused(f"SCHEDULER_JOBSTORES: {error}") from None
    alone = settings.testing or settings.runner is RunnerMode.INLINE  # which allows one worker alone
    for alias, place in places.items():
        if place.kind == "memory" and not alone:
            raise SettingsRefused(
                f"SCHEDULER_JOBSTORES: {alias!r}: only one process sees what is in memory; set RUNNER=inline and "
                "WORKERS=1, or choose another type"
            )
    if given is None:
        return None
    return {alias: _named(one, places[alias], settings.redis_url) for alias, one in given.items()}


def _named(given: Any, place: JobStorePlace, redis_url: str | None) -> Any:
    if place.kind != "redis" or place.instance is not None or {"url", "host"} & place.options.keys():
        return given
    return {**place.options, "type": "redis", **({} if redis_url is None else {"url": redis_url})}


def _zone(given: object) -> str:
    """Return the name of a zone, which may be given as an object."""
    try:
        return ZoneInfo(str(given)).key
    except (KeyError, OSError, ValueError):
        raise SettingsRefused(f"SCHEDULER_TIMEZONE {given!r} has no name; give one as Europe/Berlin, or UTC") from None
