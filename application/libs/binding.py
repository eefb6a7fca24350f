"""Bind what a request brings to a handler's parameters; each binder is made once for its schema.

All faulty fields are reported at once; errors name the field and never repeat the value.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin

import msgspec
from flask import Request, request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import FileStorage

from application.libs import strict_json
from application.libs.error import MAX_ERRORS, FieldError, Invalid, TooLarge, UnsupportedMediaType, field_error

Bind = Callable[[], BaseModel]
Source = Callable[[], "MultiMapping"]

RESERVED = ("body", "query", "headers", "form", "files")

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_FLOAT = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_BOUND = re.compile(r"[\x00\ud800-\udfff]")

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class MultiMapping(Protocol):
    """Give all values of a name, as Werkzeug's MultiDict does."""

    def getlist(self, key: str, /) -> list[Any]:
        """Return every value of the name."""

    def keys(self) -> Iterable[str]:
        """Return the names."""


def reader(inputs: Iterable[str]) -> Callable[[], object] | None:
    """Return what takes the request's content off the wire, None where a handler wants none.

    It is cached: a slow sender then holds no connection of the database, and a retry reads it again.
    """
    if "body" in inputs:
        return _read_body
    if "form" in inputs or "files" in inputs:
        return lambda: request.form
    return None


def _read_body() -> None:
    request.get_data()  # which cuts a body sent in chunks off at the limit, without a word
    limit = request.max_content_length
    if limit is not None and len(request.get_data()) >= limit and request.environ["wsgi.input"].read(1):
        raise TooLarge


class Binder:
    """Hold where a parameter comes from and how it is read."""

    def __init__(self, name: str, schema: type[BaseModel], *, requires_json_type: bool) -> None:
        """Prepare reading `schema` from the place that `name` stands for."""
        if name == "body":
            self.bind: Bind = _body(schema, requires_json_type=requires_json_type)
        else:
            self.bind = _fields(schema, name)


def _body(schema: type[BaseModel], *, requires_json_type: bool) -> Bind:
    validator = schema.__pydantic_validator__

    def bind() -> BaseModel:
        if requires_json_type and not request.is_json:
            raise UnsupportedMediaType("Send the body as `Content-Type: application/json`")
        raw = request.get_data()
        strict_json.loads(raw)
        try:
            body: BaseModel = validator.validate_json(raw)
        except ValidationError as error:
            raise invalid("body", error) from None
        return body

    return bind


def _fields(schema: type[BaseModel], place: str) -> Bind:
    validator = schema.__pydantic_validator__
    plans = {name: _plan(name, field.annotation, place) for name, field in schema.model_fields.items()}
    sources: Mapping[str, Source] = {
        "query": lambda: request.args,
        "headers": lambda: request.headers,
        "form": lambda: _sent_as(_FORM_TYPES).form,
        "files": lambda: _sent_as(_FORM_TYPES[1:]).files,
    }
    source = sources[place]

    def bind() -> BaseModel:
        given = source()
        errors: list[FieldError] = []
        values: dict[str, Any] = {}
        for name, (key, is_list, convert) in plans.items():
            texts = given.getlist(key)
            if texts:
                _convert(texts, values, errors, loc=(place, name), is_list=is_list, convert=convert)
        if place != "headers":  # a request always carries headers nobody asked for
            errors += _unknown(given, plans, place)
        try:
            parameters: BaseModel = validator.validate_python(values, strict=False)
        except ValidationError as error:
            known = {tuple(item["loc"]) for item in errors}
            errors += [item for item in invalid(place, error).errors if tuple(item["loc"]) not in known]
            raise Invalid(errors=errors) from None
        if errors:
            raise Invalid(errors=errors)
        return parameters

    return bind


def _sent_as(media_types: Sequence[str]) -> Request:
    if request.mimetype not in media_types:
        raise UnsupportedMediaType(f"Send the form as `Content-Type: {media_types[-1]}`")
    return request


def _unknown(given: "MultiMapping", plans: Mapping[str, object], place: str) -> list[FieldError]:
    return [
        field_error(place, _printable(key), msg="There is no such parameter", type_="extra_forbidden")
        for key in given.keys()  # noqa: SIM118 -- headers iterate over pairs
        if key not in plans
    ]


def _convert(
    texts: list[Any],
    values: dict[str, Any],
    errors: list[FieldError],
    *,
    loc: tuple[str, str],
    is_list: bool,
    convert: Callable[[Any], Any],
) -> None:
    if len(texts) > 1 and not is_list:
        errors.append(field_error(*loc, msg="Give this once", type_="repeated"))
        return
    try:
        converted = [convert(text) for text in texts]
    except ValueError as error:
        errors.append(field_error(*loc, msg=str(error), type_="parsing"))
        return
    values[loc[1]] = converted if is_list else converted[0]


def _plan(name: str, annotation: Any, place: str) -> tuple[str, bool, Callable[[Any], Any]]:
    kind = _leaf(annotation)
    is_list = get_origin(kind) in (list, tuple, set, frozenset)
    if is_list:
        kind = _leaf(get_args(kind)[0])
    key = name.replace("_", "-") if place == "headers" else name
    return key, is_list, _CONVERTERS.get(kind, _file if place == "files" else _text)


def _leaf(annotation: Any) -> Any:
    """Strip `Annotated` and `| None`."""
    if get_origin(annotation) is Annotated:
        return _leaf(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        return _leaf(members[0]) if len(members) == 1 else annotation
    return annotation


def _text(text: str) -> str:
    reason = strict_json.unstorable_text(text)
    if reason:
        raise ValueError(reason)
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("Give a whole number in ASCII digits")
    return int(text)


def _number(text: str) -> float:
    if not _FLOAT.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError("Give a number in ASCII digits")
    return float(text)


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError("Give true or false")
    return _BOOLEANS[text.lower()]


def _file(file: FileStorage) -> FileStorage:
    file.seek(0)  # a first attempt of this request may have read it
    return file


_CONVERTERS: Mapping[Any, Callable[[Any], Any]] = {int: _integer, float: _number, bool: _boolean}


def _printable(key: str) -> str:
    return _BOUND.sub("�", key)


class _Finding(msgspec.Struct):
    loc: list[str | int]
    msg: str
    type: str


_FINDINGS = msgspec.json.Decoder(list[_Finding])


def invalid(place: str, error: ValidationError) -> Invalid:
    """Return pydantic's findings as one refusal, without the values that were given.

    They pass as JSON, because `errors()` takes six times as long and a megabyte can hold a hundred thousand faults.
    """
    findings = _FINDINGS.decode(error.json(include_url=False, include_context=False, include_input=False))
    return Invalid(
        errors=[field_error(place, *item.loc, msg=item.msg, type_=item.type) for item in findings[:MAX_ERRORS]]
    )
