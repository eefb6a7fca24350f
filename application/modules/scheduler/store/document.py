"""Write a job as a document: readable JSON with a version of its form, of which nothing is ever executed.

`{"format": 1, "id": …, "definition": {…}, "next_run_time": "2026-12-24T18:00:00+00:00", …}`; instants are ISO 8601.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from application.libs.trigger import from_micros, to_micros
from application.modules.scheduler.store.record import StoredJob

FORMAT = 1

_MICROS = ("next_run_time", "left_out_from")
_TIMES = ("paused_at", "quarantined_at", "created_at", "updated_at")
_REQUIRED: Mapping[str, type | tuple[type, ...]] = {"version": int, "source": str, "definition": (str, dict)}
_TEXTS = ("declaration", "paused_by", "quarantine")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotADocument(ValueError):
    """What is stored is no job that was written here."""


def write(job: StoredJob) -> bytes:
    """Return the document of a job."""
    shown: dict[str, Any] = {"format": FORMAT, "id": job.id, "definition": _readable(job.definition)}
    shown |= {name: getattr(job, name) for name in ("version", "source", *_TEXTS)}
    for name in _MICROS:
        micros = getattr(job, name)
        shown[name] = None if micros is None else from_micros(micros).isoformat()
    for name in _TIMES:
        moment = getattr(job, name)
        shown[name] = None if moment is None else moment.isoformat()
    return json.dumps(shown, ensure_ascii=False).encode("utf-8", "backslashreplace")


def read(job_id: str, kept: bytes, store: str) -> StoredJob:
    """Return the job of a document; one that is none is returned as quarantined, with its text as the definition."""
    try:
        fields: dict[str, Any] = {**_fields(job_id, kept), "id": job_id, "store": store, "kept": kept}
        return StoredJob(**fields)
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError) as error:
        return unreadable(job_id, kept, store, str(error))


def unreadable(job_id: str, kept: bytes, store: str, reason: str) -> StoredJob:
    """Return a job of which nothing can be read."""
    fields: dict[str, Any] = {
        **dict.fromkeys((*_TEXTS, *_MICROS, *_TIMES)),
        "id": job_id,
        "store": store,
        "kept": kept,
        "definition": kept.decode("utf-8", "backslashreplace"),
        "version": 0,
        "source": "api",
        "quarantine": f"what the store holds is no job: {reason}"[:2000],
        "created_at": _EPOCH,
        "updated_at": _EPOCH,
    }
    return StoredJob(**fields)


def is_readable(job: StoredJob) -> bool:
    """Tell whether a job was read from a document of ours."""
    return job.version > 0


def _fields(job_id: str, kept: bytes) -> dict[str, Any]:
    shown = json.loads(kept)
    if not isinstance(shown, dict) or shown.get("format") != FORMAT:
        raise NotADocument(f"it has not the format {FORMAT}")
    if shown.get("id") != job_id:
        raise NotADocument("it is the document of another job")
    _check(shown)
    definition = shown["definition"]
    fields = {name: shown[name] for name in ("version", "source", *_TEXTS)}
    fields["definition"] = definition if isinstance(definition, str) else _compact(definition)
    fields |= {name: None if shown[name] is None else to_micros(_moment(shown[name])) for name in _MICROS}
    return fields | {name: None if shown[name] is None else _moment(shown[name]) for name in _TIMES}


def _check(shown: Mapping[str, Any]) -> None:
    for name, kind in _REQUIRED.items():
        if not isinstance(shown[name], kind) or isinstance(shown[name], bool):
            raise NotADocument(f"its {name} is none")
    if shown["version"] < 1 or shown["created_at"] is None or shown["updated_at"] is None:
        raise NotADocument("its version or its times are none")
    if any(not isinstance(shown[name], str | None) for name in _TEXTS):
        raise NotADocument("its texts are none")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise NotADocument(f"{text} has no offset")
    return moment.astimezone(UTC)


def _readable(definition: str) -> Any:
    """Return the definition as an object where that comes out as the same text again."""
    try:
        shown = json.loads(definition)
    except (ValueError, RecursionError):
        return definition
    return shown if isinstance(shown, dict) and _compact(shown) == definition else definition


def _compact(definition: Any) -> str:
    return json.dumps(definition, ensure_ascii=False, separators=(",", ":"))
