"""The application with an address that tells how its process looks for garbage, for tests that need a real server."""

import gc

from flask import Flask

from application.factory import create_app as create


def create_app() -> Flask:
    """Build the application."""
    app = create()
    app.add_url_rule("/garbage", view_func=lambda: {"looks": gc.isenabled(), "spared": gc.get_freeze_count()})
    return app
