"""Turn what a handler returns into bytes, by a plan made once when the handler is declared.

A record whose fields equal the wire schema's is encoded directly; else a picker is made: of a subset, of fields under
another name (`Renamed`), of nested objects (`Grouped`), of constants (a `Literal` of one value that the record lacks).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from flask import Response
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from application.libs.page import Page
from application.libs.record import Record
from application.libs.schema import Grouped, Renamed

M = TypeVar("M")

Convert = Callable[[Any], Any]
Encode = Callable[[Any], bytes]

_MEDIA_TYPE = re.compile(r"\*/\*|[a-z]+/(\*|[a-z0-9][a-z0-9!#$&^_.+-]*)")
_ENCODER = msgspec.json.Encoder()
_SEQUENCES = (list, tuple, Sequence)


class AnswerMismatchError(TypeError):
    """What a handler returns does not fill the schema it answers with."""


class Answer:
    """Hold how one handler answers: the wire schema, whether it is a list, and the encoder."""

    def __init__(self, returns: Any, schema: type[BaseModel] | None, media_type: str | None = None) -> None:
        """Plan the encoding of `returns` (a return annotation) as `schema`; raise `AnswerMismatchError`.

        `media_type` is what a Response is of.
        """
        self.is_raw = isinstance(returns, type) and issubclass(returns, Response)
        self.is_empty = returns is None or returns is NoneType
        self.media_type = media_type
        _check_media_type(media_type, is_raw=self.is_raw)
        self.is_page = returns is Page or get_origin(returns) is Page
        item = returns
        _check_kind(returns)
        if self.is_page or get_origin(returns) in _SEQUENCES:
            item = _item(returns)
        self.is_list = item is not returns
        self.schema = schema
        self.item = item
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

    @property
    def is_one(self) -> bool:
        """Tell whether it is one object as JSON."""
        return not (self.is_raw or self.is_empty or self.is_list)

    def picking(self, names: Sequence[str]) -> Encode:
        """Return the encoder of a list whose items keep only these members of the schema."""
        schema = self.schema
        if schema is None:
            return self.encode
        if self.item is schema:
            return lambda values: b"[" + b",".join(_encode_members(value, set(names)) for value in values) + b"]"
        return _encoder(_plan_record(self.item, schema, schema.__name__, names), is_list=True)


def _check_kind(returns: Any) -> None:
    """Refuse what other frameworks read in their own way, with how it is said here."""
    arguments = get_args(returns)
    if get_origin(returns) is tuple and (len(arguments) != 2 or arguments[1] is not Ellipsis):
        message = "it returns a tuple; return the value alone and declare `status=201`, or return a Response"

        raise AnswerMismatchError(message)
    if NoneType in arguments and get_origin(returns) in (Union, UnionType):
        message = "it returns something or None; where there is nothing, raise a NotFound, and name it in `errors=`"
        raise AnswerMismatchError(message)


def _item(returns: Any) -> Any:
    arguments = get_args(returns)
    if not arguments:
        message = "it returns a Page of what? Write `Page[…]`"
        raise AnswerMismatchError(message)
    return arguments[0]


def _nothing(_value: Any) -> bytes:
    return b""


def _encode_schema(value: Any) -> bytes:
    body: bytes = value.__pydantic_serializer__.to_json(value, by_alias=True)
    return body


def _encode_members(value: Any, names: set[str]) -> bytes:
    body: bytes = value.__pydantic_serializer__.to_json(value, by_alias=True, include=names)
    return body


def _encode_schemas(values: Any) -> bytes:
    return b"[" + b",".join(_encode_schema(value) for value in values) + b"]"


def _check_media_type(media_type: str | None, *, is_raw: bool) -> None:
    if media_type is None:
        return
    if not is_raw:
        raise AnswerMismatchError("it has a `media_type` and returns no `Response`; drop `media_type=`")
    if not _MEDIA_TYPE.fullmatch(media_type):
        message = f"its `media_type` is {media_type!r}; write it as image/png, or image/* for several"
        raise AnswerMismatchError(message)


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


def _plan_record(
    record: Any, schema: type[BaseModel], where: str, names: Sequence[str] | None = None
) -> Convert | None:
    """Return how to take the schema's members, or the named ones alone, from a record; None when that is all it has."""
    given = get_type_hints(record, include_extras=True)
    _check_sources(record, given, schema, where)
    steps: list[tuple[int, Convert]] = []
    sources: list[str] = []
    fields = {name: field for name, field in schema.model_fields.items() if names is None or name in names}
    for position, (name, field) in enumerate(fields.items()):
        step: Convert | None
        source, step = next(iter(given)), None
        if _marked(field, Grouped) is not None:
            step = _grouped(record, field.annotation, f"{where}.{name}")
        elif name not in given and _is_constant(field):
            step = partial(_constant, get_args(field.annotation)[0])
        else:
            source = _source(name, field)
            convert = _plan(given[source], field.annotation, f"{where}.{name}")
            step = None if convert is None else _converted(source, convert)
        sources.append(source)
        if step is not None:
            steps.append((position, step))
    renamed = {name: field.alias for name, field in fields.items() if field.alias is not None}
    if not steps and not renamed and sources == list(fields) and set(sources) == set(given):
        return None
    return _picker(msgspec.defstruct(schema.__name__, list(fields), rename=renamed), sources, steps)


def _check_sources(record: type[Record], given: Mapping[str, Any], schema: type[BaseModel], where: str) -> None:
    """Refuse what the record cannot fill, with what would."""
    missing = []
    for name, field in schema.model_fields.items():
        source = _source(name, field)
        if source in given or _marked(field, Grouped) is not None or _is_constant(field):
            continue
        if source != name:
            message = f"{record.__name__} has no field {source}, of which {where}.{name} is `Renamed`"
            raise AnswerMismatchError(f"{message}; it has {', '.join(given)}")
        missing.append(name)
    if missing:
        message = f"{record.__name__} has no field {', '.join(missing)}, which {where} gives"
        raise AnswerMismatchError(f"{message}; fill it with `Renamed` or `Grouped` (libs/schema.py), or leave it out")


def _picker(wire: type[msgspec.Struct], sources: Sequence[str], steps: Sequence[tuple[int, Convert]]) -> Convert:
    """Return what makes the wire's struct of a record: all fields at once, then those that a step makes."""
    get = attrgetter(*sources) if len(sources) > 1 else _single(sources[0])
    if not steps:
        return lambda record: wire(*get(record))

    def pick(record: Any) -> Any:
        values = list(get(record))
        for position, make in steps:
            values[position] = make(record)
        return wire(*values)

    return pick


def _grouped(record: type[Record], wanted: Any, where: str) -> Convert:
    """Return what makes a nested object of the record itself."""
    if not _is_schema(wanted):
        message = f"{where} is `Grouped` and {_name(wanted)}; annotate it with the Schema of what is nested"
        raise AnswerMismatchError(message)
    convert = _plan_record(record, wanted, where)
    return _itself if convert is None else convert


def _itself(record: Any) -> Any:
    return record


def _constant(value: Any, _record: Any) -> Any:
    return value


def _converted(source: str, convert: Convert) -> Convert:
    get = attrgetter(source)
    return lambda record: convert(get(record))


def _marked(field: FieldInfo, marker: type[M]) -> M | None:
    return next((item for item in field.metadata if isinstance(item, marker)), None)


def _source(name: str, field: FieldInfo) -> str:
    renamed = _marked(field, Renamed)
    return name if renamed is None else renamed.source


def _is_constant(field: FieldInfo) -> bool:
    """Tell whether the field can only be one value, which needs no source."""
    return get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1


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
