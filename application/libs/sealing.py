"""Keep a secret that must be read again from whoever reads the database alone.

Fernet (AES-128-CBC with HMAC-SHA-256) under a key that HKDF (RFC 5869) derives from the application's for one purpose:
what was sealed for one cannot be put in the place of another. Under another key nothing can be read again.
"""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal(text: str, *, key: str, purpose: str) -> str:
    """Return a text that only `unseal` can read, with the same key and for the same purpose."""
    return _cipher(key, purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, key: str, purpose: str) -> str | None:
    """Return the text that was sealed, or None where it was sealed with another key or for another purpose."""
    try:
        return _cipher(key, purpose).decrypt(sealed).decode()
    except InvalidToken:
        return None


def _cipher(key: str, purpose: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(key.encode())
    return Fernet(urlsafe_b64encode(derived))
