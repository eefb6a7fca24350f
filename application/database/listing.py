"""Read pages of a select: each combination of order, filters and conditions is a statement that is built once.

    _LIST = Listing(_ALL, ORDERS, FILTERS)

    return _LIST.page(_rows, limit=limit, after=after, sort=sort, count=count, filters=filters)

Building a statement and adapting its result to it takes longer than the database takes to answer
(docs/performance.md), so only the values change from one request to the next.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Row, func, select

from application.database.filter import Condition, Filters
from application.database.keyset import AnySelect, Orders
from application.database.nested import Nested
from application.database.unit import execute
from application.libs.page import Page
from application.libs.record import Record

MOST_SHAPES = 500
"""How many statements of one list are kept; who asks chooses the combination, and there are very many."""

R = TypeVar("R", bound=Record)

AnyRow = Row[*tuple[Any, ...]]


class _Shape(NamedTuple):
    """Hold the statements of one combination: all rows, a page of them, and how many there are."""

    rows: AnySelect
    page: AnySelect
    total: AnySelect


class Listing:
    """Be a list that is read page by page."""

    def __init__(
        self,
        statement: AnySelect,
        orders: Orders,
        filters: Filters | None = None,
        *,
        nested: Sequence[Nested[Any]] = (),
    ) -> None:
        """Take what selects all rows, how they may be sorted and filtered, and what is nested in each."""
        self._statement = statement
        self._nested = nested
        self._orders = orders
        self._filters = filters if filters is not None else Filters({})
        self._shapes: dict[tuple[object, ...], _Shape] = {}

    def page(
        self,
        make: Callable[[Sequence[AnyRow]], Sequence[R]],
        *,
        limit: int,
        sort: str,
        after: str | None = None,
        count: bool = False,
        filters: Mapping[str, object] | None = None,
        where: Sequence[Condition] = (),
        also: Sequence[Condition] = (),
        parameters: Mapping[str, object] | None = None,
    ) -> Page[R]:
        """Return a page of the records that `make` makes of its rows, one of each.

        `where` are conditions that are made once, with values bound by name, which `parameters` then gives; `also` are
        conditions of this one time, which are compiled once and built each time. Raise `UnknownOrder` or `BadCursor`.
        """
        chosen = self._filters.chosen(filters or {})
        shape = self._shape(sort, after is not None, tuple(chosen), tuple(where))
        values = {**(parameters or {}), **self._filters.parameters(chosen)}
        cut = self._orders.parameters(sort=sort, after=after, limit=limit)
        if also:
            shape = self._made(shape.rows.where(*also), sort=sort, follows=after is not None, is_sifted=True)
        found = execute(shape.page, **values, **cut).all()
        records = make(found[:limit])
        following = self._orders.cursor(records[-1], sort=sort) if len(found) > limit else None
        total: int | None = execute(shape.total, **values).scalar_one() if count else None
        return Page(items=records, limit=limit, next=following, total=total)

    def statement(self, *, sort: str, where: Sequence[Condition] = ()) -> AnySelect:
        """Return the statement of a first page without filters, for who looks at what it costs."""
        return self._shape(sort, False, (), tuple(where)).page

    def _shape(self, sort: str, follows: bool, names: tuple[str, ...], where: tuple[Condition, ...]) -> _Shape:
        key = (sort, follows, names, where)
        known = self._shapes.get(key)
        if known is not None:
            return known
        statement = self._statement.where(*self._filters.conditions(names), *where)
        shape = self._made(statement, sort=sort, follows=follows, is_sifted=bool(names))
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        self._shapes[key] = shape
        return shape

    def _made(self, rows: AnySelect, *, sort: str, follows: bool, is_sifted: bool) -> _Shape:
        page = self._orders.page(rows, sort=sort, follows=follows)
        if self._nested:
            page = self._around(page, sort) if is_sifted else self._beside(page)
        return _Shape(rows, page, select(func.count()).select_from(rows.subquery()))

    def _beside(self, page: AnySelect) -> AnySelect:
        return page.add_columns(*(nested.beside(self._orders.key()) for nested in self._nested))

    def _around(self, page: AnySelect, sort: str) -> AnySelect:
        """Return what selects from a page: rows that are filtered may have to be sorted, and those that fall out cost.

        In SQLite it takes 17 µs more than to select beside the rows of a page, which an index gives in their order.
        """
        cut = page.subquery("page")
        beside = (nested.beside(self._orders.key(cut)) for nested in self._nested)
        return self._orders.again(cut, select(*cut.columns, *beside), sort=sort)


def each(make: Callable[[AnyRow], R]) -> Callable[[Sequence[AnyRow]], list[R]]:
    """Return what makes a record of each row."""
    return lambda rows: [make(row) for row in rows]
