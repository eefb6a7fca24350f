"""Build the application: the only place that knows everybody."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Flask
from flask.sessions import NullSession, SessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from application import api
from application.api import SOCKET_NAMESPACE
from application.config import logging, sender, task
from application.config.beat_schedule import beat_jobs, check_tasks, queues_of
from application.config.celery_keys import celery_config, celery_keys, environment_keys
from application.config.scheduler_keys import python_keys, scheduler_config
from application.config.setting import ROOT, Settings, settings_or_exit
from application.database import (
    SerializationFailure,
    db,
    engine_options,
    prepare_engine,
    put_off,
    reader_beside,
    stamp_of,
    transaction,
)
from application.extensions import babel, compression, scheduler, socketio, storage, webhooks
from application.libs import background, failure, outgoing, redprint
from application.libs.browser_session import BrowserSessions
from application.libs.cors import CrossOrigin, socket_origins
from application.libs.edge import Edge
from application.libs.executor import handings
from application.libs.identity_cache import Identify, IdentityCache
from application.libs.outbound import Outbound
from application.libs.rate_limit import Limits
from application.libs.socket_door import Door
from application.libs.storage.making import make_storage
from application.libs.web_application import WebApplication
from application.modules.alert import business as alert
from application.modules.auth.business import identify
from application.modules.dashboard.pages import preferred_language, render_error
from application.modules.idempotency import business as idempotency
from application.modules.scheduler import engine
from application.modules.task import engine as task_engine
from application.permissions import Permission


class NoSession(SessionInterface):
    """Keep no cookie session: one opaque token serves API, dashboard and sockets, and this saves 17 µs a request."""

    def open_session(self, *_arguments: object) -> None:
        """Open nothing; Flask then refuses writes to `session` with a message of its own."""

    def make_null_session(self, _app: Flask) -> NullSession:
        """Return the session that is none; it refuses all writes, so one will do for all requests."""
        return _NO_SESSION


_NO_SESSION = NullSession()


def create_app(settings: Settings | None = None, config: Mapping[str, Any] | None = None) -> Flask:
    """Build an application from the settings, or from the environment; start nothing.

    `config` stands in the place of application/config/scheduler.py: the keys of Flask-APScheduler. TASKS and Celery's
    keys in it stand in the place of application/config/task.py.
    """
    settings = settings or settings_or_exit()
    write_line = logging.configure(settings)  # before Socket.IO, which else gives its loggers a console of their own
    app = WebApplication("application", root_path=str(ROOT / "application"), static_folder=None)
    app.extensions["settings"] = settings
    app.config.from_mapping(settings.flask())
    app.config.from_mapping(scheduler_config(settings, python_keys() if config is None else config))
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url, settings.database_pool_size)
    app.session_interface = NoSession()
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        beside, stamp = reader_beside(db.engine), stamp_of(db.engine)
    background.init_app(app, put_off=put_off)
    compression.init_app(app)  # first, so that its hook is the last
    babel.init_app(app, locale_selector=preferred_language)
    storage.init_app(app, make_storage(settings.storage_place))
    browsers = app.extensions["browser_sessions"] = BrowserSessions(settings.secret_key.get_secret_value())
    redprint.init_app(
        app,
        transaction=transaction,
        identify=_remembered(identify, settings),
        retry_on=SerializationFailure,
        answers=idempotency,
        beside=beside,
        browsers=browsers,
        limits=Limits(redis_url=settings.redis_url) if settings.rate_limits_enabled else None,
        stamp=stamp,
        permissions=frozenset(Permission),
        defers_schemas=settings.production,
    )
    socketio.init_app(
        app,
        async_mode=settings.async_mode.value,
        message_queue=settings.redis_url,
        cors_allowed_origins=socket_origins(settings.cors_origins),
        cors_credentials=False,
        max_http_buffer_size=64_000,
        transports=["websocket"] if settings.workers > 1 else None,  # each request of a poll may meet another worker
        ping_interval=10,
        ping_timeout=5,
        manage_session=False,
        namespaces=[SOCKET_NAMESPACE],  # unnamed, `/` would let anybody in
    )
    webhooks.init_app(
        app,
        Outbound(settings.webhook_hosts, settings.webhook_private_hosts),
        settings.webhook_secret.get_secret_value() if settings.webhook_secret else "",
    )
    scheduler.on_alert(alert.tell_people)
    scheduler.on_alert(alert.tell_server)
    outgoing.init_app(app, sender.outgoing(settings))
    task_keys = {**vars(task), **(config or {})}
    of_celery = celery_keys({} if settings.testing else environment_keys(), task_keys)
    scheduled = beat_jobs(of_celery)
    app.extensions["beat_tasks"] = frozenset(job["kwargs"]["name"] for job in scheduled)
    if settings.scheduler_enabled:
        # the last part of the time is for giving the lease back, before the runner is killed
        engine.init_app(
            app,
            [*app.config["SCHEDULER_JOBS"], *scheduled],
            drain_seconds=0.7 * settings.graceful_timeout_seconds,
            hold_below_mb=settings.scheduler_hold_below_mb,
            build=partial(create_app, settings, config),
        )
    task_engine.init_app(
        app,
        task_keys["TASKS"],
        broker_url=settings.broker_url,
        prefix=settings.task_queue_prefix,
        concurrency=settings.task_concurrency,
        celery_settings=celery_config(settings.broker_url, of_celery),
        queues={one.queue for one in handings(app.config.get("SCHEDULER_EXECUTORS") or {}).values() if one.queue}
        | queues_of(scheduled),
        build=partial(create_app, settings, config),
    )
    check_tasks(scheduled)  # now that they are declared
    api.init_app(app)
    failure.init_app(app, page=render_error)
    app.wsgi_app = _surrounded(app, settings, write_line)  # type: ignore[method-assign]  # where Flask wants middleware put
    return app


def _surrounded(app: Flask, settings: Settings, write_line: Callable[[bytes], None]) -> Any:
    """Put the edge around Flask and the Socket.IO middleware beside it; only proxies we were told of stand outside."""
    door = Door(app.wsgi_app, socketio.server, namespace=SOCKET_NAMESPACE, limit=settings.socket_limit)
    app.extensions["door"] = door
    prefix = app.config.get("SCHEDULER_API_PREFIX", settings.scheduler_api_prefix)
    edge = Edge(
        partial(Flask.wsgi_app, app),
        sockets=door,
        write_line=write_line,
        log_format=settings.log_format.value,
        no_store=("/api", prefix),
        trusted_hosts=settings.trusted_hosts,
        error_message_prefix=prefix,
        cross_origin=CrossOrigin(settings.cors_origins) if settings.cors_origins else None,
        propagate=settings.debug or settings.testing,
    )
    app.extensions["edge"] = edge
    if not settings.proxy_hops:
        return edge
    hops = settings.proxy_hops
    return ProxyFix(edge, x_for=hops, x_proto=hops)  # not X-Forwarded-Host: many proxies pass on a forged one


def _remembered(identify: Identify, settings: Settings) -> Identify:
    """Return what identifies callers, with several machines through what they remember together."""
    if settings.redis_url is None:
        return identify
    return IdentityCache(identify, redis_url=settings.redis_url, secret_key=settings.secret_key.get_secret_value())
