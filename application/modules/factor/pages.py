"""Set up one's second factor in a browser: a page that stands without a build."""

from http import HTTPStatus
from urllib.parse import urlencode

import segno
from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _

from application.database import transaction
from application.libs.auth import Credentials, Identity, set_identity
from application.libs.browser_session import ForeignPage
from application.libs.error import BadRequest, Refusal
from application.libs.page_form import browsers, check_form, held_back, wanted_address
from application.libs.remote import current_client
from application.modules.auth import business as auth_business
from application.modules.factor import business
from application.modules.throttle import business as throttle

_MOST = {"password": 128, "code": 50}  # characters; nobody's is longer

_REFUSALS = (
    auth_business.WrongCurrentPassword,
    business.WrongCurrentCode,
    business.NothingOffered,
    business.FactorOff,
    business.FactorRequired,
)

pages = Blueprint("second_factor", __name__, template_folder="templates")


@pages.get("/second-factor")
def form() -> Response:
    """Show how one's second factor is, and what can be done about it."""
    _token, caller = _caller()
    return _to_sign_in() if caller is None else _page(caller)


@pages.post("/second-factor")
def change() -> Response:
    """Do what the pressed button says."""
    check_form()
    token, caller = _caller()
    if token is None or caller is None:
        return _to_sign_in()
    if not browsers().belongs(request.form.get("csrf"), token):
        raise ForeignPage
    act = _ACTS.get(request.form.get("act", ""))
    if act is None:
        raise BadRequest("Press one of the buttons of the page")
    set_identity(caller)
    try:
        return act(caller)
    except throttle.Throttled as refusal:
        return held_back(refusal, lambda problem, status: _page(caller, problem=problem, status=status))
    except _REFUSALS as refusal:
        return _page(caller, problem=_reason(refusal), status=HTTPStatus.UNPROCESSABLE_ENTITY)


@pages.after_request
def protect(response: Response) -> Response:
    """Keep secrets out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


def _offer(caller: Identity) -> Response:
    _prove(caller)
    with transaction():
        offer = business.offer(caller.user_id, code=_code(), address=current_client().address)
    picture = segno.make(offer.uri, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    return _page(caller, is_offered=True, offer=offer, picture=picture)


def _confirm(caller: Identity) -> Response:
    address = current_client().address
    with transaction():
        given = business.confirm(caller.user_id, _code(), session_id=caller.session_id, address=address)
    return _page(caller, codes=given.recovery_codes)


def _renew_codes(caller: Identity) -> Response:
    _prove(caller)
    with transaction():
        given = business.renew_codes(caller.user_id, _code(), address=current_client().address)
    return _page(caller, codes=given.recovery_codes)


def _turn_off(caller: Identity) -> Response:
    _prove(caller)
    with transaction():
        business.turn_off(caller.user_id, _code(), address=current_client().address)
    return _page(caller, notice=_("The second factor is off."))


_ACTS = {"offer": _offer, "confirm": _confirm, "renew": _renew_codes, "off": _turn_off}


def _prove(caller: Identity) -> None:
    password = request.form.get("password", "")[: _MOST["password"]]
    auth_business.prove(caller.user_id, password, client=current_client())


def _code() -> str:
    return request.form.get("code", "")[: _MOST["code"]]


def _page(
    caller: Identity, *, problem: str = "", status: int = HTTPStatus.OK, is_offered: bool = False, **shown: object
) -> Response:
    with transaction(write=False):
        state = business.get(caller.user_id)
    page = render_template(
        "factor/second_factor.html",
        name=caller.name,
        state=state,
        problem=problem,
        is_offered=is_offered or request.form.get("act") == "confirm",
        csrf=browsers().csrf(browsers().read(request.environ) or ""),
        wanted=wanted_address(),
        **shown,
    )
    return make_response(page, status)


def _reason(refusal: Refusal) -> str:
    reasons: dict[type[Refusal], str] = {
        auth_business.WrongCurrentPassword: _("The password is wrong."),
        business.WrongCurrentCode: _("The code is wrong, or was used before."),
        business.NothingOffered: _("It took too long. Begin again."),
        business.FactorOff: _("The second factor is off."),
        business.FactorRequired: _("Administrators need a second factor here. You can move it to another device."),
    }
    return reasons[type(refusal)]


def _caller() -> tuple[str | None, Identity | None]:
    """Return the token of the browser's session, and whom it stands for."""
    token = browsers().read(request.environ)
    if token is None:
        return None, None
    with transaction(write=False):
        return token, auth_business.identify(Credentials("cookie", token, by_browser=True))


def _to_sign_in() -> Response:
    return make_response(
        redirect(f"/sign-in?{urlencode({'next': request.full_path.rstrip('?')})}", HTTPStatus.SEE_OTHER)
    )
