"""Lists read page by page, by statements that are built once."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import Id, change, db, transaction
from application.database import listing as module
from application.database.filter import TEXT, Filter, Filters, contains
from application.database.keyset import Orders
from application.database.listing import Listing, each
from application.libs.ident import new_id
from application.libs.page import BadCursor, Page, UnknownOrder
from application.libs.record import Record
from tests.statements import statements

METADATA = sa.MetaData()
FRUIT = sa.Table(
    "fruit",
    METADATA,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(20), nullable=False),
    sa.Column("weight", sa.Integer, nullable=False),
)
NAMES = ("apple", "banana", "cherry", "date", "elder")
ALL = sa.select(FRUIT.c.id, FRUIT.c.name)
HEAVY = FRUIT.c.weight >= sa.bindparam("least")


class Fruit(Record):
    id: str
    name: str


@pytest.fixture
def fruits(app: Flask) -> Iterator[Listing]:
    with app.app_context():
        METADATA.create_all(db.engine)
        rows = [{"id": new_id(), "name": name, "weight": number} for number, name in enumerate(NAMES)]
        with transaction():
            change(sa.insert(FRUIT), rows)
        orders = Orders({"name": FRUIT.c.name}, tie=FRUIT.c.id)
        yield Listing(ALL, orders, Filters({"name": Filter(FRUIT.c.name, *TEXT)}))
        METADATA.drop_all(db.engine)


def read(listing: Listing, **asked: Any) -> Page[Fruit]:
    """Read a page of two by name, unless something else is asked for."""
    given: dict[str, Any] = {"limit": 2, "sort": "name", **asked}
    with transaction(write=False):
        return listing.page(each(lambda row: Fruit(*row)), **given)


def names(page: Page[Fruit]) -> list[str]:
    return [item.name for item in page.items]


class TestPage:
    def test_follows_its_cursor_to_the_end(self, fruits: Listing) -> None:
        first = read(fruits)
        second = read(fruits, after=first.next)
        third = read(fruits, after=second.next)
        assert [names(page) for page in (first, second, third)] == [
            ["apple", "banana"],
            ["cherry", "date"],
            ["elder"],
        ]
        assert third.next is None

    def test_goes_backwards(self, fruits: Listing) -> None:
        first = read(fruits, sort="-name")
        assert names(read(fruits, sort="-name", after=first.next)) == ["cherry", "banana"]

    @pytest.mark.parametrize(
        ("asked", "found", "total"),
        [
            ({"filters": {"name": "date"}}, ["date"], 1),
            ({"filters": {"name": None, "name__contains": "E"}}, ["apple", "cherry"], 4),
            ({"where": [HEAVY], "parameters": {"least": 3}}, ["date", "elder"], 2),
            ({"where": [HEAVY], "parameters": {"least": 9}}, [], 0),
            ({"also": [contains(FRUIT.c.name, "an")]}, ["banana"], 1),
            (
                {
                    "filters": {"name__contains": "e"},
                    "where": [HEAVY],
                    "parameters": {"least": 1},
                    "also": [FRUIT.c.weight < 4],
                },
                ["cherry", "date"],
                2,
            ),
        ],
    )
    def test_finds_and_counts_what_all_conditions_match(
        self, fruits: Listing, asked: dict[str, Any], found: list[str], total: int
    ) -> None:
        page = read(fruits, count=True, **asked)
        assert names(page) == found
        assert page.total == total

    def test_makes_records_of_no_more_rows_than_it_shows(self, fruits: Listing) -> None:
        made: list[int] = []

        def make(rows: Sequence[Any]) -> list[Fruit]:
            made.append(len(rows))
            return [Fruit(*row) for row in rows]

        with transaction(write=False):
            fruits.page(make, limit=2, sort="name")
        assert made == [2]

    def test_takes_values_from_this_time_alone(self, fruits: Listing) -> None:
        found = [names(read(fruits, filters={"name": name})) for name in ("apple", "cherry", "apple", "none")]
        assert found == [["apple"], ["cherry"], ["apple"], []]

    def test_builds_a_statement_once(self, app: Flask, fruits: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
        read(fruits, filters={"name__startswith": "a"})
        monkeypatch.delattr(Listing, "_made")
        with statements(app) as seen:
            read(fruits, filters={"name__startswith": "b"})
        assert len(seen) == 1

    def test_keeps_no_more_statements_than_it_says(self, fruits: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_SHAPES", 2)
        conditions = [FRUIT.c.weight >= number for number in range(5)]
        assert [names(read(fruits, where=[condition]))[0] for condition in conditions] == list(NAMES)
        assert len(fruits._shapes) <= 2

    @pytest.mark.parametrize(
        ("asked", "refusal"),
        [({"sort": "age"}, UnknownOrder), ({"after": "x"}, BadCursor), ({"filters": {"age": 1}}, TypeError)],
    )
    def test_refuses_what_is_not_listed(self, fruits: Listing, asked: dict[str, Any], refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            read(fruits, **asked)
