"""Be the web application: Flask, with the little that has to be overridden in it."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache, partial
from typing import Any, Self

from flask import Flask, Request, Response, request_tearing_down
from werkzeug.datastructures import Headers
from werkzeug.http import is_entity_header
from werkzeug.routing import MapAdapter, Rule
from werkzeug.sansio.utils import get_host

ACCEPT_PATCH = "application/merge-patch+json, application/json"
"""What a patch may be sent as (RFC 5789 §3.1), the one that names its rules first."""

NOT_MODIFIED = 304


class _Written(Headers):
    """Be headers that were written well: Werkzeug looks each of them through, which takes as long as the answer."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        self._list = list(headers)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is one of this name; Werkzeug raises an error and catches it where there is none."""
        return isinstance(name, str) and any(name.lower() == known.lower() for known, _value in self._list)


class Answer(Response):
    """Be Flask's answer, which goes out as it is where nothing is to be changed in it."""

    @classmethod
    def of(cls, body: bytes, *, status: int, media_type: str, headers: Mapping[str, str]) -> Self:
        """Return an answer with this body; nothing of its headers is a client's unless it was coded."""
        described = ("Content-Type", media_type), ("Content-Length", str(len(body)))
        return cls([body], status=status, headers=_Written([*described, *headers.items()]))

    def get_app_iter(self, environ: dict[str, Any]) -> Iterable[bytes]:
        """Return what the server sends: the body itself, where Werkzeug would wrap it twice to encode and to close it.

        Who waits for the end of the answer (`call_on_close`) is told of it as ever.
        """
        body = self.response
        if isinstance(body, list) and not self._on_close and environ["REQUEST_METHOD"] != "HEAD":
            if self.status_code == NOT_MODIFIED and not body:
                return body
            if self.status_code in _WITH_CONTENT and len(body) == 1 and isinstance(body[0], bytes):
                return body
        return super().get_app_iter(environ)

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        """Return the headers for the wire; Werkzeug would copy those of each answer and look for what to change.

        It changes addresses that are not coded as they must be, and what tells of content where there is none.
        """
        given = {name.lower(): value for name, value in self.headers}
        if self.status_code == NOT_MODIFIED:
            is_ready = "location" not in given and not any(map(is_entity_header, given))
        else:
            addresses = given.get("location", ""), given.get("content-location", "")
            is_coded = _CODED.fullmatch("".join(addresses)) is not None
            is_ready = is_coded and self.status_code in _WITH_CONTENT and "content-length" in given
        return self.headers if is_ready else super().get_wsgi_headers(environ)


class Empty(Answer):
    """Be an answer without a body, which then has no media type either."""

    default_mimetype = None

    @classmethod
    def unmodified(cls, headers: Iterable[tuple[str, str]]) -> Self:
        """Return the answer that the client has what these headers describe; they are those of `Answer.of`."""
        return cls([], status=NOT_MODIFIED, headers=_Written(headers))


_LABEL = "[A-Za-z0-9-]{1,63}"
_PLAIN_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*(:[0-9]{{1,5}})?", re.ASCII)
_WITH_CONTENT = frozenset({200, 201})
_CODED = re.compile(r"[A-Za-z0-9/._~-]*", re.ASCII)
"""What an address may be made of that stays as it is."""


class LateRule(Rule):
    """Be Werkzeug's rule, which writes the code that makes an address when the first one is made, not at the start.

    It writes two functions for each of two hundred rules, nearly half of what the application takes to be built.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        write = cache(partial(super()._compile_builder, append_unknown))

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            return write()(rule, **values)

        return build


@lru_cache(maxsize=64)
def _plain_host(scheme: str, given: str | None) -> str | None:
    """Return the host of a request that names one of plain letters and digits, without a port that goes without saying.

    Clients ask for few, and Werkzeug takes 4 µs to find out each time; it takes care of all others.
    """
    if given is None or _PLAIN_HOST.fullmatch(given) is None:
        return None
    return get_host(scheme, given)


class Asked(Request):
    """Be Flask's request, which knows what it found out."""

    _blueprints: list[str] | None = None

    @property
    def blueprints(self) -> list[str]:
        """Return the names of the blueprints of the view, the innermost first; Flask asks twice for each request."""
        if self._blueprints is None or self.url_rule is None:
            self._blueprints = super().blueprints
        return self._blueprints


class WebApplication(Flask):
    """Be Flask, except where that is wrong for us or slow."""

    request_class = Asked
    response_class = Answer
    url_rule_class = LateRule

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function: handlers and hooks are plain ones, coroutines are refused where they are declared.

        Flask looks again at each request, 4 µs in all.
        """
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the view of a request; Werkzeug would find out its host twice, and code it, for 10 µs.

        No rule of ours depends on the host. Who asks for another protocol, or sets SERVER_NAME, is served as ever.
        """
        if request is None or self._looks_at_hosts() or "HTTP_UPGRADE" in request.environ:
            return super().create_url_adapter(request)
        host = _plain_host(request.scheme, request.environ.get("HTTP_HOST"))
        if host is None:
            return super().create_url_adapter(request)
        request.host = host
        return MapAdapter(
            self.url_map,
            host.lower(),
            request.root_path,
            self.url_map.default_subdomain or "",
            request.scheme,
            request.path,
            request.method,
            request.query_string.decode("utf-8", "replace"),
        )

    def _looks_at_hosts(self) -> bool:
        """Tell whether Flask or a rule is to look at the host; it is settled by then, at the edge."""
        config, rules = self.config, self.url_map
        settled = config["SERVER_NAME"] is None and config["TRUSTED_HOSTS"] is None
        return not settled or rules.host_matching or self.subdomain_matching

    def do_teardown_request(self, *exc: Any) -> None:
        """Call what waits for the end of a request; Flask looks for the blueprints of each, whoever waits."""
        if self.teardown_request_funcs or request_tearing_down.receivers:
            super().do_teardown_request(*exc)

    def make_default_options_response(self) -> Response:
        """Return an empty answer with `Allow`, and with `Accept-Patch` where PATCH is allowed.

        It names no media type, for there is no content; with Flask's `text/html` it would get the headers of a page.
        """
        response = super().make_default_options_response()
        del response.headers["Content-Type"]
        if "PATCH" in response.allow:
            response.headers["Accept-Patch"] = ACCEPT_PATCH
        return response
