"""Search text by the engine's own index: FTS5 on SQLite, a tsvector on PostgreSQL, FULLTEXT on MariaDB.

A table keeps the terms of its text (`libs/search_text.py`) in one column that its rules fill:

    search: Mapped[str] = mapped_column(SearchTerms, server_default="")
    Index("ix_blog_search", "search", **FULL_TEXT)

    statement.where(matches(Blog.id, Blog.search, ["wwhello*", "ccz0ffxz0k1z"]))

SQLite has no index of that kind; a virtual table, `blog_fts`, stands beside and is kept in step by triggers. Migrations
call `create_index` and `drop_index`; one that makes the table anew on SQLite (`batch_alter_table`) calls both around
it, because the triggers go with the old table.
"""

from collections.abc import Callable, Sequence
from string import Template
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, false
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import Boolean, TypeDecorator, TypeEngine

FULL_TEXT: dict[str, Any] = {
    "postgresql_using": "gin",
    "mysql_prefix": "FULLTEXT",
    "mariadb_prefix": "FULLTEXT",
    "info": {"full_text": True},
}
"""The options of the index on a column of `SearchTerms`."""

_COLUMN = "search"
_SUFFIX = "_fts"

_IN_FTS5 = Template("$key IN (SELECT key FROM ${table}_fts WHERE ${table}_fts MATCH $query)")
_FORGET = """DELETE FROM ${table}_fts WHERE ${table}_fts MATCH 'key : "' || old.id || '"';"""
_NOTE = "INSERT INTO ${table}_fts (key, search) VALUES (new.id, new.search);"
_CREATE_FTS5 = (
    Template(
        "CREATE VIRTUAL TABLE ${table}_fts "
        "USING fts5(key, search, detail=column, tokenize=\"unicode61 tokenchars '-'\")"  # an id is one token
    ),
    Template("CREATE TRIGGER ${table}_fts_insert AFTER INSERT ON $table BEGIN " + _NOTE + " END"),
    Template("CREATE TRIGGER ${table}_fts_delete AFTER DELETE ON $table BEGIN " + _FORGET + " END"),
    Template(
        "CREATE TRIGGER ${table}_fts_update AFTER UPDATE OF id, search ON $table BEGIN " + _FORGET + _NOTE + " END"
    ),
    Template("INSERT INTO ${table}_fts (key, search) SELECT id, search FROM $table"),
)


class SearchTerms(TypeDecorator[str]):
    """Hold terms of ASCII letters and digits, separated by blanks: text, on PostgreSQL a tsvector."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TSVECTOR())
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.MEDIUMTEXT())
        return dialect.type_descriptor(Text())


class _Query(TypeDecorator[str]):
    """Write terms, an asterisk behind those that are beginnings, as the engine's query that all must be there."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.TSQUERY() if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        if dialect.name == "postgresql":
            return lambda terms: " & ".join(term.replace("*", ":*") for term in terms.split())
        if dialect.name == "sqlite":
            return lambda terms: "search : (" + " AND ".join(terms.split()) + ")"
        return lambda terms: " ".join(f"+{term}" for term in terms.split())


class _Matches(GenericFunction[bool]):
    """Be the condition that a row holds all terms."""

    type = Boolean()
    inherit_cache = True
    name = "full_text_matches"

    def self_group(self, against: Any = None) -> "_Matches":
        """Stand alone: without this `= 1` is added where a database has no booleans, and MariaDB's is a relevance."""
        del against
        return self


@compiles(_Matches, "sqlite")
def _sqlite(element: _Matches, compiler: SQLCompiler, **options: Any) -> str:
    key, column, query = element.clauses
    key_text, query_text = (compiler.process(part, **options) for part in (key, query))
    return _IN_FTS5.substitute(key=key_text, table=column.table.name, query=query_text)


@compiles(_Matches, "postgresql")
def _postgresql(element: _Matches, compiler: SQLCompiler, **options: Any) -> str:
    _key, column, query = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} @@ {query}"


@compiles(_Matches, "mysql")
@compiles(_Matches, "mariadb")
def _mariadb(element: _Matches, compiler: SQLCompiler, **options: Any) -> str:
    _key, column, query = (compiler.process(part, **options) for part in element.clauses)
    return f"MATCH ({column}) AGAINST ({query} IN BOOLEAN MODE)"


def matches(key: Any, column: Any, terms: Sequence[str]) -> ColumnElement[bool]:
    """Match the rows whose column holds every term; without any term, none. `key` is the table's primary key.

    MariaDB finds what is committed only, not what the same transaction has written; a very large text a moment later.
    """
    if not terms:
        return false()
    return _Matches(key, column, bindparam(None, " ".join(terms), type_=_Query()))


def create_index(connection: Connection, table: str) -> None:
    """Make what finds the rows of the table by its column `search`, and take in the rows that are there."""
    name = connection.dialect.name
    if name != "sqlite":
        how = f"USING gin ({_COLUMN})" if name == "postgresql" else f"({_COLUMN})"
        kind = "INDEX" if name == "postgresql" else "FULLTEXT INDEX"
        connection.exec_driver_sql(f"CREATE {kind} ix_{table}_{_COLUMN} ON {table} {how}")
        return
    for statement in _CREATE_FTS5:
        connection.exec_driver_sql(statement.substitute(table=table))


def drop_index(connection: Connection, table: str) -> None:
    """Take away what `create_index` made."""
    name = connection.dialect.name
    if name == "sqlite":
        fts = f"{table}{_SUFFIX}"
        for event in ("insert", "delete", "update"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {fts}_{event}")
        connection.exec_driver_sql(f"DROP TABLE {fts}")
    elif name == "postgresql":
        connection.exec_driver_sql(f"DROP INDEX ix_{table}_{_COLUMN}")
    else:
        connection.exec_driver_sql(f"DROP INDEX ix_{table}_{_COLUMN} ON {table}")


def is_managed(name: str | None, kind: str, _parents: Any) -> bool:
    """Tell Alembic (`include_name`) to leave FTS5's tables alone, which are in no metadata."""
    return not (kind == "table" and name is not None and _SUFFIX in name)


def is_comparable(dialect: str) -> Callable[..., bool]:
    """Return what tells Alembic (`include_object`) not to miss an index that SQLite has none of."""

    def compare(item: Any, _name: str | None, kind: str, *_more: Any) -> bool:
        return not (dialect == "sqlite" and kind == "index" and item.info.get("full_text", False))

    return compare
