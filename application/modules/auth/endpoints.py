"""Sign in and out, and see who one is."""

from flask import request

from application.libs.auth import current_identity
from application.libs.redprint import Redprint, unit_of_work
from application.modules.auth import business
from application.modules.auth.schemas import EndedOut, EverywhereQuery, IdentityOut, LoginIn, RefreshIn, TokensOut
from application.modules.session import business as sessions

auth = Redprint("auth", __name__)


@auth.post(
    "/login",
    public=True,
    answer=TokensOut,
    errors=[business.WrongPassword],
    transaction=False,
    secret=True,
    rate_limit="30/minute",  # an address may be an office's; guessing at this pace leads nowhere
)
def login(body: LoginIn) -> sessions.TokensRow:
    """Exchange name and password for an access token, and a refresh token for when that has expired."""
    with unit_of_work(write=False):
        account = business.find_account(body.name)
    account = business.check_password(account, body.password)
    with unit_of_work():
        return business.open_session(
            account, device=request.headers.get("User-Agent", ""), address=request.remote_addr or ""
        )


@auth.post(
    "/refresh",
    public=True,
    answer=TokensOut,
    errors=[sessions.RefreshRefused],
    secret=True,
    rate_limit="60/minute",
)
def refresh(body: RefreshIn) -> sessions.TokensRow:
    """Exchange a refresh token for the next pair of tokens; the old pair is worth nothing from then on.

    A refresh token that is shown again later ends its session: somebody else may have it.
    """
    return sessions.refresh(body.refresh_token)


@auth.post("/logout")
def logout() -> None:
    """End the session this request came by."""
    session_id = current_identity().session_id
    if session_id is not None:
        sessions.revoke(session_id)


@auth.post("/logout-everywhere", answer=EndedOut)
def logout_everywhere(query: EverywhereQuery) -> sessions.EndedRow:
    """End all of one's sessions, on every device."""
    caller = current_identity()
    return sessions.revoke_all(caller.user_id, kept=caller.session_id if query.keep_current else None)


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
