"""More slips of a declaration: each message says where, what is wrong and the cure, also where mypy was not asked."""

import dataclasses
import functools
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from application.libs.declaration import DeclarationError
from application.libs.error import NotFound
from application.libs.operation import read_operation
from application.libs.page import Page
from application.libs.record import Record
from application.libs.schema import Name, PageQuery, Schema, Upload
from tests.libs.test_operation import made


class Row(Record):
    id: str


class RowOut(Schema):
    id: str


class RowIn(Schema):
    name: Name


class Nested(Schema):
    inner: RowIn | None = None
    table: Annotated[list[Annotated[list[Name], Field(max_length=2)]], Field(max_length=2)]
    words: dict[Name, Name] = Field(max_length=2)
    fine: Annotated[list[Name], Field(max_length=2)]


class Plain(BaseModel):
    pass


class Loosened(Schema):
    model_config = ConfigDict(strict=False, extra="ignore")


@dataclasses.dataclass
class Data:
    pass


class Typed(TypedDict):
    pass


class Hidden(Schema):
    """Nest what is lenient, in every way."""

    loosened: Annotated[list[Loosened], Field(max_length=2)]
    plain: dict[Name, Plain | None] | None = None
    data: Data
    typed: Typed


class RowQuery(PageQuery):
    name: str | None = Field(None, max_length=5)


class AgeOrders:
    def names(self) -> list[str]:
        return ["age", "-age"]

    def check(self, *, sort: str, after: str | None) -> None:
        """Allow everything."""


class Names:
    def names(self) -> list[str]:
        return ["id"]


class IdOrders(Names):
    def check(self, *, sort: str, after: str | None) -> None:
        """Allow everything."""


class Sorted(PageQuery):
    sort: str = Field("age", max_length=5)


class Photo(Schema):
    photo: Annotated[list[Upload], Field(max_length=2)]


class Mixed(Schema):
    photo: Upload | None = None
    name: Name


class Gone(NotFound):
    """It is gone."""


def show(key: str) -> Row:
    """Read a row."""
    return Row(key)


async def later(key: str) -> Row:
    """Read a row some time."""
    return Row(key)


async def stream(key: str) -> AsyncIterator[Row]:
    """Read rows some time."""
    yield Row(key)


class Callee:
    """Be called as a function is."""

    def __call__(self, key: str) -> Row:
        """Read a row."""
        return Row(key)


KEY: dict[str, Any] = {"answer": RowOut}

OPTIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a misspelt option": (
        {"permision": "x"},
        "there is no option `permision`",
        "Did you mean `permission`? The options are answer, errors, ",
    ),
    "an option like no other": ({"middleware": []}, "there is no option `middleware`", "The options are answer"),
    "a permission that is no text": ({"permission": 7}, "its `permission` is 7", "Give it a text"),
    "an empty permission": ({"permission": ""}, "its `permission` is empty", "Name one, or drop it"),
    "an empty scope": ({"scope": ""}, "its `scope` is empty", "Name a permission or ANY_KEY"),
    "a scope of a permission": (
        {"scope": "x", "permission": "y"},
        "it has a `scope`, and keys may call",
        "Drop the scope",
    ),
    "a scope of what is public": (
        {"scope": "x", "public": True},
        "it has a `scope`, and keys may call",
        "Drop the scope",
    ),
    "a public that is no truth": ({"public": "yes"}, "its `public` is 'yes'", "Give it True or False"),
    "a transaction that is no truth": ({"transaction": 0}, "its `transaction` is 0", "Give it True or False"),
    "a status that is a text": ({"status": "201"}, "its `status` is '201'", "Give it a whole number"),
    "a status that is a truth": ({"status": True}, "its `status` is True", "Give it a whole number"),
    "a status of moving": ({"status": 301}, "its status is 301", "Name the status of success; failures are raised"),
    "one error for a list": ({"errors": Gone}, "its `errors` are <class", "Give them as a list, even one"),
    "an error's name": ({"errors": "Gone"}, "its `errors` are 'Gone'", "Give them as a list, even one"),
    "a record for an answer": ({"answer": Row}, "its `answer` is <class", "Name the Schema itself, the class"),
    "an instance for an answer": (
        {"answer": RowOut(id="1")},
        "its `answer` is RowOut(id='1')",
        "Name the Schema itself, the class",
    ),
}

HANDLERS: dict[str, tuple[Any, str, str, dict[str, Any], str, str]] = {
    "an async handler": (later, "GET", "/<key>", KEY, "it is async, and nothing awaits it", "with a plain `def`"),
    "an async stream": (stream, "GET", "/<key>", KEY, "it is async, and nothing awaits it", "with a plain `def`"),
    "a callable object": (Callee(), "GET", "/<key>", KEY, "it is no function", "Declare a plain `def`"),
    "a partial": (functools.partial(show, "a"), "GET", "", KEY, "it is no function", "Declare a plain `def`"),
    "a method in small letters": (show, "get", "/<key>", KEY, "its method is 'get'", "The methods are GET, POST"),
    "a method of another protocol": (show, "PROPFIND", "/<key>", KEY, "its method is 'PROPFIND'", "The methods are"),
    "none with a body": (made(None), "POST", "", {"status": 201}, "returns None and answers 201", "or say 202"),
    "an annotation that is broken": (made("list[", key=str), "GET", "/<key>", {}, "is not defined", "spell it as"),
    "an annotation that lacks": (made("Row.x", key=str), "GET", "/<key>", {}, "is not defined", "spell it as"),
    "a misspelt query": (
        made(Row, qeury=RowIn),
        "GET",
        "",
        KEY,
        "nothing fills the parameter `qeury`",
        "Did you mean `query`? Put <qeury> into the rule",
    ),
    "a singular header": (
        made(Row, header=RowIn),
        "GET",
        "",
        KEY,
        "nothing fills the parameter `header`",
        "Did you mean `headers`?",
    ),
    "a misspelt path parameter": (
        made(Row, blogid=str),
        "GET",
        "/<id:blog_id>",
        KEY,
        "the rule has <blog_id>, which no parameter takes",
        "Did you mean `blogid`? Add a parameter `blog_id: str`",
    ),
    "a parameter like no other": (
        made(Row, session=str),
        "GET",
        "",
        KEY,
        "nothing fills the parameter `session`",
        "Put <session> into the rule, or take it through one of body, query",
    ),
    "a plain model": (
        made(Row, body=Plain),
        "POST",
        "",
        KEY,
        "Plain takes unknown fields or converts silently",
        "silently. derive Plain from Schema (libs/schema.py)",
    ),
    "plain models inside": (
        made(Row, body=Hidden),
        "POST",
        "",
        KEY,
        "Hidden takes unknown fields or converts silently",
        "data: derive Data from Schema (libs/schema.py); typed: derive Typed from Schema (libs/schema.py); leave "
        "`strict` of Loosened's `model_config` as Schema has it; leave `extra` of Loosened's `model_config` as Schema "
        "has it; plain: derive Plain from Schema (libs/schema.py)",
    ),
    "orders of no page's query": (
        made(Page[Row], query=RowIn),
        "GET",
        "",
        KEY | {"orders": IdOrders()},
        "it has `orders`, and RowIn is no PageQuery",
        "Derive RowIn from PageQuery",
    ),
    "filters without a query": (
        made(Page[Row]),
        "GET",
        "",
        KEY | {"filters": Names()},
        "it has `filters` and no query",
        "Take `query`, a schema derived from PageQuery",
    ),
    "orders of no page": (
        made(list[Row], query=RowQuery),
        "GET",
        "",
        KEY | {"orders": IdOrders()},
        "it has `orders` and returns no Page",
        "Return a `Page[…]`, or drop `orders=`",
    ),
    "orders that judge no cursor": (
        made(Page[Row], query=RowQuery),
        "GET",
        "",
        KEY | {"orders": Names()},
        "its `orders` are <",
        "`orders=business.ORDERS`",
    ),
    "orders that are names": (
        made(Page[Row], query=RowQuery),
        "GET",
        "",
        KEY | {"orders": ["id"]},
        "its `orders` are ['id']",
        "`orders=business.ORDERS`",
    ),
    "an order the record lacks": (
        made(Page[Row], query=Sorted),
        "GET",
        "",
        KEY | {"orders": AgeOrders()},
        "the list is sorted by `age`, which Row lacks",
        "Give Row the field",
    ),
    "filters nobody names": (
        made(Page[Row], query=RowQuery),
        "GET",
        "",
        KEY,
        "nobody names the filter `name`",
        "Add `filters=business.FILTERS`",
    ),
    "a filter the rule does not know": (
        made(Page[Row], query=RowQuery),
        "GET",
        "",
        KEY | {"filters": Names()},
        "no rule knows the filter `name`",
        "It knows id",
    ),
    "a query that nests": (
        made(Row, query=Nested),
        "GET",
        "",
        KEY,
        "Nested cannot be filled from `query`",
        "inner: name its members one by one, or take it through `body`; table: name its members one by one, or take "
        "it through `body`; words: name",
    ),
    "rows of a change": (
        show,
        "POST",
        "/<key>",
        KEY | {"rows_only": True},
        "it is `rows_only` and does",
        "Drop the option",
    ),
    "rows of units of its own": (
        show,
        "GET",
        "/<key>",
        KEY | {"rows_only": True, "transaction": False},
        "it is `rows_only` and does more",
        "Drop",
    ),
    "rows by headers": (made(Row, headers=Sorted), "GET", "", KEY | {"rows_only": True}, "it is `rows_only`", "Drop"),
    "headers that nest": (made(Row, headers=Nested), "GET", "", KEY, "filled from `headers`", "inner: name its"),
    "a form that nests": (made(Row, form=Nested), "POST", "", KEY, "filled from `form`", "through `body`"),
    "a file in a form": (made(Row, form=Photo), "POST", "", KEY, "filled from `form`", "photo: take the file through"),
    "a file in a body": (made(Row, body=Photo), "POST", "", KEY, "filled from `body`", "photo: take the file through"),
    "a text among files": (made(Row, files=Mixed), "POST", "", KEY, "filled from `files`", "name: annotate it with"),
}


def said_of(handler: Callable[..., object], method: str, rule: str, options: Any) -> str:
    with pytest.raises(DeclarationError) as raised:
        read_operation(handler, method, rule, **options)
    return str(raised.value)


class TestOptions:
    @pytest.mark.parametrize(("options", "what", "cure"), OPTIONS.values(), ids=list(OPTIONS))
    def test_are_refused_with_the_cure(self, options: dict[str, Any], what: str, cure: str) -> None:
        message = said_of(show, "GET", "/<key>", KEY | options)
        assert message.startswith(f"{__name__}.show (line {show.__code__.co_firstlineno}): {what}")
        assert cure in message


class TestHandlers:
    @pytest.mark.parametrize(
        ("handler", "method", "rule", "options", "what", "cure"), HANDLERS.values(), ids=list(HANDLERS)
    )
    def test_are_refused_with_the_cure(
        self, handler: Any, method: str, rule: str, options: dict[str, Any], what: str, cure: str
    ) -> None:
        message = said_of(handler, method, rule, options)
        where, _colon, rest = message.partition(": ")
        assert where.startswith(str(handler.__module__))
        assert getattr(handler, "__qualname__", type(handler).__name__) in where
        assert what in rest
        assert cure in rest

    def test_may_nest_in_a_body_and_list_elsewhere(self) -> None:
        class Words(Schema):
            words: Annotated[list[Name], Field(max_length=2)]

        for place, schema in (
            ("body", Nested),
            ("query", Words),
            ("headers", Words),
            ("form", Words),
            ("files", Photo),
        ):
            method = "POST" if place in ("body", "form", "files") else "GET"
            assert read_operation(made(Row, **{place: schema}), method, "", answer=RowOut).inputs == {place: schema}
