"""Say how long a code and a link last, and what a code is recognised by."""

import hashlib
import hmac
from datetime import timedelta

from application.config.current import current_settings
from application.modules.code.models import Purpose
from application.modules.contact.business import Address

MOST_TRIES = 5

CODE_LIFE = timedelta(minutes=5)

LINK_LIFE = timedelta(minutes=30)
"""Longer than a code: nobody guesses 256 bits, and mail may take its time."""

RESEND_AFTER = timedelta(minutes=1)
"""How long somebody waits for a message before they ask for another."""


def life_of(purpose: Purpose) -> timedelta:
    """Return how long a row is kept."""
    return LINK_LIFE if purpose is Purpose.RESET else CODE_LIFE


def hash_code(code_id: str, purpose: Purpose, address: Address, code: str) -> str:
    """Return what a code is recognised by: an HMAC, for a million codes are soon tried against a plain hash.

    What becomes a contact is bound to the address as it is written: nobody shows to read one and gets another that
    compares alike. Else it is bound to whatever the account is found by, so that people may write it in another case.
    """
    bound = address.text if purpose in (Purpose.REGISTER, Purpose.VERIFY) else address.digest
    key = current_settings().secret_key.get_secret_value().encode()
    return hmac.new(key, "\0".join(("code", code_id, purpose, bound, code)).encode(), hashlib.sha256).hexdigest()
