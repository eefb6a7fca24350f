"""Refuse what never became a request, or what broke outside the application, as the rest of the house does.

gunicorn would write a page of HTML that repeats its parser's words.
"""

import logging
import socket
from http import HTTPStatus

from gunicorn import util
from uuid_utils import uuid7

from application.libs.edge import COMMON_HEADERS, DATA_POLICY, NO_STORE
from application.libs.error import (
    PROBLEM_TYPE,
    AddressTooLong,
    BadRequest,
    Forbidden,
    HeadersTooLarge,
    InternalError,
    Refusal,
    problem,
)

_LOG = logging.getLogger(__name__)


class ExpectationFailed(Refusal):
    """What the request expects is not done here."""

    status = 417


class CodingNotImplemented(Refusal):
    """The body is sent in a coding that is not read here."""

    status = 501


_FAMILIES: dict[int, type[Refusal]] = {
    family.status: family
    for family in (
        BadRequest,
        Forbidden,
        AddressTooLong,
        ExpectationFailed,
        HeadersTooLarge,
        InternalError,
        CodingNotImplemented,
    )
}


def write_refusal(client: socket.socket, status: int, _reason: str, _message: str) -> None:
    """Answer a connection in place of `gunicorn.util.write_error`; the connection ends with it.

    What was asked is not told: the request may have been unreadable. gunicorn logs the fault just before, and the line
    here gives it the id the client sees.
    """
    request_id = uuid7().hex
    family = _FAMILIES.get(status, BadRequest if status < 500 else InternalError)
    _LOG.warning("The server itself answered %d; request id %s", family.status, request_id)
    util.write_nonblock(client, draw_refusal(family(), request_id))


def draw_refusal(refusal: Refusal, request_id: str) -> bytes:
    """Return the whole answer, from its status line to the last byte."""
    body = problem(refusal, request="", path="", request_id=request_id)
    headers = {
        "Connection": "close",
        "Content-Type": PROBLEM_TYPE,
        "Content-Length": str(len(body)),
        "Content-Security-Policy": DATA_POLICY,
        "X-Request-ID": request_id,
        **COMMON_HEADERS,
        **dict([NO_STORE]),
    }
    head = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*head, "", ""]).encode("ascii") + body
