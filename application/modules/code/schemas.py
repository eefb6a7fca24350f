"""What codes look like on the wire; a code itself only ever comes in."""

from pydantic import Field

from application.libs.schema import Schema
from application.modules.code.models import Purpose
from application.modules.contact.schemas import To


class CodeAskIn(Schema):
    """Say where a code is to be sent, and what for."""

    purpose: Purpose = Field(
        description="register: a new account; sign_in: a session; reset: another password; verify: one more contact, "
        "for who is signed in.",
        examples=[Purpose.SIGN_IN],
    )
    to: To = Field(examples=["ada@example.org"])


class CodeAskedOut(Schema):
    """Say how long a code is good for; whether one was sent, nobody is told."""

    expires_in: int = Field(description="Seconds from now.", examples=[300])
    resend_after: int = Field(description="After how many seconds another one can be asked for.", examples=[60])
