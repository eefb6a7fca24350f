"""What a job is: its JSON, and how code declares one."""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from apscheduler.util import obj_to_ref, ref_to_obj
from msgspec import Meta

from application.libs import strict_json, trigger
from application.libs.declaration import DeclarationError, mistake
from application.libs.record import Record
from application.modules.scheduler.models import JOB_ID_LENGTH, NAME_LENGTH

Function = Callable[..., object]

EXECUTORS = ("default",)

_OPTIONS = ("args", "kwargs", "executor", "misfire_grace_time", "coalesce", "max_instances")
_KEYS = frozenset({"id", "func", "name", "trigger", *_OPTIONS})
_MOST_BYTES = 60_000  # a TEXT column of MariaDB holds 65,535


class Definition(Record):
    """Hold everything about a job but its state, as it is stored: readable JSON that names its format."""

    name: Annotated[str, Meta(max_length=NAME_LENGTH)]
    func: Annotated[str, Meta(max_length=NAME_LENGTH)]
    trigger: dict[str, Any]
    args: list[Any]
    kwargs: dict[str, Any]
    executor: str
    coalesce: bool
    max_instances: Annotated[int, Meta(ge=1)]
    misfire_grace_time: Annotated[int, Meta(ge=1)] | None
    format: Literal[1] = 1


class Unreadable(Exception):
    """A stored job cannot be restored."""


class Declared(Record):
    """Hold a job that the code declares; `digest` tells whether the declaration has changed since it was stored."""

    job_id: str
    definition: Definition
    function: Function
    digest: str


def encode(definition: Definition) -> str:
    """Return the definition as it is stored."""
    return msgspec.json.encode(definition, order="sorted").decode()


def decode(text: str) -> Definition:
    """Return a stored definition; raise `Unreadable` for anything else, and run nothing."""
    try:
        return msgspec.json.decode(text, type=Definition)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Unreadable(f"its definition cannot be read: {error}") from None


def build_trigger(definition: Definition) -> trigger.Trigger:
    """Return the trigger of a definition; raise `Unreadable` when there is none."""
    try:
        return trigger.build(definition.trigger)
    except trigger.BadTriggerError as error:
        raise Unreadable(str(error)) from None


def declare(jobs: Sequence[Mapping[str, Any]], *, timezone: str, defaults: Mapping[str, Any]) -> list[Declared]:
    """Read job dicts as SCHEDULER_JOBS holds them; a mistake is an error at start that says the cure.

    A `func` given as text is imported here and nowhere else: what is declared in code is trusted, the wire is not.
    """
    declared = [_declare(job, timezone, defaults) for job in jobs]
    ids = [job.job_id for job in declared]
    for job_id in ids:
        if ids.count(job_id) > 1:
            raise mistake(f"SCHEDULER_JOBS {job_id!r}", "it is declared twice", "Give each job an id of its own")
    return declared


def _declare(job: Mapping[str, Any], timezone: str, defaults: Mapping[str, Any]) -> Declared:
    where = f"SCHEDULER_JOBS {job.get('id')!r}"
    _check_id(job.get("id"), where)
    kind, fields = _split_trigger(job)
    function = _resolve(job.get("func"), where)
    try:
        definition = msgspec.convert(
            {
                "args": [],
                "kwargs": {},
                "executor": "default",
                **{key: defaults[key] for key in ("misfire_grace_time", "coalesce", "max_instances")},
                **{key: job[key] for key in _OPTIONS if key in job},
                "name": job.get("name") or job["id"],
                "func": obj_to_ref(function),
                "trigger": trigger.write(kind, fields, str(fields.get("timezone", timezone))),
            },
            Definition,
        )
    except (trigger.BadTriggerError, msgspec.ValidationError) as error:
        raise mistake(where, str(error), "Correct it in application/config/scheduler.py") from None
    _check(definition, function, where)
    digest = hashlib.sha256(encode(definition).encode()).hexdigest()
    return Declared(job_id=job["id"], definition=definition, function=function, digest=digest)


def _split_trigger(job: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the trigger's type and fields, given flat or, as old configurations do, in a dict of their own."""
    fields = {key: value for key, value in job.items() if key not in _KEYS}
    kind = job.get("trigger", "date")
    if isinstance(kind, Mapping):
        fields |= kind
        kind = fields.pop("type", "date")
    return str(kind), fields


def _check_id(job_id: object, where: str) -> None:
    fault = fault_of_id(job_id)
    if fault:
        raise mistake(where, f"its id {fault}", "Choose another id")


def fault_of_id(job_id: object) -> str | None:
    """Say why a job cannot have this id, which is a part of its URL; None when it can."""
    if not isinstance(job_id, str):
        return "is no text"
    if job_id in ("", ".", "..") or "/" in job_id or len(job_id) > JOB_ID_LENGTH:
        return f"is empty, a path, or longer than {JOB_ID_LENGTH} characters"
    if not job_id.isprintable() or strict_json.unstorable_text(job_id):
        return "has characters that nobody can type"
    return None


def _resolve(func: object, where: str) -> Function:
    try:
        function = ref_to_obj(func) if isinstance(func, str) else func
    except (LookupError, ImportError, TypeError, ValueError) as error:
        raise mistake(where, f"{func!r} gives no function: {error}", "Write it as package.module:function") from None
    if not inspect.isroutine(function) or inspect.iscoroutinefunction(function):
        raise mistake(where, f"{func!r} is no plain function", "Write one, and name it as package.module:function")
    found: Function = function
    return found


def _check(definition: Definition, function: Function, where: str) -> None:
    try:
        inspect.signature(function).bind(*definition.args, **definition.kwargs)
    except TypeError as error:
        raise mistake(where, f"its arguments do not fit {definition.func}: {error}", "Give what it takes") from None
    if definition.executor not in EXECUTORS:
        raise mistake(where, f"there is no executor {definition.executor!r}", f"Use one of {', '.join(EXECUTORS)}")
    _check_plain(definition, where)


def _check_plain(definition: Definition, where: str) -> None:
    cure = "Give text, numbers, lists and dicts"
    try:
        text = encode(definition)
    except (TypeError, ValueError) as error:
        raise mistake(where, f"its arguments are no JSON: {error}", cure) from None
    if msgspec.json.decode(text, type=Definition) != definition:
        raise mistake(where, "its arguments would come back as something else", cure)
    if len(text.encode()) > _MOST_BYTES:
        raise DeclarationError(f"{where}: its arguments are too large. Store them, and give their id")
