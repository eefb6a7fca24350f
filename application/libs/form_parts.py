"""Find what a form holds beyond its schemas: unknown parts, texts in a file's place and files in a text's.

A form is one object to its client; `form` names its texts, `files` its files, and a handler may take one of them alone.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from application.libs.current import current_request
from application.libs.error import FieldError, field_error
from application.libs.fault_wording import UNKNOWN
from application.libs.strict_json import printable


class _Part(NamedTuple):
    other: str
    cure: str


_PARTS: Mapping[str, _Part] = {
    "form": _Part("files", "Send it as text, without a file's name"),
    "files": _Part("form", "Send it as a file"),
}


def strays(place: str, names: Collection[str], beside: Collection[str] | None) -> Callable[[], list[FieldError]]:
    """Return what finds parts that do not belong: to the names of this place, and to those of the other one beside it.

    Where the handler takes nothing from the other place, None, whatever is there does not belong either.
    """
    other, cure = _PARTS[place]

    def find() -> list[FieldError]:
        request = current_request()
        here, there = getattr(request, place), getattr(request, other)
        errors = [field_error(place, name, msg=cure, type_="misplaced") for name in there if name in names]
        errors += [unknown(place, name) for name in here if name not in names and name not in (beside or ())]
        if beside is None:
            errors += [unknown(other, name) for name in there if name not in names]
        return errors

    return find


def unknown(place: str, name: str) -> FieldError:
    """Return the fault of a parameter that no schema has."""
    return field_error(place, printable(name), msg="There is no such parameter", type_=UNKNOWN)
