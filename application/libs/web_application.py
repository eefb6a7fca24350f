"""Be the web application: Flask, with the little that has to be overridden in it."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response

ACCEPT_PATCH = "application/merge-patch+json, application/json"
"""What a patch may be sent as (RFC 5789 §3.1), the one that names its rules first."""


class WebApplication(Flask):
    """Be Flask, except where that is wrong for us or slow."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function: handlers and hooks are plain ones, coroutines are refused where they are declared.

        Flask looks again at each request, 4 µs in all.
        """
        return func

    def make_default_options_response(self) -> Response:
        """Return an empty answer with `Allow`, and with `Accept-Patch` where PATCH is allowed.

        It names no media type, for there is no content; with Flask's `text/html` it would get the headers of a page.
        """
        response = super().make_default_options_response()
        del response.headers["Content-Type"]
        if "PATCH" in response.allow:
            response.headers["Accept-Patch"] = ACCEPT_PATCH
        return response
