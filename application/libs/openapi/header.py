"""Say which headers an operation reads and answers with; each is described once and referred to.

A header is added here in two places: what it is, in one of the tables; when it comes, in the function that reads them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from application.libs.auth import PermissionMissing
from application.libs.error import AddressTooLong, NotAcceptable, Refusal, TooLarge, Unauthenticated, Unavailable
from application.libs.idempotency import KEY_PATTERN, REPLAYED, KeyInUse
from application.libs.multilingual import Translate
from application.libs.ok import Json
from application.libs.operation import Operation
from application.libs.redprint import Surface
from application.libs.respond import is_tagged

REQUEST_ID = "01981f3e7c5a7b1e9c550d7f5b1f2a10"
"""An example of the id of a request."""

RATE_LIMIT = ("RateLimit", "RateLimit-Policy")

_TAG = '"5d41402abc4b2a76b9719d911017c592"'

REQUEST_HEADERS: Mapping[str, Json] = {
    "If-Match": {
        "description": "The `ETag` that is meant, `*` for any: where another one is there by now, the answer is 412.",
        "schema": {"type": "string", "examples": [_TAG]},
    },
    "If-None-Match": {
        "description": "The `ETag` that one has, `*` for any: where it is still that, a read is 304 and a change 412.",
        "schema": {"type": "string", "examples": [_TAG]},
    },
    "Idempotency-Key": {
        "description": "A name of the client's choice, such as a UUID: sent again with it, the request gets the first"
        " answer and has no second effect, for a day.",
        "schema": {"type": "string", "pattern": KEY_PATTERN, "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"]},
    },
}
"""Parameter objects by name, without the place."""

RESPONSE_HEADERS: Mapping[str, Json] = {
    "X-Request-ID": {
        "description": "Names this request in the log. A client may choose it by sending the header itself.",
        "required": True,
        "schema": {"type": "string", "examples": [REQUEST_ID]},
    },
    "ETag": {
        "description": "Names this state of the resource (RFC 9110 §8.8.3).",
        "schema": {"type": "string", "examples": [_TAG]},
    },
    "Link": {
        "description": 'The address of the next page, as `rel="next"` (RFC 8288), absent on the last one; of the first'
        ' page, as `rel="first"`, on every other one; and of the same in a later version, as `rel="successor-version"`,'
        " where this one is deprecated.",
        "schema": {"type": "string", "examples": ['</api/v1/blog?limit=20&after=WyJuYW1lIiwiYSJd>; rel="next"']},
    },
    "Location": {
        "description": "The address of what was created.",
        "schema": {"type": "string", "examples": ["/api/v1/blog/01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"]},
    },
    REPLAYED: {
        "description": "Says that this is the answer to the first request under the key.",
        "schema": {"const": "true"},
    },
    "Deprecation": {
        "description": "Since when this version is deprecated (RFC 9745).",
        "schema": {"type": "string", "examples": ["@1893456000"]},
    },
    "Sunset": {
        "description": "When this version ends (RFC 8594).",
        "schema": {"type": "string", "examples": ["Tue, 01 Jan 2030 00:00:00 GMT"]},
    },
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "schema": {"type": "integer", "minimum": 0, "examples": [1]},
    },
    "RateLimit": {
        "description": "What is left of the quota (`r`), and in how many seconds it is whole again (`t`).",
        "schema": {"type": "string", "examples": ['"blog_create";r=119;t=60']},
    },
    "RateLimit-Policy": {
        "description": "How many requests a caller has (`q`) in how many seconds (`w`).",
        "schema": {"type": "string", "examples": ['"blog_create";q=120;w=60']},
    },
    "Accept": {
        "description": "The media types that are read, where the body was of another one.",
        "schema": {"type": "string", "examples": ["application/json"]},
    },
    "Accept-Patch": {
        "description": "The media types that a patch is read of, where it was of another one (RFC 5789 §2.2).",
        "schema": {"type": "string", "examples": ["application/json, application/merge-patch+json"]},
    },
    "Accept-Encoding": {
        "description": "The coding that is read, where the body came in another one.",
        "schema": {"type": "string", "examples": ["identity"]},
    },
    "WWW-Authenticate": {
        "description": "How to sign in (RFC 9110 §11.6.1).",
        "required": True,
        "schema": {"type": "string", "examples": ['Bearer realm="API"']},
    },
}
"""Header objects by name."""


class References:
    """Refer to headers, and remember which ones, for the document describes those alone."""

    def __init__(self, translate: Translate) -> None:
        """Begin with none."""
        self._translate = translate
        self._used: set[str] = set()

    def headers(self, names: Iterable[str]) -> Json:
        """Return the headers of an answer."""
        return dict(self._referred("headers", names))

    def parameters(self, names: Iterable[str]) -> list[Json]:
        """Return the headers that a request may carry."""
        return [reference for _name, reference in self._referred("parameters", names)]

    @property
    def described_headers(self) -> Json:
        """Return the response headers that were referred to."""
        return {name: self._described(RESPONSE_HEADERS[name]) for name in sorted(self._used & set(RESPONSE_HEADERS))}

    @property
    def described_parameters(self) -> Json:
        """Return the request headers that were referred to."""
        return {
            name: {"name": name, "in": "header", **self._described(REQUEST_HEADERS[name])}
            for name in sorted(self._used & set(REQUEST_HEADERS))
        }

    def _referred(self, kind: str, names: Iterable[str]) -> Iterator[tuple[str, Json]]:
        for name in names:
            self._used.add(name)
            yield name, {"$ref": f"#/components/{kind}/{name}"}

    def _described(self, item: Json) -> Json:
        return {**item, "description": self._translate(item["description"])}


UNCOUNTED = frozenset({AddressTooLong, NotAcceptable, PermissionMissing, TooLarge, Unauthenticated, Unavailable})
"""What is refused before a limit counts the request, and says nothing of it."""


def request_headers(operation: Operation) -> Iterator[str]:
    """Yield the names of the headers an operation reads beside those its handler asks for."""
    if operation.current is not None or answers_unmodified(operation):
        yield from ("If-Match", "If-None-Match")
    if operation.is_repeatable:
        yield "Idempotency-Key"


def answers_unmodified(operation: Operation) -> bool:
    """Tell whether 304 may be the answer."""
    return operation.method == "GET" and is_tagged(operation)


def success_headers(operation: Operation, surface: Surface) -> Iterator[str]:
    """Yield the names of the headers of an operation's success."""
    yield "X-Request-ID"
    if is_tagged(operation):
        yield "ETag"
    if operation.answer.is_page or surface.deprecation is not None:
        yield "Link"
    if operation.created is not None:
        yield "Location"
    if operation.is_repeatable:
        yield REPLAYED
    if operation.rate_limit is not None:
        yield from RATE_LIMIT
    if surface.deprecation is not None:
        yield from ("Deprecation", "Sunset")


def failure_headers(
    operation: Operation, surface: Surface, status: int, errors: Sequence[type[Refusal]]
) -> Iterator[str]:
    """Yield the names of the headers of a refusal."""
    yield "X-Request-ID"
    if status == 401:
        yield "WWW-Authenticate"
    if status in (429, 503) or KeyInUse in errors:
        yield "Retry-After"
    if status == 415:
        yield "Accept-Encoding"
        if "body" in operation.inputs and surface.dialect.requires_json_type:
            yield "Accept"
            if operation.method == "PATCH":
                yield "Accept-Patch"
    if operation.rate_limit is not None and not UNCOUNTED.issuperset(errors):
        yield from RATE_LIMIT
