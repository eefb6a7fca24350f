"""Say which fields of a schema can never be filled from the place that a parameter stands for."""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from werkzeug.datastructures import FileStorage

from application.libs.conversion import leaf
from application.libs.wire_name import wire_name

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")  # RFC 9110 §5.6.2, without the underscore that servers drop
_LISTS = (list, tuple, set, frozenset)


def misplaced(place: str, schema: type[BaseModel]) -> Iterator[str]:
    """Yield what is wrong with the fields of an input schema at this place, each with its cure."""
    for name, field in schema.model_fields.items():
        kind = _kind(field.annotation)
        if place == "headers" and not _HEADER.fullmatch(wire_name(name, field, place)):
            yield f'{name}: call it by letters, digits and dashes, such as `alias="X-Source"`'
        elif place == "files" and kind is not FileStorage:
            yield f"{name}: annotate it with `Upload`, or take it through `form`"
        elif place != "files" and kind is FileStorage:
            yield f"{name}: take the file through `files`"
        elif place != "body" and _nests(kind):
            yield f"{name}: name its members one by one, or take it through `body`"


def _kind(annotation: Any) -> Any:
    """Return the type of a field's values, looking through one list: all that a query, headers or a form can give."""
    kind = leaf(annotation)
    if get_origin(kind) in _LISTS:
        kind = leaf(get_args(kind)[0])
    return get_origin(kind) or kind


def _nests(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, (BaseModel, dict, *_LISTS))
