"""Reach the settings of the application that is serving."""

from flask import current_app

from application.config.setting import Settings


def current_settings() -> Settings:
    """Return the settings `create_app()` was given."""
    settings: Settings = current_app.extensions["settings"]
    return settings
