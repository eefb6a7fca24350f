"""Select, beside each row, the rows that belong to it: as JSON that the database makes, in the same statement.

    TAGS = Nested(TagRow, lambda blog_id: select(Tag.id, Tag.name).join(BlogTag).where(BlogTag.blog_id == blog_id))

    row = execute(select(Blog.id, TAGS.beside(Blog.id)).where(Blog.id == bindparam("blog_id"))).one()
    tags = TAGS.read(row[1])

A second statement for them costs a way to the server, and its rows are made one by one in Python.
"""

from collections.abc import Callable, Sequence
from types import GenericAlias
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Label, Select, String, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from application.libs.record import Record

R = TypeVar("R", bound=Record)


class _Objects(GenericFunction[str]):
    """Be one JSON array of objects, of alternately names and values."""

    type = String()
    inherit_cache = True
    name = "nested_objects"


@compiles(_Objects, "sqlite")
def _sqlite(element: _Objects, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_object({compiler.process(element.clauses, **options)}))"


@compiles(_Objects, "postgresql")
def _postgresql(element: _Objects, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_agg(json_build_object({compiler.process(element.clauses, **options)})) AS text)"


@compiles(_Objects, "mysql")
@compiles(_Objects, "mariadb")
def _mariadb(element: _Objects, compiler: SQLCompiler, **options: Any) -> str:
    return f"JSON_ARRAYAGG(JSON_OBJECT({compiler.process(element.clauses, **options)}))"


class Nested(Generic[R]):
    """Be the records that belong to a row, each of texts, numbers and nothing; in no order."""

    def __init__(self, record: type[R], select: Callable[[Any], Select[*tuple[Any, ...]]]) -> None:
        """Take what is made of each, and what selects the columns of its fields by the row's key."""
        self._names: Sequence[str] = record.__struct_fields__
        self._select = select
        self._decode: Callable[[str], list[R]] = msgspec.json.Decoder(GenericAlias(list, record)).decode

    def beside(self, key: ColumnElement[Any] | Any) -> Label[str]:
        """Return the column that holds them, of the row with this key."""
        select = self._select(key)
        columns = zip(self._names, select.selected_columns, strict=True)
        parts = [part for name, column in columns for part in (literal_column(f"'{name}'"), column)]
        return select.with_only_columns(_Objects(*parts)).correlate(key.table).scalar_subquery().label("nested")

    def read(self, value: str | None) -> list[R]:
        """Return the records of such a column."""
        return [] if value is None else self._decode(value)
