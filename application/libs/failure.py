"""Answer every failure in the dialect of the surface it happened on; elsewhere, with a page.

Nothing internal is shown: an unexpected exception is logged with the request's id, and the client gets the id. Under
`TESTING` it goes on into the test, as with Flask alone; a test that wants the answer sets `PROPAGATE_EXCEPTIONS` to
False.
"""

import logging
from collections.abc import Callable

from flask import Flask, Response, current_app
from werkzeug.exceptions import HTTPException

from application.libs.current import current_request
from application.libs.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    PreconditionFailed,
    Refusal,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from application.libs.ok import Dialect, request_id
from application.libs.redprint import machinery

_LOG = logging.getLogger(__name__)

_KEPT_HEADERS = ("Allow", "Retry-After")

Page = Callable[[int, str], Response]

_FAMILIES: dict[int, type[Refusal]] = {
    family.status: family
    for family in (
        BadRequest,
        Unauthenticated,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        NotAcceptable,
        Conflict,
        PreconditionFailed,
        TooLarge,
        UnsupportedMediaType,
        TooManyRequests,
        InternalError,
        Unavailable,
    )
}


def init_app(app: Flask, *, page: Page) -> None:
    """Register the handlers; `page(status, request_id)` draws a failure outside the surfaces."""

    def refused(refusal: Refusal) -> Response:
        if refusal.status >= 500:
            _LOG.warning(
                "%s answered %d: %s", current_request().path, refusal.status, refusal.code, exc_info=refusal.__cause__
            )
        dialect = _dialect()
        return dialect.failure(refusal) if dialect else page(refusal.status, request_id())

    def http_failure(error: HTTPException) -> Response:
        return refused(_from_http(error))

    def unexpected(error: Exception) -> Response:
        if app.testing and app.config["PROPAGATE_EXCEPTIONS"] is not False:
            raise error  # into the test that asked
        request = current_request()
        _LOG.error("%s %s failed", request.method, request.path, exc_info=error)
        return refused(InternalError())

    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, http_failure)
    app.register_error_handler(Exception, unexpected)


def _from_http(error: HTTPException) -> Refusal:
    """Return the refusal for what Werkzeug or Flask raised, without their text."""
    status = error.code or 500
    family = _FAMILIES.get(status, BadRequest if status < 500 else InternalError)
    refusal = family()
    refusal.headers.update({name: value for name, value in error.get_headers() if name in _KEPT_HEADERS})
    return refusal


def _dialect() -> Dialect | None:
    """Return the dialect of the surface at this path; beside the surfaces (`/api/v0`) there are plain problems."""
    path = f"{current_request().path}/"
    surfaces = [surface for surface in machinery(current_app).surfaces if path.startswith(f"{surface.url_prefix}/")]
    if surfaces:
        dialect: Dialect = max(surfaces, key=lambda surface: len(surface.url_prefix)).dialect
        return dialect
    roots = {surface.url_prefix.split("/")[1] for surface in machinery(current_app).surfaces}
    return Dialect() if path.split("/")[1] in roots else None
