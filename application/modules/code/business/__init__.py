"""Rules about codes; a folder, for what asks, what sends and what uses one know different things.

`asking` writes down that somebody wants a code, and knows nobody; `sending` is the task that decides whether there is
one; `using` looks at one that is shown.
"""

from application.modules.code.business.asking import (
    AskedRow,
    CodeJustSent,
    RegistrationClosed,
    ask,
    check_registration_open,
)
from application.modules.code.business.sending import send
from application.modules.code.business.using import (
    TriedRow,
    WrongCode,
    WrongLink,
    check,
    check_link,
    forget,
    prune_expired,
    use,
)
from application.modules.code.models import Purpose

__all__ = [
    "AskedRow",
    "CodeJustSent",
    "Purpose",
    "RegistrationClosed",
    "TriedRow",
    "WrongCode",
    "WrongLink",
    "ask",
    "check",
    "check_link",
    "check_registration_open",
    "forget",
    "prune_expired",
    "send",
    "use",
]
