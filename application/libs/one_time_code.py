"""Make and check the codes that an app on a phone shows: TOTP (RFC 6238), with what every such app understands.

HMAC-SHA-1 is no weakness here: nobody can use collisions (RFC 4226 §B.2), and most apps take nothing else.
"""

import hmac
from datetime import datetime

import pyotp

STEP_SECONDS = 30
DIGITS = 6

DRIFT_STEPS = 1
"""How many steps a phone's clock may be early or late, which is all that RFC 6238 §5.2 recommends."""


def new_secret() -> str:
    """Return a fresh secret of 160 random bits (RFC 4226 §4, R6), in base32."""
    return pyotp.random_base32()


def address(secret: str, *, name: str, issuer: str) -> str:
    """Return the `otpauth://` URI that phones open, or read from a picture."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(name=name, issuer_name=issuer)


def read_code(text: str) -> str | None:
    """Return the six digits that were typed, with or without blanks; None where that is something else."""
    code = "".join(text.split())
    return code if len(code) == DIGITS and code.isascii() and code.isdigit() else None


def code_at(secret: str, step: int) -> str:
    """Return the code of a step."""
    return pyotp.HOTP(secret, digits=DIGITS).at(step)


def step_at(moment: datetime) -> int:
    """Return the step that a moment lies in."""
    return int(moment.timestamp()) // STEP_SECONDS


def find_step(secret: str, code: str, moment: datetime) -> int | None:
    """Return the step whose code this is, among those that count at a moment; all take the same time."""
    current, found = step_at(moment), None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if hmac.compare_digest(code_at(secret, step), code):
            found = step
    return found
