"""Set up one's second factor, turn it off, and take it from somebody who has lost theirs."""

from application.libs.auth import current_identity
from application.libs.redprint import Redprint, unit_of_work
from application.libs.remote import current_client
from application.modules.auth import business as auth_business
from application.modules.factor import business
from application.modules.factor.schemas import CodeIn, FactorIn, FactorOut, OfferOut, ProofIn, RecoveryCodesOut
from application.modules.role import business as role_business
from application.modules.throttle import business as throttle
from application.modules.user import business as user_business
from application.modules.user.schemas import UserId
from application.permissions import Permission

factor = Redprint("factor", __name__)
factors = Redprint("factors", __name__, url_prefix="", tag="factor")  # within other resources

_PROOF_ERRORS = [auth_business.WrongCurrentPassword, business.WrongCurrentCode, throttle.Throttled]


@factor.get("", answer=FactorOut)
def show() -> business.StateRow:
    """Read how one's second factor is."""
    return business.get(current_identity().user_id)


@factor.post("", answer=OfferOut, errors=_PROOF_ERRORS, transaction=False, secret=True, rate_limit="10/minute")
def offer(body: FactorIn) -> business.OfferRow:
    """Ask for the secret of a second factor, which counts once it is confirmed.

    Where one is on already, it takes its place then; until then that goes on.
    """
    caller, client = current_identity(), current_client()
    auth_business.prove(caller.user_id, body.current_password, client=client)
    with unit_of_work():
        return business.offer(caller.user_id, code=body.code, address=client.address)


@factor.post(
    "/confirm",
    answer=RecoveryCodesOut,
    errors=[business.NothingOffered, business.WrongCurrentCode, throttle.Throttled],
    secret=True,
    rate_limit="10/minute",
)
def confirm(body: CodeIn) -> business.RecoveryCodesRow:
    """Turn the second factor on by a code of the secret that was offered; it ends one's other sessions.

    The answer holds the recovery codes, which are shown this once.
    """
    caller = current_identity()
    return business.confirm(caller.user_id, body.code, session_id=caller.session_id, address=current_client().address)


@factor.post(
    "/recovery-codes",
    answer=RecoveryCodesOut,
    errors=[business.FactorOff, *_PROOF_ERRORS],
    transaction=False,
    secret=True,
    rate_limit="10/minute",
)
def renew_codes(body: ProofIn) -> business.RecoveryCodesRow:
    """Ask for other recovery codes; those there are count no longer."""
    caller, client = current_identity(), current_client()
    with unit_of_work(write=False):
        business.check_on(caller.user_id)
    auth_business.prove(caller.user_id, body.current_password, client=client)
    with unit_of_work():
        return business.renew_codes(caller.user_id, body.code, address=client.address)


@factor.post(
    "/turn-off",
    errors=[business.FactorOff, business.FactorRequired, *_PROOF_ERRORS],
    transaction=False,
    secret=True,
    rate_limit="10/minute",
)
def turn_off(body: ProofIn) -> None:
    """Sign in by the password alone from now on, unless the server wants a second factor of you."""
    caller, client = current_identity(), current_client()
    with unit_of_work(write=False):
        business.check_on(caller.user_id)
    auth_business.prove(caller.user_id, body.current_password, client=client)
    with unit_of_work():
        business.turn_off(caller.user_id, body.code, address=client.address)


@factors.delete(
    "/user/<id:user_id>/factor",
    permission=Permission.USER_MANAGE,
    errors=[user_business.UserNotFound, business.FactorOff, business.OwnFactor, role_business.PermissionNotHeld],
)
def reset(user_id: UserId) -> None:
    """Take the second factor from a user who has lost it, with the recovery codes; it ends their sessions.

    Nobody does it to a user who holds permissions that they do not hold themselves.
    """
    caller = current_identity()
    business.reset(user_id, actor_id=caller.user_id, held=caller.permissions)
