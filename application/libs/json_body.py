"""Read a JSON body as its schema says, and name all that is wrong with it at once.

JSON has one kind of number (RFC 8259 §6), and in JSON Schema 9.0 is an integer: where pydantic misses an integer, a
number that is one is taken for it, however it is written.
"""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from application.libs import strict_json
from application.libs.error import FieldError, Invalid
from application.libs.fault_wording import Finding, faults, found, one_for_each_place

_MISSES_INTEGER = frozenset({"int_type", "literal_error", "enum"})


def read_json(schema: type[BaseModel], raw: bytes, *, is_patch: bool) -> BaseModel:
    """Return the body; raise `MalformedJson`, or `Invalid` with every fault."""
    given = strict_json.loads(raw)
    errors: list[FieldError] = strict_json.unstorable(raw, given)
    if errors:  # pydantic would read no further than to the first of them
        raw = json.dumps(strict_json.storable(given)).encode()
    body, findings = _validated(schema, raw)
    if body is None or errors:
        raise Invalid(errors=one_for_each_place(errors, faults("body", findings, patch=given if is_patch else None)))
    return body


def _validated(schema: type[BaseModel], raw: bytes) -> tuple[BaseModel | None, Sequence[Finding]]:
    """Return the body, or None and what is wrong with it."""
    body, findings = _tried(schema, raw)
    integral = _with_integers(raw, findings) if body is None else None
    return (body, findings) if integral is None else _tried(schema, integral)


def _tried(schema: type[BaseModel], raw: bytes) -> tuple[BaseModel | None, Sequence[Finding]]:
    try:
        return schema.__pydantic_validator__.validate_json(raw), ()
    except ValidationError as error:
        return None, found(error)


def _with_integers(raw: bytes, findings: Sequence[Finding]) -> bytes | None:
    """Return the body with integers where they are missed and written as 9.0; None where there is no such place."""
    places = [finding.loc for finding in findings if finding.type in _MISSES_INTEGER]
    if not places:
        return None
    given, exact = strict_json.loads(raw), strict_json.exact(raw)
    replaced = [_replace(given, exact, place) for place in places]
    return json.dumps(given).encode() if any(replaced) else None


def _replace(given: Any, exact: Any, place: Sequence[str | int]) -> bool:
    """Put the exact number in its place; a place names alternatives of a union too, which no value has."""
    holder, last = None, place[-1] if place else 0
    for part in place:
        if _holds(given, part):
            holder, last = given, part
            given, exact = given[part], exact[part]
    if holder is None or not (type(given) is float and type(exact) is int):
        return False
    holder[last] = exact
    return True


def _holds(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)
