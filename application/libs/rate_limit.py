"""Limit how often one caller may use a route, and tell every caller how they stand, by the library `limits`.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11. Counters are in memory, each process its own, or in a
Redis that several processes share; while that one is away, each process counts by itself.
"""

import time
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, NamedTuple, Protocol

from flask import Response
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from application.libs.auth import viewer_id
from application.libs.current import current_request
from application.libs.error import Refusal, TooManyRequests
from application.libs.remote import network
from application.libs.window_counter import WindowCounters

REDIS_PATIENCE_SECONDS = 0.5
"""How long a request waits for a Redis that says nothing; the process then counts by itself, and asks again later."""

AWAY_SECONDS = 2
"""How long nobody asks a Redis that has failed; then one request tries it, while the others go on without."""

_STANDING = "redprint.rate_limit"

View = Callable[..., Response]


class TooOften(TooManyRequests):
    """This was asked too often; wait as long as `Retry-After` says."""


class Standing(NamedTuple):
    """Say how a caller stands: what is left of the quota, and in how many seconds it is whole again."""

    is_exceeded: bool
    remaining: int
    reset_seconds: int


Count = Callable[[], Standing]
"""Count one request."""


class RateLimits(Protocol):
    """Make counters."""

    def counter(self, limit: RateLimitItem, *, scope: str, by_address: bool) -> Count:
        """Return what counts requests in a scope, for each address or for each signed-in caller."""


def parse_limit(text: object) -> RateLimitItem:
    """Read a limit as `20/minute`; raise ValueError for anything but one limit above nothing."""
    limits = parse_many(text) if isinstance(text, str) else []
    if len(limits) != 1 or limits[0].amount < 1:
        raise ValueError(f"{text!r} is not one limit")
    return limits[0]


def admitting(admit: Callable[[], None], count: Count) -> Callable[[], None]:
    """Return what lets a request in and counts it, once though its transaction is tried again."""

    def admit_and_count() -> None:
        admit()
        environ = current_request().environ
        if _STANDING in environ:
            return
        standing = environ[_STANDING] = count()
        if standing.is_exceeded:
            seconds = standing.reset_seconds
            raise TooOften(f"Try again in {seconds} seconds", headers={"Retry-After": str(seconds)})

    return admit_and_count


def announced(view: View, limit: RateLimitItem, name: str) -> View:
    """Return the view whose answers and refusals say how the caller stands."""
    policy = f'"{name}";q={limit.amount};w={limit.get_expiry()}'

    def headers() -> Mapping[str, str]:
        standing: Standing | None = current_request().environ.get(_STANDING)
        if standing is None:
            return {}
        now = f'"{name}";r={standing.remaining};t={standing.reset_seconds}'
        return {"RateLimit-Policy": policy, "RateLimit": now}

    def asked(**path: Any) -> Response:
        try:
            response = view(**path)
        except Refusal as refusal:
            refusal.headers.update(headers())
            raise
        response.headers.update(headers())
        return response

    return asked


class Limits:
    """Count in windows of fixed length, for one application."""

    def __init__(self, *, redis_url: str | None) -> None:
        """Keep counters in memory, or in Redis where there is one; nothing is connected yet."""
        self._memory = WindowCounters()
        self._redis = None if redis_url is None else _redis(redis_url)
        self._away_until = 0.0

    def counter(self, limit: RateLimitItem, *, scope: str, by_address: bool) -> Count:
        """Return what counts requests in a scope; asked again for a scope, it counts in the same one."""
        key = _address if by_address else _caller

        def count() -> Standing:
            caller = key()
            if self._redis is not None and self._is_asked():
                try:
                    standing = _counted(self._redis, limit, scope, caller)
                except StorageError:
                    self._away_until = time.monotonic() + AWAY_SECONDS
                else:
                    self._away_until = 0.0
                    return standing
            return _counted(self._memory, limit, scope, caller)

        return count

    def _is_asked(self) -> bool:
        """Tell whether to ask Redis; of those who come after it was away, only the first does."""
        if not self._away_until:
            return True
        moment = time.monotonic()
        if moment < self._away_until:
            return False
        self._away_until = moment + AWAY_SECONDS
        return True

    def reset(self) -> None:
        """Forget all counts."""
        self._memory.reset()
        if self._redis is not None:
            self._redis.reset()


def _counted(counters: WindowCounters | RedisStorage, limit: RateLimitItem, scope: str, caller: str) -> Standing:
    key = limit.key_for(scope, caller)
    number = counters.incr(key, limit.get_expiry())
    try:
        seconds = ceil(counters.get_expiry(key) - time.time())
    except StorageError:  # Redis went away between counting and telling, and what it has counted counts
        seconds = limit.get_expiry()
    return Standing(number > limit.amount, max(0, limit.amount - number), max(1, seconds))


def _redis(url: str) -> RedisStorage:
    options: dict[str, Any] = {
        "socket_timeout": REDIS_PATIENCE_SECONDS,
        "socket_connect_timeout": REDIS_PATIENCE_SECONDS,
        # once, for a connection that Redis has closed meanwhile; after a timeout it may have counted already
        "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    }
    address = f"redis+{url}" if url.startswith("unix:") else url
    return RedisStorage(address, wrap_exceptions=True, key_prefix="redprint", **options)


def _caller() -> str:
    return viewer_id() or _address()


def _address() -> str:
    """Return who the request came from, behind the proxies that we know."""
    return network(current_request().remote_addr)
