"""Tell clients that a surface goes away: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and what comes in its place."""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

from flask import Flask, Response, current_app
from werkzeug.http import http_date

from application.libs.current import current_request
from application.libs.operation import nameless

Address = tuple[str, str]


class Deprecation:
    """Complete the answers below a prefix, refusals too, with what a client must know to move on in time."""

    def __init__(
        self, url_prefix: str, *, since: datetime | None, sunset: datetime | None, successor_prefix: str
    ) -> None:
        """Write the headers once; a time that is not given has none."""
        self._prefix = f"{url_prefix}/"
        self._successor_prefix = f"{successor_prefix}/"
        self._headers: list[tuple[str, str]] = []
        if since is not None:
            self._headers.append(("Deprecation", f"@{int(since.timestamp())}"))
        if sunset is not None:
            self._headers.append(("Sunset", http_date(sunset)))

    def complete(self, response: Response) -> Response:
        """Add the headers to an answer below the prefix; be an `after_request` of the application."""
        if current_request().path.startswith(self._prefix):
            response.headers.extend(self._headers)
            successor = self._successor()
            if successor:
                links = [*response.headers.getlist("Link"), f'<{quote(successor)}>; rel="successor-version"']
                response.headers["Link"] = ", ".join(links)
        return response

    def _successor(self) -> str | None:
        """Return the same path below the successor's prefix, where it serves the method there."""
        request = current_request()
        rule = request.url_rule
        if rule is None or (request.method, rule.rule) not in self._succeeded:
            return None
        return f"{request.root_path}{self._successor_prefix}{request.path[len(self._prefix) :]}"

    @cached_property
    def _succeeded(self) -> frozenset[Address]:
        """Hold methods and rules of this surface that the successor has too; all are known at the first request."""
        later = {(method, below) for method, _rule, below in _served(current_app, self._successor_prefix)}
        ours = _served(current_app, self._prefix)
        return frozenset((method, rule) for method, rule, below in ours if (method, below) in later)


def _served(app: Flask, prefix: str) -> Iterable[tuple[str, str, str]]:
    """Yield method and rule of everything below a prefix, and what the rule matches there."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(prefix):
            for method in rule.methods or ():
                yield method, rule.rule, nameless(rule.rule[len(prefix) :])
