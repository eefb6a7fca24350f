"""Declare handlers with their contract, and mount them on the versions that serve them.

    blog = Redprint("blog", __name__)

    @blog.get("/<id:blog_id>", public=True, answer=BlogOut, errors=[business.BlogNotFound])
    def show(blog_id: str) -> business.BlogRow:
        \"\"\"Read a blog.\"\"\"
        return business.get(blog_id)

A Redprint is a `flask.Blueprint`; a `Surface` is the blueprint of a version, and says in which dialect it answers.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, Unpack

from flask import Blueprint, Flask, current_app
from flask.sansio.blueprints import Blueprint as AnyBlueprint
from flask.sansio.blueprints import BlueprintSetupState

from application.libs.converter import CONVERTERS
from application.libs.declaration import DeclarationError, mistake
from application.libs.ok import Dialect
from application.libs.operation import Contract, Operation, read_operation
from application.libs.view import Identify, Machinery, Transaction, UnitOfWork, compile_view

__all__ = ["DeclarationError", "Machinery", "Mounted", "Redprint", "Surface", "init_app", "machinery", "unit_of_work"]

H = TypeVar("H", bound=Callable[..., object])


class Surface(Blueprint):
    """Mount redprints under one prefix, in one dialect: a version of the API, or the scheduler's."""

    def __init__(self, name: str, import_name: str, *, url_prefix: str, dialect: Dialect, title: str = "") -> None:
        """Name the surface; `title` heads its API document."""
        super().__init__(name, import_name, url_prefix=url_prefix)
        self.dialect = dialect
        self.title = title
        self.record_once(lambda state: machinery(state.app).surfaces.append(self))

    def register_blueprint(self, blueprint: AnyBlueprint, **options: Any) -> None:
        """Nest a redprint, which learns from its options who mounts it."""
        super().register_blueprint(blueprint, surface=self, **options)


class Mounted:
    """Hold one operation at one address: the same operation may be mounted on several surfaces."""

    __slots__ = ("endpoint", "operation", "redprint", "surface")

    def __init__(self, operation: Operation, *, surface: Surface, redprint: str, endpoint: str) -> None:
        """Remember where the operation is mounted."""
        self.operation = operation
        self.surface = surface
        self.redprint = redprint
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

    def __init__(self, name: str, import_name: str, *, url_prefix: str | None = None) -> None:
        """Name the resource as its URL does."""
        super().__init__(name, import_name, url_prefix=f"/{name}" if url_prefix is None else url_prefix or None)
        self.operations: list[Operation] = []

    def operation(self, method: str, rule: str, **contract: Unpack[Contract]) -> Callable[[H], H]:
        """Declare a handler and return it untouched, so that tests call it and another version takes it over."""

        def declare(handler: H) -> H:
            operation = read_operation(handler, method, rule, **contract)
            if any(known.name == operation.name for known in self.operations):
                where = f"{handler.__module__}.{operation.name}"
                raise mistake(where, f"redprint {self.name!r} has a handler of this name", "Choose another name")
            self.operations.append(operation)
            self.record(lambda state: self._mount(state, operation))
            return handler

        return declare

    def _mount(self, state: BlueprintSetupState, operation: Operation) -> None:
        surface = state.options.get("surface")
        if not isinstance(surface, Surface):
            message = (
                f"Redprint {self.name!r} is mounted on no Surface; register it on one, as application/api/v1.py does"
            )
            raise DeclarationError(message)
        known = machinery(state.app)
        endpoint = f"{state.name_prefix}.{state.name}.{operation.name}"
        known.mounted.append(Mounted(operation, surface=surface, redprint=state.name, endpoint=endpoint))
        view = compile_view(operation, surface.dialect, known, testing=bool(state.app.config["TESTING"]))
        state.add_url_rule(operation.rule, operation.name, view, methods=[operation.method])


def init_app(app: Flask, *, transaction: Transaction, identify: Identify, retry_on: type[Exception]) -> None:
    """Hand the redprints what they need from above: the unit of work, who is asking, which failure to try again."""
    app.extensions["redprint"] = Machinery(transaction=transaction, identify=identify, retry_on=retry_on)
    app.url_map.converters.update(CONVERTERS)
    app.url_map.merge_slashes = False  # no redirect with an HTML body


def unit_of_work(*, write: bool = True) -> AbstractContextManager[UnitOfWork]:
    """Open a short unit of work in a handler declared with `transaction=False`."""
    return machinery(current_app).transaction(write=write)


def machinery(app: Any) -> Machinery:
    """Return what `init_app` was handed."""
    try:
        known: Machinery = app.extensions["redprint"]
    except KeyError:
        message = "Call redprint.init_app(app, …) before registering a Surface"
        raise DeclarationError(message) from None
    return known
