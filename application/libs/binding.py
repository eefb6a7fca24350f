"""Bind what a request brings to a handler's parameters; each binder is made once for its schema.

All faulty fields are reported at once; errors name the field and never repeat the value.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from flask import Request
from pydantic import BaseModel, ValidationError

from application.libs.conversion import Conversion, conversion
from application.libs.current import current_request
from application.libs.error import FieldError, Invalid, TooLarge, UnsupportedMediaType, field_error
from application.libs.fault_wording import faults, found, one_for_each_place
from application.libs.form_parts import strays, unknown
from application.libs.json_body import read_json
from application.libs.negotiation import require_no_coding, require_readable
from application.libs.strict_json import MalformedJson
from application.libs.wire_name import member, wire_name

Bind = Callable[[], BaseModel]
Source = Callable[[], "MultiMapping"]
Judge = Callable[[Mapping[str, Any], Collection[str]], Iterable[Invalid]]

RESERVED = ("body", "query", "headers", "form", "files")

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class MultiMapping(Protocol):
    """Give all values of a name, as Werkzeug's MultiDict does."""

    def __contains__(self, key: str, /) -> bool:
        """Tell whether there is a value of the name."""

    def getlist(self, key: str, /) -> list[Any]:
        """Return every value of the name."""


def reader(inputs: Iterable[str]) -> Callable[[], object] | None:
    """Return what takes the request's content off the wire, None where a handler wants none.

    It is cached: a slow sender then holds no connection of the database, and a retry reads it again.
    """
    if "body" in inputs:
        return read_body
    if "form" in inputs or "files" in inputs:
        return _read_form
    return None


def _read_form() -> None:
    require_no_coding()
    _ = current_request().form


def read_body() -> None:
    """Take the body off the wire, and refuse one that is coded or too long."""
    require_no_coding()
    request = current_request()
    data = request.get_data()  # which cuts a body sent in chunks off at the limit, without a word
    limit = request.max_content_length
    if limit is not None and len(data) >= limit and request.environ["wsgi.input"].read(1):
        raise TooLarge


class Binder:
    """Hold where a parameter comes from and how it is read."""

    def __init__(
        self,
        name: str,
        schema: type[BaseModel],
        *,
        media_types: Sequence[str] = (),
        beside: type[BaseModel] | None = None,
        judge: Judge | None = None,
    ) -> None:
        """Prepare reading `schema` from the place that `name` stands for; a body is of one of the types, if any.

        `beside` is the schema of the form's other half, `judge` refuses what no schema can know.
        """
        if name == "body":
            self.bind: Bind = _body(schema, tuple(media_types))
        else:
            self.bind = _fields(schema, name, _strays(schema, name, beside), judge or _approve)


def _body(schema: type[BaseModel], media_types: tuple[str, ...]) -> Bind:
    def bind() -> BaseModel:
        if media_types:
            require_readable(media_types)
        request = current_request()
        try:
            return read_json(schema, request.get_data(), is_patch=request.method == "PATCH")
        except Invalid as refusal:
            if media_types or [error["loc"] for error in refusal.errors] != [["body"]]:
                raise
            raise MalformedJson("The body is no JSON object; send one") from None  # as where no type is asked for

    return bind


def _approve(_given: Mapping[str, Any], _faulty: Collection[str]) -> Iterable[Invalid]:
    return ()


def _strays(schema: type[BaseModel], place: str, beside: type[BaseModel] | None) -> Callable[[], list[FieldError]]:
    names = _wire_names(schema, place)
    if place == "query":
        return lambda: [unknown(place, name) for name in current_request().args if name not in names]
    if place == "headers":  # a request always carries headers nobody asked for
        return list
    return strays(place, names, None if beside is None else _wire_names(beside, place))


def _wire_names(schema: type[BaseModel], place: str) -> frozenset[str]:
    return frozenset(wire_name(name, field, place) for name, field in schema.model_fields.items())


def _fields(schema: type[BaseModel], place: str, find_strays: Callable[[], list[FieldError]], judge: Judge) -> Bind:
    fields = schema.model_fields.items()
    names = {member(name, field): wire_name(name, field, place) for name, field in fields}
    plans = {
        wire_name(name, field, place): (member(name, field), conversion(field.annotation, of_files=place == "files"))
        for name, field in fields
    }
    sources: Mapping[str, Source] = {
        "query": lambda: current_request().args,
        "headers": lambda: current_request().headers,
        "form": lambda: _sent_as(_FORM_TYPES).form,
        "files": lambda: _sent_as(_FORM_TYPES[1:]).files,
    }
    source = sources[place]

    def bind() -> BaseModel:
        given = source()
        errors: list[FieldError] = []
        values: dict[str, Any] = {}
        for wire, (name, plan) in plans.items():
            texts = given.getlist(wire) if wire in given else ()
            if texts:
                _convert(texts, values, errors, loc=(place, wire), name=name, plan=plan)
        errors += find_strays()
        parameters: BaseModel | None = None
        try:
            parameters = schema.__pydantic_validator__.validate_python(values, strict=False)
        except ValidationError as error:
            errors = one_for_each_place(errors, faults(place, found(error), names=names))
        refusals = [Invalid(errors=errors)] if errors else []
        refusals += judge(values, {str(error["loc"][1]) for error in errors})
        if parameters is None or refusals:
            raise together(refusals)
        return parameters

    return bind


def together(refusals: Sequence[Invalid]) -> Invalid:
    """Return one refusal for all; one that is alone keeps its code."""
    if len(refusals) == 1:
        return refusals[0]
    return Invalid(errors=[error for refusal in refusals for error in refusal.errors])


def _sent_as(media_types: Sequence[str]) -> Request:
    request = current_request()
    if request.mimetype not in media_types:
        raise UnsupportedMediaType(f"Send the form as `Content-Type: {media_types[-1]}`")
    return request


def _convert(
    texts: list[Any],
    values: dict[str, Any],
    errors: list[FieldError],
    *,
    loc: tuple[str, str],
    name: str,
    plan: Conversion,
) -> None:
    if len(texts) > 1 and not plan.is_list:
        errors.append(field_error(*loc, msg="Give this once", type_="repeated"))
        return
    try:
        converted = [plan.convert(text) for text in texts]
    except ValueError as error:
        errors.append(field_error(*loc, msg=str(error), type_="parsing"))
        return
    values[name] = converted if plan.is_list else converted[0]
