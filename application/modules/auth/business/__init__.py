"""Rules about signing in; a folder, because they outgrew a file.

`caller` says who asks, for every request; `account` holds passwords; `signing_in` goes from one to a session,
`pending` keeps it between two pages.
"""

from application.modules.auth.business.account import (
    AccountRow,
    WrongCurrentPassword,
    WrongPassword,
    change_password,
    check_current_password,
    check_password,
    find_account,
    find_account_of,
)
from application.modules.auth.business.caller import find_by_pass_ids, identify
from application.modules.auth.business.signing_in import SecondFactorNeeded, WrongCode, go_on, prove, sign_in

__all__ = [
    "AccountRow",
    "SecondFactorNeeded",
    "WrongCode",
    "WrongCurrentPassword",
    "WrongPassword",
    "change_password",
    "check_current_password",
    "check_password",
    "find_account",
    "find_account_of",
    "find_by_pass_ids",
    "go_on",
    "identify",
    "prove",
    "sign_in",
]
