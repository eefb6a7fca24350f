"""The scheduler's API: Flask-APScheduler's wire format at a prefix of its own."""

from urllib.parse import urlsplit

from flask import request

from application.libs.error import Forbidden
from application.libs.ok import Bare
from application.libs.redprint import Surface
from application.modules.scheduler.endpoints import scheduler


class ForeignOrigin(Forbidden):
    """Another site sent this request; a browser adds stored passwords to it by itself."""


def surface(url_prefix: str) -> Surface:
    """Return the scheduler's API, ready to be registered."""
    bare = Surface("scheduler", __name__, url_prefix=url_prefix, dialect=Bare(), title="Redprint scheduler")
    bare.before_request(_refuse_other_sites)
    bare.register_blueprint(scheduler)
    return bare


def _refuse_other_sites() -> None:
    """Refuse what another site's page sends: unlike a bearer token, a Basic password comes along unasked."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.host
    if foreign or request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise ForeignOrigin
