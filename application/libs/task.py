"""Declare that a function is a task, and tell from its code how far it has come.

from application.libs.task import task        # in a module's tasks.py, which application/config/task.py lists
deliver = task(business.deliver, retries=5)   # the function stays as it is

from application.libs import task             # in business.py
def deliver(message_id: str) -> str:
    \"\"\"Send a message.\"\"\"
    task.progress(1, 3, "connecting")         # which ends a task that was cancelled
"""

import inspect
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Annotated, Any, TypedDict, TypeVar, Unpack

from msgspec import Meta, ValidationError, convert
from msgspec.structs import replace

from application.libs.catalogue import Catalogue, Entry
from application.libs.declaration import guess, mistake
from application.libs.record import Record
from application.libs.run_context import Stop
from application.libs.strict_json import printable

MOST_PRIORITY = 9
"""The priority of what goes first; 0 goes last."""

MOST_MESSAGE = 500
"""Characters of what a task says of its progress."""

MOST_RETRIES = 1000

F = TypeVar("F", bound=Callable[..., object])

_Seconds = Annotated[float, Meta(gt=0, le=31_536_000)]
Queue = Annotated[str, Meta(min_length=1, max_length=50, pattern=r"\A[a-z0-9][a-z0-9_-]*\Z")]
Priority = Annotated[int, Meta(ge=0, le=MOST_PRIORITY)]


class Options(Record):
    """Hold how a task is run; durations are in seconds."""

    queue: Queue = "default"
    priority: Priority = 4
    retries: Annotated[int, Meta(ge=0, le=MOST_RETRIES)] = 0
    """How often it is tried again once it has raised one of `retry_on`."""
    retry_on: tuple[type[Exception], ...] = (Exception,)
    backoff_seconds: _Seconds = 1.0
    """How long the first retry waits at most; each further one twice as long.

    An error with `retry_after_seconds` waits that long at least, up to `backoff_max_seconds`.
    """
    backoff_max_seconds: _Seconds = 600.0
    soft_limit_seconds: _Seconds | None = None
    """After which it is asked to end, as if it were cancelled, and fails."""
    hard_limit_seconds: _Seconds | None = None
    """After which its process is killed, and it fails; such a task runs in a process of its own."""
    expires_seconds: _Seconds | None = None
    """After which it is not begun any more."""
    losses: Annotated[int, Meta(ge=1, le=100)] = 3
    """How many processes may die with it before it is dead."""
    transaction: bool = True
    """Whether it is one unit of work, which ends together with the task; else it opens its own."""
    retryable: bool = True
    """Whether it can be begun anew by hand once it has ended; what it belongs to may have its own way."""
    permission: str | None = None
    """What who may start it by the API holds beside `task:run`; without one, that is for code alone."""


class Given(TypedDict, total=False):
    """Name the fields of `Options`, so that a type checker sees a misspelt one."""

    queue: str
    priority: int
    retries: int
    retry_on: tuple[type[Exception], ...]
    backoff_seconds: float
    backoff_max_seconds: float
    soft_limit_seconds: float | None
    hard_limit_seconds: float | None
    expires_seconds: float | None
    losses: int
    transaction: bool
    retryable: bool
    permission: str | None


class Declared(Record):
    """Hold a task: its name and function, and how it is run."""

    entry: Entry
    options: Options

    @property
    def name(self) -> str:
        """Return what rows and messages call it."""
        return self.entry.name

    def limited(self, hard_limit_seconds: float | None) -> "Declared":
        """Return it with the hard limit of one call of it; None leaves it as it is."""
        if hard_limit_seconds is None:
            return self
        return Declared(self.entry, replace(self.options, hard_limit_seconds=hard_limit_seconds))


class Progress(Record):
    """Hold how far a task has come."""

    current: int
    total: int
    message: str


class TaskContext(Record):
    """Hold which task this code belongs to.

    `key` is the same in every attempt: the idempotency key for effects outside of the database.
    """

    task_id: str
    name: str
    key: str
    attempt: int
    stop: Stop
    report: Callable[[Progress], object]
    is_interrupted: Callable[[], bool] = lambda: False
    """Tells whether it is to end only because its process stops or has lost it: it is begun anew."""


current_task: ContextVar[TaskContext | None] = ContextVar("redprint_task", default=None)


def progress(current: int, total: int, message: str = "") -> None:
    """Say how far the task has come; raise `Cancelled` where it was asked to end. Outside a task this does nothing."""
    context = current_task.get()
    if context is None:
        return
    context.stop.check()
    total = min(max(total, 0), 2**31 - 1)
    context.report(Progress(min(max(current, 0), total), total, printable(message)[:MOST_MESSAGE]))


def pause(seconds: float) -> None:
    """Wait so long; in a task that is asked to end meanwhile, raise `Cancelled` at once."""
    context = current_task.get()
    if context is None:
        time.sleep(seconds)
        return
    context.stop.wait(seconds)
    context.stop.check()


class Tasks:
    """Hold what is declared, by name and by function; iterating gives them sorted by name."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._catalogue = Catalogue(cure="register it in a module's tasks.py by `task(function)`")
        self._options: dict[str, Options] = {}

    def __iter__(self) -> Iterator[Declared]:
        return (Declared(entry, self._options[entry.name]) for entry in self._catalogue)

    def declare(self, function: F, name: str | None, options: Given) -> F:
        """Take a function in, again without effect; raise `DeclarationError` for what can be no task."""
        where = _where(function)
        for word in options.keys() - set(Options.__struct_fields__):
            cure = f"{guess(word, Options.__struct_fields__)}The options are {', '.join(Options.__struct_fields__)}"
            raise mistake(where, f"there is no option {word!r}", cure)
        try:
            held = convert(options, Options, strict=False, dec_hook=_as_it_is)
        except ValidationError as error:
            raise mistake(where, str(error), "See `Options` in application/libs/task.py") from None
        self._catalogue.register(function, name or _name_of(function))
        self._options |= {entry.name: held for entry in self._catalogue if entry.function is function}
        return function

    def of(self, function: Callable[..., object]) -> Declared:
        """Return the task that a function is; raise `DeclarationError` with the cure where it is none."""
        entry = self._catalogue.find(function)
        if entry is None:
            cure = "Write `task(business.function)` in a module's tasks.py, listed in application/config/task.py"
            raise mistake(_where(function), "it is enqueued, and no task", cure)
        return Declared(entry, self._options[entry.name])

    def get(self, name: str) -> Declared:
        """Return the task of a name; raise `NotRegistered`, which names near ones."""
        entry = self._catalogue.get(name)
        return Declared(entry, self._options[entry.name])


TASKS = Tasks()
"""What this process has declared."""


def task(function: F, /, *, name: str | None = None, **options: Unpack[Given]) -> F:
    """Declare a function as a task and return it as it is; `options` are the fields of `Options`.

    Its name is that of its module and its own, as `message.deliver`; rows that wait keep it, so it should not change.
    """
    return TASKS.declare(function, name, options)


def _where(function: object) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', function)}"


def _as_it_is(_kind: type, value: Any) -> Any:
    return value


def _name_of(function: Callable[..., object]) -> str | None:
    """Return `module.function`: the folder below `modules`, or the file where there is none."""
    if not inspect.isfunction(function):
        return None  # the catalogue says why it cannot be
    parts = function.__module__.split(".")
    home = parts[parts.index("modules") + 1] if "modules" in parts[:-1] else parts[-1]
    return f"{home}.{function.__name__}"
