"""Say which fields of an input have no bound: only types that are known to be bounded, or can be, are let in.

`Any` is let in, too: who writes it wants whatever JSON there is, which `MAX_CONTENT_LENGTH` and a depth of 32 bound.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence, Set
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin
from uuid import UUID

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import AnyUrl, BaseModel, BeforeValidator, SecretBytes, SecretStr, TypeAdapter
from pydantic.fields import FieldInfo
from werkzeug.datastructures import FileStorage

_CONTAINERS = frozenset(
    {list, tuple, set, frozenset, dict, Iterable, Mapping, MutableMapping, MutableSequence, Sequence, Set}
)


def unbounded(model: type[BaseModel]) -> Iterator[str]:
    """Yield what is wrong with the fields of an input schema that have no bound, each with its cure."""
    yield from _unbounded_model(model, "", ())


def _unbounded_model(model: type[BaseModel], path: str, within: tuple[type, ...]) -> Iterator[str]:
    if model not in within:  # a schema may hold itself; the depth of a body is bounded anyway
        for name, field in model.model_fields.items():
            yield from _unbounded(field.annotation, field.metadata, f"{path}{name}", (*within, model))


def _unbounded(annotation: Any, metadata: list[Any], path: str, within: tuple[type, ...]) -> Iterator[str]:
    annotation = getattr(annotation, "__supertype__", annotation)  # of a NewType
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
    elif not _is_small(annotation):
        yield from _unbounded_plain(annotation, metadata, path)


def _unbounded_container(
    arguments: tuple[Any, ...], metadata: list[Any], path: str, within: tuple[type, ...]
) -> Iterator[str]:
    if not _has(metadata, MaxLen, "max_length"):
        yield f"{path}: give it a `max_length`"
    for member in arguments:
        if member is not Ellipsis:
            yield from _unbounded(member, [], f"{path}[]", within)


def _is_small(annotation: Any) -> bool:
    """Tell whether a type bounds its values by itself."""
    return annotation is Any or annotation in _SMALL or get_origin(annotation) is Literal or _is(annotation, Enum)


def _unbounded_plain(annotation: Any, metadata: list[Any], path: str) -> Iterator[str]:
    if annotation is datetime:
        if not any(isinstance(item, BeforeValidator) for item in metadata):
            yield f"{path}: use `UtcTime`"
        return
    for kind, is_bounded, cure in _BOUNDS:
        if _is(annotation, kind):
            if not is_bounded(annotation, metadata):
                yield f"{path}: {cure}"
            return
    name = getattr(annotation, "__name__", None) or str(annotation)
    yield f"{path}: nothing bounds {name}; take a text with `max_length`, a number with `ge` and `le`, or a Schema"


def _is(annotation: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, kind)


def _has_length(_annotation: Any, metadata: list[Any]) -> bool:
    return _has(metadata, MaxLen, "max_length")


def _has_range(_annotation: Any, metadata: list[Any]) -> bool:
    return _has(metadata, (Ge, Gt), "ge") and _has(metadata, (Le, Lt), "le")


def _has_digits(_annotation: Any, metadata: list[Any]) -> bool:
    return _has(metadata, (), "max_digits")


def _url_has_length(annotation: Any, metadata: list[Any]) -> bool:
    """Tell whether an address has a length: some kinds bring one along, as the document shows."""
    return _has_length(annotation, metadata) or "maxLength" in TypeAdapter(annotation).json_schema()


class _Bound(NamedTuple):
    """Say how a kind of type is bounded, and what to tell who did not."""

    kind: type | tuple[type, ...]
    is_bounded: Callable[[Any, list[Any]], bool]
    cure: str


_SMALL = (bool, NoneType, date, UUID, IPv4Address, IPv6Address, FileStorage)
_TEXT = (str, bytes, SecretStr, SecretBytes)
_BOUNDS = (
    _Bound(_TEXT, _has_length, "give the text a `max_length`, or use `Name` or `Ident`"),
    _Bound(AnyUrl, _url_has_length, "give the address a `max_length`"),
    _Bound(int, _has_range, "give the number `ge` and `le`, or use `Int32`"),
    _Bound(float, _has_range, "give the number `ge` and `le`, or use `Float64`"),
    _Bound(Decimal, _has_digits, "give the number `max_digits` and `decimal_places`, as its column has"),
    _Bound(timedelta, _has_range, "give the duration `ge` and `le`"),
)


def _has(metadata: list[Any], kinds: type | tuple[type, ...], attribute: str) -> bool:
    for item in metadata:
        if isinstance(item, kinds) or getattr(item, attribute, None) is not None:
            return True
        if isinstance(item, FieldInfo) and _has(item.metadata, kinds, attribute):
            return True
    return False
