"""Remember for a moment whom a token stands for, in a Redis that several machines share.

An entry lives less than a second and is never prolonged, so what is taken away is gone within one, whoever missed it.
What is stored is signed: who may write to that Redis can still make nobody an admin.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable
from time import monotonic

import msgspec
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from application.libs.auth import Credentials, Identity

LIFE_MILLISECONDS = 800
"""How long an entry lives; the rest of a second is for the read of the database that it was made of."""

PATIENCE_SECONDS = 0.2
"""How long a request waits for Redis; the database answers sooner."""

PAUSE_SECONDS = 5.0
"""How long nothing is asked of a Redis that did not answer."""

_PREFIX = "redprint:caller:"
_MAC_BYTES = hashlib.sha256().digest_size
_LOG = logging.getLogger(__name__)

Identify = Callable[[Credentials], Identity | None]


class IdentityCache:
    """Identify callers like the function it wraps, which it asks where Redis remembers nobody, or is away."""

    def __init__(self, identify: Identify, *, redis_url: str, secret_key: str) -> None:
        """Connect at the first question."""
        self._identify = identify
        self._key = hashlib.sha256(f"callers {secret_key}".encode()).digest()
        self._redis = Redis.from_url(
            redis_url,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._away_until = 0.0
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Identity).decode

    def __call__(self, credentials: Credentials) -> Identity | None:
        """Return who shows these credentials; a password is looked at each time."""
        if monotonic() < self._away_until or not (credentials.by_browser or credentials.scheme == "bearer"):
            return self._identify(credentials)
        name = _PREFIX + self._mac(f"{credentials.by_browser} {credentials.value}".encode("utf-8", "replace")).hex()
        try:
            remembered = self._read(name)
            if remembered is not None:
                return remembered
            identity = self._identify(credentials)
            if identity is not None:
                self._write(name, identity)
        except RedisError as error:
            _LOG.warning("Redis does not remember callers: %s; asking the database", type(error).__name__)
            self._away_until = monotonic() + PAUSE_SECONDS
            return self._identify(credentials)
        return identity

    def _read(self, name: str) -> Identity | None:
        entry = self._redis.get(name)
        if not isinstance(entry, bytes):
            return None
        mac, content = entry[:_MAC_BYTES], entry[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(name.encode() + content)):
            return None
        return self._decode(content)

    def _write(self, name: str, identity: Identity) -> None:
        content = self._encode(identity)
        self._redis.set(name, self._mac(name.encode() + content) + content, px=LIFE_MILLISECONDS)

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, hashlib.sha256)
