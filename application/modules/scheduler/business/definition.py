"""What a job is: its JSON, and how code declares one."""

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from apscheduler.util import obj_to_ref, ref_to_obj
from msgspec import Meta
from msgspec.structs import replace

from application.libs import strict_json, tagged_json, trigger
from application.libs.arguments import Arguments, InvalidArguments, Signature
from application.libs.catalogue import MAX_NAME, Catalogue
from application.libs.declaration import DeclarationError, mistake
from application.libs.error import FieldError
from application.libs.outcome_text import MESSAGE_LENGTH
from application.libs.record import Record
from application.libs.trigger import Misfire
from application.modules.scheduler.models import JOB_ID_LENGTH, NAME_LENGTH, TAG_LENGTH

Function = Callable[..., object]

_MOST_BYTES = 65_000  # a TEXT column of MariaDB holds 65,535

EXECUTORS = ("default", "processpool", "celery")
"""Those there always are: threads, and processes, which can be killed."""

MOST_INSTANCES = 1000
"""How many runs of a job overlap where they may: as many as a client may ask for."""

MOST_RETRIES = 100
MOST_DELAY_SECONDS = 7 * 86_400.0
"""How long an attempt may wait for its turn: a run that failed a week ago is nobody's concern."""

MOST_TAGS = 20
MOST_IN_A_ROW = 1_000_000

TAG_PATTERN = rf"^[A-Za-z0-9._-]{{1,{TAG_LENGTH}}}$"

Tag = Annotated[str, Meta(pattern=TAG_PATTERN)]
_Delay = Annotated[float, Meta(ge=0, le=MOST_DELAY_SECONDS)]


class Alerts(Record, forbid_unknown_fields=True):
    """Say what of a job's runs somebody is alerted to."""

    on_failure: bool = True
    after_failures: Annotated[int, Meta(ge=1, le=MOST_IN_A_ROW)] = 1
    """After how many failed runs in a row."""
    on_recovery: bool = False
    """Whether the success after an alert is one."""
    after_misses: Annotated[int, Meta(ge=1, le=MOST_IN_A_ROW)] | None = None
    """After how many missed fires in a row."""


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
    on_lost: Literal["rerun", "keep"] = "rerun"
    """What becomes of a run whose process died: it is run again, or kept as lost."""
    misfire: Misfire = "skip"
    overlap: Literal["skip", "queue", "replace", "allow"] = "skip"
    """What becomes of a fire while as many runs go on as may: none, it waits, or the oldest of them is asked to end.

    `allow` makes that MOST_INSTANCES.
    """
    timeout: Annotated[float, Meta(gt=0, le=MOST_DELAY_SECONDS)] | None = None
    """After how many seconds an attempt is given up: a process is killed, a thread is asked to end and left alone."""
    retries: Annotated[int, Meta(ge=0, le=MOST_RETRIES)] = 0
    """How many attempts follow one that failed; those whose process died are not counted."""
    retry_delay: _Delay = 10.0
    """How many seconds the second attempt waits."""
    retry_backoff: Annotated[float, Meta(ge=1, le=10)] = 2.0
    """By how much each further attempt waits longer than the one before."""
    retry_max_delay: _Delay = 3600.0
    retry_jitter: _Delay = 0.0
    """By how many seconds at most, at random, each of them is put off."""
    tags: Annotated[tuple[Tag, ...], Meta(max_length=MOST_TAGS)] = ()
    description: Annotated[str, Meta(max_length=MESSAGE_LENGTH)] | None = None
    owner: Annotated[str, Meta(max_length=NAME_LENGTH)] | None = None
    """Whom to ask, for people."""
    alerts: Alerts | None = None
    format: Literal[1] = 1


DEFAULTS: Mapping[str, Any] = {
    field.name: field.default
    for field in msgspec.structs.fields(Definition)
    if field.name != "format" and not field.required
}
"""What a job is that does not say otherwise, where no setting says it for all."""

OPTIONS = ("executor", "misfire_grace_time", "coalesce", "max_instances", *DEFAULTS)
"""How a job runs, beside what and when."""

_KEYS = frozenset(
    {"id", "func", "name", "trigger", "args", "kwargs", "next_run_time", "jobstore", "replace_existing", *OPTIONS}
)


class Unreadable(Exception):
    """A stored job cannot be restored."""


class Declared(Record):
    """Hold a job that the code declares; `digest` tells whether the declaration has changed since it was stored."""

    job_id: str
    definition: Definition
    function: Function
    digest: str
    first: datetime | None = None
    """When a new job is due first, if not by its trigger."""
    paused: bool = False
    """Whether a new job begins paused."""
    jobstore: str = "default"
    """The alias of the store that keeps it."""


def encode(definition: Definition) -> str:
    """Return the definition as it is stored."""
    return msgspec.json.encode(definition, order="sorted").decode()


def decode(text: str) -> Definition:
    """Return a stored definition; raise `Unreadable` for anything else, and run nothing."""
    try:
        return msgspec.json.decode(text, type=Definition)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Unreadable(f"its definition cannot be read: {error}") from None


def fault_of_size(definition: Definition) -> str | None:
    """Say why a definition cannot be stored; None when it can."""
    if len(encode(definition).encode()) > _MOST_BYTES:
        return "Its arguments are too large together. Store them, and give their id"
    return None


def options(given: Mapping[str, Any], known: Mapping[str, Any], *, limit: int) -> dict[str, Any]:
    """Return how a job runs: as given, else as known; whose runs may overlap, of it MOST_INSTANCES may.

    `limit` is how many runs of one that does not overlap go on at once, unless it says so itself.
    """
    chosen = {name: given.get(name, known[name]) for name in OPTIONS}
    allows, allowed = chosen["overlap"] == "allow", known["overlap"] == "allow"
    usual = MOST_INSTANCES if allowed else limit
    if allows != allowed and "max_instances" not in given and known["max_instances"] == usual:
        chosen["max_instances"] = MOST_INSTANCES if allows else limit
    return chosen


def build_trigger(definition: Definition) -> trigger.Trigger:
    """Return the trigger of a definition; raise `Unreadable` when there is none."""
    try:
        return trigger.build(definition.trigger)
    except trigger.BadTriggerError as error:
        raise Unreadable(str(error)) from None


def pinned(definition: Definition, moment: datetime) -> Definition:
    """Return a definition whose trigger says when it starts, however often it is built again."""
    return replace(definition, trigger=trigger.pin(definition.trigger, moment))


def declare(
    jobs: Sequence[Mapping[str, Any]],
    *,
    timezone: str,
    defaults: Mapping[str, Any],
    executors: Sequence[str] = EXECUTORS,
    jobstores: Sequence[str] = ("default",),
) -> list[Declared]:
    """Read job dicts as SCHEDULER_JOBS holds them; a mistake is an error at start that says the cure.

    A `func` given as text is imported here and nowhere else: what is declared in code is trusted, the wire is not.
    """
    declared = [_declare(job, timezone, defaults, {"executor": executors, "jobstore": jobstores}) for job in jobs]
    ids = [job.job_id for job in declared]
    for job_id in ids:
        if ids.count(job_id) > 1:
            raise mistake(f"SCHEDULER_JOBS {job_id!r}", "it is declared twice", "Give each job an id of its own")
    return declared


def catalogue_of(jobs: Iterable[Declared]) -> Catalogue:
    """Return the functions that the declared jobs call."""
    catalogue = Catalogue()
    for job in jobs:
        register(catalogue, job.function)
    return catalogue


def register(catalogue: Catalogue, function: Function, name: str | None = None) -> str:
    """Let jobs call a function, by name and by the reference that is returned.

    Where another one has its name, it is called by its module's, too.
    """
    if function not in catalogue:
        taken = {entry.name for entry in catalogue}
        usual = function.__name__.strip("_").replace("_", "-")
        longer = f"{function.__module__}.{usual}"[-MAX_NAME:]
        catalogue.register(function, name or (longer if usual in taken else usual))
    return next(entry.reference for entry in catalogue if entry.function is function)


def _declare(
    job: Mapping[str, Any], timezone: str, defaults: Mapping[str, Any], places: Mapping[str, Sequence[str]]
) -> Declared:
    where = f"SCHEDULER_JOBS {job.get('id')!r}"
    _check_id(job.get("id"), where)
    kind, fields = _split_trigger(job)
    function = _resolve(job.get("func"), where)
    try:
        definition = msgspec.convert(
            {
                **options(job, {"executor": "default", **DEFAULTS, **defaults}, limit=defaults["max_instances"]),
                **_bound(job, function, where),
                "name": job.get("name") or job["id"],
                "func": obj_to_ref(function),
                "trigger": trigger.write(kind, fields, timezone),
            },
            Definition,
        )
    except (trigger.BadTriggerError, msgspec.ValidationError) as error:
        raise mistake(where, str(error), "Correct it in application/config/scheduler.py") from None
    jobstore = job.get("jobstore") or "default"
    for place, chosen in (("executor", definition.executor), ("jobstore", jobstore)):
        if chosen not in places[place]:
            raise mistake(where, f"there is no {place} {chosen!r}", f"Use one of {', '.join(places[place])}")
    too_large = fault_of_size(definition)
    if too_large is not None:
        raise DeclarationError(f"{where}: {too_large}")
    digest = hashlib.sha256(_said(definition)).hexdigest()
    first = _first(job, timezone, where)
    paused = first is None and "next_run_time" in job
    return Declared(job["id"], definition, function, digest, first, paused, jobstore)


def _first(job: Mapping[str, Any], timezone: str, where: str) -> datetime | None:
    if job.get("next_run_time") is None:
        return None
    try:
        return trigger.read_moment(job["next_run_time"], trigger.read_zone(timezone))
    except ValueError as error:
        raise mistake(where, f"next_run_time: {error}", "Give a date with its time, or None to begin paused") from None


def _said(definition: Definition) -> bytes:
    """Return what a declaration says beyond the defaults, which grow in number: no release changes what it says."""
    said = {name: getattr(definition, name) for name in definition.__struct_fields__}
    return msgspec.json.encode(
        {name: value for name, value in said.items() if name not in DEFAULTS or value != DEFAULTS[name]}, order="sorted"
    )


def _split_trigger(job: Mapping[str, Any]) -> tuple[object, dict[str, Any]]:
    """Return the trigger's type and fields, given flat or, as old configurations do, in a dict of their own.

    The type may be a trigger object of APScheduler.
    """
    fields = {key: value for key, value in job.items() if key not in _KEYS}
    return unwrapped(job.get("trigger", kind_of(fields)), fields)


def unwrapped(kind: Any, fields: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a trigger's type and fields, which old configurations give in a dict of their own."""
    if not isinstance(kind, Mapping):
        return kind, dict(fields)
    whole = {**fields, **kind}
    return whole.pop("type", "date"), whole


def kind_of(fields: Mapping[str, Any]) -> str:
    """Return the type of a trigger whose fields are given without one."""
    return "cron" if "crontab" in fields else "date"


def in_one_line(errors: Iterable[FieldError], *, within: int = 0) -> str:
    """Return every fault with its place, of which the first `within` parts are left out."""
    return "; ".join(f"{'.'.join(map(str, error['loc'][within:]))}: {error['msg']}" for error in errors)


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


def _bound(job: Mapping[str, Any], function: Function, where: str) -> dict[str, Any]:
    """Return the arguments as they are stored, once they are found to fit the function."""
    try:
        args, kwargs = Signature(function, where).bind(job.get("args", ()), job.get("kwargs", {}))
    except InvalidArguments as error:
        what = f"its arguments do not fit {obj_to_ref(function)}: {in_one_line(error.errors)}"
        raise mistake(where, what, "Give what it takes") from None
    return store_arguments(args, kwargs)


def store_arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return bound arguments as a definition holds them: JSON that keeps their types."""
    return {"args": tagged_json.tag(list(args)), "kwargs": tagged_json.tag(dict(kwargs))}


def arguments_of(definition: Definition) -> Arguments:
    """Return the arguments that a definition holds, in their types; raise `Unreadable`."""
    try:
        return tagged_json.untag(definition.args), tagged_json.untag(definition.kwargs)
    except tagged_json.Malformed as error:
        raise Unreadable(f"its arguments cannot be read: {error}") from None


def shown_arguments(definition: Definition) -> Arguments:
    """Return the arguments as JSON shows them: dates as ISO 8601, other types as text or arrays."""
    args, kwargs = arguments_of(definition)
    return tagged_json.show(args), tagged_json.show(kwargs)
