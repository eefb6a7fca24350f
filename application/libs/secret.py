"""Hash passwords and make tokens.

Passwords: argon2id with OWASP's least parameters (19 MiB, 2 passes). Tokens: 256 random bits, of which only the SHA-256
is stored; a fast hash suffices because there is nothing to guess.
"""

import hashlib
import secrets

from argon2 import Parameters, PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_COST = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
_NOBODY = f"$argon2id$v=19${_COST}${'A' * 22}${'A' * 43}"
"""A hash no password has, so that an unknown name costs the same time as a wrong password."""


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password; takes about 20 ms, so call it outside a unit of work."""
    return _HASHER.hash(password)


def verify_password(password: str, hashed: str | None) -> bool:
    """Tell whether the password has this hash; None stands for an unknown user and takes the same time."""
    try:
        return _HASHER.verify(hashed or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False


def new_token(size: int = 32) -> str:
    """Return a fresh token of so many random bytes: 43 characters for 256 bits."""
    return secrets.token_urlsafe(size)


def needs_rehash(hashed: str | None) -> bool:
    """Tell whether a hash that a password was just checked against is weaker than one that is made today.

    A hash with more memory and fewer passes may be as strong, and a stronger one is never replaced by a weaker.
    """
    return hashed is not None and _is_weaker(extract_parameters(hashed))


def _is_weaker(stored: Parameters) -> bool:
    return (
        stored.type is not Type.ID
        or stored.version < 19  # 1.3 of argon2, RFC 9106
        or stored.memory_cost < _HASHER.memory_cost
        or stored.memory_cost * stored.time_cost < _HASHER.memory_cost * _HASHER.time_cost
        or stored.hash_len < _HASHER.hash_len
    )


def digest_token(token: str) -> str:
    """Return what is stored of a token: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
