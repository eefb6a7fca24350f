"""Sign in and out by a browser, and choose another password: pages that stand without a build or a script.

The dashboard asks here, too, who is signed in when it opens.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from pydantic import ValidationError

from application.database import transaction
from application.libs.auth import Credentials, Identity
from application.libs.browser_session import CSRF_HEADER, ForeignPage
from application.libs.error import Invalid
from application.libs.mail import MAX_ADDRESS
from application.libs.multilingual import spoken_language
from application.libs.origin import from_this_site
from application.libs.page_form import browsers, check_form, held_back, wanted_address
from application.libs.password import MAX_LENGTH, MIN_LENGTH
from application.libs.remote import current_client
from application.modules.auth import business
from application.modules.auth.schemas import PasswordIn
from application.modules.code import business as codes
from application.modules.message.business import InvalidRecipient
from application.modules.session import business as sessions
from application.modules.throttle import business as throttle

_MOST = {"name": MAX_ADDRESS, "password": MAX_LENGTH, "code": 50}  # characters; nobody's is longer
_MOST_TOKEN = 200

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
    except business.WrongFactorCode:
        return _form(_("The code is wrong, or was used before."), HTTPStatus.UNAUTHORIZED, pending=pending)
    except throttle.Throttled as refusal:
        return _later(_template(pending), refusal, _of_form(pending))
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


@pages.get("/forgot-password")
def forgotten() -> str:
    """Ask who has forgotten their password where to send a link or a code."""
    return render_template("auth/forgot_password.html", problem="", to="")


@pages.post("/forgot-password")
def send_reset() -> Response:
    """Let a link or a code be sent, and show where to type it: the same page whoever the address belongs to."""
    check_form()
    to = request.form.get("to", "")
    try:
        with transaction():
            codes.ask(
                codes.Purpose.RESET,
                _short(to, MAX_ADDRESS),
                asked_by=None,
                language=spoken_language(),
                remote=current_client().address,
            )
    except InvalidRecipient:
        problem = _("This is neither a mail address nor a number with its country, as +4915112345678.")
        return _page("auth/forgot_password.html", problem, HTTPStatus.UNPROCESSABLE_ENTITY, {"to": to})
    except codes.CodeJustSent:
        pass  # the page says to wait for it, which is right for the one that was just sent, too
    except throttle.Throttled as refusal:
        return _later("auth/forgot_password.html", refusal, {"to": to})
    return _page("auth/reset_password.html", "", HTTPStatus.OK, {"to": to, "token": ""})


@pages.get("/reset-password")
def new_password() -> str:
    """Ask for another password, to whoever comes by the link that was mailed or has a code."""
    return render_template("auth/reset_password.html", problem="", to="", token=request.args.get("token", ""))


@pages.post("/reset-password")
def reset() -> Response:
    """Give an account another password, and lead to where one signs in."""
    check_form()
    given = {name: request.form.get(name, "") for name in ("token", "to")}
    try:
        business.reset_password(_shown(), _new_password(), language=spoken_language())
    except throttle.Throttled as refusal:
        return _later("auth/reset_password.html", refusal, given)
    except (Invalid, ValidationError) as refusal:
        return _page("auth/reset_password.html", _reason(refusal), HTTPStatus.UNPROCESSABLE_ENTITY, given)
    return make_response(redirect("/sign-in?changed=1", HTTPStatus.SEE_OTHER))


@pages.after_request
def protect(response: Response) -> Response:
    """Keep what these pages say out of every cache, and their addresses, which may hold a token, out of `Referer`.

    Not by `no-referrer`: browsers then send a form with `Origin: null` (Fetch §3.2), as another site's.
    """
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "strict-origin"
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
    return _page(_template(pending), problem, status, _of_form(pending))


def _template(pending: str) -> str:
    return "auth/second_step.html" if pending else "auth/sign_in.html"


def _of_form(pending: str) -> dict[str, str]:
    return {"name": request.form.get("name", ""), "pending": pending, "wanted": wanted_address()}


def _shown() -> codes.TriedRow:
    """Return the link or the code that came with the form."""
    token = request.form.get("token", "")
    if token:
        return codes.check_link(_short(token, _MOST_TOKEN))
    code = "".join(request.form.get("code", "").split())
    return business.check_reset_code(_short(request.form.get("to", ""), MAX_ADDRESS), code, client=current_client())


def _new_password() -> str:
    return PasswordIn(password=request.form.get("password", "")).password


def _short(text: str, most: int) -> str:
    """Return a text that is not too long to be looked at, else an empty one."""
    return text if len(text) <= most and "\x00" not in text else ""


def _reason(refusal: Invalid | ValidationError) -> str:
    """Say in the reader's language why another password was not taken."""
    errors: Sequence[Mapping[str, Any]] = refusal.errors if isinstance(refusal, Invalid) else refusal.errors()
    wrong_code = _("The code is wrong, was used or has expired. After five tries ask for another one.")
    reasons = {
        "password_known": _("Everybody tries this password first; choose another."),
        "password_holds_name": _("Your name stands in this password; choose another."),
        "wrong_link": _("This link was used, has expired or is incomplete. Ask for another one."),
        "wrong_code": wrong_code,
        "recipient": wrong_code,
    }
    lengths = _("A password has %(least)s to %(most)s characters.", least=MIN_LENGTH, most=MAX_LENGTH)
    reason: str = reasons.get(errors[0]["type"], lengths)
    return reason


def _page(template: str, problem: str, status: int, given: Mapping[str, str]) -> Response:
    return make_response(render_template(template, problem=problem, **given), status)


def _later(template: str, refusal: throttle.Throttled, given: Mapping[str, str]) -> Response:
    return held_back(refusal, lambda problem, status: _page(template, problem, status, given))


def _find(token: str | None) -> Identity | None:
    """Return whom a cookie stands for, if anybody."""
    return None if token is None else business.identify(Credentials("cookie", token, by_browser=True))


def _end(token: str | None) -> None:
    """End the session that a cookie stands for, if there is any."""
    identity = _find(token)
    if identity is not None and identity.session_id is not None:
        sessions.leave(identity.session_id, identity.user_id, identity.name)
