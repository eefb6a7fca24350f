"""Sign in and out, and see who one is."""

from application.config.current import current_settings
from application.libs.auth import current_identity
from application.libs.redprint import Redprint, unit_of_work
from application.modules.auth import business
from application.modules.auth.schemas import IdentityOut, LoginIn, SessionOut

auth = Redprint("auth", __name__)


@auth.post(
    "/login",
    public=True,
    answer=SessionOut,
    errors=[business.WrongPassword],
    transaction=False,
    secret=True,
    rate_limit="30/minute",  # an address may be an office's; guessing at this pace leads nowhere
)
def login(body: LoginIn) -> business.SessionRow:
    """Exchange name and password for a token."""
    with unit_of_work(write=False):
        account = business.find_account(body.name)
    account = business.check_password(account, body.password)
    with unit_of_work():
        return business.open_session(account, ttl_seconds=current_settings().token_ttl_seconds)


@auth.post("/logout")
def logout() -> None:
    """End the token this request came with."""
    token_id = current_identity().token_id
    if token_id is not None:
        business.revoke(token_id)


@auth.get("/me")
def me() -> IdentityOut:
    """Read who one is and what one may do."""
    caller = current_identity()
    return IdentityOut(
        id=caller.user_id,
        name=caller.name,
        roles=list(caller.roles),
        permissions=sorted(caller.permissions),
    )
