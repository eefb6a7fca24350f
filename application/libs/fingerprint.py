"""Recognise a request that is sent again by what it asks, without storing what it asks.

It may hold a password, of which no plain hash may be stored: the hash is keyed by the application's secret, and by the
client's name for the request. A fingerprint says by which secret it was made, so that after a change of the secret
nobody takes the same request for another one.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from application.libs.current import current_request
from application.libs.wire_name import wire_name

MULTIPART = "multipart/form-data"

_ID_LENGTH = 8
"""How many of a fingerprint's 64 hexadecimal digits name the secret."""

Asked = Callable[[], Iterator[bytes]]


def fingerprint(pieces: Iterable[bytes], *, secret: object, name: str) -> str:
    """Return 64 hexadecimal digits: which secret, and what is asked under the name."""
    given = repr(secret).encode()
    known_as = hmac.new(given, b"which secret", hashlib.sha256).hexdigest()[:_ID_LENGTH]
    hashed = hmac.new(given + b"\n" + name.encode(), digestmod=hashlib.sha256)
    for piece in pieces:
        hashed.update(piece)
    return known_as + hashed.hexdigest()[:-_ID_LENGTH]


def are_comparable(one: str, other: str) -> bool:
    """Tell whether two fingerprints were made by the same secret."""
    return one[:_ID_LENGTH] == other[:_ID_LENGTH]


def asked(inputs: Mapping[str, type[BaseModel]]) -> Asked:
    """Return what yields all that the requests to a handler with these inputs ask.

    Of the headers only those that it takes; what else comes along, a proxy's say, may differ from try to try.
    """
    fields = inputs["headers"].model_fields if "headers" in inputs else {}
    headers = [wire_name(name, field, "headers") for name, field in fields.items()]
    takes_form = not inputs.keys().isdisjoint({"form", "files"})

    def pieces() -> Iterator[Any]:
        request = current_request()
        yield f"{request.method} {request.root_path}{request.full_path}"
        for name in headers:
            yield from ("header", name, *request.headers.getlist(name))
        if takes_form and request.mimetype == MULTIPART:
            yield from _parts()
        else:
            yield from ("body", request.get_data())

    return lambda: _delimited(pieces())


def reads_parts(inputs: Iterable[str]) -> bool:
    """Tell whether the request's content is the parts of a form, whose bytes are needed no more.

    They differ from try to try: every client makes a new boundary between the parts.
    """
    return not {"form", "files"}.isdisjoint(inputs) and current_request().mimetype == MULTIPART


def _parts() -> Iterator[Any]:
    request = current_request()
    for name, text in request.form.items(multi=True):
        yield from ("field", name, text)
    for name, file in request.files.items(multi=True):
        file.seek(0)
        yield from ("file", name, file.filename or "", file.content_type or "", file.read())
        file.seek(0)


def _delimited(pieces: Iterable[Any]) -> Iterator[bytes]:
    """Yield each piece behind its length, so that no two sequences become the same bytes."""
    for piece in pieces:
        content = piece.encode("utf-8", "surrogatepass") if isinstance(piece, str) else piece
        yield b"%d:" % len(content)
        yield content
