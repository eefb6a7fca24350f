"""List the functions that may be called by name: nothing else can be reached by a text, and no text is imported.

catalogue = Catalogue()

@catalogue.job
def prune_expired_sessions(days: Annotated[int, Field(ge=0)] = 30) -> int:
    \"\"\"Delete the sessions that have expired.\"\"\"

entry = catalogue.get("prune-expired-sessions")  # or "application.modules.session.tasks:prune_expired_sessions"
args, kwargs = entry.bind([], {"days": 7})     # validated when they come, to be stored by `tagged_json`
args, kwargs = entry.convert(args, kwargs)     # typed when the function is called
entry.function(*args, **kwargs)
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, overload

from application.libs.arguments import Arguments, Function, Signature
from application.libs.declaration import mistake

MAX_NAME = 100
"""How long a function's name may be, and how much of an unknown one an error repeats."""

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}", re.ASCII)  # a part of a URL, and no reference
_NEAR = 3
_CURE = "register it in the code by `@catalogue.job`"

F = TypeVar("F", bound=Callable[..., object])


class NotRegistered(LookupError):
    """No function is registered under this text; `near` holds the names and references that are most like it."""

    def __init__(self, text: str, near: Sequence[str], cure: str = _CURE) -> None:
        """Word what was asked for, what may have been meant, and the cure."""
        question = f"Did you mean {' or '.join(near)}? " if near else ""
        shown = ascii(text[:MAX_NAME])
        super().__init__(f"No function is registered as {shown}. {question}Name one that is, or {cure}")
        self.near = list(near)


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold a function that may be called by name, and what it says of itself."""

    name: str
    reference: str
    """`module:qualname`, by which APScheduler stores a function."""
    summary: str
    """The first line of the docstring, or nothing."""
    function: Function
    signature: Signature

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Return the JSON Schema of an object that holds the arguments by name; see `Signature`."""
        return self.signature.schema

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
        """Return the arguments as they are stored; raise `InvalidArguments` with every fault. See `Signature.bind`."""
        return self.signature.bind(args, kwargs)

    def convert(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
        """Return stored arguments as the function wants them; raise `InvalidArguments`. See `Signature.convert`."""
        return self.signature.convert(args, kwargs)


class Catalogue:
    """Hold functions by name and by reference; iterating gives the entries, sorted by name."""

    def __init__(self, *, cure: str = _CURE) -> None:
        """Begin with nothing; `cure` says how what is missing is registered."""
        self._entries: dict[str, Entry] = {}
        self._cure = cure

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, function: object) -> bool:
        """Tell whether the function itself, and not only one of its name, is registered."""
        return any(entry.function is function for entry in self._entries.values())

    @overload
    def job(self, function: F, /) -> F: ...

    @overload
    def job(self, /, *, name: str) -> Callable[[F], F]: ...

    def job(self, function: F | None = None, /, *, name: str | None = None) -> F | Callable[[F], F]:
        """Register the decorated function, which stays as it is: `@catalogue.job` or `@catalogue.job(name="prune")`."""
        if function is not None:
            return self.register(function)
        return lambda decorated: self.register(decorated, name)

    def register(self, function: F, name: str | None = None) -> F:
        """Register a function and return it; its name is by default that in the code, with hyphens.

        Again, it changes nothing. Raises `DeclarationError` for what cannot be called by name: another function of that
        name, a lambda, a coroutine, a method, a parameter without JSON form.
        """
        where = _where(function)
        _check_function(function, where)
        reference = f"{function.__module__}:{function.__qualname__}"
        known = self.find(function)
        if known is None:
            chosen = function.__name__.strip("_").replace("_", "-") if name is None else name
            self._check_name(chosen, reference, where)
            summary = (inspect.getdoc(function) or "").partition("\n")[0]
            self._entries[chosen] = Entry(chosen, reference, summary, function, Signature(function, where))
        elif name not in (None, known.name):
            raise mistake(where, f"it is registered as {known.name!r} already", "Give it one name")
        return function

    def get(self, text: str) -> Entry:
        """Return the entry of a name or a reference `module:qualname`; raise `NotRegistered`, which names near ones."""
        if text in self._entries:
            return self._entries[text]
        for entry in self._entries.values():
            if entry.reference == text:
                return entry
        known = [*self._entries, *(entry.reference for entry in self._entries.values())]
        raise NotRegistered(text, get_close_matches(text, known, n=_NEAR), self._cure)

    def find(self, function: Callable[..., object]) -> Entry | None:
        """Return the entry of a function itself, None where it is not registered."""
        return next((entry for entry in self._entries.values() if entry.function is function), None)

    def _check_name(self, name: str, reference: str, where: str) -> None:
        if not _NAME.fullmatch(name):
            what = f"its name is {name!r}"
            raise mistake(where, what, "Give one of ASCII letters, digits, hyphens: `@catalogue.job(name=…)`")
        if name in self._entries:
            what = f"the name {name!r} belongs to {self._entries[name].reference}"
            raise mistake(where, what, "Give one of the two another name: `@catalogue.job(name=…)`")
        if any(entry.reference == reference for entry in self._entries.values()):
            raise mistake(where, f"another function is registered as {reference}", "Rename one in the code")


def _where(function: object) -> str:
    name = getattr(function, "__qualname__", None) or repr(function)
    return f"{getattr(function, '__module__', None) or '?'}.{name}"


def _check_function(function: object, where: str) -> None:
    if inspect.ismethod(function) or _wants_instance(function):
        raise mistake(where, "it is a method", "Register a function of the module that gets the instance itself")
    if not inspect.isfunction(function):
        raise mistake(where, "it is no function", "Declare a plain `def`, and call what it is from there")
    if function.__name__ == "<lambda>":
        raise mistake(where, "it is a lambda, which has no name", "Declare it with a plain `def`")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise mistake(where, "it is async, and nothing awaits it", "Declare it with a plain `def`")
    if inspect.isgeneratorfunction(function):
        raise mistake(where, "it is a generator, and nothing iterates it", "Do the work, and return the result")


def _wants_instance(function: object) -> bool:
    """Tell a function that was taken from its class, and takes the instance or the class."""
    if not inspect.isfunction(function):
        return False
    around = function.__qualname__.rpartition(".")[0]
    first = next(iter(inspect.signature(function).parameters), "")
    return around != "" and not around.endswith("<locals>") and first in ("self", "cls")
