"""Let pages of listed origins use the API (CORS, the Fetch standard), and nobody else's.

Flask-CORS adds its headers in hooks, so it misses what the edge answers by itself, takes `http://[::1]:5173` for a
regular expression, and says `Vary: Origin` only where it allowed one. Credentials are not allowed, because none are
needed: a page sends its bearer token in a header of its own, and cookies are for this site's pages.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Headers = list[tuple[str, str]]

ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"

ALLOWED_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-ID, Accept-Language"

EXPOSED_HEADERS = (
    "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-ID, Deprecation, Sunset, "
    "Content-Language, Idempotency-Replayed"
)

MAX_AGE_SECONDS = 7200  # the longest that Chromium believes


class CrossOrigin:
    """Hold which origins may read answers below a path prefix; they are compared exactly, as browsers write them."""

    def __init__(self, origins: Iterable[str], *, prefix: str = "/api") -> None:
        self._origins = frozenset(origins)
        self._prefix = f"{prefix.rstrip('/')}/"

    def headers(self, environ: Mapping[str, Any]) -> Headers:
        """Return what an answer adds; caches are told that it depends on the origin, also where none is allowed."""
        if not self._covers(environ):
            return []
        vary = ("Vary", "Origin")
        if not self._allows(environ):
            return [vary]
        headers = [vary, ("Access-Control-Allow-Origin", environ["HTTP_ORIGIN"])]
        if not self.is_preflight(environ):
            headers.append(("Access-Control-Expose-Headers", EXPOSED_HEADERS))
        return headers

    def is_preflight(self, environ: Mapping[str, Any]) -> bool:
        """Tell whether a browser asks whether a page that is allowed may send a request."""
        return (
            environ["REQUEST_METHOD"] == "OPTIONS"
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
            and self._covers(environ)
            and self._allows(environ)
        )

    @staticmethod
    def preflight_headers() -> Headers:
        """Return what a preflight is answered with; the same at every address, so that the request itself says 404."""
        return [
            ("Access-Control-Allow-Methods", ALLOWED_METHODS),
            ("Access-Control-Allow-Headers", ALLOWED_HEADERS),
            ("Access-Control-Max-Age", str(MAX_AGE_SECONDS)),
        ]

    def _covers(self, environ: Mapping[str, Any]) -> bool:
        return f"{environ.get('PATH_INFO')}/".startswith(self._prefix)

    def _allows(self, environ: Mapping[str, Any]) -> bool:
        return environ.get("HTTP_ORIGIN") in self._origins


def socket_origins(origins: Iterable[str]) -> Callable[[str, Mapping[str, Any]], bool] | None:
    """Return what tells Socket.IO whether a page may connect: this site's and the listed; None is its own default.

    With a list, Socket.IO would forget this site's own origin.
    """
    listed = frozenset(origins)

    def may_connect(origin: str, environ: Mapping[str, Any]) -> bool:
        scheme = environ["wsgi.url_scheme"]
        schemes = (scheme, environ.get("HTTP_X_FORWARDED_PROTO", scheme))  # which no page can set on a websocket
        return origin in listed or origin in [f"{known}://{environ.get('HTTP_HOST')}" for known in schemes]

    return may_connect if listed else None
