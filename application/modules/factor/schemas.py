"""What second factors look like on the wire; secrets and recovery codes go out this once."""

from datetime import datetime

from pydantic import Field

from application.libs.password import MAX_LENGTH
from application.libs.schema import Schema

MAX_CODE = 50
"""How much is read of a code; with the blanks and hyphens that people type, none is longer."""


class FactorOut(Schema):
    """Show how one's second factor is."""

    is_on: bool = Field(description="Whether signing in takes a code.")
    is_required: bool = Field(description="Whether the server wants one of you: without it you may do nothing else.")
    confirmed_at: datetime | None = Field(description="Since when.")
    recovery_codes_left: int = Field(examples=[10])


class FactorIn(Schema):
    """Prove the password one has; and the second factor, if one is on, by a code of it or a recovery code."""

    current_password: str = Field(max_length=MAX_LENGTH, examples=["the words of last year"])  # nobody has it
    code: str | None = Field(None, max_length=MAX_CODE, examples=["492039"])


class ProofIn(Schema):
    """Prove the password one has, and the second factor by a code of it or a recovery code."""

    current_password: str = Field(max_length=MAX_LENGTH, examples=["the words of last year"])  # nobody has it
    code: str = Field(max_length=MAX_CODE, examples=["492039"])


class OfferOut(Schema):
    """Show a secret, this once: type it into an app that shows codes, or let its URI be read from a QR code."""

    secret: str = Field(description="160 random bits in base32.", examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])
    uri: str = Field(
        description="The same as phones read it.",
        examples=["otpauth://totp/Redprint:ada?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Redprint"],
    )
    seconds: int = Field(description="How long it can be confirmed.", examples=[900])


class CodeIn(Schema):
    """Show that the secret has arrived."""

    code: str = Field(max_length=MAX_CODE, examples=["492039"])


class RecoveryCodesOut(Schema):
    """Show fresh recovery codes, this once: each stands for the phone one time, for who has lost it."""

    recovery_codes: list[str] = Field(examples=[["4k7w-0xqd-93mt-hz8c"]])
