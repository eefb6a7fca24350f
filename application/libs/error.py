"""Name every way a request can be refused, and draw it as problem details (RFC 9457).

Errors of the rules derive from the families below and stand beside the rule that raises them:

    class TagNotFound(NotFound):
        \"\"\"There is no such tag.\"\"\"

The class's name becomes `code` (`tag_not_found`), its docstring `title`, its family gives the status.

    Refusal
    ├── BadRequest 400            ├── Conflict 409
    ├── Unauthenticated 401       ├── PreconditionFailed 412
    ├── Forbidden 403             ├── TooLarge 413
    ├── NotFound 404              ├── UnsupportedMediaType 415
    ├── MethodNotAllowed 405      ├── Invalid 422
    ├── NotAcceptable 406         ├── TooManyRequests 429
    └── InternalError 500         └── Unavailable 503
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypedDict
from urllib.parse import quote

import msgspec

PROBLEM_TYPE = "application/problem+json"

_PATH_CHARACTERS = "/:@!$&'()*+,;="

MAX_ERRORS = 100
"""How many faulty fields an answer lists; a small body can hold very many."""

MAX_NAME = 100
"""How much of a field's name an answer repeats, because clients choose the names of unknown fields."""


class FieldError(TypedDict):
    """Say what is wrong with one field: where it is, a sentence, and a stable type."""

    loc: list[str | int]
    msg: str
    type: str


class Refusal(Exception):
    """The request was refused."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "refusal"
    title: ClassVar[str] = "The request was refused."
    commits: ClassVar[bool] = False
    """Whether the unit of work commits although this was raised: a refused login is still counted."""

    def __init_subclass__(cls) -> None:
        """Take `code` from the class's name and `title` from its docstring."""
        cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        if cls.__doc__:
            cls.title = cls.__doc__.strip().splitlines()[0]

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Add what is particular about this case; `detail` is shown to the client."""
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = list(errors)[:MAX_ERRORS]
        self.headers = dict(headers or {})


class BadRequest(Refusal):
    """The request could not be read."""

    status = 400


class Unauthenticated(Refusal):
    """A valid token is needed."""

    status = 401


class Forbidden(Refusal):
    """The caller is not allowed to do this."""

    status = 403


class NotFound(Refusal):
    """There is nothing at this address."""

    status = 404


class MethodNotAllowed(Refusal):
    """The method is not allowed at this address."""

    status = 405


class NotAcceptable(Refusal):
    """No offered representation is acceptable to the client."""

    status = 406


class Conflict(Refusal):
    """The request conflicts with what is stored."""

    status = 409


class PreconditionFailed(Refusal):
    """The resource was changed since it was read."""

    status = 412


class TooLarge(Refusal):
    """The request's body is too large."""

    status = 413


class AddressTooLong(Refusal):
    """The request's address is too long."""

    status = 414


class UnsupportedMediaType(Refusal):
    """The body is of a media type that is not read here."""

    status = 415


class Invalid(Refusal):
    """Some fields are not valid."""

    status = 422


class TooManyRequests(Refusal):
    """There were too many requests."""

    status = 429


class HeadersTooLarge(Refusal):
    """The request's headers are too many or too large."""

    status = 431


class InternalError(Refusal):
    """Something went wrong on the server."""

    status = 500


class Unavailable(Refusal):
    """The service is away for a moment."""

    status = 503


def field_error(*loc: str | int, msg: str, type_: str) -> FieldError:
    """Return the error of one field; `loc` starts with where it came from (`body`, `query`, …)."""
    return {"loc": [part[:MAX_NAME] if isinstance(part, str) else part for part in loc], "msg": msg, "type": type_}


def problem(refusal: Refusal, *, request: str, path: str, request_id: str) -> bytes:
    """Write a refusal as problem details: `request` is method and path, `path` names the instance.

    As a URI reference (RFC 9457 §3.1.5), so that everything but the characters of a path (RFC 3986 §3.3) is encoded.
    """
    return msgspec.json.encode(
        {
            "type": f"urn:redprint:problem:{refusal.code}",
            "title": refusal.title,
            "status": refusal.status,
            "detail": refusal.detail or refusal.title,
            "instance": quote(path, safe=_PATH_CHARACTERS),
            "code": refusal.code,
            "request": request,
            "request_id": request_id,
            "errors": refusal.errors,
        }
    )
