"""Write answers: the dialect of a surface says how success and failure look on the wire.

A dialect writes while serialising, in one pass; nothing parses an answer to wrap it afterwards.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Response

from application.libs.auth import Identity
from application.libs.current import current_request
from application.libs.error import PROBLEM_TYPE, Refusal, Unauthenticated, problem
from application.libs.page import Page

Json = dict[str, Any]

FIELD_ERROR_SCHEMA: Json = {
    "type": "object",
    "description": "What is wrong with one field.",
    "required": ["loc", "msg", "type"],
    "properties": {
        "loc": {
            "type": "array",
            "items": {"type": ["string", "integer"]},
            "description": "Where it is: `body`, `query`, `headers`, `form` or `files`, then names and indexes.",
        },
        "msg": {"type": "string", "description": "A sentence for people."},
        "type": {"type": "string", "description": "Stable name of the fault; translate by it."},
    },
}
_ERRORS: Json = {
    "type": "array",
    "items": {"$ref": "#/components/schemas/FieldError"},
    "description": "The faulty fields; empty where the request as a whole is refused.",
}
PROBLEM_SCHEMA: Json = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "code", "request", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Names the kind of error."},
        "title": {"type": "string", "description": "The kind of error, for people."},
        "status": {"type": "integer", "description": "The status of the answer."},
        "detail": {"type": "string", "description": "What is particular about this case."},
        "instance": {"type": "string", "format": "uri-reference", "description": "The path that was asked for."},
        "code": {"type": "string", "description": "Stable name of the error; translate by it."},
        "request": {"type": "string", "description": "Method and path."},
        "request_id": {"type": "string", "description": "The same as the header `X-Request-ID`; the log knows it."},
        "errors": _ERRORS,
    },
}
MESSAGE_SCHEMA: Json = {
    "type": "object",
    "description": "What went wrong, as Flask-APScheduler says it.",
    "required": ["error_message", "code", "request_id", "errors"],
    "properties": {
        "error_message": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "Stable name of the error; translate by it."},
        "request_id": {"type": "string", "description": "The same as the header `X-Request-ID`; the log knows it."},
        "errors": _ERRORS,
    },
}
PAGE_SCHEMA: Json = {
    "type": "object",
    "description": "Where one is in a list.",
    "required": ["limit", "next"],
    "properties": {
        "limit": {"type": "integer", "description": "How many items a page holds.", "examples": [20]},
        "next": {
            "type": ["string", "null"],
            "description": "Give it as `after` for the next page; null on the last one.",
            "examples": [None],
        },
        "total": {
            "type": "integer",
            "description": "The number of all items; only with `count=true`.",
            "examples": [42],
        },
    },
}

_PAGE = msgspec.json.Encoder()


class Dialect:
    """Say how a surface answers; `schemes` are the ways to sign in it accepts, in lower case."""

    schemes: tuple[str, ...] = ("bearer",)
    caller: Callable[[], Identity] | None = None
    """Who calls, where that is not told by the credentials of ours; refuses whom it does not know."""
    challenge = 'Bearer realm="API"'
    requires_json_type = True
    """Whether a body that is not declared as JSON is refused with 415."""
    negotiates = True
    """Whether a request whose `Accept` admits no answer is refused with 406."""
    refusals: tuple[type[Refusal], ...] = ()
    """What the ways to sign in refuse with, beside 401, for the API document."""
    failure_schema = "Problem"
    """Which of `schemas` describes a failure."""
    schemas: Mapping[str, Json] = {"FieldError": FIELD_ERROR_SCHEMA, "Page": PAGE_SCHEMA, "Problem": PROBLEM_SCHEMA}
    """What answers are made of, by the name it has in the API document."""

    def success(self, data: bytes, page: Page[object] | None) -> bytes:
        """Return the body around the encoded data."""
        raise NotImplementedError

    def describe(self, data: Json, *, is_page: bool) -> Json:
        """Return the JSON schema of `success`, for the API document."""
        raise NotImplementedError

    def failure(self, refusal: Refusal) -> Response:
        """Return the answer to a refused request."""
        request = current_request()
        path = f"{request.root_path}{request.path}"
        content_type, body = self.draw(refusal, method=request.method, path=path, request_id=request_id())
        return self.refuse(refusal, body, content_type)

    def draw(self, refusal: Refusal, *, method: str, path: str, request_id: str) -> tuple[str, bytes]:
        """Return the media type and the body of a refusal: problem details (RFC 9457)."""
        return PROBLEM_TYPE, problem(refusal, request=f"{method} {path}", path=path, request_id=request_id)

    def challenge_to(self, scheme: str) -> str:
        """Return how to sign in, for a caller whose credentials of this scheme are not good.

        A bearer token is said to be invalid; who came without one is told no error (RFC 6750 §3.1).
        """
        return f'{self.challenge}, error="invalid_token"' if scheme == "bearer" else self.challenge

    def refuse(self, refusal: Refusal, body: bytes, content_type: str) -> Response:
        """Return a refusal's response with its headers; a 401 says how to sign in (RFC 9110 §11.6.1)."""
        response = Response(body, status=refusal.status, headers=refusal.headers, content_type=content_type)
        if isinstance(refusal, Unauthenticated) and "WWW-Authenticate" not in response.headers:
            response.headers["WWW-Authenticate"] = self.challenge
        return response


class Envelope(Dialect):
    """Wrap success as `{"code":0,"status":"succeed","data":…}`; lists add `page`."""

    def success(self, data: bytes, page: Page[object] | None) -> bytes:
        """Return the envelope around the encoded data."""
        if page is None:
            return b'{"code":0,"status":"succeed","data":' + data + b"}"
        return b'{"code":0,"status":"succeed","data":' + data + b',"page":' + _page(page) + b"}"

    def describe(self, data: Json, *, is_page: bool) -> Json:
        """Return the schema of the envelope."""
        members: Json = {"code": {"const": 0}, "status": {"const": "succeed"}, "data": data}
        if is_page:
            members["page"] = {"$ref": "#/components/schemas/Page"}
        return {"type": "object", "required": list(members), "properties": members}


class Bare(Dialect):
    """Answer with the data alone, and with `error_message` on failure, as Flask-APScheduler does."""

    schemes = ("bearer", "basic")
    challenge = 'Basic realm="Authentication Required"'
    requires_json_type = False
    negotiates = False  # Flask-APScheduler never looks at Accept; RFC 9110 §12.4.1 leaves it to the server
    failure_schema = "ErrorMessage"
    schemas: Mapping[str, Json] = {"FieldError": FIELD_ERROR_SCHEMA, "ErrorMessage": MESSAGE_SCHEMA}

    def success(self, data: bytes, _page: Page[object] | None) -> bytes:
        """Return the encoded data as it is."""
        return data

    def describe(self, data: Json, *, is_page: bool) -> Json:
        """Return the schema of the data alone; a page is bare too."""
        del is_page
        return data

    def challenge_to(self, scheme: str) -> str:
        """Ask for a password whatever the caller brought, as Flask-APScheduler does."""
        del scheme
        return self.challenge

    def draw(self, refusal: Refusal, *, method: str, path: str, request_id: str) -> tuple[str, bytes]:
        """Return the message beside its code, request id and faulty fields; a 401 is Flask-APScheduler's exactly."""
        del method, path
        if isinstance(refusal, Unauthenticated):
            return "text/html; charset=utf-8", b"Access Denied"
        return "application/json", msgspec.json.encode(
            {
                "error_message": refusal.detail or refusal.title,
                "code": refusal.code,
                "request_id": request_id,
                "errors": refusal.errors,
            }
        )


def request_id() -> str:
    """Return the id the edge gave this request; empty where no edge stands before the application."""
    identifier: str = current_request().environ.get("redprint.request_id", "")
    return identifier


def reason(status: int) -> str:
    """Return the standard phrase of a status."""
    return HTTPStatus(status).phrase


def _page(page: Page[object]) -> bytes:
    members: dict[str, object] = {"limit": page.limit, "next": page.next}
    if page.total is not None:
        members["total"] = page.total
    return _PAGE.encode(members)
