"""The scheduler's API: Flask-APScheduler's wire format at a prefix of its own."""

from typing import Any

from flask import Flask, request

from application.api.scheduler_caller import caller_of
from application.libs.error import Forbidden
from application.libs.ok import Bare
from application.libs.origin import from_another_site
from application.libs.redprint import Surface
from application.modules.scheduler.endpoints import scheduler
from application.modules.scheduler.endpoints_operation import operation
from application.modules.scheduler.endpoints_run import run
from application.modules.throttle.business import Throttled


class ForeignOrigin(Forbidden):
    """Another site sent this request; a browser adds stored passwords to it by itself."""


def surface(app: Flask) -> Surface:
    """Return the scheduler's API, ready to be registered."""
    dialect = Bare()
    dialect.caller = caller_of(app)
    if dialect.caller is None:  # then users show name and password
        dialect.refusals = (Throttled,)
    url_prefix = app.config["SCHEDULER_API_PREFIX"]
    bare = Surface("scheduler", __name__, url_prefix=url_prefix, dialect=dialect, title="Redprint scheduler")
    bare.refusals = (ForeignOrigin,)
    bare.before_request(_refuse_other_sites)
    bare.register_blueprint(scheduler)
    bare.register_blueprint(run)
    bare.register_blueprint(operation)
    return bare


def name_endpoints(app: Flask, mounted: Surface) -> None:
    """Let `url_for` find the endpoints by Flask-APScheduler's names, as `scheduler.get_jobs`, or by a prefix chosen."""
    prefix = app.config["SCHEDULER_ENDPOINT_PREFIX"]

    def build(error: Exception, endpoint: str, values: dict[str, Any]) -> str:
        name = f"{mounted.name}.{scheduler.name}.{endpoint.removeprefix(prefix)}"
        if not endpoint.startswith(prefix) or name not in app.view_functions:
            raise error
        return app.url_for(name, **values)

    app.url_build_error_handlers.append(build)


def _refuse_other_sites() -> None:
    """Refuse what another site's page sends: unlike a bearer token, a Basic password comes along unasked."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if from_another_site(request.environ):
        raise ForeignOrigin
