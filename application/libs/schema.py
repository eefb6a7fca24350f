"""Describe what comes and goes over the wire.

A schema of input refuses unknown fields, converts nothing silently, and bounds every text, number and list: a body's
size is then known, and no value overflows its column.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence, Set
from datetime import UTC, datetime
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, StringConstraints, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import FileStorage

from application.libs.ident import UUID_PATTERN

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_YEARS = range(1970, 9000)
_CONTAINERS = frozenset(
    {list, tuple, set, frozenset, dict, Iterable, Mapping, MutableMapping, MutableSequence, Sequence, Set}
)


def _utc(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        moment = value
    elif isinstance(value, str) and _RFC3339.fullmatch(value):
        moment = _parse(value)
    else:
        raise PydanticCustomError("time", "Give a time with its offset, such as 2030-01-31T12:00:00Z (RFC 3339)")
    if moment.year not in _YEARS:
        raise PydanticCustomError("time_range", "The year must lie between 1970 and 8999")
    return moment.astimezone(UTC)


def _parse(value: str) -> datetime:
    whole, dot, rest = value.upper().replace(" ", "T").partition(".")
    if dot:  # fromisoformat takes at most six digits of a second
        digits = re.match(r"\d+", rest)
        length = digits.end() if digits else 0
        whole = f"{whole}.{rest[:length][:6]:0<6}{rest[length:]}"
    try:
        return datetime.fromisoformat(whole)
    except ValueError:
        raise PydanticCustomError("time", "There is no such time") from None


UtcTime = Annotated[datetime, BeforeValidator(_utc)]
"""An instant: RFC 3339 with an offset on the wire, aware UTC in Python."""

Ident = Annotated[str, StringConstraints(pattern=f"^{UUID_PATTERN}$", max_length=36, to_lower=True)]
"""The id of a row: a UUID in canonical form."""

ONE_LINE = r"^[^\x00-\x1F\x7F-\x9F\u2028\u2029\u202A-\u202E\u2066-\u2069]*$"
"""Text that stays on its line: no control character, no line break, nothing that turns the writing's direction."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True, pattern=ONE_LINE)]
"""A name people see: 1 to 50 characters on one line, blanks at the ends are dropped."""

Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
"""An integer that fits an INTEGER column."""

Int64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""An integer that fits a BIGINT column; beyond 2**53 a browser rounds it."""

Upload = Annotated[InstanceOf[FileStorage], WithJsonSchema({"type": "string", "format": "binary"})]
"""A file of a multipart form; MAX_CONTENT_LENGTH bounds it."""


class Schema(BaseModel):
    """Be the base of every schema: strict types, no unknown field."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class PageQuery(Schema):
    """Choose one page of a list."""

    limit: int = Field(20, ge=1, le=100, description="How many items a page holds.")
    after: str | None = Field(None, max_length=2048, description="The `next` of the page before.")
    count: bool = Field(False, description="Whether `page.total` gives the number of all items.")


def unbounded(model: type[BaseModel]) -> Iterator[str]:
    """Yield what is wrong with the fields of an input schema that have no bound, each with its cure."""
    yield from _unbounded_model(model, "", ())


def _unbounded_model(model: type[BaseModel], path: str, within: tuple[type, ...]) -> Iterator[str]:
    if model not in within:  # a schema may hold itself; the depth of a body is bounded anyway
        for name, field in model.model_fields.items():
            yield from _unbounded(field.annotation, field.metadata, f"{path}{name}", (*within, model))


def _unbounded(annotation: Any, metadata: list[Any], path: str, within: tuple[type, ...]) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _unbounded(arguments[0], [*metadata, *arguments[1:]], path, within)
    elif origin in (Union, UnionType):
        for member in arguments:
            yield from _unbounded(member, metadata, path, within)
    elif (origin or annotation) in _CONTAINERS:
        yield from _unbounded_container(arguments, metadata, path, within)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _unbounded_model(annotation, f"{path}.", within)
    else:
        yield from _unbounded_plain(annotation, metadata, path)


def _unbounded_container(
    arguments: tuple[Any, ...], metadata: list[Any], path: str, within: tuple[type, ...]
) -> Iterator[str]:
    if not _has(metadata, MaxLen, "max_length"):
        yield f"{path}: give it a `max_length`"
    for member in arguments:
        if member is not Ellipsis:
            yield from _unbounded(member, [], f"{path}[]", within)


def _unbounded_plain(annotation: Any, metadata: list[Any], path: str) -> Iterator[str]:
    if annotation in (str, bytes) and not _has(metadata, MaxLen, "max_length"):
        yield f"{path}: give the text a `max_length`, or use `Name` or `Ident`"
    elif annotation is int and not (_has(metadata, (Ge, Gt), "ge") and _has(metadata, (Le, Lt), "le")):
        yield f"{path}: give the number `ge` and `le`, or use `Int32`"
    elif annotation is datetime and not any(isinstance(item, BeforeValidator) for item in metadata):
        yield f"{path}: use `UtcTime`"


def _has(metadata: list[Any], kinds: type | tuple[type, ...], attribute: str) -> bool:
    for item in metadata:
        if isinstance(item, kinds) or getattr(item, attribute, None) is not None:
            return True
        if isinstance(item, FieldInfo) and _has(item.metadata, kinds, attribute):
            return True
    return False


def absent() -> Any:
    """Be the default of a patch's field: it may be left out, and is then not among `model_fields_set`."""
    return Field(default_factory=object)
