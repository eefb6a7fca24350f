"""Read JSON strictly: what two parsers could understand differently is refused (RFC 8259 §4, §8.1).

Refused with 400: anything but UTF-8, a byte order mark, nesting over 32, duplicate keys, NaN and infinities, floats
that overflow, integers beyond 64 bits. Refused with 422, at its place and together with what the schema finds: NUL and
lone surrogates in text, which no database of ours can hold.
"""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from application.libs.error import MAX_ERRORS, BadRequest, FieldError, field_error

MAX_DEPTH = 32
_MAX_DIGITS = 19  # of 2**63
_INT64 = 2**63
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class MalformedJson(BadRequest):
    """The body is not valid JSON."""


def loads(raw: bytes) -> Any:
    """Return the value; raise `MalformedJson`."""
    if not raw:
        raise MalformedJson("The body is empty; send a JSON object")
    _check_depth(raw)
    try:
        return _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedJson(f"Byte {error.start} is not valid UTF-8") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from None


def unstorable(raw: bytes, value: Any) -> list[FieldError]:
    """Return where in the body that was read as `value` stands text which no database can hold."""
    if b"\\u" not in raw:  # a raw one is no JSON, or no UTF-8
        return []
    return list(islice(_unstorable(value, ["body"]), MAX_ERRORS))


def storable(value: Any) -> Any:
    """Return the value with a mark for every character that cannot be stored, so that the rest can be judged."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


def printable(text: str) -> str:
    """Return the text with U+FFFD in place of NUL and lone surrogates."""
    return _UNSTORABLE.sub("\ufffd", text)


def exact(raw: bytes) -> Any:
    """Return the value of a body that `loads` took, with an integer for every number that is one, as 9.0 or 1e3 are."""
    return _EXACT.decode(raw.decode("utf-8"))


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


def _whole(digits: str) -> int | float:
    number = float(digits)
    if not number.is_integer() or not is_int64(int(number)):
        return number
    try:
        decimal = Decimal(digits)
        is_whole = decimal.is_zero() or decimal == decimal.to_integral_value()
    except InvalidOperation:  # an exponent beyond every bound
        return number
    whole = int(decimal) if is_whole and not decimal.is_zero() else 0
    return whole if is_whole and is_int64(whole) else number


def _constant(name: str) -> Any:
    raise MalformedJson(f"{name} is not a JSON number")


def _decoder(parse_float: Callable[[str], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object, parse_int=_integer, parse_float=parse_float, parse_constant=_constant
    )


_DECODER = _decoder(_float)
_EXACT = _decoder(_whole)
