"""Turn what a handler returns into the answer: its body, and the headers that describe it."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from flask import Response
from pydantic import ValidationError

from application.libs.answer import Encode
from application.libs.conditional import entity_tag, is_unmodified
from application.libs.current import current_request
from application.libs.listing import MAX_PICKERS, SPARSE_TYPE, chooses_fields, links, only, requested_fields
from application.libs.ok import Dialect
from application.libs.operation import Operation
from application.libs.strictness import computed
from application.libs.web_application import Answer, Empty

Respond = Callable[[Any], Response]
Encoding = tuple[Encode, str, tuple[str, ...] | None]

UNSHARED = "no-store, no-transform"
"""Keeps a secret out of caches and of compression, here and on the way: the length could betray it (BREACH)."""


class BrokenPromiseError(AssertionError):
    """A handler answered with something that its schema does not allow."""


def responder(operation: Operation, dialect: Dialect, *, testing: bool) -> Respond:
    """Return what writes an operation's answer in a dialect."""
    answer, status = operation.answer, operation.status
    if answer.is_raw:
        return _watched(operation) if testing else _itself  # the handler's own Response passes through
    if answer.is_empty:
        return lambda _result: Empty(status=status)
    complete = _headers(operation)
    encoding, is_read = _encoding(operation), operation.method == "GET"

    def respond(result: Any) -> Response:
        page = result if answer.is_page else None
        encode, media_type, names = encoding()
        data = encode(result.items if page is not None else result)
        if testing:
            _check_promise(operation, data, names)
        body = dialect.success(data, page)
        headers = complete(result, body)
        if page is not None and (page.next is not None or "after" in current_request().args):
            headers["Link"] = links(page)
        if is_read and is_unmodified(headers["ETag"]):
            return Empty.unmodified(headers.items())
        return Answer.of(body, status=status, media_type=media_type, headers=headers)

    return respond


def representer(operation: Operation, dialect: Dialect) -> Callable[[Any], bytes]:
    """Return what writes the body of an operation's answer alone, which its tag is made of."""
    encoding, is_page = _encoding(operation), operation.answer.is_page

    def represent(result: Any) -> bytes:
        encode, _media_type, _names = encoding()
        return dialect.success(encode(result.items if is_page else result), result if is_page else None)

    return represent


def _itself(result: Response) -> Response:
    return result


def _watched(operation: Operation) -> Respond:
    """Return what lets a Response pass if it is of the media type that the API document promises, where it does."""
    promised = operation.answer.media_type

    def respond(result: Response) -> Response:
        if promised is not None and not fnmatchcase(result.mimetype or "", promised):
            message = f"{operation.handler.__qualname__} answered with {result.mimetype}, and promises {promised}"
            raise BrokenPromiseError(message)
        return result

    return respond


def _encoding(operation: Operation) -> Callable[[], Encoding]:
    """Return what chooses the encoder, the media type and, of a sparse list, the members that are asked for."""
    answer = operation.answer
    whole: Encoding = (answer.encode, "application/json", None)
    if not operation.is_sparse:
        return lambda: whole
    picking = lru_cache(MAX_PICKERS)(answer.picking)

    def choose() -> Encoding:
        if not chooses_fields():
            return whole
        names = requested_fields(current_request().args, answer.schema)
        return picking(names), SPARSE_TYPE, names

    return choose


def is_tagged(operation: Operation) -> bool:
    """Tell whether an answer carries the tag of what GET gives.

    PUT gives none: its client would take it for that of what it sent (RFC 9110 §9.3.4).
    """
    if operation.method == "GET":
        return operation.answer.schema is not None
    if operation.created is not None:
        return operation.created.answer.schema is operation.answer.schema
    current = operation.current if operation.method == "PATCH" and operation.answer.is_one else None
    return current is not None and current.gives_one_resource and current.answer.schema is operation.answer.schema


def _headers(operation: Operation) -> Callable[[Any, bytes], dict[str, str]]:
    """Return what describes an answer: its tag, where it is what GET gives, and where something new is."""
    created, tagged = operation.created, is_tagged(operation)
    always = {"Cache-Control": UNSHARED} if operation.secret else {}

    def complete(result: Any, body: bytes) -> dict[str, str]:
        headers = {"ETag": entity_tag(body), **always} if tagged else {**always}
        if created is not None:
            request = current_request()
            headers["Location"] = quote(f"{request.root_path}{request.path}/{result.id}")
        return headers

    return complete


def _check_promise(operation: Operation, data: bytes, names: Sequence[str] | None) -> None:
    """Raise `BrokenPromiseError` for what the schema does not allow; of a sparse list `names` is what it shows."""
    schema = operation.answer.schema
    if schema is None:
        return
    unread: Literal["ignore"] | None = "ignore" if any(computed(schema)) else None
    if names is not None:
        schema = only(schema, names)
    try:
        if operation.answer.is_list:
            for item in _split(data):
                schema.model_validate(item, strict=False, extra=unread)
        else:
            schema.model_validate_json(data, strict=False, extra=unread)
    except ValidationError as error:
        message = f"{operation.handler.__qualname__} answered with what {schema.__name__} does not allow: {error}"
        raise BrokenPromiseError(message) from error


def _split(data: bytes) -> list[Any]:
    items: list[Any] = msgspec.json.decode(data)
    return items
