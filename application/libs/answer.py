"""Turn what a handler returns into bytes, by a plan made once when the handler is declared.

A record whose fields equal the wire schema's is encoded directly; for a subset, or nested subsets, a picker is made.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from flask import Response
from pydantic import BaseModel

from application.libs.page import Page
from application.libs.record import Record

Convert = Callable[[Any], Any]
Encode = Callable[[Any], bytes]

_ENCODER = msgspec.json.Encoder()
_SEQUENCES = (list, tuple, Sequence)


class AnswerMismatchError(TypeError):
    """What a handler returns does not fill the schema it answers with."""


class Answer:
    """Hold how one handler answers: the wire schema, whether it is a list, and the encoder."""

    def __init__(self, returns: Any, schema: type[BaseModel] | None) -> None:
        """Plan the encoding of `returns` (a return annotation) as `schema`; raise `AnswerMismatchError`."""
        self.is_raw = isinstance(returns, type) and issubclass(returns, Response)
        self.is_empty = returns is None or returns is NoneType
        self.is_page = returns is Page or get_origin(returns) is Page
        item = returns
        if self.is_page or get_origin(returns) in _SEQUENCES:
            item = _item(returns)
        self.is_list = item is not returns
        self.schema = schema
        if self.is_raw or self.is_empty:
            if schema is not None:
                message = f"it returns {_name(returns)}, which {schema.__name__} does not describe; drop `answer=`"
                raise AnswerMismatchError(message)
            self.encode: Encode = _nothing
            return
        if isinstance(item, type) and issubclass(item, BaseModel):
            if schema not in (None, item):
                message = f"it returns the schema {item.__name__}, which is sent as it is; drop `answer=`"
                raise AnswerMismatchError(message)
            self.schema = item
            self.encode = _encode_schemas if self.is_list else _encode_schema
            return
        if schema is None:
            message = f"it returns {item!r}, which says nothing about the wire; name the schema with `answer=`"
            raise AnswerMismatchError(message)
        self.encode = _encoder(_plan(item, schema, schema.__name__), is_list=self.is_list)


def _item(returns: Any) -> Any:
    arguments = get_args(returns)
    if not arguments:
        message = "it returns a Page of what? Write `Page[…]`"
        raise AnswerMismatchError(message)
    return arguments[0]


def _nothing(_value: Any) -> bytes:
    return b""


def _encode_schema(value: Any) -> bytes:
    body: bytes = value.__pydantic_serializer__.to_json(value)
    return body


def _encode_schemas(values: Any) -> bytes:
    return b"[" + b",".join(_encode_schema(value) for value in values) + b"]"


def _encoder(convert: Convert | None, *, is_list: bool) -> Encode:
    if convert is None:
        return _ENCODER.encode
    if is_list:
        return lambda values: _ENCODER.encode([convert(value) for value in values])
    return lambda value: _ENCODER.encode(convert(value))


def _plan(given: Any, wanted: Any, where: str) -> Convert | None:
    """Return how to convert a value of type `given` for `wanted`; None when it can be encoded as it is."""
    given, given_optional = _bare(given)
    wanted, wanted_optional = _bare(wanted)
    if given_optional and not wanted_optional:
        message = f"{where} may be None in the record but not in the schema; make the schema's field optional"
        raise AnswerMismatchError(message)
    convert = _plan_value(given, wanted, where)
    if convert is None or not given_optional:
        return convert
    return lambda value: None if value is None else convert(value)


def _plan_value(given: Any, wanted: Any, where: str) -> Convert | None:
    if get_origin(given) in _SEQUENCES and get_origin(wanted) in _SEQUENCES:
        item = _plan(get_args(given)[0], get_args(wanted)[0], f"{where}[]")
        return None if item is None else lambda values: [item(value) for value in values]
    if isinstance(given, type) and issubclass(given, Record) and _is_schema(wanted):
        return _plan_record(given, wanted, where)
    if _fits(given, wanted):
        return None
    message = f"{where} is {_name(given)} in the record and {_name(wanted)} in the schema; make them the same"
    raise AnswerMismatchError(message)


def _plan_record(record: type[Record], schema: type[BaseModel], where: str) -> Convert | None:
    given = get_type_hints(record, include_extras=True)
    names = list(schema.model_fields)
    missing = [name for name in names if name not in given]
    if missing:
        message = f"{record.__name__} has no field {', '.join(missing)}, which {where} gives"
        raise AnswerMismatchError(message)
    converts = [_plan(given[name], schema.model_fields[name].annotation, f"{where}.{name}") for name in names]
    if set(names) == set(given) and not any(converts):
        return None
    wire = msgspec.defstruct(schema.__name__, names)
    get = attrgetter(*names) if len(names) > 1 else _single(names[0])
    if not any(converts):
        return lambda value: wire(*get(value))
    return lambda value: wire(
        *(item if convert is None else convert(item) for convert, item in zip(converts, get(value), strict=True))
    )


def _single(name: str) -> Convert:
    get = attrgetter(name)
    return lambda value: (get(value),)


def _bare(annotation: Any) -> tuple[Any, bool]:
    """Strip `Annotated` and `| None`; tell whether None was there."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        if len(members) == 1:
            return _bare(members[0])[0], len(members) < len(get_args(annotation))
    return annotation, False


def _fits(given: Any, wanted: Any) -> bool:
    if wanted is Any or given == wanted or (given is int and wanted is float):
        return True
    if get_origin(wanted) is Literal:
        return _fits(given, type(get_args(wanted)[0])) or given == wanted
    if get_origin(given) is dict and get_origin(wanted) is dict:
        return True
    return (
        isinstance(given, type) and issubclass(given, Enum) and isinstance(wanted, type) and issubclass(given, wanted)
    )


def _is_schema(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _name(annotation: Any) -> str:
    return getattr(annotation, "__name__", None) or str(annotation)
