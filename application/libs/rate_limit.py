"""Limit how often one caller may use a route, and tell every caller how they stand, by Flask-Limiter.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11. Counters are in memory, each process its own, or in a
Redis that several processes share; while that one is away, each process counts by itself.
"""

import time
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, NamedTuple, Protocol

from flask import Flask, Response, request
from flask_limiter import Limiter, RateLimitExceeded
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from application.libs.auth import viewer_id
from application.libs.error import Refusal, TooManyRequests
from application.libs.remote import network

REDIS_PATIENCE_SECONDS = 0.5
"""How long a request waits for a Redis that says nothing; the process then counts by itself, and asks again later."""

_STANDING = "redprint.rate_limit"

View = Callable[..., Response]


class TooOften(TooManyRequests):
    """This was asked too often; wait as long as `Retry-After` says."""


class Standing(NamedTuple):
    """Say how a caller stands: what is left of the quota, and in how many seconds it is whole again."""

    is_exceeded: bool
    remaining: int
    reset_seconds: int


Count = Callable[[], Standing | None]
"""Count one request; None where the counters cannot be read."""


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
        environ = request.environ
        if _STANDING in environ:
            return
        standing = environ[_STANDING] = count()
        if standing is not None and standing.is_exceeded:
            seconds = standing.reset_seconds
            raise TooOften(f"Try again in {seconds} seconds", headers={"Retry-After": str(seconds)})

    return admit_and_count


def announced(view: View, limit: RateLimitItem, name: str) -> View:
    """Return the view whose answers and refusals say how the caller stands."""
    policy = f'"{name}";q={limit.amount};w={limit.get_expiry()}'

    def headers() -> Mapping[str, str]:
        standing: Standing | None = request.environ.get(_STANDING)
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


class FlaskLimits:
    """Count by an instance of Flask-Limiter that belongs to one application and adds no hooks to it.

    The hooks would cost every request, also of the routes without a limit; here the views that declare one ask.
    """

    def __init__(self, app: Flask, *, redis_url: str | None) -> None:
        """Keep counters in memory, or in Redis where there is one; nothing is connected yet."""
        patience: dict[str, Any] = {
            "socket_timeout": REDIS_PATIENCE_SECONDS,
            "socket_connect_timeout": REDIS_PATIENCE_SECONDS,
            # once, for a connection that Redis has closed meanwhile; after a timeout it may have counted already
            "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            "wrap_exceptions": True,
        }
        self._limiter = Limiter(
            _caller,
            storage_uri=_storage(redis_url),
            storage_options=patience if redis_url else {},
            strategy="fixed-window",
            in_memory_fallback_enabled=redis_url is not None,
            key_prefix="redprint",
        )
        app.extensions.setdefault("limiter", set()).add(self._limiter)  # so that it takes its hooks for added
        self._limiter.init_app(app)
        self._checks: dict[str, Callable[[], None]] = {}

    def counter(self, limit: RateLimitItem, *, scope: str, by_address: bool) -> Count:
        """Return what counts requests in a scope; asked again for a scope, it counts in the same one."""
        limiter = self._limiter
        if scope not in self._checks:
            self._checks[scope] = _limited(limiter, limit, scope, _address if by_address else _caller)
        check = self._checks[scope]

        def count() -> Standing | None:
            is_exceeded = _is_exceeded(check)
            current = limiter.current_limit
            if current is None:
                return None
            try:
                window = current.window
                return Standing(is_exceeded, window.remaining, max(1, ceil(window.reset_time - time.time())))
            except StorageError:  # Redis went away between counting and telling
                return Standing(is_exceeded, 0, limit.get_expiry()) if is_exceeded else None

        return count

    def reset(self) -> None:
        """Forget all counts."""
        self._limiter.reset()


def _is_exceeded(check: Callable[[], None]) -> bool:
    """Count, and let the request pass where that is impossible.

    When Redis goes away, Flask-Limiter counts the first request that misses it in memory and raises for those that wait
    for it at that moment; tried again, they are counted in memory too.
    """
    for _try in range(2):
        try:
            check()
        except RateLimitExceeded:
            return True
        except StorageError:
            continue
        return False
    return False


def _limited(limiter: Limiter, limit: RateLimitItem, scope: str, key: Callable[[], str]) -> Callable[[], None]:
    def check() -> None:
        """Do nothing; Flask-Limiter counts before a function and knows the function by its name."""

    check.__qualname__ = scope
    text = f"{limit.amount}/{limit.multiples}{limit.GRANULARITY.name}"
    return limiter.shared_limit(text, scope, key_func=key)(check)


def _storage(redis_url: str | None) -> str:
    """Return the address as `limits` writes it."""
    if redis_url is None:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url


def _caller() -> str:
    return viewer_id() or _address()


def _address() -> str:
    """Return who the request came from, behind the proxies that we know."""
    return network(request.remote_addr)
