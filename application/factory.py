"""Build the application: the only place that knows everybody."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask
from flask.sessions import SessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from application import api
from application.api import SOCKET_NAMESPACE
from application.config import logging
from application.config.scheduler import SCHEDULER_JOBS
from application.config.setting import ROOT, Settings, settings_or_exit
from application.database import SerializationFailure, db, engine_options, prepare_engine, transaction
from application.extensions import babel, socketio
from application.libs import failure, redprint
from application.libs.door import Door
from application.libs.edge import Edge
from application.libs.web_application import WebApplication
from application.modules.auth.business import identify
from application.modules.dashboard.pages import preferred_language, render_error
from application.modules.scheduler import engine


class NoSession(SessionInterface):
    """Keep no cookie session: one opaque token serves API, dashboard and sockets, and this saves 17 µs a request."""

    def open_session(self, *_arguments: object) -> None:
        """Open nothing; Flask then refuses writes to `session` with a message of its own."""


def create_app(settings: Settings | None = None) -> Flask:
    """Build an application from the settings, or from the environment; start nothing."""
    settings = settings or settings_or_exit()
    write_line = logging.configure(settings)  # before Socket.IO, which else gives its loggers a console of their own
    app = WebApplication("application", root_path=str(ROOT / "application"), static_folder=None)
    app.extensions["settings"] = settings
    app.config.from_mapping(settings.flask())
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url, settings.database_pool_size)
    app.session_interface = NoSession()
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    babel.init_app(app, locale_selector=preferred_language)
    redprint.init_app(app, transaction=transaction, identify=identify, retry_on=SerializationFailure)
    socketio.init_app(
        app,
        async_mode=settings.async_mode.value,
        message_queue=settings.redis_url,
        max_http_buffer_size=64_000,
        ping_interval=10,
        ping_timeout=5,
        manage_session=False,
        namespaces=[SOCKET_NAMESPACE],  # unnamed, `/` would let anybody in
    )
    if settings.scheduler_enabled:
        # the last part of the time is for giving the lease back, before the runner is killed
        engine.init_app(app, SCHEDULER_JOBS, drain_seconds=0.7 * settings.graceful_timeout_seconds)
    api.init_app(app)
    failure.init_app(app, page=render_error)
    app.wsgi_app = _surrounded(app, settings, write_line)  # type: ignore[method-assign]  # where Flask wants middleware put
    return app


def _surrounded(app: Flask, settings: Settings, write_line: Callable[[bytes], None]) -> Any:
    """Put the edge around Flask and the Socket.IO middleware beside it; only proxies we were told of stand outside."""
    door = Door(app.wsgi_app, socketio.server, namespace=SOCKET_NAMESPACE, limit=settings.socket_limit)
    app.extensions["door"] = door
    edge = Edge(
        partial(Flask.wsgi_app, app),
        sockets=door,
        write_line=write_line,
        log_format=settings.log_format.value,
        no_store=("/api", settings.scheduler_api_prefix),
        trusted_hosts=settings.trusted_hosts,
        error_message_prefix=settings.scheduler_api_prefix,
        propagate=settings.debug or settings.testing,
    )
    app.extensions["edge"] = edge
    if not settings.proxy_hops:
        return edge
    hops = settings.proxy_hops
    return ProxyFix(edge, x_for=hops, x_proto=hops)  # not X-Forwarded-Host: many proxies pass on a forged one
