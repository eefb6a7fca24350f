"""What a declaration says, and how one that cannot work is refused."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response
from pydantic import Field

from application.libs.declaration import DeclarationError
from application.libs.error import NotFound
from application.libs.operation import read_operation
from application.libs.page import Page
from application.libs.record import Record
from application.libs.schema import Name, Schema


class Row(Record):
    id: str
    name: str


class RowOut(Schema):
    id: str
    name: str


class OtherOut(Schema):
    id: str


class LongOut(RowOut):
    size: int


class RowIn(Schema):
    name: Name


class Loose(Schema):
    name: str
    half: int = Field(le=5)
    items: list[Name]


class Gone(NotFound):
    """It is gone."""


def show(key: str) -> Row:
    """Read a row.

    It is
    there.
    """
    return Row(key, "")


def create(body: RowIn) -> Row:
    """Create a row."""
    return Row("", body.name)


def delete(key: str) -> None:
    """Delete a row."""


def by_position(key: str, /) -> Row:
    """Take a parameter that has no name."""
    return Row(key, "")


def silent(key: str) -> Row:
    return Row(key, "")


def made(returns: Any = Row, **annotations: Any) -> Callable[..., object]:
    """Return a handler with any annotations, as mypy would not let one write it."""

    def handler() -> None:
        """Do something."""

    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in annotations]
    vars(handler)["__signature__"] = inspect.Signature(parameters)
    handler.__annotations__ = annotations if returns is ... else annotations | {"return": returns}
    return handler


class TestReadOperation:
    def test_reads_the_signature_and_the_docstring(self) -> None:
        operation = read_operation(show, "GET", "/<id:key>", public=True, answer=RowOut, errors=[Gone])
        assert operation.name == "show"
        assert operation.summary == "Read a row"
        assert operation.description == "It is\nthere."
        assert operation.path == {"key": "id"}
        assert (operation.status, operation.public, operation.transaction, operation.changes) == (
            200,
            True,
            True,
            False,
        )
        assert operation.errors == (Gone,)
        assert operation.answer.schema is RowOut

    def test_reads_the_inputs(self) -> None:
        operation = read_operation(create, "POST", "", permission="row:write", status=201, answer=RowOut)
        assert dict(operation.inputs) == {"body": RowIn}
        assert (operation.status, operation.permission, operation.changes) == (201, "row:write", True)

    @pytest.mark.parametrize(("contract", "status"), [({}, 204), ({"status": 202}, 202)])
    def test_answers_none_without_a_body(self, contract: Any, status: int) -> None:
        operation = read_operation(delete, "DELETE", "/<key>", **contract)
        assert (operation.status, operation.answer.is_empty) == (status, True)

    @pytest.mark.parametrize(
        ("rule", "kind", "converter"),
        [
            ("/<key>", str, "string"),
            ("/<int:key>", int, "int"),
            ("/a/<path:key>", str, "path"),
            ("/<any(a,b):key>", str, "any"),
        ],
    )
    def test_reads_the_rule(self, rule: str, kind: type, converter: str) -> None:
        assert read_operation(made(key=kind), "GET", rule, answer=RowOut).path == {"key": converter}

    def test_leaves_the_handler_untouched(self) -> None:
        assert read_operation(show, "GET", "/<key>", answer=RowOut).handler is show
        assert show("7") == Row("7", "")


MISTAKES: dict[str, tuple[Callable[..., object], str, str, dict[str, Any], str, str]] = {
    "an unknown option": (
        show,
        "GET",
        "/<key>",
        {"premission": "x"},
        "no option `premission`",
        "The options are answer, errors, filters, max_body, media_type, orders, permission",
    ),
    "public and a permission": (
        show,
        "GET",
        "/<key>",
        {"public": True, "permission": "x"},
        "public and asks for a permission",
        "Drop one",
    ),
    "no docstring": (silent, "GET", "/<key>", {}, "no docstring", "first line is the summary"),
    "no return annotation": (
        made(..., key=str),
        "GET",
        "/<key>",
        {},
        "not say what it returns",
        "`-> None` answers 204",
    ),
    "an undefined annotation": (
        made("Nowhere", key=str),
        "GET",
        "/<key>",
        {},
        "'Nowhere' is not defined",
        "Import its name",
    ),
    "an error that is none": (
        show,
        "GET",
        "/<key>",
        {"errors": [ValueError]},
        "ValueError'> in `errors` is no Refusal",
        "Derive it from a family",
    ),
    "an instance for an error": (
        show,
        "GET",
        "/<key>",
        {"errors": [Gone()]},
        "in `errors` is an instance",
        "Name the class, without calling it",
    ),
    "a rule without a slash": (show, "GET", "<key>", {}, "its rule is '<key>'", "begin with a slash"),
    "a rule of a slash": (made(), "GET", "/", {}, "its rule is '/'", 'Write ""'),
    "a rule with a slash behind": (show, "GET", "/<key>/", {}, "ends with a slash", "Leave it out"),
    "a parameter nobody takes": (
        show,
        "GET",
        "/<key>/<int:n>",
        {},
        "<n>, which no parameter takes",
        "Add a parameter `n: int`",
    ),
    "a parameter nobody fills": (
        made(key=str, other=str),
        "GET",
        "/<key>",
        {},
        "nothing fills the parameter `other`",
        "Put <other> into",
    ),
    "a parameter of another type": (
        made(key=int),
        "GET",
        "/<key>",
        {},
        "`key` is not what the rule's <string> gives",
        "Write `key: str`",
    ),
    "a parameter without a name": (
        by_position,
        "GET",
        "/<key>",
        {},
        "`key` cannot be given by name",
        "Take the slash out",
    ),
    "a body that is no schema": (
        made(body=dict),
        "POST",
        "",
        {},
        "`body` is annotated with <class 'dict'>",
        "with a Schema",
    ),
    "a body without a bound": (
        made(body=Loose),
        "POST",
        "",
        {},
        "Loose takes input without a bound",
        "name: give the text a `max_length`",
    ),
    "a number with half a bound": (
        made(body=Loose),
        "POST",
        "",
        {},
        "without a bound",
        "half: give the number `ge` and `le`",
    ),
    "a list without a bound": (made(body=Loose), "POST", "", {}, "without a bound", "items: give it a `max_length`"),
    "a body and a form": (
        made(body=RowIn, form=RowIn),
        "POST",
        "",
        {},
        "a JSON body and a form",
        "carries one of them",
    ),
    "a body to read": (made(body=RowIn), "GET", "", {}, "it reads and takes content", "Take it through `query`"),
    "a record without a schema": (
        show,
        "GET",
        "/<key>",
        {"answer": None},
        "says nothing about the wire",
        "architecture.md",
    ),
    "a field that is missing": (show, "GET", "/<key>", {"answer": LongOut}, "Row has no field size", "architecture.md"),
    "a schema as another": (made(RowOut), "GET", "", {"answer": OtherOut}, "which is sent as it is", "drop `answer=`"),
    "nothing as a schema": (
        made(None),
        "GET",
        "",
        {"answer": RowOut},
        "which RowOut does not describe",
        "drop `answer=`",
    ),
    "a response as a schema": (
        made(Response),
        "GET",
        "",
        {"answer": RowOut},
        "which RowOut does not describe",
        "drop `answer=`",
    ),
    "a page of anything": (made(Page), "GET", "", {}, "a Page of what?", "Write `Page[…]`"),
    "a status of failure": (show, "GET", "/<key>", {"status": 404}, "its status is 404", "failures are raised"),
    "a limit that is none": (
        show,
        "GET",
        "/<key>",
        {"rate_limit": "20/fortnight"},
        "its rate limit is '20/fortnight'",
        "20/minute",
    ),
    "two limits": (show, "GET", "/<key>", {"rate_limit": "1/second;9/minute"}, "its rate limit is", "20/minute"),
    "204 with a body": (show, "GET", "/<key>", {"status": 204}, "answers 204, which has no body", "Return None"),
}


@pytest.mark.parametrize(
    ("handler", "method", "rule", "contract", "what", "cure"), MISTAKES.values(), ids=list(MISTAKES)
)
class TestMistakes:
    def test_say_where_what_and_the_cure(
        self, handler: Callable[..., object], method: str, rule: str, contract: dict[str, Any], what: str, cure: str
    ) -> None:
        options: Any = {"answer": RowOut} | contract
        if handler.__annotations__.get("return") is not Row and "answer" not in contract:
            del options["answer"]
        with pytest.raises(DeclarationError) as raised:
            read_operation(handler, method, rule, **options)
        message = str(raised.value)
        assert message.startswith(f"{handler.__module__}.{handler.__qualname__} (line ")
        assert what in message
        assert cure in message
