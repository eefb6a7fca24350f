"""Read a handler's contract from its signature, and refuse one that cannot work before the server starts."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypedDict, Unpack, get_type_hints

from limits import RateLimitItem
from pydantic import BaseModel

from application.libs.answer import Answer, AnswerMismatchError
from application.libs.declaration import guess, mistake, said_here
from application.libs.error import Refusal
from application.libs.listing import FIELDS, Names, Orders, completed, faults
from application.libs.rate_limit import parse_limit
from application.libs.schema import PageQuery
from application.libs.signature import check_names, read_parameters
from application.libs.strictness import computed

Handler = Callable[..., object]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_PATH_PARAMETER = re.compile(r"<(?:(?P<converter>[a-zA-Z_]\w*)(?:\([^)]*\))?:)?(?P<name>[a-zA-Z_]\w*)>")
_BRACED = re.compile(r"\{([a-zA-Z_]\w*)[^}]*\}")


class Contract(TypedDict, total=False):
    """Name the options of a declaration; mypy refuses any other."""

    status: int
    """Of success; 200 by default, 204 for a handler that returns None (which may also say 202)."""
    permission: str
    """What the caller must hold; without it every known caller may."""
    public: bool
    """Whether anybody may call."""
    scope: str
    """What a key for machines must hold where people need nothing, `ANY_KEY` for nothing either.

    Without it keys call only what is public or asks for a permission: never what concerns the person alone.
    """
    answer: type[BaseModel]
    """The wire schema, where the return annotation is a Record."""
    media_type: str
    """What a handler that returns a `Response` answers with, as `image/png` or `image/*`."""
    errors: Sequence[type[Refusal]]
    """The refusals the handler's rules raise."""
    transaction: bool
    """False leaves the unit of work to a handler that hashes, uploads or streams."""
    rows_only: bool
    """Whether what it reads depends on rows, the request and who asks alone: then 304 is told without reading."""
    max_body: str
    """The key of `app.config` that says how many bytes a body may have, where MAX_CONTENT_LENGTH is too few.

    Who may not ask is refused before it is read, so it goes with `transaction=False`.
    """
    rate_limit: str
    """How often a caller may ask, as `20/minute`; a public operation counts by address, another by user."""
    secret: bool
    """Whether the answer carries a secret, and is never stored under an Idempotency-Key.

    A public operation that gives one signs somebody in, and does not look at credentials that come along.
    """
    orders: Orders
    """What the rule sorts a list by."""
    filters: Names
    """What the rule filters a list by."""


_PLAIN_OPTIONS = {name: kind for name, kind in get_type_hints(Contract).items() if kind in (bool, int, str)}
_KIND_NAMES = {bool: "True or False", int: "a whole number", str: "a text"}


@dataclass(frozen=True, slots=True)
class Operation:
    """Hold everything one handler promises, as the view, the API document and the tests need it."""

    handler: Handler
    method: str
    rule: str
    status: int
    permission: str | None
    public: bool
    scope: str | None
    errors: tuple[type[Refusal], ...]
    transaction: bool
    secret: bool
    rows_only: bool
    max_body: str | None
    rate_limit: RateLimitItem | None
    path: Mapping[str, str]
    """Names of the URL's parameters and their converters."""
    inputs: Mapping[str, type[BaseModel]]
    """Schemas by reserved name (`body`, `query`, …)."""
    answer: Answer
    contract: Contract
    """The options as they were declared, for a later version that takes the handler over."""
    current: "Operation | None" = None
    """What GET answers at the same address; a change can be tied to it (`If-Match`). Known once all are mounted."""
    created: "Operation | None" = None
    """What GET answers for the item that POST creates. Known once all are mounted."""
    orders: Orders | None = None
    filters: Names | None = None
    quota: str = ""
    """What its limit is called on the wire: redprint and handler, in all versions those of the first."""
    counted: str = ""
    """What its limit counts: the first version's handler, in full. Known once a redprint declares it."""

    @property
    def name(self) -> str:
        """Return the handler's name, which is the endpoint's."""
        return self.handler.__name__

    @property
    def where(self) -> str:
        """Return the handler's full name and its line, for messages."""
        return named(self.handler)

    @property
    def full_name(self) -> str:
        """Return the handler's name with its module's."""
        return _name(self.handler)

    @property
    def address(self) -> tuple[str, str]:
        """Return method and rule, without the names of the rule's parameters: what a request is routed by."""
        return self.method, nameless(self.rule)

    @property
    def changes(self) -> bool:
        """Tell whether the method may change something (RFC 9110 §9.2.1: it is not safe)."""
        return self.method not in ("GET", "HEAD")

    @property
    def media_types(self) -> tuple[str, ...]:
        """Return what a body may be sent as; a patch's members replace, null removes (RFC 7396)."""
        return ("application/json", "application/merge-patch+json") if self.method == "PATCH" else ("application/json",)

    @property
    def offers(self) -> tuple[str, ...]:
        """Return the media types of its answer; none where there is no content, or where the handler chooses it."""
        return () if self.answer.is_empty or self.answer.is_raw else ("application/json",)

    @property
    def is_repeatable(self) -> bool:
        """Tell whether an `Idempotency-Key` makes it harmless to repeat."""
        return self.method == "POST" and not self.secret and not self.answer.is_raw

    @property
    def refuses_keys(self) -> bool:
        """Tell whether it is for people alone."""
        return not self.public and self.permission is None and self.scope is None

    @property
    def signs_in(self) -> bool:
        """Tell whether it gives credentials to anybody; those that come along, perhaps expired, then say nothing."""
        return self.public and self.secret

    @property
    def is_sparse(self) -> bool:
        """Tell whether a list gives only some members of its items to who asks for them."""
        return "query" in self.inputs and FIELDS in self.inputs["query"].model_fields and self.answer.is_page

    @property
    def gives_one_resource(self) -> bool:
        """Tell whether it answers with one resource, the same whatever query and headers are sent."""
        return not self.inputs and self.answer.is_one

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
    where = named(handler)
    _check_handler(handler, where)
    _check_options(contract, where)
    _check_address(method, rule, where)
    hints = _hints(handler, where)
    path = {match["name"]: match["converter"] or "string" for match in _PATH_PARAMETER.finditer(rule)}
    inputs = read_parameters(handler, hints, path, where)
    if method == "GET" and not {"body", "form", "files"}.isdisjoint(inputs):
        raise mistake(where, "it reads and takes content", "Take it through `query`, or declare it with POST")
    try:
        answer = Answer(hints["return"], contract.get("answer"), contract.get("media_type"))
    except AnswerMismatchError as error:
        raise mistake(where, str(error), "See docs/architecture.md, 'Answers'") from None
    _check_answer(answer, where)
    _check_list(answer, inputs.get("query"), contract, where)
    if answer.is_page and "query" in inputs:
        inputs["query"] = _read_list(inputs["query"], answer, contract, where)
    reads = method == "GET" and answer.schema is not None and contract.get("transaction", True)
    if contract.get("rows_only") and (not reads or "headers" in inputs):
        raise mistake(where, "it is `rows_only` and does more than read rows by its address", "Drop the option")
    status = contract.get("status", 204 if answer.is_empty else 200)
    _check_status(status, answer, where)
    return Operation(
        handler=handler,
        method=method,
        rule=rule,
        status=status,
        permission=contract.get("permission"),
        public=contract.get("public", False),
        scope=contract.get("scope"),
        errors=tuple(contract.get("errors", ())),
        transaction=contract.get("transaction", True),
        secret=contract.get("secret", False),
        rows_only=contract.get("rows_only", False),
        max_body=_read_max_body(contract, inputs, where),
        rate_limit=_read_limit(contract, where),
        path=path,
        inputs=inputs,
        answer=answer,
        contract=contract,
        orders=contract.get("orders"),
        filters=contract.get("filters"),
    )


@cache
def nameless(rule: str) -> str:
    """Return a rule without the names of its parameters; two that are then equal match the same paths."""
    return _PATH_PARAMETER.sub(_without_name, rule)


def _without_name(parameter: re.Match[str]) -> str:
    converter = parameter[0][1 : -len(parameter["name"]) - 1]
    return f"<{converter or 'string:'}>"


def _name(handler: Handler) -> str:
    name = getattr(handler, "__qualname__", None) or repr(handler)
    return f"{getattr(handler, '__module__', None) or '?'}.{name}"


def named(handler: Handler) -> str:
    """Return a handler's full name and its line, for messages."""
    code = getattr(handler, "__code__", None)
    return _name(handler) if code is None else f"{_name(handler)} (line {code.co_firstlineno})"


def _check_handler(handler: Handler, where: str) -> None:
    if not inspect.isfunction(handler):
        raise mistake(where, "it is no function", "Declare a plain `def` with its parameters and docstring")
    if inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler):
        raise mistake(where, "it is async, and nothing awaits it", "Declare it with a plain `def`")
    if not _docstring(handler):
        raise mistake(where, "it has no docstring", "Its first line is the summary in the API document")


def _check_options(contract: Contract, where: str) -> None:
    for name in contract:
        if name not in Contract.__annotations__:
            known = sorted(Contract.__annotations__)
            meant = said_here(name)
            cure = f"{f'{meant}. ' if meant else guess(name, known)}The options are {', '.join(known)}"
            raise mistake(where, f"there is no option `{name}`", cure)
    for name, kind in _PLAIN_OPTIONS.items():
        value = contract.get(name)
        if value is not None and (not isinstance(value, kind) or (kind is int and value is True)):
            raise mistake(where, f"its `{name}` is {value!r}", f"Give it {_KIND_NAMES[kind]}")
    _check_access(contract, where)
    _check_classes(contract, where)


def _check_access(contract: Contract, where: str) -> None:
    if contract.get("permission") == "":
        raise mistake(where, "its `permission` is empty", "Name one, or drop it to let every known caller in")
    if contract.get("public") and contract.get("permission"):
        raise mistake(where, "it is public and asks for a permission", "Drop one of the two")
    if contract.get("scope") == "":
        raise mistake(where, "its `scope` is empty", "Name a permission or ANY_KEY, or drop it to refuse keys")
    if contract.get("scope") and (contract.get("public") or contract.get("permission")):
        raise mistake(where, "it has a `scope`, and keys may call it anyway", "Drop the scope")


def _check_classes(contract: Contract, where: str) -> None:
    answer: object = contract.get("answer")
    if answer is not None and not (isinstance(answer, type) and issubclass(answer, BaseModel)):
        raise mistake(where, f"its `answer` is {answer!r}", "Name the Schema itself, the class")
    errors: object = contract.get("errors", ())
    if not isinstance(errors, list | tuple):
        raise mistake(where, f"its `errors` are {errors!r}", "Give them as a list, even one")
    for error in errors:
        if isinstance(error, Refusal):
            raise mistake(where, f"{error!r} in `errors` is an instance", "Name the class, without calling it")
        if not (isinstance(error, type) and issubclass(error, Refusal)):
            raise mistake(where, f"{error!r} in `errors` is no Refusal", "Derive it from a family of libs/error.py")


def _check_address(method: str, rule: str, where: str) -> None:
    if method not in METHODS:
        raise mistake(where, f"its method is {method!r}", f"The methods are {', '.join(METHODS)}")
    _check_rule(rule, where)


def _hints(handler: Handler, where: str) -> dict[str, Any]:
    try:
        hints = get_type_hints(handler, include_extras=True)
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        what = f"an annotation is not defined ({error})"
        raise mistake(where, what, "Import its name in the module, and spell it as it is defined") from None
    if "return" not in hints:
        raise mistake(where, "it does not say what it returns", "Annotate the return value; `-> None` answers 204")
    return hints


def _read_limit(contract: Contract, where: str) -> RateLimitItem | None:
    text = contract.get("rate_limit")
    if text is None:
        return None
    try:
        return parse_limit(text)
    except ValueError:
        raise mistake(where, f"its rate limit is {text!r}", "Write it as 20/minute or 5/10 seconds") from None


def _read_max_body(contract: Contract, inputs: Mapping[str, object], where: str) -> str | None:
    key = contract.get("max_body")
    if key is None:
        return None
    if inputs.keys().isdisjoint({"body", "form", "files"}):
        raise mistake(where, "it has a `max_body` and takes no content", "Drop `max_body=`, or take what it bounds")
    if contract.get("transaction", True):
        cure = "Declare `transaction=False`, and open short units once the content is there"
        raise mistake(where, "it has a `max_body`, and a unit of work would wait for the content", cure)
    return key


def _check_rule(rule: str, where: str) -> None:
    braced = _BRACED.search(rule)
    if braced:
        cure = f"Write `<id:{braced[1]}>`, or <string:{braced[1]}> for any text"
        raise mistake(where, f"its rule {rule!r} has a parameter in braces", cure)
    if rule and not (rule.startswith("/") and rule.strip("/")):
        raise mistake(where, f"its rule is {rule!r}", 'Write "" for the resource itself, else begin with a slash')
    if rule.endswith("/"):
        raise mistake(where, f"its rule {rule!r} ends with a slash", "Leave it out; a resource has one address")


def _check_status(status: int, answer: Answer, where: str) -> None:
    if status not in range(200, 300):
        raise mistake(where, f"its status is {status}", "Name the status of success; failures are raised")
    if answer.is_empty and status not in (202, 204):
        raise mistake(where, f"it returns None and answers {status}", "Drop the status (204), or say 202")
    if status == 204 and not (answer.is_empty or answer.is_raw):
        raise mistake(where, "it answers 204, which has no body, with something", "Return None, or drop the status")


def _check_answer(answer: Answer, where: str) -> None:
    """Refuse what the API document would promise and no answer keeps."""
    schema = answer.schema
    if schema is None:
        return
    check_names(schema, where)
    made = ", ".join(f"`{name}`" for name in computed(schema))
    if made and answer.item is not schema:
        what = f"{schema.__name__} computes {made}, which the record lacks"
        raise mistake(where, what, "Compute it in the rule, as a field of the record")


def _check_list(answer: Answer, query: type[BaseModel] | None, contract: Contract, where: str) -> None:
    for name, method in (("orders", "check"), ("filters", "names")):
        allowed: object = contract.get(name)
        if allowed is None:
            continue
        if not callable(getattr(allowed, method, None)):
            raise mistake(where, f"its `{name}` are {allowed!r}", f"Name the rule's: `{name}=business.{name.upper()}`")
        if not answer.is_page:
            raise mistake(where, f"it has `{name}` and returns no Page", f"Return a `Page[…]`, or drop `{name}=`")
        if query is None:
            raise mistake(where, f"it has `{name}` and no query", "Take `query`, a schema derived from PageQuery")
        if not issubclass(query, PageQuery):
            what = f"it has `{name}`, and {query.__name__} is no PageQuery"
            raise mistake(where, what, f"Derive {query.__name__} from PageQuery (libs/schema.py)")


def _read_list(query: type[BaseModel], answer: Answer, contract: Contract, where: str) -> type[BaseModel]:
    """Return a list's query, a PageQuery also with `fields` and the orders it can have."""
    if not issubclass(query, PageQuery) or answer.schema is None:
        return query
    for what, cure in faults(query, answer.item, contract.get("orders"), contract.get("filters")):
        raise mistake(where, what, cure)
    return completed(query, answer.schema, contract.get("orders"))


def _docstring(handler: Handler) -> str:
    return inspect.getdoc(handler) or ""
