"""Run a handler: who is asking, what they bring, the unit of work around it, the bytes it answers with."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec
from flask import Response, request
from pydantic import ValidationError

from application.libs.auth import (
    Credentials,
    Identity,
    PermissionMissing,
    read_credentials,
    set_identity,
)
from application.libs.binding import Binder, reader
from application.libs.error import (
    FieldError,
    Invalid,
    Refusal,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from application.libs.ok import Dialect
from application.libs.operation import Operation
from application.libs.page import BadCursor, Page, UnknownOrder
from application.libs.strict_json import MalformedJson

MAX_RETRIES = 3
"""How often a request is tried again when its transaction met another one."""


class UnitOfWork(Protocol):
    """Be what `transaction()` yields: a reader that can become a writer."""

    def promote(self) -> None:
        """End the reading part and begin the writing one."""


class Transaction(Protocol):
    """Open a unit of work."""

    def __call__(self, *, write: bool) -> AbstractContextManager[UnitOfWork]:
        """Commit at the end of the block, roll back on an exception."""


Identify = Callable[[Credentials], Identity | None]
View = Callable[..., Response]
Respond = Callable[[Any], Response]


class Empty(Response):
    """Be an answer without a body, which then has no media type either."""

    default_mimetype = None


class UndeclaredRefusalError(AssertionError):
    """A handler raised an error it does not declare; add it to `errors=`, the API document promises the list."""


class BrokenPromiseError(AssertionError):
    """A handler answered with something that its schema does not allow."""


class Machinery:
    """Hold what the factory handed, and what is mounted where."""

    def __init__(self, *, transaction: Transaction, identify: Identify, retry_on: type[Exception]) -> None:
        """Start with nothing mounted."""
        self.transaction = transaction
        self.identify = identify
        self.retry_on = retry_on
        self.mounted: list[Any] = []
        self.surfaces: list[Any] = []


def implied_errors(operation: Operation) -> tuple[type[Refusal], ...]:
    """Return the refusals the machinery itself may answer with for this operation."""
    errors: list[type[Refusal]] = [Unavailable, Unauthenticated]  # a wrong token is refused where none is needed, too
    if operation.permission:
        errors.append(PermissionMissing)
    if "body" in operation.inputs:
        errors += [MalformedJson, TooLarge, UnsupportedMediaType]
    if "form" in operation.inputs or "files" in operation.inputs:
        errors += [TooLarge, UnsupportedMediaType]
    if operation.inputs:
        errors.append(Invalid)
    if operation.answer.is_page:
        errors += [BadCursor, UnknownOrder]
    return tuple(errors)


def compile_view(operation: Operation, dialect: Dialect, known: Machinery, *, testing: bool) -> View:
    """Return the view of an operation in a dialect; everything that can be decided is decided here, once."""
    work = _in_one_unit if operation.transaction else _in_units_of_its_own
    view = work(operation, dialect, known, _responder(operation, dialect, testing=testing))
    return _watched(view, operation) if testing else view


def _in_one_unit(operation: Operation, dialect: Dialect, known: Machinery, respond: Respond) -> View:
    """Return the view that runs admission, binding, handler and encoding in one unit, again if it met another's."""
    handler: Callable[..., Any] = operation.handler
    transaction, retry_on, changes = known.transaction, known.retry_on, operation.changes
    admit, bind = _gate(operation, dialect, known.identify), _binder(operation, dialect)
    read = reader(operation.inputs)

    def attempt(path: dict[str, Any]) -> Response:
        with transaction(write=False) as unit:
            admit()
            arguments = bind(path)
            if changes:
                unit.promote()
            return respond(handler(**arguments))

    def view(**path: Any) -> Response:
        if read is not None:
            read()
        for _retry in range(MAX_RETRIES):
            try:
                return attempt(path)
            except retry_on:
                continue
        return attempt(path)

    return view


def _in_units_of_its_own(operation: Operation, dialect: Dialect, known: Machinery, respond: Respond) -> View:
    """Return the view whose handler opens short units; it runs once, for an earlier unit may have committed."""
    handler: Callable[..., Any] = operation.handler
    admit, bind = _gate(operation, dialect, known.identify), _binder(operation, dialect)
    read = reader(operation.inputs)

    def view(**path: Any) -> Response:
        if read is not None:
            read()
        with known.transaction(write=False):
            admit()
        return respond(handler(**bind(path)))

    return view


def _binder(operation: Operation, dialect: Dialect) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what fills a handler's parameters; faulty fields of all places are reported together."""
    binders = [
        (name, Binder(name, schema, requires_json_type=dialect.requires_json_type).bind)
        for name, schema in operation.inputs.items()
    ]
    if not binders:
        return lambda path: path

    def bind(path: dict[str, Any]) -> dict[str, Any]:
        arguments = dict(path)
        errors: list[FieldError] = []
        for name, read in binders:
            try:
                arguments[name] = read()
            except Invalid as invalid:
                errors += invalid.errors
        if errors:
            raise Invalid(errors=errors)
        return arguments

    return bind


def _gate(operation: Operation, dialect: Dialect, identify: Identify) -> Callable[[], None]:
    """Return what lets a request in or refuses it: 401 for an unknown caller, 403 for one without the permission."""
    permission = operation.permission

    def admit() -> None:
        environ = request.environ
        credentials = read_credentials(environ.get("HTTP_AUTHORIZATION"))
        if credentials is None:
            set_identity(None)
            if not operation.public:
                raise Unauthenticated
            return
        identity = identify(credentials) if credentials.scheme in dialect.schemes else None
        if identity is None:
            raise Unauthenticated("The token is not valid, or no longer")
        set_identity(identity)
        environ["redprint.user"] = identity.name
        if permission is not None and permission not in identity.permissions:
            raise PermissionMissing(f"This needs the permission {permission}")

    return admit


def _responder(operation: Operation, dialect: Dialect, *, testing: bool) -> Respond:
    answer, status = operation.answer, operation.status
    if answer.is_raw:
        return lambda result: result  # the handler's own Response passes through
    if answer.is_empty:
        return lambda _result: Empty(status=status)

    def respond(result: Any) -> Response:
        page = result if answer.is_page else None
        data = answer.encode(result.items if page is not None else result)
        if testing:
            _check_promise(operation, data)
        response = Response(dialect.success(data, page), status=status, content_type="application/json")
        if page is not None and page.next is not None:
            response.headers["Link"] = f'<{_next_url(page)}>; rel="next"'
        return response

    return respond


def _next_url(page: Page[Any]) -> str:
    parameters = [(key, value) for key, value in request.args.items(multi=True) if key != "after"]
    path = quote(f"{request.root_path}{request.path}")
    return f"{path}?{urlencode([*parameters, ('after', page.next)])}"


def _watched(view: View, operation: Operation) -> View:
    """Return the view that, under test, fails for a refusal that was not declared: the document cannot lie."""
    declared = (*operation.errors, *implied_errors(operation))

    def watched(**path: Any) -> Response:
        try:
            return view(**path)
        except Refusal as refusal:
            if type(refusal) in declared or isinstance(refusal, Unavailable):
                raise
            message = f"{operation.handler.__qualname__} raised {type(refusal).__name__}; add it to its `errors=`"
            raise UndeclaredRefusalError(message) from refusal

    return watched


def _check_promise(operation: Operation, data: bytes) -> None:
    schema = operation.answer.schema
    if schema is None:
        return
    try:
        if operation.answer.is_list:
            for item in _split(data):
                schema.model_validate(item, strict=False)
        else:
            schema.model_validate_json(data, strict=False)
    except ValidationError as error:
        message = f"{operation.handler.__qualname__} answered with what {schema.__name__} does not allow: {error}"
        raise BrokenPromiseError(message) from error


def _split(data: bytes) -> list[Any]:
    items: list[Any] = msgspec.json.decode(data)
    return items
