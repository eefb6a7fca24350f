"""Passwords and tokens, for all peers alike: argon2id with the parameters that we have, tokens kept as SHA-256."""

import hashlib
import secrets
import uuid
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def is_right(password_hash: str | None, password: str) -> bool:
    try:
        return password_hash is not None and HASHER.verify(password_hash, password)
    except VerificationError:
        return False


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_id() -> str:
    """Return a random id with the time in front, so that new rows lie together in the index."""
    milliseconds = int(datetime.now(UTC).timestamp() * 1000)
    value = (milliseconds << 80) | (7 << 76) | (secrets.randbits(12) << 64) | (2 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def new_session(user_id: str) -> tuple[str, dict[str, object]]:
    """Return a token and the columns of its session."""
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    ends_at = now + timedelta(days=7)
    return token, {
        "id": new_id(),
        "user_id": user_id,
        "access_digest": digest(token),
        "access_expires_at": now + timedelta(minutes=15),
        "family": digest(secrets.token_urlsafe(16)),
        "refreshed_at": now,
        "expires_at": ends_at,
        "ends_at": ends_at,
        "created_at": now,
        "last_seen_at": now,
        "device": "",
        "address": "127.0.0.1",
    }
