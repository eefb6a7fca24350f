"""Hand the settings over to gunicorn's master, which loads nothing of the application (gunicorn.conf.py)."""

from application.config.setting import Settings

FIELDS = frozenset(
    {"async_mode", "graceful_timeout_seconds", "host", "port", "threads", "worker_connections", "workers"}
)

VARIABLE = "REDPRINT_SERVER"
"""Spares gunicorn the reading when `manager.py run` has just done it: the pid for which it holds, then the JSON."""


def server_settings(settings: Settings) -> str:
    """Write what gunicorn.conf.py needs as JSON; there is no secret in it."""
    return settings.model_dump_json(include=set(FIELDS))
