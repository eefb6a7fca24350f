"""Read the forms of the pages that stand without a build, and only those that a page of this site sent."""

from collections.abc import Callable
from http import HTTPStatus

from flask import Response, current_app
from flask_babel import gettext as _

from application.libs.browser_session import BrowserSessions, ForeignPage
from application.libs.current import current_request
from application.libs.error import TooManyRequests, UnsupportedMediaType
from application.libs.origin import from_this_site

FORM = "application/x-www-form-urlencoded"


def check_form() -> None:
    """Refuse what is no form, or comes from another site."""
    request = current_request()
    if request.mimetype != FORM:
        raise UnsupportedMediaType(f"Send the form as {FORM}")
    if not from_this_site(request.environ):
        raise ForeignPage


def wanted_address() -> str:
    """Return the address the visitor wanted, where it is one of this site's; else the dashboard's.

    Browsers read a backslash as a slash, and leave out line breaks and tabs.
    """
    wanted = current_request().values.get("next", "")
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_ours else "/"


def held_back(refusal: TooManyRequests, draw: Callable[[str, int], Response]) -> Response:
    """Draw a form once more, with a problem and a status, for who tried too often: it says how long to wait."""
    seconds = refusal.headers["Retry-After"]
    response = draw(
        _("Too many tries. Wait %(seconds)s s, then try again.", seconds=seconds), HTTPStatus.TOO_MANY_REQUESTS
    )
    response.headers["Retry-After"] = seconds
    return response


def browsers() -> BrowserSessions:
    """Return what knows a browser by its cookie."""
    found: BrowserSessions = current_app.extensions["browser_sessions"]
    return found
