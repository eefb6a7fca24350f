"""Be the web application: Flask, with the little that has to be overridden in it."""

from flask import Flask, Response


class WebApplication(Flask):
    """Be Flask, except that its own answer to OPTIONS names no media type: there is no content to have one.

    With Flask's `text/html` the answer would also get the headers of a page.
    """

    def make_default_options_response(self) -> Response:
        """Return an empty answer with `Allow`."""
        response = super().make_default_options_response()
        del response.headers["Content-Type"]
        return response
