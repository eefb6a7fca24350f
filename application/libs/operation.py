"""Read a handler's contract from its signature, and refuse one that cannot work before the server starts."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack, get_type_hints

from pydantic import BaseModel

from application.libs.answer import Answer, AnswerMismatchError
from application.libs.binding import RESERVED
from application.libs.declaration import mistake
from application.libs.error import Refusal
from application.libs.schema import unbounded

Handler = Callable[..., object]

_PATH_PARAMETER = re.compile(r"<(?:(?P<converter>[a-zA-Z_]\w*)(?:\([^)]*\))?:)?(?P<name>[a-zA-Z_]\w*)>")


class Contract(TypedDict, total=False):
    """Name the options of a declaration; mypy refuses any other."""

    status: int
    """Of success; 200 by default, 204 for a handler that returns None."""
    permission: str
    """What the caller must hold; without it every known caller may."""
    public: bool
    """Whether anybody may call."""
    answer: type[BaseModel]
    """The wire schema, where the return annotation is a Record."""
    errors: Sequence[type[Refusal]]
    """The refusals the handler's rules raise."""
    transaction: bool
    """False leaves the unit of work to a handler that hashes, uploads or streams."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Hold everything one handler promises, as the view, the API document and the tests need it."""

    handler: Handler
    method: str
    rule: str
    status: int
    permission: str | None
    public: bool
    errors: tuple[type[Refusal], ...]
    transaction: bool
    path: Mapping[str, str]
    """Names of the URL's parameters and their converters."""
    inputs: Mapping[str, type[BaseModel]]
    """Schemas by reserved name (`body`, `query`, …)."""
    answer: Answer

    @property
    def name(self) -> str:
        """Return the handler's name, which is the endpoint's."""
        return self.handler.__name__

    @property
    def changes(self) -> bool:
        """Tell whether the method may change something (RFC 9110 §9.2.1: it is not safe)."""
        return self.method not in ("GET", "HEAD")

    @property
    def summary(self) -> str:
        """Return the docstring's first line without the full stop."""
        return _docstring(self.handler).splitlines()[0].rstrip(".")

    @property
    def description(self) -> str:
        """Return what the docstring says beyond its first line."""
        return "\n".join(_docstring(self.handler).splitlines()[1:]).strip()


def read_operation(handler: Handler, method: str, rule: str, **contract: Unpack[Contract]) -> Operation:
    """Return the handler's contract; raise `DeclarationError` with the cure."""
    where = f"{handler.__module__}.{handler.__qualname__}"
    _check_declaration(handler, contract, where)
    hints = get_type_hints(handler, include_extras=True)
    if "return" not in hints:
        raise mistake(where, "it does not say what it returns", "Annotate the return value; `-> None` answers 204")
    path = {match["name"]: match["converter"] or "string" for match in _PATH_PARAMETER.finditer(rule)}
    inputs = _read_parameters(handler, hints, path, where)
    try:
        answer = Answer(hints["return"], contract.get("answer"))
    except AnswerMismatchError as error:
        raise mistake(where, str(error), "See docs/architecture.md, 'Answers'") from None
    return Operation(
        handler=handler,
        method=method,
        rule=rule,
        status=204 if answer.is_empty else contract.get("status", 200),
        permission=contract.get("permission"),
        public=contract.get("public", False),
        errors=tuple(contract.get("errors", ())),
        transaction=contract.get("transaction", True),
        path=path,
        inputs=inputs,
        answer=answer,
    )


def _check_declaration(handler: Handler, contract: Contract, where: str) -> None:
    unknown = set(contract) - set(Contract.__annotations__)
    if unknown:
        known = ", ".join(sorted(Contract.__annotations__))
        raise mistake(where, f"there is no option `{sorted(unknown)[0]}`", f"The options are {known}")
    if contract.get("public") and contract.get("permission"):
        raise mistake(where, "it is public and asks for a permission", "Drop one of the two")
    if not _docstring(handler):
        raise mistake(where, "it has no docstring", "Its first line is the summary in the API document")
    for error in contract.get("errors", ()):
        if not issubclass(error, Refusal):
            raise mistake(where, f"{error!r} in `errors` is no Refusal", "Derive it from a family of libs/error.py")


def _read_parameters(
    handler: Handler, hints: Mapping[str, Any], path: Mapping[str, str], where: str
) -> dict[str, type[BaseModel]]:
    names = list(inspect.signature(handler).parameters)
    missing = [name for name in path if name not in names]
    if missing:
        raise mistake(
            where, f"the rule has <{missing[0]}>, which no parameter takes", f"Add a parameter `{missing[0]}: str`"
        )
    inputs = {}
    for name in names:
        if name in path:
            continue
        if name not in RESERVED:
            cure = f"Put <{name}> into the rule, or take it through one of {', '.join(RESERVED)}"
            raise mistake(where, f"nothing fills the parameter `{name}`", cure)
        inputs[name] = _read_schema(name, hints.get(name), where)
    if "body" in inputs and ("form" in inputs or "files" in inputs):
        raise mistake(where, "it takes a JSON body and a form", "A request carries one of them")
    return inputs


def _read_schema(name: str, schema: Any, where: str) -> type[BaseModel]:
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        raise mistake(where, f"`{name}` is annotated with {schema!r}", "Annotate it with a Schema")
    loose = list(unbounded(schema)) if name != "files" else []
    if loose:
        raise mistake(where, f"{schema.__name__} takes input without a bound", "; ".join(loose))
    return schema


def _docstring(handler: Handler) -> str:
    return inspect.getdoc(handler) or ""
