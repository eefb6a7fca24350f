"""Rows nested in rows, by the database."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import Id, change, db, execute, transaction
from application.database.filter import TEXT, Filter, Filters
from application.database.keyset import Orders
from application.database.listing import Listing, each
from application.database.nested import Nested
from application.libs.ident import new_id
from application.libs.page import Page
from application.libs.record import Record
from tests.statements import statements

METADATA = sa.MetaData()
TREE = sa.Table(
    "tree",
    METADATA,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(20), nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
)
NEST = sa.Table(
    "nest",
    METADATA,
    sa.Column("id", Id, primary_key=True),
    sa.Column("tree_id", Id, nullable=False),
    sa.Column("bird", sa.String(20)),
    sa.Column("eggs", sa.Integer, nullable=False),
)
NAMES = ("ash", "beech", "cedar", "date")
BIRDS: dict[str, list[tuple[str | None, int]]] = {
    "ash": [("jay", 2), ('a "quoted" \\ one', 0)],
    "cedar": [("鹊", 3), (None, 1)],
}


class Nest(Record):
    bird: str | None
    eggs: int


class Tree(Record):
    id: str
    name: str
    nests: list[Nest]


NESTS = Nested(Nest, lambda tree_id: sa.select(NEST.c.bird, NEST.c.eggs).where(NEST.c.tree_id == tree_id))
ALL = sa.select(TREE.c.id, TREE.c.name, TREE.c.height)
ONE = sa.select(TREE.c.id, TREE.c.name, NESTS.beside(TREE.c.id)).where(TREE.c.name == sa.bindparam("name"))


@pytest.fixture
def trees(app: Flask) -> Iterator[Listing]:
    with app.app_context():
        METADATA.create_all(db.engine)
        rows = [{"id": new_id(), "name": name, "height": -number} for number, name in enumerate(NAMES)]
        nests = [
            {"id": new_id(), "tree_id": row["id"], "bird": bird, "eggs": eggs}
            for row in rows
            for bird, eggs in BIRDS.get(str(row["name"]), ())
        ]
        with transaction():
            change(sa.insert(TREE), rows)
            change(sa.insert(NEST), nests)
        orders = Orders({"name": TREE.c.name, "height": TREE.c.height}, tie=TREE.c.id)
        yield Listing(ALL, orders, Filters({"name": Filter(TREE.c.name, *TEXT)}), nested=[NESTS])
        METADATA.drop_all(db.engine)


def read(listing: Listing, **asked: Any) -> Page[Tree]:
    """Read a page of two by name, unless something else is asked for."""
    given: dict[str, Any] = {"limit": 2, "sort": "name", **asked}
    with transaction(write=False):
        return listing.page(each(lambda row: Tree(row.id, row.name, NESTS.read(row.nested))), **given)


def birds(page: Page[Tree]) -> dict[str, list[tuple[str | None, int]]]:
    return {tree.name: sorted(((nest.bird, nest.eggs) for nest in tree.nests), key=str) for tree in page.items}


def expected(*names: str) -> dict[str, list[tuple[str | None, int]]]:
    return {name: sorted(BIRDS.get(name, []), key=str) for name in names}


@pytest.mark.usefixtures("trees")
class TestNested:
    @pytest.mark.parametrize("name", NAMES)
    def test_are_the_records_of_the_row(self, name: str) -> None:
        for _time in range(3):
            with transaction(write=False):
                row = execute(ONE, name=name).one()
            assert sorted(((nest.bird, nest.eggs) for nest in NESTS.read(row.nested)), key=str) == expected(name)[name]

    def test_are_as_many_as_the_record_has_fields(self) -> None:
        lacking = Nested(Nest, lambda tree_id: sa.select(NEST.c.bird).where(NEST.c.tree_id == tree_id))
        with pytest.raises(ValueError, match="zip"):
            lacking.beside(TREE.c.id)


class TestListing:
    def test_shows_them_in_one_statement(self, app: Flask, trees: Listing) -> None:
        with statements(app) as seen:
            page = read(trees)
        assert len(seen) == 1
        assert birds(page) == expected("ash", "beech")
        assert birds(read(trees, after=page.next)) == expected("cedar", "date")

    @pytest.mark.parametrize(("sort", "names"), [("-name", ["cedar", "ash"]), ("height", ["cedar", "ash"])])
    def test_shows_them_in_order_where_rows_are_filtered(
        self, app: Flask, trees: Listing, sort: str, names: list[str]
    ) -> None:
        with statements(app) as seen:
            page = read(trees, sort=sort, filters={"name__contains": "a"}, limit=3, count=True)
        assert len(seen) == 2
        assert [tree.name for tree in page.items] == ["date", *names]
        assert birds(page) == expected("date", "cedar", "ash")
        assert page.total == 3

    def test_follows_a_cursor_among_filtered_rows(self, trees: Listing) -> None:
        page = read(trees, filters={"name__contains": "a"})
        assert [tree.name for tree in page.items] == ["ash", "cedar"]
        assert birds(read(trees, filters={"name__contains": "a"}, after=page.next)) == expected("date")

    def test_shows_them_with_a_condition_of_this_one_time(self, trees: Listing) -> None:
        assert birds(read(trees, also=[TREE.c.name == "cedar"])) == expected("cedar")
