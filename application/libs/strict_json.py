"""Read JSON strictly: what two parsers could understand differently is refused (RFC 8259 §4, §8.1).

Refused with 400: anything but UTF-8, a byte order mark, nesting over 32, duplicate keys, NaN and infinities, floats
that overflow, integers beyond 64 bits. Refused with 422, at its place: NUL and lone surrogates in text, which no
database of ours can hold.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from application.libs.error import BadRequest, FieldError, Invalid, field_error

MAX_DEPTH = 32
_MAX_DIGITS = 19  # of 2**63
_INT64 = 2**63
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class MalformedJson(BadRequest):
    """The body is not valid JSON."""


def loads(raw: bytes) -> Any:
    """Return the value; raise `MalformedJson`, or `Invalid` for text that cannot be stored."""
    if not raw:
        raise MalformedJson("The body is empty; send a JSON object")
    _check_depth(raw)
    try:
        text = raw.decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise MalformedJson(f"Byte {error.start} is not valid UTF-8") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    if "\\u" in text:
        errors = list(_unstorable(value, ["body"]))
        if errors:
            raise Invalid(errors=errors)
    return value


def unstorable_text(text: str) -> str | None:
    """Return why no database can hold the text, or None: NUL, or a lone surrogate."""
    if "\x00" in text:
        return "The text contains a NUL character"
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "The text contains a lone surrogate; it is not valid Unicode"
    return None


def is_int64(number: int) -> bool:
    """Tell whether the number fits the largest integer column."""
    return -_INT64 <= number < _INT64


def _check_depth(raw: bytes) -> None:
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _BRACKETS.finditer(raw):
        token = match.group()
        if token in (b"[", b"{"):
            depth += 1
        elif token in (b"]", b"}"):
            depth -= 1
        if depth > MAX_DEPTH:
            raise MalformedJson(f"The body nests deeper than {MAX_DEPTH} levels")


def _unstorable(value: Any, loc: list[str | int]) -> Iterator[FieldError]:
    if isinstance(value, str):
        reason = unstorable_text(value)
        if reason:
            yield field_error(*loc, msg=reason, type_="text_unstorable")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unstorable(key, loc)
            yield from _unstorable(item, [*loc, key.encode("utf-8", "replace").decode()])
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, [*loc, index])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedJson("The body gives a field twice")
    return result


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _MAX_DIGITS:
        raise MalformedJson("An integer does not fit 64 bits")
    number = int(digits)
    if not is_int64(number):
        raise MalformedJson("An integer does not fit 64 bits")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise MalformedJson("A number is too large")
    return number


def _constant(name: str) -> Any:
    raise MalformedJson(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
