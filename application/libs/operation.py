"""Read a handler's contract from its signature, and refuse one that cannot work before the server starts."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack, get_type_hints
from uuid import UUID

from pydantic import BaseModel

from application.libs.answer import Answer, AnswerMismatchError
from application.libs.binding import RESERVED
from application.libs.declaration import mistake
from application.libs.error import Refusal
from application.libs.schema import unbounded

Handler = Callable[..., object]

_PATH_PARAMETER = re.compile(r"<(?:(?P<converter>[a-zA-Z_]\w*)(?:\([^)]*\))?:)?(?P<name>[a-zA-Z_]\w*)>")

_PATH_TYPES: Mapping[str, type] = {"id": str, "int": int, "path": str, "string": str, "float": float, "uuid": UUID}


class Contract(TypedDict, total=False):
    """Name the options of a declaration; mypy refuses any other."""

    status: int
    """Of success; 200 by default, 204 for a handler that returns None (which may also say 202)."""
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
    _check_rule(rule, where)
    try:
        hints = get_type_hints(handler, include_extras=True)
    except NameError as error:
        raise mistake(where, f"an annotation is not defined ({error})", "Import its name in the module") from None
    if "return" not in hints:
        raise mistake(where, "it does not say what it returns", "Annotate the return value; `-> None` answers 204")
    path = {match["name"]: match["converter"] or "string" for match in _PATH_PARAMETER.finditer(rule)}
    inputs = _read_parameters(handler, hints, path, where)
    if method == "GET" and not {"body", "form", "files"}.isdisjoint(inputs):
        raise mistake(where, "it reads and takes content", "Take it through `query`, or declare it with POST")
    try:
        answer = Answer(hints["return"], contract.get("answer"))
    except AnswerMismatchError as error:
        raise mistake(where, str(error), "See docs/architecture.md, 'Answers'") from None
    status = contract.get("status", 204 if answer.is_empty else 200)
    _check_status(status, answer, where)
    return Operation(
        handler=handler,
        method=method,
        rule=rule,
        status=status,
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
    errors: Sequence[object] = contract.get("errors", ())
    for error in errors:
        if not (isinstance(error, type) and issubclass(error, Refusal)):
            raise mistake(where, f"{error!r} in `errors` is no Refusal", "Derive it from a family of libs/error.py")


def _check_rule(rule: str, where: str) -> None:
    if rule and not (rule.startswith("/") and rule.strip("/")):
        raise mistake(where, f"its rule is {rule!r}", 'Write "" for the resource itself, else begin with a slash')
    if rule.endswith("/"):
        raise mistake(where, f"its rule {rule!r} ends with a slash", "Leave it out; a resource has one address")


def _check_status(status: int, answer: Answer, where: str) -> None:
    if status not in range(200, 300):
        raise mistake(where, f"its status is {status}", "Name the status of success; failures are raised")
    if status == 204 and not (answer.is_empty or answer.is_raw):
        raise mistake(where, "it answers 204, which has no body, with something", "Return None, or drop the status")


def _check_path(handler: Handler, hints: Mapping[str, Any], path: Mapping[str, str], where: str) -> None:
    parameters = inspect.signature(handler).parameters
    for name, converter in path.items():
        if name not in parameters:
            kind = _PATH_TYPES.get(converter, str).__name__
            raise mistake(
                where, f"the rule has <{name}>, which no parameter takes", f"Add a parameter `{name}: {kind}`"
            )
        wanted = _PATH_TYPES.get(converter)
        if wanted is not None and hints.get(name) is not wanted:
            raise mistake(
                where, f"`{name}` is not what the rule's <{converter}> gives", f"Write `{name}: {wanted.__name__}`"
            )


def _read_parameters(
    handler: Handler, hints: Mapping[str, Any], path: Mapping[str, str], where: str
) -> dict[str, type[BaseModel]]:
    _check_path(handler, hints, path, where)
    inputs = {}
    for name, parameter in inspect.signature(handler).parameters.items():
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise mistake(where, f"`{name}` cannot be given by name", "Take the slash out of the signature")
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
