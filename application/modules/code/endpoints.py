"""Ask for codes that are sent by mail or SMS."""

from application.libs.auth import find_identity
from application.libs.error import Unauthenticated
from application.libs.multilingual import spoken_language
from application.libs.redprint import Redprint
from application.libs.remote import current_client
from application.modules.code import business
from application.modules.code.schemas import CodeAskedOut, CodeAskIn
from application.modules.message.business import InvalidRecipient
from application.modules.throttle import business as throttle

code = Redprint("code", __name__)


@code.post(
    "",
    status=202,
    public=True,
    answer=CodeAskedOut,
    errors=[InvalidRecipient, Unauthenticated, business.RegistrationClosed, business.CodeJustSent, throttle.Throttled],
    rate_limit="30/minute",
)
def create(body: CodeAskIn) -> business.AskedRow:
    """Let a code be sent to a mail address or number, in the place of an earlier one.

    The answer is the same whoever the address belongs to, if to anybody. Who has no account gets no code to sign in
    with, and who has one gets none to register with, but a message that says so.
    """
    caller = find_identity()
    return business.ask(
        body.purpose,
        body.to,
        asked_by=None if caller is None else caller.user_id,
        language=spoken_language(),
        remote=current_client().address,
    )
