"""Run a handler: who is asking, what they bring, the unit of work around it, the bytes it answers with."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Response, current_app

from application.libs.auth import (
    ANY_KEY,
    Credentials,
    Identity,
    KeyRefused,
    PermissionMissing,
    read_credentials,
    set_identity,
)
from application.libs.binding import Binder, read_body, reader, together
from application.libs.browser_session import BrowserSessions, ForeignPage, is_page
from application.libs.conditional import Beside, Represent, Stale, precondition
from application.libs.current import current_request
from application.libs.error import (
    AddressTooLong,
    Invalid,
    NotAcceptable,
    Refusal,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from application.libs.fingerprint import asked, reads_parts
from application.libs.guard import Both, FindGuard, Guard, run_in_its_own_units, run_in_one_unit
from application.libs.idempotency import AnswerStore, KeyInUse, KeyReused, KeyUnverifiable, MalformedKey, repeatable
from application.libs.listing import SPARSE_TYPE, chooses_fields, judging, roomy
from application.libs.negotiation import negotiated
from application.libs.ok import Dialect
from application.libs.operation import Operation
from application.libs.page import BadCursor, UnknownOrder
from application.libs.rate_limit import RateLimits, TooOften, admitting, announced
from application.libs.recall import Memory, Recollection
from application.libs.respond import Respond, is_tagged, representer, responder
from application.libs.strict_json import MalformedJson
from application.libs.unit_of_work import Transaction

MAX_RETRIES = 3
"""How often a request is tried again when its transaction met another one."""

_MOST_PAUSE_MS = 20

_QUIET = 'Bearer realm="API"'
"""The challenge to a page: by Basic's, the browser would ask for a password itself."""


Identify = Callable[[Credentials], Identity | None]
View = Callable[..., Response]


class UndeclaredRefusalError(AssertionError):
    """A handler raised an error it does not declare; add it to `errors=`, the API document promises the list."""


@dataclass(slots=True, kw_only=True)
class Machinery:
    """Hold what the factory handed, and what is mounted where."""

    transaction: Transaction
    identify: Identify
    retry_on: type[Exception]
    answers: AnswerStore
    beside: Beside | None
    browsers: BrowserSessions | None = None
    limits: RateLimits | None = None
    memory: Memory | None = None
    defers_schemas: bool = False
    mounted: list[Any] = field(default_factory=list)
    surfaces: list[Any] = field(default_factory=list)


def implied_errors(operation: Operation) -> tuple[type[Refusal], ...]:
    """Return the refusals the machinery itself may answer with for this operation."""
    return tuple(error for applies, errors in _IMPLIED if applies(operation) for error in errors)


_IMPLIED: tuple[tuple[Callable[[Operation], object], tuple[type[Refusal], ...]], ...] = (
    (lambda _any: True, (Unavailable,)),
    (lambda operation: not operation.signs_in, (Unauthenticated, ForeignPage)),  # also where no token is needed
    (lambda operation: operation.offers, (NotAcceptable,)),
    (lambda operation: operation.rate_limit, (TooOften,)),
    (lambda operation: operation.permission or operation.scope not in (None, ANY_KEY), (PermissionMissing,)),
    (lambda operation: operation.refuses_keys, (KeyRefused,)),
    (lambda operation: operation.path or "query" in operation.inputs, (AddressTooLong,)),  # of most said by the server
    (lambda operation: "body" in operation.inputs, (MalformedJson,)),
    (lambda operation: operation.inputs.keys() & {"body", "form", "files"}, (TooLarge, UnsupportedMediaType)),
    (lambda operation: operation.inputs, (Invalid,)),
    (lambda operation: operation.answer.is_page, (BadCursor, UnknownOrder)),
    (lambda operation: operation.changes or is_tagged(operation), (Stale,)),
    (lambda operation: operation.is_repeatable, (MalformedKey, KeyReused, KeyInUse, KeyUnverifiable)),
)


def compile_view(operation: Operation, dialect: Dialect, known: Machinery, *, testing: bool) -> View:
    """Return the view of an operation in a dialect; everything that can be decided is decided here, once."""
    work = _in_one_unit if operation.transaction else _in_units_of_its_own
    view = work(operation, dialect, known, responder(operation, dialect, testing=testing))
    if operation.rate_limit is not None:
        view = announced(view, operation.rate_limit, operation.quota)
    if operation.offers and dialect.negotiates:
        view = _negotiated(view, operation)
    if operation.answer.is_page:
        view = roomy(view)
    return _watched(view, operation, dialect) if testing else view


def _negotiated(view: View, operation: Operation) -> View:
    """Return the view that answers who takes its media type; a list that is asked for `fields` has another one.

    Who takes JSON takes that, too, unless it is excluded by its name (RFC 9110 §12.5.1).
    """
    whole = negotiated(view, operation.offers)
    if not operation.is_sparse:
        return whole
    sparse = negotiated(view, (SPARSE_TYPE, *operation.offers))
    return lambda **path: (sparse if chooses_fields() else whole)(**path)


def _in_one_unit(operation: Operation, dialect: Dialect, known: Machinery, respond: Respond) -> View:
    """Return the view that runs admission, binding, handler and encoding in one unit, again if it met another's."""
    handler: Callable[..., Any] = operation.handler
    transaction, changes = known.transaction, operation.changes
    admit, bind = _gate(operation, dialect, known), _binder(operation, dialect)
    find_guard = _find_guard(operation, dialect, known)

    memory = known.memory if operation.rows_only and is_tagged(operation) else None

    def attempt(path: dict[str, Any]) -> Response:
        stamp = None if memory is None else memory.stamp()
        with transaction(write=False) as unit:
            admit()
            if memory is not None and stamp is not None:
                return _recalled(memory.look(stamp), lambda: respond(handler(**bind(path))))
            arguments = bind(path)
            guard = find_guard(path)
            if guard is not None:
                return run_in_one_unit(guard, unit, lambda: respond(handler(**arguments)), dialect.failure)
            if changes:
                unit.promote()
            return respond(handler(**arguments))

    return _repeated(attempt, _reader(operation), retry_on=(known.retry_on, KeyInUse))


def _recalled(recollection: Recollection, make: Callable[[], Response]) -> Response:
    """Return the answer, unless it is known that the client has it."""
    known = recollection.answer
    if known is not None:
        return known
    answer = make()
    recollection.note(answer)
    return answer


def _repeated(
    attempt: Callable[[dict[str, Any]], Response],
    read: Callable[[], object] | None,
    *,
    retry_on: tuple[type[Exception], ...],
) -> View:
    def view(**path: Any) -> Response:
        if read is not None:
            read()
        for retry in range(1, MAX_RETRIES + 1):
            try:
                return attempt(path)
            except retry_on:  # two that met once would, in step, meet again
                time.sleep(retry * secrets.randbelow(_MOST_PAUSE_MS) / 1000)
        return attempt(path)

    return view


def _in_units_of_its_own(operation: Operation, dialect: Dialect, known: Machinery, respond: Respond) -> View:
    """Return the view whose handler opens short units; it runs once, for an earlier unit may have committed."""
    handler: Callable[..., Any] = operation.handler
    transaction = known.transaction
    admit, bind = _gate(operation, dialect, known), _binder(operation, dialect)
    take, find_guard = _taker(operation, admit, known), _find_guard(operation, dialect, known)

    def view(**path: Any) -> Response:
        take()
        arguments = bind(path)
        guard = find_guard(path)
        if guard is not None:
            return run_in_its_own_units(guard, transaction, lambda: respond(handler(**arguments)), dialect.failure)
        return respond(handler(**arguments))

    return view


def _taker(operation: Operation, admit: Callable[[], None], known: Machinery) -> Callable[[], None]:
    """Return what lets a request in and takes its content off the wire; a large one is left there until it is let in.

    Elsewhere the content comes first, for a connection that is kept wants it to be read anyway.
    """
    read, transaction, key = _reader(operation) or (lambda: None), known.transaction, operation.max_body

    def take() -> None:
        if key is None:
            read()
        with transaction(write=False):
            admit()
        if key is not None:
            current_request().max_content_length = current_app.config[key]
            read()

    return take


def _reader(operation: Operation) -> Callable[[], object] | None:
    """Return what reads the content before a unit opens; under a key it is read whatever the handler takes.

    It is then kept as it came even where a form is made of it, unless of parts, which are compared themselves.
    """
    read = reader(operation.inputs)
    if not operation.is_repeatable:
        return read

    def read_all() -> None:
        if "HTTP_IDEMPOTENCY_KEY" in current_request().environ and not reads_parts(operation.inputs):
            read_body()
        if read is not None:
            read()

    return read_all


def _find_guard(operation: Operation, dialect: Dialect, known: Machinery) -> FindGuard:
    """Return what looks whether a changing request wants to be guarded."""
    if not operation.changes:
        return lambda _path: None
    find_condition = precondition(_represent(operation, dialect), known.beside)
    if not operation.is_repeatable:
        return find_condition
    find_key = repeatable(known.answers, asked(operation.inputs))

    def find(path: dict[str, Any]) -> Guard | None:
        key, condition = find_key(path), find_condition(path)
        return Both(key, condition) if key is not None and condition is not None else key or condition

    return find


def _represent(operation: Operation, dialect: Dialect) -> Represent | None:
    """Return what writes the body that GET answers with at the address of a change, query and headers of it included.

    The path's values are passed on by position: two rules of one address may give their parameters different names.
    """
    current = operation.current
    if current is None:
        return None
    handler: Callable[..., Any] = current.handler
    bind, represent = _binder(current, dialect), representer(current, dialect)
    names = tuple(zip(current.path, operation.path, strict=True))
    return lambda path: represent(handler(**bind({theirs: path[ours] for theirs, ours in names})))


def _binder(operation: Operation, dialect: Dialect) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what fills a handler's parameters; faulty fields of all places are reported together."""
    media_types = operation.media_types if dialect.requires_json_type else ()
    query = operation.inputs.get("query") if operation.answer.is_page else None
    judges = {"query": judging(query, operation.orders)} if query is not None else {}
    halves = {"form": operation.inputs.get("files"), "files": operation.inputs.get("form")}
    binders = [
        (name, Binder(name, schema, media_types=media_types, beside=halves.get(name), judge=judges.get(name)).bind)
        for name, schema in operation.inputs.items()
    ]
    if not binders:
        return lambda path: path

    def bind(path: dict[str, Any]) -> dict[str, Any]:
        arguments = dict(path)
        refusals: list[Invalid] = []
        for name, read in binders:
            try:
                arguments[name] = read()
            except Invalid as refusal:
                refusals.append(refusal)
        if refusals:
            raise together(refusals)
        return arguments

    return bind


def _gate(operation: Operation, dialect: Dialect, known: Machinery) -> Callable[[], None]:
    """Return what lets a request in or refuses it: 401 for an unknown caller, 403 for one without the permission."""
    if dialect.caller is not None:
        return _admitting_by(dialect.caller, _checker(operation))
    return _admitting_users(operation, dialect, known)


def _admitting_users(operation: Operation, dialect: Dialect, known: Machinery) -> Callable[[], None]:
    identify, find, check = known.identify, _finder(operation, known.browsers), _checker(operation)

    def admit() -> None:
        environ = current_request().environ
        credentials = find(environ)
        if credentials is None:
            set_identity(None)
            if not operation.public:
                raise Unauthenticated(headers={"WWW-Authenticate": _QUIET} if is_page(environ) else {})
            return
        accepted = credentials.by_browser or credentials.scheme in dialect.schemes
        identity = identify(credentials) if accepted else None
        if identity is None:
            challenge = _QUIET if credentials.by_browser else dialect.challenge_to(credentials.scheme)
            raise Unauthenticated("The token is not valid, or no longer", headers={"WWW-Authenticate": challenge})
        set_identity(identity)
        environ["redprint.user"] = identity.name
        check(identity)

    if operation.rate_limit is None or known.limits is None:
        return admit
    scope = f"{operation.counted} {operation.rate_limit}"
    return admitting(admit, known.limits.counter(operation.rate_limit, scope=scope, by_address=operation.public))


def _finder(operation: Operation, browsers: BrowserSessions | None) -> Callable[[dict[str, Any]], Credentials | None]:
    """Return what finds the credentials of a request: its header, else the session of the browser it came from."""
    if operation.signs_in:
        return lambda _environ: None
    needed = operation.changes and not operation.public

    def find(environ: dict[str, Any]) -> Credentials | None:
        header = environ.get("HTTP_AUTHORIZATION")
        if header or browsers is None or "HTTP_COOKIE" not in environ:
            return read_credentials(header, environ.get("REMOTE_ADDR"))
        return browsers.credentials(environ, needed=needed)

    return find


def _checker(operation: Operation) -> Callable[[Identity], None]:
    """Return what refuses a caller who lacks the permission, and a key where people are meant or another scope is."""
    permission, refuses_keys = operation.permission, operation.refuses_keys
    of_keys = None if operation.scope == ANY_KEY else permission or operation.scope

    def check(identity: Identity) -> None:
        is_key = identity.key_id is not None
        if is_key and refuses_keys:
            raise KeyRefused
        needed = of_keys if is_key else permission
        if needed is not None and needed not in identity.permissions:
            raise identity.lacking(needed)

    return check


def _admitting_by(caller: Callable[[], Identity], check: Callable[[Identity], None]) -> Callable[[], None]:
    """Return what lets in whom the surface knows by ways of its own."""

    def admit() -> None:
        identity = caller()
        set_identity(identity)
        current_request().environ["redprint.user"] = identity.name
        check(identity)

    return admit


def _watched(view: View, operation: Operation, dialect: Dialect) -> View:
    """Return the view that, under test, fails for a refusal that was not declared: the document cannot lie."""
    declared = (*operation.errors, *implied_errors(operation), *dialect.refusals)

    def watched(**path: Any) -> Response:
        try:
            return view(**path)
        except Refusal as refusal:
            if type(refusal) in declared or isinstance(refusal, Unavailable):
                raise
            message = f"{operation.handler.__qualname__} raised {type(refusal).__name__}; add it to its `errors=`"
            raise UndeclaredRefusalError(message) from refusal

    return watched
