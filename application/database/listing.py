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

    def __init__(self, statement: AnySelect, orders: Orders, filters: Filters | None = None) -> None:
        """Take what selects all rows, and how they may be sorted and filtered."""
        self._statement = statement
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
            shape = _shape(shape.rows.where(*also), self._orders, sort=sort, follows=after is not None)
        found = execute(shape.page, **values, **cut).all()
        records = make(found[:limit])
        following = self._orders.cursor(records[-1], sort=sort) if len(found) > limit else None
        total: int | None = execute(shape.total, **values).scalar_one() if count else None
        return Page(items=records, limit=limit, next=following, total=total)

    def _shape(self, sort: str, follows: bool, names: tuple[str, ...], where: tuple[Condition, ...]) -> _Shape:
        key = (sort, follows, names, where)
        known = self._shapes.get(key)
        if known is not None:
            return known
        statement = self._statement.where(*self._filters.conditions(names), *where)
        shape = _shape(statement, self._orders, sort=sort, follows=follows)
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        self._shapes[key] = shape
        return shape


def each(make: Callable[[AnyRow], R]) -> Callable[[Sequence[AnyRow]], list[R]]:
    """Return what makes a record of each row."""
    return lambda rows: [make(row) for row in rows]


def _shape(rows: AnySelect, orders: Orders, *, sort: str, follows: bool) -> _Shape:
    return _Shape(
        rows,
        orders.page(rows, sort=sort, follows=follows),
        select(func.count()).select_from(rows.subquery()),
    )
