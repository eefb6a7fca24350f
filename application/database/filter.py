"""Turn the filters a client may choose into conditions: an allow-list of columns and operators for each list.

    FILTERS = Filters({"title": Filter(Blog.title, *TEXT), "created_at": Filter(Blog.created_at, *RANGE)})
    chosen = FILTERS.chosen({"title__contains": "flask", "created_at__gte": None})
    execute(statement.where(*FILTERS.conditions(chosen)), **FILTERS.parameters(chosen))

A filter is called `column__operator`, equality by the column alone; one that is None was not given. Conditions hold
no values, so that statements are built once (`listing.py`).
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import String

from application.database.collation import LOWERING

Condition = ColumnElement[bool]
_ESCAPE = "\\"
_PREFIX = "filter_"

Operator = Callable[[Any, Any], Condition]

TEXT = ("eq", "contains", "startswith")
"""The operators of text."""

RANGE = ("gt", "gte", "lt", "lte")
"""The operators of times and numbers."""

FLAG = ("eq",)
"""The operator of what is true or false."""

CHOICE = ("eq", "in")
"""The operators of ids and of what is one of few."""


class _Lowered(GenericFunction[str]):
    """Be a text in small letters."""

    type = String()
    inherit_cache = True
    name = "lowered"


@compiles(_Lowered)
def _lowered(element: _Lowered, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(_Lowered, "mysql")
@compiles(_Lowered, "mariadb")
def _lowered_by_mariadb(element: _Lowered, compiler: SQLCompiler, **options: Any) -> str:
    """Lower by a collation that knows all letters; the tables' own knows those of Unicode 3.0, and compares."""
    text = compiler.process(element.clauses, **options)
    return f"(lower({text} COLLATE {LOWERING}) COLLATE utf8mb4_nopad_bin)"


def contains(column: Any, text: str) -> Condition:
    """Match the text anywhere in the column, in either case, literally: `%` and `_` mean themselves.

    Each letter is compared alone: `Σ` is `σ` also at a word's end, and never `ς`. PostgreSQL takes from the database's
    locale which letters have two cases; the others know Unicode's.
    """
    return _like(column, _within(text))


def starts_with(column: Any, text: str) -> Condition:
    """Match the text at the beginning of the column, in either case, literally."""
    return _like(column, _beginning(text))


def _like(column: Any, pattern: Any) -> Condition:
    return _Lowered(column).like(_Lowered(pattern), escape=_ESCAPE)


def _within(text: str) -> str:
    return f"%{_literal(text)}%"


def _beginning(text: str) -> str:
    return f"{_literal(text)}%"


def _literal(text: str) -> str:
    return re.sub(r"[\\%_]", r"\\\g<0>", text)


_OPERATORS: Mapping[str, Operator] = {
    "eq": operator.eq,
    "ne": lambda column, value: column.is_distinct_from(value),  # null is another value, too
    "in": lambda column, values: column.in_(values),
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "contains": _like,
    "startswith": _like,
}
_PATTERNS: Mapping[str, Callable[[str], str]] = {"contains": _within, "startswith": _beginning}


class Filter:
    """Allow some operators on one column; `through` finds rows by another table's column."""

    def __init__(self, column: Any, *operators: str, through: tuple[Any, Any] | None = None) -> None:
        """Take the column; `through` is the list's own key and the other table's column that points to it."""
        unknown = [name for name in operators if name not in _OPERATORS]
        if unknown or not operators:
            message = f"There is no operator {unknown}; choose from {', '.join(_OPERATORS)}"
            raise TypeError(message)
        if _PATTERNS.keys() & set(operators) and not isinstance(column.type, String):
            message = (
                f"{column} is no text; choose from {', '.join(name for name in _OPERATORS if name not in _PATTERNS)}"
            )
            raise TypeError(message)
        self.column = column
        self.operators = operators
        self._through = through

    def condition(self, name: str, parameter: str) -> Condition:
        """Return what matches the rows that an operator chooses by the parameter of this name."""
        value: BindParameter[Any] = bindparam(
            parameter, type_=String() if name in _PATTERNS else None, expanding=name == "in"
        )
        condition = _OPERATORS[name](self.column, value)
        if self._through is None:
            return condition
        key, pointer = self._through
        related: Condition = key.in_(select(pointer).where(condition))
        return related


class Filters:
    """List what a list can be filtered by."""

    def __init__(self, filters: Mapping[str, Filter]) -> None:
        """Take the allowed filters by the column's name on the wire."""
        self._known = {
            column if name == "eq" else f"{column}__{name}": (choice, name)
            for column, choice in filters.items()
            for name in choice.operators
        }

    def names(self) -> list[str]:
        """Return the names of all filters."""
        return list(self._known)

    def chosen(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return those that are given; raise TypeError for one that is not listed."""
        if not values.keys() <= self._known.keys():
            unknown = sorted(values.keys() - self._known.keys())
            message = f"There is no filter {unknown}; the filters are {', '.join(self._known)}"
            raise TypeError(message)
        return {name: value for name, value in values.items() if value is not None}

    def conditions(self, names: Iterable[str]) -> list[Condition]:
        """Return the conditions of these filters, all of which must hold."""
        return [self._known[name][0].condition(self._known[name][1], f"{_PREFIX}{name}") for name in names]

    def parameters(self, chosen: Mapping[str, object]) -> dict[str, object]:
        """Return the values of the conditions."""
        return {f"{_PREFIX}{name}": self._value(name, value) for name, value in chosen.items()}

    def _value(self, name: str, value: Any) -> object:
        pattern = _PATTERNS.get(self._known[name][1])
        return value if pattern is None else pattern(value)
