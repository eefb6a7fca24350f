"""Say who calls the scheduler's API where its configuration does: an object of Flask-APScheduler's, or nobody asks."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Flask
from flask_apscheduler.auth import HTTPBasicAuth

from application.config.choice import Opening
from application.config.setting import Settings
from application.extensions import scheduler
from application.libs.auth import Identity
from application.libs.error import Unauthenticated
from application.permissions import Permission

_LOG = logging.getLogger(__name__)

_MAY = frozenset({Permission.SCHEDULER_MANAGE})
_MOST_NAME = 50  # characters; the columns that say who did something hold no more


def caller_of(app: Flask) -> Callable[[], Identity] | None:
    """Return what tells who calls, or None where the users of the API of the application may, by their permissions."""
    auth = app.config.get("SCHEDULER_AUTH")
    settings: Settings = app.extensions["settings"]
    if auth is not None:
        return partial(_authenticated, auth)
    if settings.scheduler_api_open is not Opening.NO:
        _LOG.warning("SCHEDULER_API_OPEN: whoever reaches this server may add, change and run jobs, without a password")
        return lambda: _identity("anonymous")
    return None


def _authenticated(auth: Any) -> Identity:
    """Ask the function that `@scheduler.authenticate` decorates; refuse as Flask-APScheduler does."""
    given, accepts = auth.get_authorization(), scheduler.authentication
    if given is not None and type(auth) is HTTPBasicAuth:
        given.update({name: _as_typed(value) for name, value in given.items()})
    if given is None or accepts is None or not accepts(given):
        challenge = auth.get_authenticate_header()
        raise Unauthenticated(headers={"WWW-Authenticate": challenge} if challenge else {})
    return _identity(given.get("username") if isinstance(given, Mapping) else None)


def _as_typed(value: str) -> str:
    """Return a text that was read as latin-1 as the UTF-8 it may be (RFC 7617 §2.1)."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _identity(name: object) -> Identity:
    shown = str(name)[:_MOST_NAME] if name else "scheduler"
    return Identity(user_id=f"scheduler:{shown}", name=shown, roles=(), permissions=_MAY)
