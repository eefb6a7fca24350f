"""Sign in and out by a browser: a page that stands without a build, and what the dashboard asks when it opens."""

from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _

from application.database import transaction
from application.libs.auth import Credentials, Identity
from application.libs.browser_session import CSRF_HEADER, ForeignPage
from application.libs.origin import from_this_site
from application.libs.page_form import browsers, check_form, wanted_address
from application.libs.remote import current_client
from application.modules.auth import business
from application.modules.session import business as sessions
from application.modules.throttle import business as throttle

_MOST = {"name": 50, "password": 128, "code": 50}  # characters; nobody's is longer

_SECOND_FACTOR = "/second-factor"

pages = Blueprint("sign_in", __name__, template_folder="templates")


@pages.get("/sign-in")
def form() -> Response:
    """Show the form, which leads back to where the visitor wanted to go."""
    return _form()


@pages.post("/sign-in")
def enter() -> Response:
    """Let a browser in, in the place of whom it let in before; a second page asks for a code where one is needed."""
    check_form()
    pending = request.form.get("pending", "")
    try:
        cookie = _let_in(pending)
    except business.WrongPassword:
        wrong = _("It took too long. Sign in again.") if pending else _("The name or the password is wrong.")
        return _form(wrong, HTTPStatus.UNAUTHORIZED)
    except business.SecondFactorNeeded as refusal:
        return _form(pending=refusal.pending)
    except business.WrongCode:
        return _form(_("The code is wrong, or was used before."), HTTPStatus.UNAUTHORIZED, pending=pending)
    except throttle.Throttled as refusal:
        return _held_back(refusal, pending)
    response = make_response(redirect(_way_on(cookie.token), HTTPStatus.SEE_OTHER))
    browsers().give(response, request.environ, cookie.token, seconds=cookie.seconds)
    return response


@pages.post("/sign-out")
def leave() -> Response:
    """End the session of a browser."""
    if not from_this_site(request.environ):
        raise ForeignPage
    token = browsers().read(request.environ)
    if token is not None:
        if not browsers().belongs(request.headers.get(CSRF_HEADER, request.form.get("csrf")), token):
            raise ForeignPage
        with transaction():
            _end(token)
    response = make_response(redirect("/sign-in", HTTPStatus.SEE_OTHER))
    browsers().take(response, request.environ)
    return response


@pages.get("/dashboard/session.json")
def state() -> dict[str, object]:
    """Tell the dashboard who is signed in, and the token that it sends along with whatever it asks."""
    token = browsers().read(request.environ) if from_this_site(request.environ) else None
    with transaction(write=False):
        identity = _find(token)
    if token is None or identity is None:
        return {"name": None, "csrf": None, "permissions": []}
    said = {"name": identity.name, "csrf": browsers().csrf(token), "permissions": sorted(identity.permissions)}
    return said | ({"withheld": True} if identity.withheld else {})


@pages.after_request
def protect(response: Response) -> Response:
    """Keep what these pages say out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


def _let_in(pending: str) -> sessions.CookieRow:
    """Begin a session in the place of the one that the browser came with; what refuses that goes through."""
    cookie = _go_on(pending) if pending else _sign_in()
    with transaction():
        _end(browsers().read(request.environ))
    return cookie


def _sign_in() -> sessions.CookieRow:
    name, password = request.form.get("name", ""), request.form.get("password", "")
    if len(name) > _MOST["name"] or len(password) > _MOST["password"] or "\x00" in name:
        raise business.WrongPassword
    return business.sign_in(name, password, client=current_client(), begin=sessions.begin_in_browser)


def _go_on(pending: str) -> sessions.CookieRow:
    """Let in whoever has shown their password on the page before."""
    code = request.form.get("code", "")[: _MOST["code"]]
    return business.go_on(pending, code, client=current_client(), begin=sessions.begin_in_browser)


def _way_on(token: str) -> str:
    """Return where the visitor wanted to go; before that, who may do nothing without a second factor sets one up."""
    with transaction(write=False):
        identity = _find(token)
    wanted = wanted_address()
    withheld = identity is not None and identity.withheld
    return f"{_SECOND_FACTOR}?{urlencode({'next': wanted})}" if withheld else wanted


def _form(problem: str = "", status: int = HTTPStatus.OK, *, pending: str = "") -> Response:
    page = render_template(
        "auth/second_step.html" if pending else "auth/sign_in.html",
        problem=problem,
        name=request.form.get("name", ""),
        pending=pending,
        wanted=wanted_address(),
    )
    return make_response(page, status)


def _held_back(refusal: throttle.Throttled, pending: str) -> Response:
    """Show the form to who tried too often, and how long to wait."""
    seconds = refusal.headers["Retry-After"]
    response = _form(
        _("Too many tries. Wait %(seconds)s s, then try again.", seconds=seconds),
        HTTPStatus.TOO_MANY_REQUESTS,
        pending=pending,
    )
    response.headers["Retry-After"] = seconds
    return response


def _find(token: str | None) -> Identity | None:
    """Return whom a cookie stands for, if anybody."""
    return None if token is None else business.identify(Credentials("cookie", token, by_browser=True))


def _end(token: str | None) -> None:
    """End the session that a cookie stands for, if there is any."""
    identity = _find(token)
    if identity is not None and identity.session_id is not None:
        sessions.leave(identity.session_id, identity.user_id, identity.name)
