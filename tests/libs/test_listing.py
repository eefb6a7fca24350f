"""What a list can be asked: compared with its rule at the start, described, and cut to what was asked for."""

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask, Response
from pydantic import Field, ValidationError
from werkzeug.datastructures import MultiDict

from application.libs.declaration import DeclarationError
from application.libs.error import AddressTooLong, Invalid
from application.libs.listing import (
    MAX_ADDRESS,
    REQUEST_LINE,
    Names,
    Orders,
    chooses_fields,
    completed,
    faults,
    judging,
    links,
    only,
    requested_fields,
    roomy,
    sparse,
)
from application.libs.operation import read_operation
from application.libs.page import MAX_CURSOR, BadCursor, Page, UnknownOrder, bad_cursor, encode_cursor
from application.libs.record import Record
from application.libs.schema import PageQuery, Schema


class Row(Record):
    id: str
    name: str


class RowOut(Schema):
    id: str
    name: str


class RowQuery(PageQuery):
    """Choose rows."""

    sort: str = Field("name", max_length=10, description="The order.")
    q: str | None = Field(None, max_length=10)
    name: str | None = Field(None, max_length=10)


READABLE = encode_cursor("x", ["a"])


class Allowed:
    def __init__(self, *names: str) -> None:
        self._names = names

    def names(self) -> Sequence[str]:
        return self._names

    def check(self, *, sort: str, after: str | None) -> None:
        """Take one cursor, whatever the order."""
        if sort not in self._names:
            raise UnknownOrder
        if after not in (None, READABLE):
            raise bad_cursor()


ORDERS, FILTERS = Allowed("name", "-name"), Allowed("name", "name__contains")


class TestFaults:
    @pytest.mark.parametrize(
        ("query", "orders", "filters", "wrong"),
        [
            (RowQuery, ORDERS, FILTERS, None),
            (PageQuery, None, None, None),
            (PageQuery, None, FILTERS, None),
            (RowQuery, None, FILTERS, "`sort` takes what nobody names"),
            (RowQuery, Allowed("id"), FILTERS, "`sort` is 'name' unless given"),
            (PageQuery, ORDERS, None, "PageQuery takes no `sort`"),
            (RowQuery, ORDERS, None, "nobody names the filter `name`"),
            (RowQuery, Allowed("name", "-id", "age", "-age"), FILTERS, "the list is sorted by `age`, which Row lacks"),
            (RowQuery, ORDERS, Allowed("id"), "no rule knows the filter `name`"),
        ],
    )
    def test_compare_the_wire_with_the_rule(
        self, query: type[PageQuery], orders: Orders | None, filters: Names | None, wrong: str | None
    ) -> None:
        assert [what for what, _cure in faults(query, Row, orders, filters)] == ([wrong] if wrong else [])

    def test_stop_the_start_with_a_cure(self) -> None:
        def index(query: RowQuery) -> Page[Row]:
            """List rows."""
            return Page(items=[], limit=query.limit)

        with pytest.raises(
            DeclarationError, match=r"index.*`sort` takes what nobody names.*Add `orders=business.ORDERS`"
        ):
            read_operation(index, "GET", "", answer=RowOut, filters=FILTERS)


class TestCompleted:
    query = completed(RowQuery, RowOut, ORDERS)

    def test_is_still_the_query(self) -> None:
        assert issubclass(self.query, RowQuery)
        assert (self.query.__name__, self.query.__doc__) == ("RowQuery", "Choose rows.")

    def test_gives_the_rule_no_fields(self) -> None:
        assert self.query.model_validate({"fields": ["id"]}).model_dump() == RowQuery().model_dump()

    def test_names_orders_and_members_in_the_document(self) -> None:
        properties = self.query.model_json_schema()["properties"]
        sort = {"type": "string", "enum": ["name", "-name"], "default": "name", "description": "The order."}
        sort["x-enum-varnames"] = ["name", "name_descending"]
        assert properties["sort"] == sort | {"title": "Sort"}
        assert properties["fields"]["anyOf"][0] == {
            "type": "array",
            "items": {"type": "string", "enum": ["id", "name"]},
            "minItems": 1,
            "maxItems": 2,
            "uniqueItems": True,
        }

    @pytest.mark.parametrize("fields", [["id"], ["id,name"], ["name", "id"], ["name,id"]])
    def test_takes_members_by_commas_or_repeated(self, fields: list[str]) -> None:
        assert self.query.model_validate({"fields": fields}) is not None

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ([""], "There is no field ''; choose from id, name"),
            (["id,"], "There is no field ''; choose from id, name"),
            (["id", "password"], "There is no field 'password'; choose from id, name"),
            (["{x}"], "There is no field '{x}'; choose from id, name"),
            (["x" * 200], f"There is no field '{'x' * 50}'; choose from id, name"),
            (["id,id"], "Give the field 'id' once"),
            (["name", "id", "name"], "Give the field 'name' once"),
        ],
    )
    def test_refuses_other_members_by_name(self, fields: list[str], message: str) -> None:
        with pytest.raises(ValidationError) as raised:
            self.query.model_validate({"fields": fields})
        (error,) = raised.value.errors()
        assert (error["loc"], error["msg"]) == (("fields",), message)


class TestJudging:
    @pytest.mark.parametrize(
        ("given", "faulty", "refusals"),
        [
            ({}, [], []),
            ({"sort": "-name", "after": READABLE}, [], []),
            ({"sort": "age"}, [], [UnknownOrder]),
            ({"after": "x"}, [], [BadCursor]),
            ({"sort": "age", "after": "x"}, [], [UnknownOrder, BadCursor]),
            ({"sort": "age", "after": READABLE}, [], [UnknownOrder]),
            ({"after": "x"}, ["sort"], [BadCursor]),
            ({"after": READABLE}, ["sort"], []),
            ({"sort": "age", "after": "x"}, ["sort", "after"], []),
        ],
    )
    def test_refuses_an_order_and_a_cursor_together(
        self, given: dict[str, str], faulty: list[str], refusals: list[type[Invalid]]
    ) -> None:
        judge = judging(RowQuery, ORDERS)
        assert judge is not None
        assert [type(refusal) for refusal in judge(given, faulty)] == refusals

    @pytest.mark.parametrize(("after", "refusals"), [(READABLE, []), ("x", [BadCursor])])
    def test_asks_where_nobody_names_orders_whether_it_is_a_cursor_at_all(
        self, after: str, refusals: list[type[Invalid]]
    ) -> None:
        judge = judging(PageQuery, None)
        assert judge is not None
        assert [type(refusal) for refusal in judge({"after": after}, ())] == refusals

    def test_is_for_pages(self) -> None:
        assert judging(RowOut, None) is None


class TestChoosesFields:
    @pytest.mark.parametrize(
        ("query", "chooses"),
        [
            ("", False),
            ("limit=20", False),
            ("fields=id", True),
            ("limit=1&fields=id", True),
            ("f%69elds=id", True),
            ("title=fields", False),
            ("title=100%25", False),
        ],
    )
    def test_is_what_the_query_says(self, query: str, chooses: bool) -> None:
        with Flask("specimen").test_request_context(f"/?{query}"):
            assert chooses_fields() is chooses


class TestRequestedFields:
    @pytest.mark.parametrize("given", [["name,id"], ["id", "name"], ["name", "id"]])
    def test_come_in_the_item_s_order(self, given: list[str]) -> None:
        assert requested_fields(MultiDict([("fields", text) for text in given]), RowOut) == ("id", "name")


class TestOnly:
    def test_allows_the_members_alone(self) -> None:
        schema = only(RowOut, ["name"])
        schema.model_validate({"name": "a"})
        for wrong in ({}, {"name": 1}, {"id": "1", "name": "a"}):
            with pytest.raises(ValidationError):
                schema.model_validate(wrong)


class TestSparse:
    def test_describes_items_that_may_lack_any_member(self) -> None:
        described = sparse(RowOut.model_json_schema())
        assert described["properties"] == RowOut.model_json_schema()["properties"]
        assert "required" not in described
        assert described["additionalProperties"] is False


class TestRoomy:
    @pytest.mark.parametrize("after", ["", "&after=x", f"&after={'x' * 2048}"])
    @pytest.mark.parametrize(("sign", "length"), [("x", 1), ("%20", 1), ("%F0%9F%98%80", 12), ("%FF", 5), (",", 3)])
    def test_refuses_an_address_that_leaves_none_for_a_cursor(self, sign: str, length: int, after: str) -> None:
        view, app = roomy(lambda: Response()), Flask("rooms")
        fits = (MAX_ADDRESS - len("/lists?q=")) // length
        for times in (1, fits):
            with app.test_request_context("/lists", environ_overrides={"QUERY_STRING": f"q={sign * times}{after}"}):
                assert view().status_code == 200
        query = f"q={sign * (fits + 1)}{after}"
        with (
            app.test_request_context("/lists", environ_overrides={"QUERY_STRING": query}),
            pytest.raises(AddressTooLong, match=f"Shorten the filters: without `after` this may have {MAX_ADDRESS}"),
        ):
            view()


class TestLinks:
    @pytest.mark.parametrize("root", ["", "/x"])
    def test_name_no_other_host(self, root: str) -> None:
        page: Page[Any] = Page(items=[], limit=1, next="y")
        environ = {"PATH_INFO": "//api/l", "SCRIPT_NAME": root}
        with Flask("links").test_request_context("/", environ_overrides=environ):
            assert links(page) == f'<{root}/api/l?after=y>; rel="next"'

    def test_of_the_longest_address_fit_a_request_line(self) -> None:
        page: Page[Any] = Page(items=[], limit=1, next="x" * MAX_CURSOR)
        with Flask("links").test_request_context("/lists", query_string="q=" + "x" * (MAX_ADDRESS - 9)):
            following = links(page).partition(">")[0].removeprefix("<")
        assert len(f"HEAD {following} HTTP/1.1") == REQUEST_LINE

    @pytest.mark.parametrize(
        ("query", "following", "header"),
        [
            ("", None, ""),
            ("?limit=1", "x", '</l?limit=1&after=x>; rel="next"'),
            ("?after=w&limit=1", "x", '</l?limit=1&after=x>; rel="next", </l?limit=1>; rel="first"'),
            ("?after=w", None, '</l>; rel="first"'),
            ("?a=1&a=%3E,%20é", "x", '</l?a=1&a=%3E%2C+%C3%A9&after=x>; rel="next"'),
        ],
    )
    def test_lead_on_and_back(self, query: str, following: str | None, header: str) -> None:
        page: Page[Any] = Page(items=[], limit=1, next=following)
        with Flask("links").test_request_context(f"/l{query}"):
            assert links(page) == header
