"""Remember between two pages who has shown the right password, in a signed value that the page carries itself.

Nothing is stored, and it opens nothing without a right code. It ends after minutes, and once the password changes.
"""

import hmac

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from application.config.current import current_settings
from application.database import transaction
from application.libs.clock import now
from application.libs.secret import digest_token
from application.modules.auth.business.account import AccountRow, find_account_of

PENDING_SECONDS = 300


class _Signer(TimestampSigner):
    """Sign with our clock."""

    def get_timestamp(self) -> int:
        """Return the present instant."""
        return int(now().timestamp())


def sign_pending(account: AccountRow) -> str:
    """Return what stands for an account whose password was shown."""
    return _serializer().dumps([account.user_id, _mark(account)])


def find_pending(pending: str) -> AccountRow | None:
    """Return the account whose password was shown minutes ago and is still its password."""
    try:
        user_id, mark = _serializer().loads(pending, max_age=PENDING_SECONDS)
    except BadData:
        return None
    with transaction(write=False):
        account = find_account_of(user_id)
    return account if account is not None and hmac.compare_digest(_mark(account), mark) else None


def _mark(account: AccountRow) -> str:
    return digest_token(account.password_hash or "")


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        current_settings().secret_key.get_secret_value(), salt="second factor of a sign-in", signer=_Signer
    )
