"""Rules about signing in; a folder, because they outgrew a file.

`caller` says who asks, for every request; `account` holds passwords; `signing_in` goes from one, or from a code, to a
session, `pending` keeps it between two pages; `registering` makes an account, and `resetting` gives one another
password.
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
from application.modules.auth.business.registering import register
from application.modules.auth.business.resetting import check_reset_code, reset_password, tell_of_new_password
from application.modules.auth.business.signing_in import (
    SecondFactorNeeded,
    WrongFactorCode,
    go_on,
    prove,
    sign_in,
    sign_in_by_code,
)

__all__ = [
    "AccountRow",
    "SecondFactorNeeded",
    "WrongFactorCode",
    "WrongCurrentPassword",
    "WrongPassword",
    "change_password",
    "check_current_password",
    "check_password",
    "check_reset_code",
    "find_account",
    "find_account_of",
    "find_by_pass_ids",
    "go_on",
    "identify",
    "prove",
    "register",
    "reset_password",
    "sign_in",
    "sign_in_by_code",
    "tell_of_new_password",
]
