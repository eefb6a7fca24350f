"""Reaching the settings of the application that serves."""

import pytest
from flask import Flask

from application.config.current import current_settings


class TestCurrentSettings:
    def test_gives_what_the_application_was_built_with(self, app: Flask) -> None:
        with app.app_context():
            assert current_settings() is app.extensions["settings"]

    def test_needs_an_application(self) -> None:
        with pytest.raises(RuntimeError, match="application context"):
            current_settings()
