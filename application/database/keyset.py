"""Cut a statement into pages by key instead of OFFSET: the last page costs what the first costs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, Select, String, Subquery, and_, bindparam, or_

from application.database.types import Id
from application.libs.declaration import DeclarationError
from application.libs.error import field_error
from application.libs.ident import is_id
from application.libs.page import MAX_SORT_TEXT, UnknownOrder, bad_cursor, decode_cursor, encode_cursor
from application.libs.record import Record

_SORTABLE = (str, int, datetime)
_VALUE, _TIE, _MOST = "after_value", "after_tie", "most_rows"

AnySelect = Select[*tuple[Any, ...]]


class Orders:
    """List what a list can be sorted by: column by name, ties broken by the unique `tie` column (`id`)."""

    def __init__(self, columns: Mapping[str, Any], *, tie: Any) -> None:
        """Take the allowed columns by the name the client gives and the record carries."""
        for name, column in columns.items():
            if column.type.python_type not in _SORTABLE or column.nullable:
                message = f"A list of {column.table.name!r} cannot be paged by {name!r}"
                raise DeclarationError(f"{message}; choose a text, integer, id or time that is never null")
            if isinstance(column.type, String) and (column.type.length or MAX_SORT_TEXT + 1) > MAX_SORT_TEXT:
                message = f"A cursor cannot carry {name!r}; choose a text of at most {MAX_SORT_TEXT} characters"
                raise DeclarationError(message)
        self._columns = dict(columns)
        self._tie = tie

    def names(self) -> list[str]:
        """Return the allowed values of `sort`, each also with a minus for descending."""
        return [name for column in self._columns for name in (column, f"-{column}")]

    def check(self, *, sort: str, after: str | None) -> None:
        """Raise `UnknownOrder` for an order that is not allowed, `BadCursor` for a cursor that was not made for it."""
        column, _descending = self._choose(sort)
        if after is not None:
            self._bounds(column, sort, after)

    def page(self, statement: AnySelect, *, sort: str, follows: bool) -> AnySelect:
        """Return the statement of a page, the first one or one that follows a cursor; `parameters` are its values."""
        column, descending = self._choose(sort)
        if follows:
            statement = statement.where(self._behind(column, descending=descending))
        return statement.order_by(*self._order(sort)).limit(bindparam(_MOST, type_=Integer()))

    def again(self, page: Subquery, statement: AnySelect, *, sort: str) -> AnySelect:
        """Return a statement that reads from a page, in the same order."""
        return statement.order_by(*self._order(sort, page))

    def parameters(self, *, sort: str, after: str | None, limit: int) -> dict[str, object]:
        """Return the values of a page's statement, which gives one item more; raise `UnknownOrder` or `BadCursor`."""
        if after is None:
            return {_MOST: limit + 1}
        column, _descending = self._choose(sort)
        value, tie = self._bounds(column, sort, after)
        return {_MOST: limit + 1, _VALUE: value, _TIE: tie}

    def cursor(self, record: Record, *, sort: str) -> str:
        """Return the cursor of the page behind a record."""
        last: Any = record
        value = getattr(last, sort.removeprefix("-"))
        return encode_cursor(sort, [value.isoformat() if isinstance(value, datetime) else value, last.id])

    def key(self, page: Subquery | None = None) -> Any:
        """Return the unique column of a row, or of a row of a page."""
        return _column(self._tie, page)

    def _order(self, sort: str, page: Subquery | None = None) -> list[ColumnElement[Any]]:
        column, descending = self._choose(sort)
        keys = (column,) if self._is_unique(column) else (column, self._tie)
        found = [_column(key, page) for key in keys]
        return [key.desc() if descending else key.asc() for key in found]

    def _choose(self, sort: str) -> tuple[Any, bool]:
        name = sort.removeprefix("-")
        if name not in self._columns:
            message = f"Sort by one of {', '.join(self.names())}"
            raise UnknownOrder(errors=[field_error("query", "sort", msg=message, type_="sort")])
        return self._columns[name], sort.startswith("-")

    def _behind(self, column: Any, *, descending: bool) -> ColumnElement[bool]:
        bound: BindParameter[Any] = bindparam(_VALUE)
        if self._is_unique(column):
            beyond: ColumnElement[bool] = column < bound if descending else column > bound
            return beyond
        tie: BindParameter[Any] = bindparam(_TIE)
        # `a <= x AND (a < x OR …)`, not `a < x OR (a = x AND …)`: the first part lets an index seek to the cursor
        if descending:
            return and_(column <= bound, or_(column < bound, self._tie < tie))
        return and_(column >= bound, or_(column > bound, self._tie > tie))

    def _is_unique(self, column: Any) -> bool:
        """Tell whether there are no ties to break; MariaDB would sort all rows for them, past the unique index."""
        return column is self._tie or bool(column.unique)

    def _bounds(self, column: Any, sort: str, after: str) -> tuple[object, object]:
        """Return what a cursor says of the last item: its value of the column, and its tie."""
        value, tie = decode_cursor(after, sort, [_kind(column), _kind(self._tie)])
        return _bound(column, value), _bound(self._tie, tie)


def _column(column: Any, page: Subquery | None) -> Any:
    return column if page is None else page.corresponding_column(column)


def _kind(column: Any) -> type:
    """Return what a cursor carries for the column: text or a whole number."""
    return int if column.type.python_type is int else str


def _bound(column: Any, value: str | int) -> object:
    """Return a cursor's value as the column compares it; whoever makes a cursor up is refused on every database."""
    if isinstance(column.type, Id) and not is_id(str(value)):
        raise bad_cursor()
    if column.type.python_type is not datetime:
        return value
    try:
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise bad_cursor()
