"""Mount everything that has a URL; this is the table of contents."""

from flask import Flask

from application.api import scheduler, v1
from application.config.setting import Settings
from application.extensions import socketio
from application.libs import openapi
from application.modules.dashboard.pages import dashboard
from application.modules.monitor.sockets import MonitorNamespace

SOCKET_NAMESPACE = "/ws"


def init_app(app: Flask) -> None:
    """Register the versions of the API, the scheduler's, the pages and the sockets."""
    for surface in (v1.surface(),):
        app.register_blueprint(surface)
        openapi.serve(app, surface, version=v1.VERSION)
    settings: Settings = app.extensions["settings"]
    if settings.scheduler_enabled:
        app.register_blueprint(scheduler.surface(settings.scheduler_api_prefix))
    app.register_blueprint(dashboard)
    socketio.on_namespace(MonitorNamespace(SOCKET_NAMESPACE))
