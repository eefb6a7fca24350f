"""Know a browser by its cookie, and only where the page that asks is one of ours.

A cookie comes along unasked, also with what another site's page sends. So it counts only beside a token that such a
page cannot read (OWASP's signed double submit), and from the same origin (Fetch Metadata).
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from werkzeug.sansio.http import parse_cookie
from werkzeug.wrappers import Response

from application.libs.auth import Credentials
from application.libs.error import Forbidden
from application.libs.origin import from_this_site

CSRF_HEADER = "X-CSRF-Token"
_CSRF = "HTTP_X_CSRF_TOKEN"
_NAME = "redprint"


class ForeignPage(Forbidden):
    """A browser's session counts for pages of this site only; send its X-CSRF-Token along."""


class BrowserSessions:
    """Read and write the cookie of a browser's session; `secret_key` signs the token beside it."""

    def __init__(self, secret_key: str) -> None:
        self._key = secret_key.encode()

    def csrf(self, token: str) -> str:
        """Return what a page sends as `X-CSRF-Token` beside the cookie that holds this token."""
        return self._csrf(token).decode()

    def read(self, environ: Mapping[str, Any]) -> str | None:
        """Return the token that the cookie of a request holds, whatever the cookies of others beside it are like."""
        return parse_cookie(environ.get("HTTP_COOKIE")).get(_name(environ)) or None

    def credentials(self, environ: Mapping[str, Any], *, needed: bool) -> Credentials | None:
        """Return the credentials of a browser's session, or None where no page of ours shows them.

        Raises `ForeignPage` for a token that does not belong to the cookie, for another site, and, where the session is
        `needed`, for a cookie by itself.
        """
        token, shown = self.read(environ), environ.get(_CSRF)
        if token is None:
            return None
        if shown is None:
            if needed:
                raise ForeignPage
            return None
        if not (self.belongs(shown, token) and from_this_site(environ)):
            raise ForeignPage
        return Credentials("cookie", token, by_browser=True)

    def belongs(self, shown: object, token: str) -> bool:
        """Tell whether a page showed the token that belongs to its cookie."""
        return isinstance(shown, str) and hmac.compare_digest(shown.encode("utf-8", "replace"), self._csrf(token))

    def _csrf(self, token: str) -> bytes:
        return urlsafe_b64encode(hmac.digest(self._key, f"csrf {token}".encode(), hashlib.sha256)).rstrip(b"=")

    @staticmethod
    def give(response: Response, environ: Mapping[str, Any], token: str, *, seconds: int) -> None:
        """Let the browser show a token from now on: to this site, when its own pages ask, and to no script."""
        response.set_cookie(
            _name(environ), token, max_age=seconds, secure=_is_secure(environ), httponly=True, samesite="Strict"
        )

    @staticmethod
    def take(response: Response, environ: Mapping[str, Any]) -> None:
        """Let the browser forget its token."""
        response.delete_cookie(_name(environ), secure=_is_secure(environ), httponly=True, samesite="Strict")


def is_page(environ: Mapping[str, Any]) -> bool:
    """Tell whether a page of a browser asks, which must not open the browser's own form for a password."""
    return _CSRF in environ


def _is_secure(environ: Mapping[str, Any]) -> bool:
    return bool(environ["wsgi.url_scheme"] == "https")


def _name(environ: Mapping[str, Any]) -> str:
    """Return the cookie's name: with TLS one that no other host can set (`__Host-`, RFC 6265bis §4.1.3)."""
    return f"__Host-{_NAME}" if _is_secure(environ) else _NAME
