"""Mount everything that has a URL; this is the table of contents."""

from collections.abc import Callable
from functools import partial

from flask import Flask

from application.api import scheduler, v1, v2
from application.api.description import DESCRIPTION, SOCKETS
from application.config.language import TRANSLATORS
from application.config.setting import Settings
from application.extensions import socketio
from application.libs import asyncapi, multilingual, openapi
from application.libs.multilingual import Translate, untranslated
from application.libs.ok import Json
from application.libs.redprint import machinery
from application.modules.auth.pages import pages as sign_in
from application.modules.dashboard.pages import dashboard
from application.modules.documentation.pages import documentation
from application.modules.factor.pages import pages as second_factor
from application.modules.monitor.sockets import MonitorNamespace

SOCKET_NAMESPACE = "/ws"

VERSIONS = {"v1": v1.VERSION, "v2": v2.VERSION}
"""The numbers of the API's versions by the names of their surfaces."""


def init_app(app: Flask) -> None:
    """Register the versions of the API, the scheduler's, the pages and the sockets."""
    settings: Settings = app.extensions["settings"]
    first, second = v1.surface(), v2.surface()
    if settings.v1_deprecated_at or settings.v1_sunset_at:
        first.deprecate(since=settings.v1_deprecated_at, sunset=settings.v1_sunset_at, successor=second)
    has_jobs = settings.scheduler_enabled and app.config["SCHEDULER_API_ENABLED"]
    beside = [scheduler.surface(app)] if has_jobs else []
    for surface in (first, second, *beside):
        app.register_blueprint(surface)
    for surface in beside:
        scheduler.name_endpoints(app, surface)
    for surface in (first, second):
        version = VERSIONS[surface.name]
        openapi.serve(app, surface, *beside, version=version, description=DESCRIPTION, translators=TRANSLATORS)
    app.register_blueprint(dashboard)
    app.register_blueprint(sign_in)
    app.register_blueprint(second_factor)
    app.register_blueprint(documentation)
    socketio.on_namespace(MonitorNamespace(SOCKET_NAMESPACE, app))
    multilingual.serve(app, "/api/asyncapi.json", "asyncapi", sockets_document, TRANSLATORS)


def documents(app: Flask) -> list[Callable[[Translate], Json]]:
    """Return what writes each document of the API in a language."""
    return [*(partial(document, app, name) for name in VERSIONS), sockets_document]


def document(app: Flask, name: str, translate: Translate = untranslated) -> Json:
    """Return the API document of a version; it covers what stands beside the versions, too."""
    beside = [surface.name for surface in machinery(app).surfaces if surface.name not in VERSIONS]
    return openapi.document(app, name, *beside, version=VERSIONS[name], description=DESCRIPTION, translate=translate)


def sockets_document(translate: Translate = untranslated) -> Json:
    """Return the document of the sockets."""
    return asyncapi.document(
        MonitorNamespace,
        address=SOCKET_NAMESPACE,
        title="Redprint sockets",
        version="1.0.0",
        description=SOCKETS,
        translate=translate,
    )
