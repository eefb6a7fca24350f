"""Sign in and out, and see who one is."""

from application.libs.auth import ANY_KEY, current_identity
from application.libs.multilingual import spoken_language
from application.libs.redprint import Redprint, unit_of_work
from application.libs.remote import current_client
from application.libs.secret import hash_password
from application.modules.auth import business
from application.modules.auth.schemas import (
    EndedOut,
    EverywhereQuery,
    IdentityOut,
    LoginByCodeIn,
    LoginIn,
    PasswordChangeIn,
    RefreshIn,
    RegisterIn,
    ResetIn,
    TokensOut,
)
from application.modules.code import business as codes
from application.modules.contact import business as contacts
from application.modules.message.business import InvalidRecipient
from application.modules.session import business as sessions
from application.modules.throttle import business as throttle
from application.modules.user import business as user_business

auth = Redprint("auth", __name__)


@auth.post(
    "/login",
    public=True,
    answer=TokensOut,
    errors=[business.WrongPassword, business.SecondFactorNeeded, business.WrongFactorCode, throttle.Throttled],
    transaction=False,
    secret=True,
    rate_limit="30/minute",  # each process by itself, before anything is read; `throttle` counts for all of them
)
def login(body: LoginIn) -> sessions.TokensRow:
    """Exchange name and password for an access token, and a refresh token for when that has expired.

    Whoever has a second factor gives its code, too; a right password without one is answered `second_factor_needed`.
    """
    return business.sign_in(body.name, body.password, client=current_client(), begin=sessions.begin, code=body.code)


@auth.post(
    "/login-by-code",
    public=True,
    answer=TokensOut,
    errors=[
        InvalidRecipient,
        codes.WrongCode,
        business.WrongPassword,
        business.SecondFactorNeeded,
        business.WrongFactorCode,
        throttle.Throttled,
    ],
    transaction=False,
    secret=True,
    rate_limit="30/minute",
)
def login_by_code(body: LoginByCodeIn) -> sessions.TokensRow:
    """Exchange the code that was sent to a contact of one's own for tokens, as `login` does."""
    return business.sign_in_by_code(
        body.to, body.code, client=current_client(), begin=sessions.begin, factor_code=body.factor_code
    )


@auth.post(
    "/register",
    status=201,
    public=True,
    answer=TokensOut,
    errors=[
        InvalidRecipient,
        codes.RegistrationClosed,
        codes.WrongCode,
        contacts.ContactTaken,
        user_business.NameTaken,
        business.WrongPassword,
        throttle.Throttled,
    ],
    transaction=False,
    secret=True,
    rate_limit="30/minute",
)
def register(body: RegisterIn) -> sessions.TokensRow:
    """Create an account for oneself, by the code that was sent to a mail address or number, and sign in.

    Where registration is closed, only who manages users creates some.
    """
    return business.register(
        to=body.to,
        code=body.code,
        name=body.name,
        password=body.password,
        client=current_client(),
        begin=sessions.begin,
    )


@auth.post(
    "/reset",
    public=True,
    errors=[InvalidRecipient, codes.WrongCode, codes.WrongLink, throttle.Throttled],
    transaction=False,
    secret=True,
    rate_limit="30/minute",
)
def reset(body: ResetIn) -> None:
    """Choose another password by the code or the link that was sent, which ends all of one's sessions."""
    if body.token is not None:
        tried = codes.check_link(body.token)
    else:
        tried = business.check_reset_code(body.to or "", body.code or "", client=current_client())
    business.reset_password(tried, body.password, language=spoken_language())


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
    caller = current_identity()
    if caller.session_id is not None:
        sessions.leave(caller.session_id, caller.user_id, caller.name)


@auth.post("/logout-everywhere", answer=EndedOut)
def logout_everywhere(query: EverywhereQuery) -> sessions.EndedRow:
    """End all of one's sessions, on every device."""
    caller = current_identity()
    return sessions.revoke_all(caller.user_id, kept=caller.session_id if query.keep_current else None)


@auth.post(
    "/password",
    errors=[business.WrongCurrentPassword],
    transaction=False,
    secret=True,
    rate_limit="10/minute",  # whoever found a token is to guess no password with it
)
def change_password(body: PasswordChangeIn) -> None:
    """Change one's own password; it ends one's other sessions.

    The session this request came by goes on.
    """
    caller = current_identity()
    user_business.check_new_password(body.password, name=caller.name)
    with unit_of_work(write=False):
        account = business.find_account_of(caller.user_id)
    account = business.check_current_password(account, body.current_password)
    password_hash = hash_password(body.password)
    with unit_of_work():
        business.change_password(account, password_hash, kept_session_id=caller.session_id)
        business.tell_of_new_password(caller.user_id, language=spoken_language())


@auth.get("/me", scope=ANY_KEY)
def me() -> IdentityOut:
    """Read who one is and what one may do."""
    caller = current_identity()
    return IdentityOut(
        id=caller.user_id,
        name=caller.name,
        roles=list(caller.roles),
        permissions=sorted(caller.permissions),
    )
