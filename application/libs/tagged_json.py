"""Write Python values as JSON that keeps their types, and read them back without running anything.

What JSON has no type for is an object of one member whose name says it, as in Flask's `TaggedJSONSerializer`:

    date, time      {"$date": "2026-11-28"}, {"$time": "07:30:00"}
    datetime        {"$datetime": "2026-11-28T07:30:00+01:00[Europe/Berlin]"} (RFC 9557), naive ones without offset
    timedelta       {"$timedelta": "P1DT7200S"} (ISO 8601)
    Decimal, UUID   {"$decimal": "1.50"}, {"$uuid": "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"}
    tuple, sets     {"$tuple": [1, 2]}, {"$set": [1, 2]}, {"$frozenset": []}

A key of a dict that begins with a dollar sign gets a second one. `fold` is kept where a zone is named. The rest is
refused when it is written (`storable`). No tag names a class: a member of an Enum would come back only where its class
is imported, so it is stored by its value, and the annotation of the parameter makes it a member again (`signature`).
Bytes are refused, because nobody can read them in a list of jobs, and what needs them is mostly large.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from application.libs import strict_json
from application.libs.error import Refusal
from application.libs.storable import (
    COLLECTIONS,
    MAX_BYTES,
    MAX_DEPTH,
    PLAIN,
    Unstorable,
    faults,
    require_storable,
    too_long,
    zones,
)

FORMAT = 1
"""What `encode` writes beside the value; a change of the notation counts it up."""

_MARK = "$"


class Malformed(ValueError):
    """The text or value is no tagged JSON, or of a format that this version does not read."""


def encode(value: object) -> str:
    """Return a value as text that `decode` reads: {"format": 1, "value": …}; raise `Unstorable`."""
    text = msgspec.json.encode({"format": FORMAT, "value": tag(value)})
    if len(text) > MAX_BYTES:
        raise Unstorable([too_long()])
    return text.decode()


def decode(text: str | bytes) -> Any:
    """Return the value that `encode` was given, of the same types; raise `Malformed` for any other text."""
    try:
        raw = text[: MAX_BYTES + 1].encode() if isinstance(text, str) else text
        if len(raw) > MAX_BYTES:
            raise Malformed(f"The text is longer than {MAX_BYTES} bytes; nothing that long is written here")
        document = strict_json.loads(raw)
    except (Refusal, UnicodeEncodeError) as error:
        raise Malformed(f"The text is no strict JSON ({error})") from None
    if not isinstance(document, dict) or document.keys() != {"format", "value"}:
        raise Malformed('The text is not of the form {"format": 1, "value": …}')
    if type(document["format"]) is not int or document["format"] != FORMAT:
        raise Malformed(f"The format is {document['format']!r}; this version reads {FORMAT}")
    return untag(document["value"])


def tag(value: object) -> Any:
    """Return a value as what JSON holds, to be embedded in a document with a version of its own; raise `Unstorable`."""
    require_storable(value)
    return _tag(value)


def untag(tagged: object) -> Any:
    """Return the value that `tag` was given; raise `Malformed` for anything else."""
    try:
        value = _untag(tagged, 0)
    except (ValueError, TypeError, ArithmeticError, msgspec.MsgspecError) as error:
        raise Malformed(str(error)) from None
    errors = faults(value)
    if errors:
        raise Malformed(f"It holds what is never written: {errors[0]['msg']}")
    return value


def show(value: object) -> Any:
    """Return a value as people read it on the wire: times as ISO 8601, other types as text or arrays.

    {"at": date(2026, 11, 28), "sizes": (1, Decimal("1.50"))} is {"at": "2026-11-28", "sizes": [1, "1.50"]}. Raises
    `Unstorable`.
    """
    require_storable(value)
    return _show(value)


class _Notation(NamedTuple):
    """Hold how a type without parts is written, read and shown; `read` raises for what is not written so."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]
    show: Callable[[Any], str]


def _notation(write: Callable[[Any], str], parse: Callable[[str], Any]) -> _Notation:
    """Return the notation of a type whose values have one spelling each: what parsers take beside it is refused."""

    def read(text: str) -> Any:
        value = parse(text)
        if write(value) != text:
            raise Malformed(f"{text[:50]!r} is written otherwise: {write(value)[:50]!r}")
        return value

    return _Notation(write, read, write)


def _write_datetime(moment: datetime) -> str:
    zone = moment.tzinfo
    return f"{moment.isoformat()}[{zone.key}]" if isinstance(zone, ZoneInfo) else moment.isoformat()


def _read_datetime(text: str) -> datetime:
    """Read an instant; where the rules of its zone have changed since, the hands of the clock stay as they were."""
    local, bracket, name = text.partition("[")
    moment: datetime = _LOCAL.read(local)
    if not bracket:
        return moment
    if moment.tzinfo is None or not name.endswith("]") or name[:-1] not in zones():
        raise Malformed(f"{text[:80]!r} names no offset and zone known here; is the time zone database up to date?")
    earlier = moment.replace(tzinfo=ZoneInfo(name[:-1]))
    later = earlier.replace(fold=1)
    return later if earlier.utcoffset() != moment.utcoffset() == later.utcoffset() else earlier


_LOCAL = _notation(datetime.isoformat, datetime.fromisoformat)

_NOTATIONS: Mapping[type, _Notation] = {
    datetime: _Notation(_write_datetime, _read_datetime, datetime.isoformat),
    date: _notation(date.isoformat, date.fromisoformat),
    time: _notation(time.isoformat, time.fromisoformat),
    timedelta: _notation(msgspec.to_builtins, lambda text: msgspec.convert(text, timedelta)),
    Decimal: _notation(str, Decimal),
    UUID: _notation(str, UUID),
}
_TAGS: Mapping[str, type] = {f"{_MARK}{kind.__name__.lower()}": kind for kind in (*_NOTATIONS, *COLLECTIONS)}
_NAMES: Mapping[type, str] = {kind: name for name, kind in _TAGS.items()}


def _tag(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {f"{_MARK}{key}" if key.startswith(_MARK) else key: _tag(item) for key, item in value.items()}
    if kind is list:
        return [_tag(item) for item in value]
    if kind in COLLECTIONS:
        return {_NAMES[kind]: _in_order(value, [_tag(item) for item in value])}
    return {_NAMES[kind]: _NOTATIONS[kind].write(value)} if kind in _NOTATIONS else value


def _show(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: _show(item) for key, item in value.items()}
    if kind is list or kind in COLLECTIONS:
        return _in_order(value, [_show(item) for item in value])
    return _NOTATIONS[kind].show(value) if kind in _NOTATIONS else value


def _in_order(collection: object, items: list[Any]) -> list[Any]:
    """Return what a set holds in one order everywhere: whether a job was changed is found by comparing texts."""
    return sorted(items, key=msgspec.json.encode) if isinstance(collection, set | frozenset) else items


def _untag(tagged: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Malformed(f"It nests deeper than {MAX_DEPTH} levels")
    if type(tagged) is list:
        return [_untag(item, depth + 1) for item in tagged]
    if type(tagged) is dict:
        name = _tag_of(tagged)
        if name is not None:
            return _restore(name, tagged[name], depth + 1)
        return {_key(key): _untag(item, depth + 1) for key, item in tagged.items()}
    if type(tagged) not in PLAIN:
        raise Malformed(f"A {type(tagged).__name__} is nothing that JSON holds")
    return tagged


def _tag_of(members: Mapping[Any, Any]) -> str | None:
    """Return the tag of an object that has one."""
    key = next(iter(members)) if len(members) == 1 else None
    return key if isinstance(key, str) and key.startswith(_MARK) and not key.startswith(2 * _MARK) else None


def _key(written: object) -> str:
    if not isinstance(written, str):
        raise Malformed(f"A key is of type {type(written).__name__}; those of JSON are text")
    if not written.startswith(_MARK):
        return written
    if not written.startswith(2 * _MARK):
        raise Malformed(f"{written[:50]!r} stands beside other members; a tag stands alone")
    return written.removeprefix(_MARK)


def _restore(name: str, content: Any, depth: int) -> Any:
    kind = _TAGS.get(name)
    if kind is None:
        raise Malformed(f"There is no tag {name[:50]!r}; the tags are {', '.join(_TAGS)}")
    if kind in _NOTATIONS:
        if not isinstance(content, str):
            raise Malformed(f"{name} holds a {type(content).__name__} instead of text")
        return _NOTATIONS[kind].read(content)
    if not isinstance(content, list):
        raise Malformed(f"{name} holds a {type(content).__name__} instead of an array")
    items = _untag(content, depth)
    collection = kind(items)
    if len(collection) != len(items):
        raise Malformed(f"{name} holds a value twice")
    return collection
