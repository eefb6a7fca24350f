"""Sign in and out by a browser: a page that stands without a build, and what the dashboard asks when it opens."""

from http import HTTPStatus

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from flask_babel import gettext as _

from application.database import transaction
from application.libs.auth import Credentials, Identity
from application.libs.browser_session import CSRF_HEADER, BrowserSessions, ForeignPage
from application.libs.error import UnsupportedMediaType
from application.libs.origin import from_this_site
from application.libs.remote import current_client
from application.modules.auth import business
from application.modules.session import business as sessions
from application.modules.throttle import business as throttle

FORM = "application/x-www-form-urlencoded"

_MOST = {"name": 50, "password": 128}  # characters; nobody's is longer

pages = Blueprint("sign_in", __name__, template_folder="templates")


@pages.get("/sign-in")
def form() -> Response:
    """Show the form, which leads back to where the visitor wanted to go."""
    return _form()


@pages.post("/sign-in")
def enter() -> Response:
    """Let a browser in, in the place of whom it let in before."""
    _check_form()
    try:
        cookie = _let_in(request.form.get("name", ""), request.form.get("password", ""))
    except business.WrongPassword:
        return _form(_("The name or the password is wrong."), HTTPStatus.UNAUTHORIZED)
    except throttle.Throttled as refusal:
        return _held_back(refusal)
    response = make_response(redirect(_wanted(), HTTPStatus.SEE_OTHER))
    _browsers().give(response, request.environ, cookie.token, seconds=cookie.seconds)
    return response


@pages.post("/sign-out")
def leave() -> Response:
    """End the session of a browser."""
    if not from_this_site(request.environ):
        raise ForeignPage
    token = _browsers().read(request.environ)
    if token is not None:
        if not _browsers().belongs(request.headers.get(CSRF_HEADER, request.form.get("csrf")), token):
            raise ForeignPage
        with transaction():
            _end(token)
    response = make_response(redirect("/sign-in", HTTPStatus.SEE_OTHER))
    _browsers().take(response, request.environ)
    return response


@pages.get("/dashboard/session.json")
def state() -> dict[str, object]:
    """Tell the dashboard who is signed in, and the token that it sends along with whatever it asks."""
    token = _browsers().read(request.environ) if from_this_site(request.environ) else None
    with transaction(write=False):
        identity = _find(token)
    if token is None or identity is None:
        return {"name": None, "csrf": None, "permissions": []}
    return {"name": identity.name, "csrf": _browsers().csrf(token), "permissions": sorted(identity.permissions)}


@pages.after_request
def protect(response: Response) -> Response:
    """Keep what these pages say out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


def _form(problem: str = "", status: int = HTTPStatus.OK) -> Response:
    page = render_template(
        "auth/sign_in.html",
        problem=problem,
        name=request.form.get("name", ""),
        wanted=_wanted(),
    )
    return make_response(page, status)


def _held_back(refusal: throttle.Throttled) -> Response:
    """Show the form to who tried too often, and how long to wait."""
    seconds = refusal.headers["Retry-After"]
    response = _form(
        _("Too many tries. Wait %(seconds)s s, then try again.", seconds=seconds),
        HTTPStatus.TOO_MANY_REQUESTS,
    )
    response.headers["Retry-After"] = seconds
    return response


def _check_form() -> None:
    if request.mimetype != FORM:
        raise UnsupportedMediaType(f"Send the form as {FORM}")
    if not from_this_site(request.environ):
        raise ForeignPage


def _let_in(name: str, password: str) -> sessions.CookieRow:
    """Begin a session in the place of the one that the browser came with; raise `WrongPassword` or `Throttled`."""
    if len(name) > _MOST["name"] or len(password) > _MOST["password"] or "\x00" in name:
        raise business.WrongPassword
    cookie = business.sign_in(name, password, client=current_client(), begin=sessions.begin_in_browser)
    with transaction():
        _end(_browsers().read(request.environ))
    return cookie


def _wanted() -> str:
    """Return the address the visitor wanted, where it is one of this site's; else the dashboard's.

    Browsers read a backslash as a slash, and leave out line breaks and tabs.
    """
    wanted = request.values.get("next", "")
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_ours else "/"


def _find(token: str | None) -> Identity | None:
    """Return whom a cookie stands for, if anybody."""
    return None if token is None else business.identify(Credentials("cookie", token, by_browser=True))


def _end(token: str | None) -> None:
    """End the session that a cookie stands for, if there is any."""
    identity = _find(token)
    if identity is not None and identity.session_id is not None:
        sessions.leave(identity.session_id, identity.user_id, identity.name)


def _browsers() -> BrowserSessions:
    found: BrowserSessions = current_app.extensions["browser_sessions"]
    return found
