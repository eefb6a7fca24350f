"""Word what pydantic finds so that a client reads the cure, and no pattern of two hundred characters."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from pydantic import ValidationError

from application.libs.error import MAX_ERRORS, FieldError, field_error
from application.libs.ident import UUID_PATTERN
from application.libs.schema import ONE_LINE

REQUIRED_MEMBER = "Cannot be removed; leave it out or give a value"
UNKNOWN = "extra_forbidden"

_CURES = {
    ONE_LINE: "Must stay on one line, without control characters and not of blanks alone",
    f"^{UUID_PATTERN}$": "Give an id, as 01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10",
}
_WORDED = {f"String should match pattern '{pattern}'": cure for pattern, cure in _CURES.items()}
_RAISED = re.compile(r"^(Value error|Assertion failed), (?=.)", re.DOTALL)


class Finding(msgspec.Struct):
    """Hold one of pydantic's findings."""

    loc: list[str | int]
    msg: str
    type: str


_FINDINGS = msgspec.json.Decoder(list[Finding])


def found(error: ValidationError) -> list[Finding]:
    """Return what pydantic found, without the values that were given.

    It passes as JSON, because `errors()` takes six times as long and a megabyte can hold a hundred thousand faults.
    """
    return _FINDINGS.decode(error.json(include_url=False, include_context=False, include_input=False))


def faults(
    place: str, findings: Sequence[Finding], *, patch: Any = None, names: Mapping[str, str] | None = None
) -> list[FieldError]:
    """Return pydantic's findings as clients read them; of a patch they say what null is.

    `names` are those of the wire, where pydantic has others.
    """
    named = names or {}
    return [
        field_error(
            place,
            *(
                named.get(part, part) if index == 0 and isinstance(part, str) else part
                for index, part in enumerate(item.loc)
            ),
            msg=_message(item, patch),
            type_=item.type,
        )
        for item in findings[:MAX_ERRORS]
    ]


def one_for_each_place(*lists: Iterable[FieldError]) -> list[FieldError]:
    """Return the faults of all lists; of several at one place the first."""
    kept: dict[tuple[str | int, ...], FieldError] = {}
    for errors in lists:
        for error in errors:
            kept.setdefault(tuple(error["loc"]), error)
    return list(kept.values())


def worded(message: str) -> str:
    """Return a message of pydantic's as clients read it; what a schema's own validator said stands for itself."""
    return _WORDED.get(message) or _RAISED.sub("", message)


def _message(finding: Finding, patch: Any) -> str:
    if finding.type != UNKNOWN and is_removal(patch, finding.loc):
        return REQUIRED_MEMBER
    return worded(finding.msg)


def is_removal(patch: Any, loc: Sequence[str | int]) -> bool:
    """Tell whether a merge patch wants to remove the member at a place (RFC 7396): it says null there."""
    value = patch
    for part in loc:
        if isinstance(part, str):
            if not (isinstance(value, dict) and part in value):
                return False
        elif not (isinstance(value, list) and part < len(value)):
            return False
        value = value[part]
    return value is None and bool(loc) and isinstance(loc[-1], str)
