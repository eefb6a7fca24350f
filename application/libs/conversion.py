"""Read the texts of a query, headers or a form as the types of a schema's fields, and nothing more than they say."""

import math
import re
from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from werkzeug.datastructures import FileStorage

from application.libs.strict_json import unstorable_text

Convert = Callable[[Any], Any]

MAX_FILENAME = 255
"""How long a file's name may be; no file system of ours, and no column for one, holds more."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_MAX_DIGITS = 19  # of 2**63
_FLOAT = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class Conversion(NamedTuple):
    """Say how a field is read: whether it may be given several times, and what makes a value of a text."""

    is_list: bool
    convert: Convert


def conversion(annotation: Any, *, of_files: bool = False) -> Conversion:
    """Return how a field of this type is read; `ValueError` says why a text is none of its values."""
    kind = leaf(annotation)
    is_list = get_origin(kind) in (list, tuple, set, frozenset)
    if is_list:
        kind = leaf(get_args(kind)[0])
    return Conversion(is_list, _file if of_files else _converter(kind))


def leaf(annotation: Any) -> Any:
    """Strip `Annotated` and `| None`."""
    if get_origin(annotation) is Annotated:
        return leaf(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        return leaf(members[0]) if len(members) == 1 else annotation
    return annotation


def _converter(kind: Any) -> Convert:
    if get_origin(kind) is Literal:
        return _chooser(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _chooser([member.value for member in kind])
    return _CONVERTERS.get(kind, _text)


def _chooser(values: Any) -> Convert:
    """Return what finds a text among the values of a choice; pydantic refuses a text that is none of them."""
    readers = [(value, _CONVERTERS.get(type(value), _text)) for value in values]

    def choose(text: str) -> Any:
        for value, read in readers:
            try:
                if read(text) == value:
                    return value
            except ValueError:
                continue
        return _text(text)

    return choose


def _text(text: str) -> str:
    reason = unstorable_text(text)
    if reason:
        raise ValueError(reason)
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("Give a whole number in ASCII digits")
    if len(text.lstrip("-")) > _MAX_DIGITS:
        raise ValueError("The number is too large" if text[0] != "-" else "The number is too small")
    return int(text)


def _number(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise ValueError("Give a number in ASCII digits, at most 19 before the point and 19 behind it")
    if not math.isfinite(float(text)):
        raise ValueError("The number is too large" if text[0] != "-" else "The number is too small")
    return float(text)


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError("Give true or false")
    return _BOOLEANS[text.lower()]


def _file(file: FileStorage) -> FileStorage:
    name = file.filename or ""
    reason = unstorable_text(name)
    if reason:
        raise ValueError(reason.replace("The text", "The file's name"))
    if len(name) > MAX_FILENAME:
        raise ValueError(f"The file's name is longer than {MAX_FILENAME} characters")
    file.seek(0)  # a first attempt of this request may have read it
    return file


_CONVERTERS: Mapping[Any, Convert] = {int: _integer, float: _number, bool: _boolean}
