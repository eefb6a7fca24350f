"""Reach the settings of the application that is serving, and what follows from them."""

from flask import current_app

from application.config.setting import Settings


def current_settings() -> Settings:
    """Return the settings `create_app()` was given."""
    settings: Settings = current_app.extensions["settings"]
    return settings


def current_beat_tasks() -> frozenset[str]:
    """Return the names of the tasks that CELERY_BEAT_SCHEDULE enqueues."""
    names: frozenset[str] = current_app.extensions["beat_tasks"]
    return names
