"""Paging by key; that pages hold every row once is shown in tests/contract."""

import base64
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from application.database import Id, UtcDateTime
from application.database.keyset import Orders
from application.libs.page import BadCursor, UnknownOrder, encode_cursor
from application.libs.record import Record

METADATA = sa.MetaData()
EVENT = sa.Table(
    "event",
    METADATA,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(20), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("moment", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("ratio", sa.Double, nullable=False),
)
ORDERS = Orders(
    {"name": EVENT.c.name, "size": EVENT.c.size, "moment": EVENT.c.moment, "id": EVENT.c.id}, tie=EVENT.c.id
)
KEY = "01a21fec-4fe5-75a8-907e-983457899dd2"  # fixed, for it stands in the names of tests
MOMENT = datetime(2030, 1, 31, tzinfo=UTC)


class Row(Record):
    id: str
    name: str
    moment: datetime


def read(*, sort: str, after: str | None) -> tuple[sa.Select[*tuple[Any, ...]], dict[str, object]]:
    """Return the statement of a page of five, and its values."""
    statement = ORDERS.page(sa.select(EVENT), sort=sort, follows=after is not None)
    return statement, ORDERS.parameters(sort=sort, after=after, limit=5)


def forge(*values: Any) -> str:
    """Write a cursor by hand."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


class TestOrders:
    @pytest.mark.parametrize("column", [EVENT.c.ended_at, EVENT.c.ratio])
    def test_refuse_what_cannot_be_paged(self, column: sa.Column[Any]) -> None:
        with pytest.raises(
            TypeError,
            match="A list of 'event' cannot be paged by 'x'; choose a text, integer, id or time that is never null",
        ):
            Orders({"x": column}, tie=EVENT.c.id)

    @pytest.mark.parametrize("kind", [sa.String(201), sa.String, sa.Text])
    def test_refuse_a_text_that_no_cursor_could_carry(self, kind: Any) -> None:
        with pytest.raises(TypeError, match="cannot carry 'x'; choose a text of at most 200 characters"):
            Orders({"x": sa.Column("x", kind, nullable=False)}, tie=EVENT.c.id)

    def test_name_both_directions(self) -> None:
        assert ORDERS.names()[:4] == ["name", "-name", "size", "-size"]


class TestCheck:
    @pytest.mark.parametrize("after", [None, encode_cursor("-size", [5, KEY])])
    def test_takes_an_order_with_its_cursor(self, after: str | None) -> None:
        ORDERS.check(sort="-size", after=after)

    @pytest.mark.parametrize(
        ("sort", "after", "refusal"),
        [
            ("age", None, UnknownOrder),
            ("size", encode_cursor("-size", [5, KEY]), BadCursor),
            ("size", forge("size", 5, "no id"), BadCursor),
        ],
    )
    def test_refuses_what_page_refuses(self, sort: str, after: str | None, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            ORDERS.check(sort=sort, after=after)
        with pytest.raises(refusal):
            read(sort=sort, after=after)


class TestPage:
    @pytest.mark.parametrize("sort", ["", "-", "--name", "ended_at", "name;", "NAME"])
    def test_refuses_an_unknown_order_and_names_the_known(self, sort: str) -> None:
        with pytest.raises(UnknownOrder) as raised:
            read(sort=sort, after=None)
        assert raised.value.errors[0]["loc"] == ["query", "sort"]
        assert "-moment" in raised.value.errors[0]["msg"]

    @pytest.mark.parametrize("sort", ["name", "-name", "size", "-moment", "id"])
    def test_asks_for_one_row_more(self, sort: str) -> None:
        statement, values = read(sort=sort, after=None)
        text = str(statement)
        assert "LIMIT" in text
        assert list(values.values()) == [6]
        assert ("DESC" in text) is sort.startswith("-")

    @pytest.mark.parametrize(
        ("sort", "after"),
        [
            ("name", encode_cursor("name", ["a", KEY])),
            ("size", encode_cursor("size", [5, KEY])),
            ("-moment", encode_cursor("-moment", [MOMENT.isoformat(), KEY])),
            ("id", encode_cursor("id", [KEY, KEY])),
        ],
    )
    def test_seeks_to_a_cursor(self, sort: str, after: str) -> None:
        statement, values = read(sort=sort, after=after)
        assert "WHERE" in str(statement)
        assert KEY in values.values()

    @pytest.mark.parametrize("name", ["word", "id"])
    def test_breaks_no_ties_where_there_are_none(self, name: str) -> None:
        columns = {"word": sa.Column("word", sa.String(20), nullable=False, unique=True), "id": EVENT.c.id}
        statement = Orders(columns, tie=EVENT.c.id).page(sa.select(EVENT.c.id), sort=f"-{name}", follows=True)
        condition, _where, order = str(statement).partition("ORDER BY")
        assert " OR " not in condition
        assert "," not in order

    @pytest.mark.parametrize(
        ("sort", "after"),
        [
            ("name", forge("name", "a", "no id")),
            ("name", forge("name", "a", KEY + "\0")),
            ("id", forge("id", "no id", KEY)),
            ("size", forge("size", "5", KEY)),
            ("size", forge("size", 2**70, KEY)),
            ("moment", forge("moment", 5, KEY)),
            ("moment", forge("moment", "yesterday", KEY)),
            ("moment", forge("moment", "2030-01-31", KEY)),
            ("moment", forge("moment", "2030-01-31T00:00:00", KEY)),
            ("moment", forge("moment", "0001-01-01T00:00:00+14:00", KEY)),
            ("moment", forge("moment", "9999-12-31T23:59:59-14:00", KEY)),
            ("-name", forge("name", "a", KEY)),
        ],
    )
    def test_refuses_a_made_up_cursor(self, sort: str, after: str) -> None:
        with pytest.raises(BadCursor):
            read(sort=sort, after=after)


class TestCursor:
    @pytest.mark.parametrize(("sort", "value"), [("name", "a"), ("-moment", "2030-01-31T00:00:00+00:00"), ("id", KEY)])
    def test_points_behind_a_record(self, sort: str, value: str) -> None:
        assert ORDERS.cursor(Row(KEY, "a", MOMENT), sort=sort) == encode_cursor(sort, [value, KEY])
