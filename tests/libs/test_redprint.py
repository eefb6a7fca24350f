"""Declaring and mounting."""

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask

from application.database import transaction
from application.libs import failure, redprint
from application.libs.error import NotFound
from application.libs.ok import Bare, Envelope
from application.libs.operation import Operation
from application.libs.record import Record
from application.libs.redprint import DeclarationError, Redprint, Surface, machinery
from application.libs.schema import Schema
from application.modules.idempotency import business as idempotency
from tests.contract import specimen


class NameOut(Schema):
    name: str


def show() -> NameOut:
    """Read it."""
    return NameOut(name="a")


def surface(*redprints: Redprint, prefix: str = "/s") -> Surface:
    made = Surface("s", __name__, url_prefix=prefix, dialect=Envelope())
    for each in redprints:
        made.register_blueprint(each)
    return made


def handler(name: str, rule: str) -> Callable[..., NameOut]:
    """Return a handler of any name for a rule with one parameter at most."""

    def plain() -> NameOut:
        """Read it."""
        return NameOut(name="a")

    if "<" in rule:
        parameter = rule.rstrip(">")[-1]
        vars(plain)["__signature__"] = inspect.Signature(
            [inspect.Parameter(parameter, inspect.Parameter.POSITIONAL_OR_KEYWORD)]
        )
        plain.__annotations__ = {parameter: str, "return": NameOut}
    plain.__name__ = plain.__qualname__ = name
    return plain


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Flask]:
    """Return a function that serves surfaces from an empty database."""

    def build(*surfaces: Surface, **options: Any) -> Flask:
        return specimen.build(f"sqlite:///{tmp_path / 'r.db'}", surfaces=surfaces, **options)

    return build


class TestRedprint:
    @pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
    def test_returns_the_handler_untouched(self, verb: str) -> None:
        made = Redprint("thing", __name__)
        assert getattr(made, verb)("", public=True)(show) is show
        assert made.operations[0].method == verb.upper()
        assert show() == NameOut(name="a")

    def test_refuses_a_handler_in_the_rule_s_place(self) -> None:
        get: Any = Redprint("thing", __name__).get
        with pytest.raises(
            DeclarationError,
            match=r'test_redprint.show .*: it stands where the rule belongs\. Begin with the rule: `@….get\(""',
        ):
            get(show)

    def test_refuses_to_be_mounted_twice(self) -> None:
        made = Redprint("thing", __name__)
        with pytest.raises(DeclarationError, match="Redprint 'thing' is mounted twice on surface 's'; leave one out"):
            surface(made, made)

    def test_refuses_two_handlers_of_one_name(self) -> None:
        made = Redprint("thing", __name__)
        made.get("", public=True)(show)
        with pytest.raises(
            DeclarationError, match=r"show \(line \d+\): redprint 'thing' has a handler of this name. Choose another"
        ):
            made.get("/other", public=True)(show)

    @pytest.mark.parametrize(("rule", "again"), [("/<a>", "/<string:b>"), ("", ""), ("/<any(a,b):x>", "/<any(a,b):y>")])
    def test_refuses_two_handlers_at_one_address(self, rule: str, again: str) -> None:
        made = Redprint("thing", __name__)
        made.get(rule, public=True)(handler("one", rule))
        made.post(again, public=True)(handler("two", again))
        with pytest.raises(
            DeclarationError, match=r"`one` of redprint 'thing' answers GET '.*' too. Choose another rule"
        ):
            made.get(again, public=True)(handler("three", again))
        made.get("/<any(c,d):x>", public=True)(handler("four", "/<x>"))

    def test_refuses_an_address_that_another_redprint_has(self, serve: Callable[..., Flask]) -> None:
        first, second = Redprint("thing", __name__), Redprint("other", __name__, url_prefix="")
        first.get("/<a>", public=True)(handler("one", "/<a>"))
        second.get("/thing/<b>", public=True)(handler("two", "/<b>"))
        with pytest.raises(
            DeclarationError, match=r"two \(line \d+\): s.thing.one answers GET /s/thing/<string:> too, on surface 's'"
        ):
            serve(surface(first, second))

    @pytest.mark.parametrize("rule", ["/<uid:a>", "/<any(:a>", "/x<"])
    def test_refuses_a_rule_that_cannot_be_read(self, serve: Callable[..., Flask], rule: str) -> None:
        made = Redprint("thing", __name__)
        made.get(rule, public=True)(handler("one", rule if ":a>" in rule and "(" not in rule else ""))
        with pytest.raises(
            DeclarationError, match=r"test_redprint.one.*: its rule .* cannot be read .*converters are.* id,"
        ):
            serve(surface(made))

    @pytest.mark.parametrize(("prefix", "path"), [(None, "/s/thing"), ("/other", "/s/other"), ("", "/s")])
    def test_lies_at_its_prefix(self, serve: Callable[..., Flask], prefix: str | None, path: str) -> None:
        made = Redprint("thing", __name__, url_prefix=prefix)
        made.get("", public=True)(show)
        app = serve(surface(made))
        assert app.test_client().get(path).get_json()["data"] == {"name": "a"}
        assert [item.endpoint for item in machinery(app).mounted] == ["s.thing.show"]

    def test_may_be_mounted_under_another_name(self, serve: Callable[..., Flask]) -> None:
        made = Redprint("thing", __name__)
        made.get("", public=True)(show)
        twice = surface(made)
        twice.register_blueprint(made, name="again", url_prefix="/again")
        app = serve(twice)
        assert {item.endpoint for item in machinery(app).mounted} <= set(app.view_functions)
        assert app.test_client().get("/s/again").status_code == 200

    def test_takes_a_handler_over_from_another(self, serve: Callable[..., Flask]) -> None:
        first, second = Redprint("thing", __name__), Redprint("thing", __name__)
        first.get("", public=True)(show)
        second.get("", public=True)(show)
        other = Surface("t", __name__, url_prefix="/t", dialect=Bare())
        other.register_blueprint(second)
        client = serve(surface(first), other).test_client()
        assert client.get("/s/thing").get_json()["data"] == client.get("/t/thing").get_json()

    def test_must_be_on_a_surface(self, serve: Callable[..., Flask]) -> None:
        made = Redprint("thing", __name__)
        made.get("", public=True)(show)
        app = serve()
        with pytest.raises(DeclarationError, match="'thing' is mounted on no Surface; register it on one"):
            app.register_blueprint(made)

    def test_may_not_hide_in_a_plain_blueprint(self, serve: Callable[..., Flask]) -> None:
        made, plain = Redprint("thing", __name__), Blueprint("plain", __name__)
        made.get("", public=True)(show)
        plain.register_blueprint(made)
        with pytest.raises(DeclarationError, match="on no Surface"):
            serve().register_blueprint(plain)

    def test_keeps_flasks_own_route(self, serve: Callable[..., Flask]) -> None:
        made = Redprint("thing", __name__)
        made.route("/raw")(lambda: "raw")
        assert serve(surface(made)).test_client().get("/s/thing/raw").text == "raw"


class LongOut(Schema):
    name: str
    size: int


class Row(Record):
    name: str


def read() -> Row:
    """Read it."""
    return Row("a")


class TestSuccession:
    @pytest.fixture
    def first(self) -> Redprint:
        made = Redprint("thing", "first", url_prefix="/things")
        made.get("/one", permission="x", answer=NameOut, errors=[NotFound])(read)
        made.post("", public=True, status=201)(show)
        return made

    def test_takes_handlers_over_with_their_contract(self, first: Redprint) -> None:
        second = Redprint("thing", "second", predecessor=first)
        second.take_over(show, read)
        assert second.url_prefix == "/things"
        assert [vars_of(operation) for operation in second.operations] == [
            vars_of(operation) for operation in reversed(first.operations)
        ]

    def test_changes_what_is_named(self, first: Redprint) -> None:
        second = Redprint("thing", "second", predecessor=first)
        second.take_over(read, permission="y")
        assert (second.operations[0].permission, second.operations[0].errors) == ("y", (NotFound,))

    def test_puts_another_handler_in_the_place(self, first: Redprint) -> None:
        second = Redprint("thing", "second", predecessor=first)

        def other() -> NameOut:
            """Read another."""
            return NameOut(name="b")

        assert second.instead_of(show)(other) is other
        operation = second.operations[0]
        assert (operation.handler, operation.method, operation.rule, operation.status) == (other, "POST", "", 201)

    def test_says_who_takes_over_what_does_not_fit(self, first: Redprint) -> None:
        second = Redprint("thing", "second", predecessor=first)
        with pytest.raises(DeclarationError, match=r"second takes over .*read.*: Row has no field size.*fill it with"):
            second.take_over(read, answer=LongOut)

    def test_refuses_a_handler_of_nobody(self, first: Redprint) -> None:
        for second in (Redprint("thing", "second"), Redprint("thing", "second", predecessor=first)):
            with pytest.raises(
                DeclarationError, match=r"surface: redprint 'thing' of second does not follow its.*Name"
            ):
                second.take_over(surface)


def vars_of(operation: Operation) -> dict[str, Any]:
    """Return what an operation promises."""
    return {
        field.name: getattr(operation, field.name) for field in dataclasses.fields(operation) if field.name != "answer"
    }


def handed(name: str, **known: Any) -> Flask:
    """Return an application whose redprints have what they need from above, and nothing beside."""
    app = Flask(name)
    redprint.init_app(
        app,
        transaction=transaction,
        identify=specimen.identify,
        retry_on=NotFound,
        answers=idempotency,
        beside=None,
        **known,
    )
    return app


class TestInitApp:
    def test_comes_first(self) -> None:
        with pytest.raises(DeclarationError, match="Call redprint.init_app"):
            Flask("bare").register_blueprint(surface())

    def test_leaves_other_applications_alone(self, serve: Callable[..., Flask]) -> None:
        serve(surface())
        assert "id" not in Flask("bare").url_map.converters


class Unknown:
    """Be of a type that pydantic knows nothing of."""


class BrokenOut(Schema):
    name: Unknown


def broken() -> BrokenOut:
    """Read it."""
    raise NotImplementedError


class TestSchemas:
    def test_are_not_built_for_being_declared(self) -> None:
        class FreshOut(NameOut):
            pass

        assert FreshOut.__pydantic_complete__ is False
        assert FreshOut(name="a").name == "a"
        assert FreshOut.__pydantic_complete__ is True

    @pytest.mark.parametrize("defers", [True, False])
    def test_are_built_at_the_start_unless_they_are_deferred(self, defers: bool) -> None:
        class FreshOut(NameOut):
            pass

        def read() -> FreshOut:
            """Read it."""
            return FreshOut(name="a")

        item = Redprint("item", __name__)
        item.get("")(read)
        handed("one", defers_schemas=defers).register_blueprint(surface(item))

        assert FreshOut.__pydantic_complete__ is not defers

    def test_stop_the_start_where_they_cannot_be_built(self) -> None:
        item = Redprint("item", __name__)
        item.get("")(broken)

        with pytest.raises(DeclarationError) as refused:
            handed("one").register_blueprint(surface(item))

        assert "broken (line" in str(refused.value)
        assert "BrokenOut cannot be built: Unable to generate" in str(refused.value)
        assert "\n" not in str(refused.value)


class TestPermissions:
    @staticmethod
    def mount(permission: str, **known: Any) -> None:
        app, made = handed("permitting", **known), Redprint("thing", __name__)
        made.get("", permission=permission)(show)
        app.register_blueprint(surface(made))

    def test_are_those_that_were_handed_over(self) -> None:
        cure = r"Did you mean `thing:write`\? The permissions are thing:read, thing:write"
        with pytest.raises(
            DeclarationError, match=rf"show \(line \d+\): there is no permission 'thing:wriet'\. {cure}"
        ):
            self.mount("thing:wriet", permissions=frozenset({"thing:write", "thing:read"}))
        self.mount("thing:write", permissions=frozenset({"thing:write", "thing:read"}))

    def test_are_any_where_none_were(self) -> None:
        self.mount("thing:wriet")


class TestFailurePrefix:
    def test_is_the_longest_surface(self, serve: Callable[..., Flask]) -> None:
        outer = Surface("outer", __name__, url_prefix="/api", dialect=Envelope())
        inner = Surface("inner", __name__, url_prefix="/api/jobs", dialect=Bare())
        client = serve(outer, inner).test_client()
        assert client.get("/api/jobs/none").content_type == "application/json"
        assert client.get("/api/jobsworth").content_type == "application/problem+json"
        assert client.get("/apiary").content_type == "text/html"

    def test_needs_a_page_elsewhere(self) -> None:
        app = handed("bare")
        failure.init_app(app, page=specimen.page)
        assert app.test_client().get("/x").text == "<p>404 </p>"
