"""The engines' indexes behind one condition; what they find is shown in tests/modules/blog/test_search.py."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from application.database import change, db, execute, transaction
from application.database.full_text import (
    FULL_TEXT,
    SearchTerms,
    create_index,
    drop_index,
    is_comparable,
    is_managed,
    matches,
)
from tests.database.counters import build
from tests.services import DATABASES, fresh_database

METADATA = sa.MetaData()
NOTE = sa.Table(
    "note", METADATA, sa.Column("id", sa.String(36), primary_key=True), sa.Column("search", SearchTerms, nullable=False)
)


@pytest.fixture(params=DATABASES)
def notes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Build an application with a table that had rows before it had an index."""
    with fresh_database(request.param, tmp_path_factory.mktemp("notes")) as url:
        app = build(url)
        with app.app_context():
            METADATA.create_all(db.engine)
            with transaction():
                change(NOTE.insert(), [{"id": "0-1", "search": "wwold wwboth"}, {"id": "0-2", "search": ""}])
            with transaction() as unit:
                create_index(unit.connection, "note")
            yield app
            db.engine.dispose()


def search(*terms: str) -> sa.Select[str]:
    return sa.select(NOTE.c.id).where(matches(NOTE.c.id, NOTE.c.search, terms))


def find(*terms: str) -> list[str]:
    with transaction(write=False):
        return list(execute(search(*terms).order_by(NOTE.c.id)).scalars())


class TestCreateIndex:
    def test_takes_in_what_is_there_and_what_comes(self, notes: Flask) -> None:
        with transaction():
            change(NOTE.insert(), id="0-3", search="wwnew wwboth")
        assert (find("wwold"), find("wwboth"), find("wwne*")) == (["0-1"], ["0-1", "0-3"], ["0-3"])
        with transaction():
            change(NOTE.update().where(NOTE.c.id == "0-1").values(search="wwchanged"))
        assert (find("wwold"), find("wwchanged")) == ([], ["0-1"])
        with transaction():
            change(NOTE.delete())
        assert find("ww*") == []

    def test_is_undone(self, notes: Flask) -> None:
        for step in (drop_index, create_index, drop_index):
            with transaction() as unit:
                step(unit.connection, "note")
        assert set(sa.inspect(db.engine).get_table_names()) == {"note"}
        with transaction():
            change(NOTE.insert(), id="0-3", search="wwnew")


class TestMatches:
    def test_asks_for_every_term(self, notes: Flask) -> None:
        assert (find("wwold", "wwboth"), find("wwo*", "wwb*"), find("wwold", "wwnew")) == (["0-1"], ["0-1"], [])

    def test_finds_nothing_without_a_term(self, notes: Flask) -> None:
        assert find() == []

    @pytest.mark.parametrize(
        ("url", "sql", "query"),
        [
            (
                "sqlite://",
                "note.id IN (SELECT key FROM note_fts WHERE note_fts MATCH :param_1)",
                "search : (wwa* AND wwb)",
            ),
            ("postgresql+psycopg://", "note.search @@ :param_1", "wwa:* & wwb"),
            ("mysql+pymysql://", "MATCH (note.search) AGAINST (:param_1 IN BOOLEAN MODE)", "+wwa* +wwb"),
        ],
    )
    def test_speaks_to_each_engine(self, url: str, sql: str, query: str) -> None:
        dialect = sa.create_engine(url, paramstyle="named").dialect
        compiled = search("wwa*", "wwb").compile(dialect=dialect)
        assert str(compiled).endswith(f"WHERE {sql}")
        processor: Any = compiled.binds["param_1"].type.dialect_impl(dialect).bind_processor(dialect)
        assert processor("wwa* wwb") == query


class TestAlembic:
    @pytest.mark.parametrize(
        ("name", "kind", "managed"),
        [
            ("note", "table", True),
            ("note_fts", "table", False),
            ("note_fts_data", "table", False),
            (None, "schema", True),
        ],
    )
    def test_leaves_the_tables_of_fts5_alone(self, name: str | None, kind: str, managed: bool) -> None:
        assert is_managed(name, kind, {}) is managed

    def test_misses_no_index_on_sqlite(self) -> None:
        index, other = sa.Index("ix", "search", **FULL_TEXT), sa.Index("iy", "id")
        assert [is_comparable(name)(index, "ix", "index") for name in ("sqlite", "postgresql")] == [False, True]
        assert is_comparable("sqlite")(other, "iy", "index")
        assert is_comparable("sqlite")(NOTE, "note", "table")
