"""Sign what is sent to others, and verify it as they do (Standard Webhooks 1.0.0, symmetric).

A receiver knows by `webhook-id` what it has seen already, by `webhook-timestamp` how old an attempt is, and by
`webhook-signature` that it comes from who knows the secret. See
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from application.libs.clock import now

PREFIX = "whsec_"

FEWEST_BYTES, MOST_BYTES = 24, 64
"""How long a key is, as the specification has it."""

TOLERANCE_SECONDS = 300
"""How old an attempt may be, or how far ahead, for clocks differ; so it is in the specification's own libraries."""

EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""What an id is made of; a dot in it would let two messages have one signature."""


def keys_of(secrets: str) -> tuple[bytes, ...]:
    """Return the keys within secrets that are separated by commas."""
    return tuple(key_of(secret.strip()) for secret in secrets.split(",") if secret.strip())


def key_of(secret: str) -> bytes:
    """Return the key within a secret, `whsec_` and 24 to 64 bytes in Base64; raise ValueError for anything else."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"A secret is {PREFIX} and {FEWEST_BYTES} to {MOST_BYTES} random bytes in Base64")
    return key


def headers_of(keys: Iterable[bytes], event_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that sign one attempt to tell of an event, by each key."""
    if EVENT_ID.fullmatch(event_id) is None:
        raise ValueError("The id of an event is made of at most 64 letters, digits, - and _")
    timestamp = str(int(moment.timestamp()))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(key, event_id, timestamp, body) for key in keys),
    }


def verify(
    secret: str,
    headers: Mapping[str, Any],
    body: bytes,
    *,
    moment: datetime | None = None,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> bool:
    """Tell, as a receiver, whether this came from who knows the secret, a short while ago.

    `body` is what came over the wire, unread. It may come again: keep the ids that were seen.
    """
    given = {name.lower(): str(value) for name, value in headers.items()}
    event_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp, re.ASCII):
        return False
    if abs((moment or now()).timestamp() - int(timestamp)) > tolerance_seconds:
        return False
    expected = _signature(key_of(secret), event_id, timestamp, body).encode()
    signatures = given.get("webhook-signature", "").encode("utf-8", "replace").split(b" ")
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def _signature(key: bytes, event_id: str, timestamp: str, body: bytes) -> str:
    digest = hmac.digest(
        key, b".".join((event_id.encode("utf-8", "replace"), timestamp.encode(), body)), hashlib.sha256
    )
    return f"v1,{base64.b64encode(digest).decode()}"
