"""Write answers: the dialect of a surface says how success and failure look on the wire.

A dialect writes while serialising, in one pass; nothing parses an answer to wrap it afterwards.
"""

from http import HTTPStatus
from typing import Any

import msgspec
from flask import Response, request

from application.libs.error import PROBLEM_TYPE, Refusal, Unauthenticated, problem
from application.libs.page import Page

Json = dict[str, Any]

FIELD_ERROR_SCHEMA: Json = {
    "type": "object",
    "required": ["loc", "msg", "type"],
    "properties": {
        "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
        "msg": {"type": "string"},
        "type": {"type": "string"},
    },
}
_ERRORS: Json = {"type": "array", "items": FIELD_ERROR_SCHEMA}
PROBLEM_SCHEMA: Json = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "code", "request", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable name of the error; translate by it."},
        "request": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": _ERRORS,
    },
}
MESSAGE_SCHEMA: Json = {
    "type": "object",
    "description": "What went wrong, as Flask-APScheduler says it.",
    "required": ["error_message", "code", "request_id", "errors"],
    "properties": {
        "error_message": {"type": "string"},
        "code": {"type": "string", "description": "Stable name of the error; translate by it."},
        "request_id": {"type": "string"},
        "errors": _ERRORS,
    },
}
PAGE_SCHEMA: Json = {
    "type": "object",
    "required": ["limit", "next"],
    "properties": {
        "limit": {"type": "integer"},
        "next": {"type": ["string", "null"], "description": "Give it as `after` for the next page."},
        "total": {"type": "integer", "description": "Only with `count=true`."},
    },
}

_PAGE = msgspec.json.Encoder()


class Dialect:
    """Say how a surface answers; `schemes` are the ways to sign in it accepts, in lower case."""

    schemes: tuple[str, ...] = ("bearer",)
    challenge = "Bearer"
    requires_json_type = True
    """Whether a body that is not declared as JSON is refused with 415."""

    def success(self, data: bytes, page: Page[object] | None) -> bytes:
        """Return the body around the encoded data."""
        raise NotImplementedError

    def describe(self, data: Json, *, is_page: bool) -> Json:
        """Return the JSON schema of `success`, for the API document."""
        raise NotImplementedError

    def describe_failure(self) -> tuple[str, Json]:
        """Return the media type and the JSON schema of `failure`, for the API document."""
        return PROBLEM_TYPE, PROBLEM_SCHEMA

    def failure(self, refusal: Refusal) -> Response:
        """Return the answer to a refused request, as problem details (RFC 9457)."""
        body = problem(
            refusal,
            request=f"{request.method} {request.path}",
            path=request.path,
            request_id=request_id(),
        )
        return self.refuse(refusal, body, PROBLEM_TYPE)

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
            members["page"] = PAGE_SCHEMA
        return {"type": "object", "required": list(members), "properties": members}


class Bare(Dialect):
    """Answer with the data alone, and with `error_message` on failure, as Flask-APScheduler does."""

    schemes = ("bearer", "basic")
    challenge = 'Basic realm="Authentication Required"'
    requires_json_type = False

    def success(self, data: bytes, _page: Page[object] | None) -> bytes:
        """Return the encoded data as it is."""
        return data

    def describe(self, data: Json, *, is_page: bool) -> Json:
        """Return the schema of the data alone; a page is bare too."""
        del is_page
        return data

    def describe_failure(self) -> tuple[str, Json]:
        """Return the schema of the message and what stands beside it."""
        return "application/json", MESSAGE_SCHEMA

    def failure(self, refusal: Refusal) -> Response:
        """Return the message beside its code, request id and faulty fields; a 401 is Flask-APScheduler's exactly."""
        if isinstance(refusal, Unauthenticated):
            return self.refuse(refusal, b"Access Denied", "text/html; charset=utf-8")
        body = msgspec.json.encode(
            {
                "error_message": refusal.detail or refusal.title,
                "code": refusal.code,
                "request_id": request_id(),
                "errors": refusal.errors,
            }
        )
        return self.refuse(refusal, body, "application/json")


def request_id() -> str:
    """Return the id the edge gave this request; empty where no edge stands before the application."""
    identifier: str = request.environ.get("redprint.request_id", "")
    return identifier


def reason(status: int) -> str:
    """Return the standard phrase of a status."""
    return HTTPStatus(status).phrase


def _page(page: Page[object]) -> bytes:
    members: dict[str, object] = {"limit": page.limit, "next": page.next}
    if page.total is not None:
        members["total"] = page.total
    return _PAGE.encode(members)
