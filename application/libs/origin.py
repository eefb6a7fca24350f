"""Know other sites by their origin: scheme, host and port (RFC 6454)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from application.libs import host

_ORIGIN = re.compile(r"(https?)://(\[[^\[\]/?#@]+\]|[^\[\]/?#@:]+)(?::([0-9]{1,5}))?", re.IGNORECASE)

_DEFAULT_PORTS = {"http": "80", "https": "443"}


def canonical(origin: str) -> str:
    """Return a listed origin as browsers send it: lower case, ASCII, without the scheme's own port.

    Raises ValueError for what no site can be: `*`, `null`, a path, a subdomain's wildcard.
    """
    match = _ORIGIN.fullmatch(origin)
    if match is None or match[2].startswith("."):
        raise ValueError(
            f"{origin} is no origin; write it as https://app.example, with the port where it is not the usual"
        )
    scheme, port = match[1].lower(), match[3]
    name = host.canonical(match[2])
    shown = f"[{name}]" if ":" in name else name
    return f"{scheme}://{shown}" if port in (None, _DEFAULT_PORTS[scheme]) else f"{scheme}://{shown}:{int(port)}"


def from_another_site(environ: Mapping[str, Any]) -> bool:
    """Tell whether the browser says that a page of another origin sent the request (Fetch Metadata, RFC 6454 §7)."""
    origin = environ.get("HTTP_ORIGIN")
    is_foreign = origin is not None and origin not in _origins(environ)
    return is_foreign or environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("same-origin", "none")


def from_this_site(environ: Mapping[str, Any]) -> bool:
    """Tell whether the browser says that a page of this origin sent the request; what changes must be said to."""
    is_said = environ.keys() & {"HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE"} or environ["REQUEST_METHOD"] in ("GET", "HEAD")
    return bool(is_said) and not from_another_site(environ)


def _origins(environ: Mapping[str, Any]) -> Sequence[str]:
    """Return how a browser may write the origin of this site.

    A server without TLS cannot know whether a proxy before it has some; one with TLS has no pages without.
    """
    name = environ.get("HTTP_HOST")
    schemes = ("https",) if environ["wsgi.url_scheme"] == "https" else ("https", "http")
    return [f"{scheme}://{name}" for scheme in schemes] if name else ()
