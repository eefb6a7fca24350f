"""Declare handlers with their contract, and mount them on the versions that serve them.

    blog = Redprint("blog", __name__)

    @blog.get("/<id:blog_id>", public=True, answer=BlogOut, errors=[business.BlogNotFound])
    def show(blog_id: str) -> business.BlogRow:
        \"\"\"Read a blog.\"\"\"
        return business.get(blog_id)

A Redprint is a `flask.Blueprint`; a `Surface` is the blueprint of a version, and says in which dialect it answers.
"""

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar, Unpack

from flask import Blueprint, Flask, current_app
from flask.sansio.blueprints import Blueprint as AnyBlueprint
from flask.sansio.blueprints import BlueprintSetupState
from pydantic import PydanticUndefinedAnnotation, PydanticUserError
from pydantic_core import SchemaError

from application.libs.browser_session import BrowserSessions
from application.libs.conditional import Beside
from application.libs.converter import CONVERTERS
from application.libs.declaration import DeclarationError, guess, mistake
from application.libs.deprecation import Deprecation
from application.libs.error import Refusal
from application.libs.guard import guarded
from application.libs.idempotency import AnswerStore
from application.libs.ok import Dialect
from application.libs.operation import Contract, Handler, Operation, named, read_operation
from application.libs.pairing import paired
from application.libs.rate_limit import RateLimits
from application.libs.recall import Memory, Stamp
from application.libs.unit_of_work import Transaction, UnitOfWork
from application.libs.view import Identify, Machinery, compile_view

__all__ = ["DeclarationError", "Machinery", "Mounted", "Redprint", "Surface", "init_app", "machinery", "unit_of_work"]

_PERMISSIONS = "redprint.permissions"

H = TypeVar("H", bound=Callable[..., object])


class Surface(Blueprint):
    """Mount redprints under one prefix, in one dialect: a version of the API, or the scheduler's."""

    def __init__(self, name: str, import_name: str, *, url_prefix: str, dialect: Dialect, title: str = "") -> None:
        """Name the surface; `title` heads its API document."""
        super().__init__(name, import_name, url_prefix=url_prefix)
        self.dialect = dialect
        self.title = title
        self.deprecation: Deprecation | None = None
        self._nested: set[str] = set()
        self.refusals: tuple[type[Refusal], ...] = ()
        """What hooks of the surface refuse changing requests with, for the API document."""
        self.record_once(lambda state: machinery(state.app).surfaces.append(self))

    def deprecate(self, *, since: datetime | None, sunset: datetime | None, successor: "Surface") -> None:
        """Say on every answer since when the surface is deprecated, when it ends and what comes instead.

        Call it before the surface is registered; one that nobody deprecates costs nothing.
        """
        self.deprecation = Deprecation(
            self.url_prefix or "", since=since, sunset=sunset, successor_prefix=successor.url_prefix or ""
        )
        self.after_app_request(self.deprecation.complete)

    def register_blueprint(self, blueprint: AnyBlueprint, **options: Any) -> None:
        """Nest a redprint, which learns from its options who mounts it."""
        name = options.get("name", blueprint.name)
        if name in self._nested:
            message = (
                f"Redprint {name!r} is mounted twice on surface {self.name!r}; leave one out, or give it a `name=`"
            )
            raise DeclarationError(message)
        self._nested.add(name)
        super().register_blueprint(blueprint, surface=self, **options)

    def register(self, app: Any, options: dict[str, Any]) -> None:
        """Mount everything, then pair and compile it: a change and its GET may stand in two redprints."""
        super().register(app, options)
        known = machinery(app)
        mounted = [item for item in known.mounted if item.surface is self]
        addresses = [(*item.address, item.operation) for item in mounted]
        reads = {path: operation for method, path, operation in addresses if method == "GET"}
        for item in mounted:
            if item.endpoint not in app.view_functions:
                item.operation = paired(item.operation, item.address[1], reads)
                if not known.defers_schemas:
                    _build_schemas(item.operation)
                view = compile_view(item.operation, self.dialect, known, testing=bool(app.config["TESTING"]))
                app.view_functions[item.endpoint] = view


def _build_schemas(operation: Operation) -> None:
    """Have pydantic build what reads and writes the schemas, instead of at the first use; refuse what it cannot."""
    for schema in filter(None, (*operation.inputs.values(), operation.answer.schema)):
        try:
            schema.model_rebuild()
        except (PydanticUserError, PydanticUndefinedAnnotation, SchemaError) as error:
            reason = str(error).partition("\n")[0]
            what = f"{schema.__name__} cannot be built: {reason}"
            raise mistake(operation.where, what, "Mend its annotations") from error


class Mounted:
    """Hold one operation at one address: the same operation may be mounted on several surfaces.

    Its surface pairs the operation once all others are mounted, too.
    """

    __slots__ = ("address", "endpoint", "operation", "redprint", "surface", "tag")

    def __init__(
        self, operation: Operation, *, surface: Surface, redprint: str, tag: str, endpoint: str, url_prefix: str
    ) -> None:
        """Remember where the operation is mounted."""
        method, rule = operation.address
        self.address = (method, f"{url_prefix}{rule}")
        self.operation = operation
        self.surface = surface
        self.redprint = redprint
        self.tag = tag
        self.endpoint = endpoint


class Verbs:
    """Declare handlers by method, with the options of a Contract instead of Flask's loose ones."""

    def operation(self, method: str, rule: str, **contract: Unpack[Contract]) -> Callable[[H], H]:
        """Declare a handler of any method; a Redprint remembers it."""
        raise NotImplementedError

    def get(self, rule: str, **contract: Unpack[Contract]) -> Callable[[H], H]:
        """Declare what reads."""
        return self.operation("GET", rule, **contract)

    def post(self, rule: str, **contract: Unpack[Contract]) -> Callable[[H], H]:
        """Declare what creates or acts."""
        return self.operation("POST", rule, **contract)

    def put(self, rule: str, **contract: Unpack[Contract]) -> Callable[[H], H]:
        """Declare what replaces."""
        return self.operation("PUT", rule, **contract)

    def patch(self, rule: str, **contract: Unpack[Contract]) -> Callable[[H], H]:
        """Declare what changes a part."""
        return self.operation("PATCH", rule, **contract)

    def delete(self, rule: str, **contract: Unpack[Contract]) -> Callable[[H], H]:
        """Declare what removes."""
        return self.operation("DELETE", rule, **contract)


class Redprint(Verbs, Blueprint):  # type: ignore[misc]  # narrower than Flask's verbs on purpose: no loose options
    """Collect the handlers of one resource; `url_prefix` defaults to its name, "" is the surface's own."""

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        url_prefix: str | None = None,
        predecessor: "Redprint | None" = None,
        tag: str | None = None,
    ) -> None:
        """Name the resource as its URL does; `predecessor` is what an earlier version serves in its place.

        The API document groups its operations under the tag: its name, or that of the redprint it belongs to.
        """
        if url_prefix is None:
            url_prefix = f"/{name}" if predecessor is None else predecessor.url_prefix
        super().__init__(name, import_name, url_prefix=url_prefix or None)
        self.predecessor = predecessor
        self.tag: str | None = tag if tag is not None or predecessor is None else predecessor.tag
        self.operations: list[Operation] = []

    def operation(self, method: str, rule: str, **contract: Unpack[Contract]) -> Callable[[H], H]:
        """Declare a handler and return it untouched, so that tests call it and another version takes it over."""
        if not isinstance(rule, str):
            cure = f'Begin with the rule: `@….{method.lower()}("")`'
            raise mistake(named(rule), "it stands where the rule belongs", cure)

        def declare(handler: H) -> H:
            operation = self._counted(read_operation(handler, method, rule, **contract))
            self._check_unique(operation)
            self.operations.append(operation)
            self.record(lambda state: self._mount(state, operation))
            return handler

        return declare

    def take_over(self, *handlers: Handler, **changes: Unpack[Contract]) -> None:
        """Serve handlers of the predecessor where they were, with their contract but for `changes`."""
        for handler in handlers:
            known = self._preceding(handler)
            contract: Contract = {**known.contract, **changes}
            try:
                self.operation(known.method, known.rule, **contract)(handler)
            except DeclarationError as error:
                raise DeclarationError(f"{self.import_name} takes over {error}") from None

    def instead_of(self, handler: Handler, **changes: Unpack[Contract]) -> Callable[[H], H]:
        """Declare what stands in a handler's place: at its address, with its contract but for `changes`."""
        known = self._preceding(handler)
        contract: Contract = {**known.contract, **changes}
        return self.operation(known.method, known.rule, **contract)

    def _preceding(self, handler: Handler) -> Operation:
        for known in self.predecessor.operations if self.predecessor is not None else ():
            if known.handler is handler:
                return known
        where = f"{handler.__module__}.{handler.__qualname__}"
        cure = "Name the redprint that declares it: `Redprint(…, predecessor=…)`"
        raise mistake(where, f"redprint {self.name!r} of {self.import_name} does not follow its redprint", cure)

    def _counted(self, operation: Operation) -> Operation:
        """Return the operation with what its limit counts, together with the predecessor's at its address."""
        for known in self.predecessor.operations if self.predecessor is not None else ():
            if known.address == operation.address:
                return replace(operation, quota=known.quota, counted=known.counted)
        return replace(operation, quota=f"{self.name}_{operation.name}", counted=operation.full_name)

    def _check_unique(self, operation: Operation) -> None:
        where = operation.where
        for known in self.operations:
            if known.name == operation.name:
                raise mistake(where, f"redprint {self.name!r} has a handler of this name", "Choose another name")
            if known.address == operation.address:
                what = f"`{known.name}` of redprint {self.name!r} answers {operation.method} {operation.rule!r} too"
                raise mistake(where, what, "Choose another rule or method")

    def _mount(self, state: BlueprintSetupState, operation: Operation) -> None:
        surface = state.options.get("surface")
        if not isinstance(surface, Surface):
            message = (
                f"Redprint {self.name!r} is mounted on no Surface; register it on one, as application/api/v1.py does"
            )
            raise DeclarationError(message)
        known = machinery(state.app)
        _check_permission(operation, state.app.extensions[_PERMISSIONS])
        _check_max_body(operation, state.app.config)
        endpoint = f"{state.name_prefix}.{state.name}.{operation.name}"
        item = Mounted(
            operation,
            surface=surface,
            redprint=state.name,
            tag=self.tag or state.name,
            endpoint=endpoint,
            url_prefix=state.url_prefix or "",
        )
        _check_alone(item, known.mounted)
        known.mounted.append(item)
        try:
            state.add_url_rule(operation.rule, operation.name, methods=[operation.method])
        except (LookupError, ValueError) as error:  # Werkzeug's, who parses rules when they are added
            converters = ", ".join(sorted(state.app.url_map.converters))
            what = f"its rule {operation.rule!r} cannot be read ({str(error).strip(chr(39))})"
            raise mistake(operation.where, what, f"The converters are {converters}") from None


def _check_alone(item: Mounted, mounted: Iterable[Mounted]) -> None:
    """Refuse two operations at one address, of which one would never be reached."""
    for known in mounted:
        if known.address == item.address:
            what = f"{known.endpoint} answers {' '.join(item.address)} too, on surface {item.surface.name!r}"
            raise mistake(item.operation.where, what, "Mount one of the two elsewhere, or not at all")


def _check_permission(operation: Operation, known: Collection[str] | None) -> None:
    wanted = operation.permission
    if wanted is not None and known is not None and wanted not in known:
        cure = f"{guess(wanted, known)}The permissions are {', '.join(sorted(known))}"
        raise mistake(operation.where, f"there is no permission {str(wanted)!r}", cure)


def _check_max_body(operation: Operation, config: Collection[str]) -> None:
    key = operation.max_body
    if key is not None and key not in config:
        what = f"its `max_body` is {key!r}, which the configuration lacks"
        raise mistake(operation.where, what, f"{guess(key, config)}Give it in Settings.flask()")


def init_app(
    app: Flask,
    *,
    transaction: Transaction,
    identify: Identify,
    retry_on: type[Exception],
    answers: AnswerStore,
    beside: Beside | None,
    browsers: BrowserSessions | None = None,
    limits: RateLimits | None = None,
    stamp: Stamp | None = None,
    permissions: Collection[str] | None = None,
    defers_schemas: bool = False,
) -> None:
    """Hand the redprints what they need from above.

    The unit of work, who is asking, which failure to try again, where answers under an Idempotency-Key are kept, what
    reads beside a writer (None where every writer is alone), what knows a browser by its cookie, what counts for the
    limits that operations declare, what stamps the state of the database; without one of these three, nothing does.
    `permissions` are all there are; without them an operation may ask for any. With `defers_schemas` each schema is
    built when it is first used, and the start is over sooner; without it a faulty one stops the start.
    """
    app.extensions[_PERMISSIONS] = permissions
    app.extensions["redprint"] = Machinery(
        transaction=transaction,
        identify=identify,
        retry_on=retry_on,
        answers=answers,
        beside=beside,
        browsers=browsers,
        limits=limits,
        memory=None if stamp is None else Memory(stamp),
        defers_schemas=defers_schemas,
    )
    app.url_map.converters.update(CONVERTERS)
    app.url_map.merge_slashes = False  # no redirect with an HTML body


def unit_of_work(*, write: bool = True) -> AbstractContextManager[UnitOfWork]:
    """Open a short unit of work in a handler declared with `transaction=False`."""
    block = machinery(current_app).transaction(write=write)
    return guarded(block) if write else block


def machinery(app: Any) -> Machinery:
    """Return what `init_app` was handed."""
    try:
        known: Machinery = app.extensions["redprint"]
    except KeyError:
        message = "Call redprint.init_app(app, …) before registering a Surface"
        raise DeclarationError(message) from None
    return known
