"""Be the web application: Flask, with the little that has to be overridden in it."""

from flask import Flask, Response

ACCEPT_PATCH = "application/merge-patch+json, application/json"
"""What a patch may be sent as (RFC 5789 §3.1), the one that names its rules first."""


class WebApplication(Flask):
    """Be Flask, except that its own answer to OPTIONS names no media type: there is no content to have one.

    With Flask's `text/html` the answer would also get the headers of a page.
    """

    def make_default_options_response(self) -> Response:
        """Return an empty answer with `Allow`, and with `Accept-Patch` where PATCH is allowed."""
        response = super().make_default_options_response()
        del response.headers["Content-Type"]
        if "PATCH" in response.allow:
            response.headers["Accept-Patch"] = ACCEPT_PATCH
        return response
