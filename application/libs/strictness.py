"""Say which schemas would let something in unseen (an unknown field, a silent conversion) or break their promise."""

from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from application.libs.schema import Schema
from application.libs.wire_name import misnamed

_WANTED = {"strict": True, "extra": "forbid"}
_ONE_NAME = {"populate_by_name": False, "validate_by_name": False, "validate_by_alias": True}


class _Found(NamedTuple):
    path: str
    kind: Any


def lenient(schema: type[BaseModel]) -> Iterator[str]:
    """Yield what is lenient in an input schema and what it nests, each with its cure."""
    for path, kind in _within(schema):
        if issubclass(kind, Schema):
            yield from _loosened(kind)
        elif issubclass(kind, BaseModel) or is_dataclass(kind) or _is_typed_dict(kind):
            yield f"{f'{path}: ' if path else ''}derive {kind.__name__} from Schema (libs/schema.py)"


def misspoken(schema: type[BaseModel]) -> Iterator[str]:
    """Yield which fields of a schema and what it nests have no one name on the wire, each with its cure."""
    for path, kind in _within(schema):
        if issubclass(kind, BaseModel):
            yield from (f"{_before(path)}{fault}" for fault in misnamed(kind))


def computed(schema: type[BaseModel]) -> Iterator[str]:
    """Yield the fields of an answer that pydantic would compute, which no record goes through."""
    for path, kind in _within(schema):
        if issubclass(kind, BaseModel):
            yield from (f"{_before(path)}{name}" for name in kind.model_computed_fields)


@cache  # three questions are asked of each schema, and the same schema stands in several operations
def _within(schema: type[BaseModel]) -> Sequence[_Found]:
    """Return every class in a schema's fields once, with the path to it, the schema itself first."""
    found: list[_Found] = []
    seen: set[Any] = set()
    waiting = [_Found("", schema)]
    while waiting:
        path, kind = waiting.pop(0)
        waiting += [_Found(path, part) for part in get_args(kind)]
        if not isinstance(kind, type) or kind in seen:
            continue
        seen.add(kind)
        found.append(_Found(path, kind))
        if issubclass(kind, BaseModel):
            waiting += [_Found(f"{_before(path)}{name}", field.annotation) for name, field in kind.model_fields.items()]
    return found


def _before(path: str) -> str:
    return f"{path}." if path else ""


def _loosened(schema: type[Schema]) -> Iterator[str]:
    for name, value in (_WANTED | _ONE_NAME).items():
        if schema.model_config.get(name, _ONE_NAME.get(name)) != value:
            yield f"leave `{name}` of {schema.__name__}'s `model_config` as Schema has it"


def _is_typed_dict(kind: type) -> bool:
    """Tell it of those of `typing_extensions` too, which `typing.is_typeddict` does not know."""
    return issubclass(kind, dict) and kind is not dict
