"""Statements that are met again run on the driver's cursor, and do what SQLAlchemy would."""

import gc
import weakref
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import IntegrityError, InvalidRequestError, StatementError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TupleType

from application import modules
from application.database import UtcDateTime, change, db, execute, transaction
from application.database import prepared as module
from application.database.prepared import LONGEST_LIST, Plan, Prepared
from application.libs.error import Conflict
from tests.database.counters import COUNTER, READ, put, value
from tests.statements import statements

DIALECTS: tuple[Any, ...] = (sqlite.dialect, postgresql.psycopg.dialect, mysql.pymysql.dialect)
NAMES = sa.select(COUNTER.c.name).where(COUNTER.c.id.in_(sa.bindparam("keys", expanding=True)))
PAIRS = sa.select(COUNTER.c.name).where(
    sa.tuple_(COUNTER.c.id, COUNTER.c.name).in_(sa.bindparam("pairs", expanding=True))
)
TABLE = sa.table("counter", sa.column("id", sa.Integer), sa.column("value", sa.Integer))


class Taken(Conflict):
    """It is taken."""


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Collect the statements that SQLAlchemy runs itself."""
    run: list[object] = []
    original = sa.Connection.execute

    def execute_noted(connection: sa.Connection, statement: Any, *arguments: Any, **options: Any) -> Any:
        run.append(statement)
        return original(connection, statement, *arguments, **options)

    monkeypatch.setattr(sa.Connection, "execute", execute_noted)
    return run


def meet(statement: Any, **parameters: Any) -> list[Any]:
    """Run a statement once more in a unit of its own."""
    with transaction(write=bool(statement.is_dml)):
        return [tuple(row) for row in execute(statement, **parameters)]


@pytest.mark.usefixtures("context")
class TestPrepared:
    def test_runs_what_is_met_again_without_sqlalchemy(self, driver: list[object]) -> None:
        select = sa.select(COUNTER.c.name, COUNTER.c.value).where(COUNTER.c.id == sa.bindparam("key"))
        for _time in range(4):
            assert meet(select, key=2) == [("b", 0)]
        assert meet(select, key=3) == []
        assert len(driver) == 2

    def test_forgets_a_statement_that_is_made_for_once(self) -> None:
        select = sa.select(COUNTER.c.id)
        meet(select)
        lives = weakref.ref(select)
        del select
        db.engine.clear_compiled_cache()
        gc.collect()
        assert lives() is None

    def test_keeps_few_plans(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_PLANS", 50)
        prepared = Prepared(db.engine.dialect)
        for keys in range(90):
            for _time in range(3):
                prepared.plan(NAMES, {"keys": list(range(keys))})
            kept = sum(len(form.plans) for forms in prepared._forms.values() for form in forms.values() if form)
            assert kept <= 50
        assert prepared.plan(NAMES, {"keys": list(range(89))}) is not None

    def test_writes(self, driver: list[object]) -> None:
        update = COUNTER.update().where(COUNTER.c.id == sa.bindparam("key"))
        for number in range(4):
            with transaction():
                assert change(update, key=1, value=number) == 1
                assert value() == number
        assert driver.count(update) == 2
        with transaction():
            assert change(update, key=9, value=1) == 0

    def test_inserts_many_and_undoes_them(self) -> None:
        insert = COUNTER.insert()
        for _time in range(4):
            with pytest.raises(RuntimeError), transaction():
                assert change(insert, [{"id": key, "name": f"c{key}", "value": key} for key in (5, 6)]) == 2
                assert value(6) == 6
                raise RuntimeError
        with transaction(write=False):
            assert execute(READ, key=6).one_or_none() is None

    @pytest.mark.parametrize(
        "uneven",
        [[{"id": 5, "name": "c5", "value": 5}, {"id": 6, "name": "c6"}], [{"id": 5, "name": "c5", "value": 5}, {}]],
    )
    def test_misses_a_value_of_one_of_many(self, uneven: list[dict[str, Any]]) -> None:
        insert = COUNTER.insert()
        for _time in range(4):
            with pytest.raises((StatementError, InvalidRequestError), match="required"), transaction():
                change(insert, uneven)
        with transaction(write=False):
            assert execute(READ, key=5).one_or_none() is None

    def test_changes_by_many_lists(self) -> None:
        delete = COUNTER.delete().where(COUNTER.c.id.in_(sa.bindparam("keys", expanding=True)))
        for _time in range(4):
            with transaction():
                change(delete, keys=[8, 9])
            with pytest.raises(sa.exc.SQLAlchemyError), transaction():
                change(delete, [{"keys": [1, 2]}, {"keys": [3]}])
            assert sorted(meet(NAMES, keys=[1, 2])) == [("a",), ("b",)]

    def test_leaves_texts_among_columns_to_sqlalchemy(self) -> None:
        select = sa.select(sa.text("1 AS one, 2 AS two"), COUNTER.c.name).where(COUNTER.c.id == 1)
        for _time in range(4):
            assert meet(select) == [(1, 2, "a")]

    def test_takes_other_names_for_another_statement(self) -> None:
        update = COUNTER.update().where(COUNTER.c.id == sa.bindparam("key"))
        for _time in range(3):
            with transaction():
                change(update, key=1, value=4)
                change(update, key=1, name="z")
        assert meet(sa.select(COUNTER.c.name, COUNTER.c.value).where(COUNTER.c.id == 1)) == [("z", 4)]

    @pytest.mark.parametrize("keys", [[], [1], [1, 2, 7], list(range(LONGEST_LIST + 1))])
    def test_writes_lists_out(self, keys: list[int]) -> None:
        for _time in range(4):
            assert sorted(meet(NAMES, keys=keys)) == [(name,) for key, name in ((1, "a"), (2, "b")) if key in keys]

    def test_leaves_pairs_to_sqlalchemy(self) -> None:
        for _time in range(4):
            assert meet(PAIRS, pairs=[(1, "a"), (2, "x")]) == [("a",)]

    def test_leaves_defaults_to_sqlalchemy(self) -> None:
        metadata = sa.MetaData()
        made = iter(range(100))
        table = sa.Table(
            "defaulted",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False, default=lambda: next(made)),
            sa.Column("name", sa.String(9)),
        )
        metadata.create_all(db.engine)
        try:
            insert = table.insert()
            for _time in range(4):
                with transaction():
                    change(insert, name="x")
            assert meet(sa.select(sa.func.count(sa.distinct(table.c.id)))) == [(4,)]
        finally:
            metadata.drop_all(db.engine)

    def test_shows_each_statement_to_who_listens(self, counting: Flask) -> None:
        for _time in range(3):
            meet(READ, key=1)
        with statements(counting) as seen:
            meet(READ, key=1)
        assert len(seen) == 1

    def test_raises_what_sqlalchemy_would(self) -> None:
        insert = COUNTER.insert()
        for _time in range(4):
            with pytest.raises(Taken) as raised, transaction():
                change(insert, conflict=Taken, id=1, name="c", value=0)
            cause = raised.value.__cause__
            assert isinstance(cause, IntegrityError)
            assert "INSERT INTO counter" in str(cause)
            assert "'c'" not in str(cause)

    def test_says_what_cannot_be_converted(self) -> None:
        times = sa.select(sa.bindparam("moment", type_=UtcDateTime()))
        for moment in ("x", "y", "z", "u"):
            with pytest.raises(StatementError), transaction(write=False):
                execute(times, moment=moment).all()

    def test_misses_a_value_that_is_not_given(self) -> None:
        for _time in range(4):
            with pytest.raises(StatementError, match="key"), transaction(write=False):
                execute(READ).all()

    def test_reads_after_writing_in_one_unit(self) -> None:
        for number in range(4):
            with transaction():
                put(number)
                assert value() == number
            with transaction(write=False):
                assert value() == number


def of_ours() -> Iterator[Any]:
    """Yield the statements that the modules of the application run."""
    for found in walk_packages(modules.__path__, f"{modules.__name__}."):
        for item in vars(import_module(found.name)).values():
            if isinstance(item, sa.Select | sa.CompoundSelect | sa.Insert | sa.Update | sa.Delete):
                yield item


def parameters_of(statement: Any) -> dict[str, Any]:
    """Return values for all that a statement wants."""
    given = dict.fromkeys(statement.table.columns.keys(), "x") if isinstance(statement, sa.Insert) else {}
    binds = statement.compile(column_keys=list(given)).bind_names
    return given | {bind.key: ["x", "y"] if bind.expanding else "x" for bind in binds if bind.required}


def converted_by_sqlalchemy(compiled: SQLCompiler, parameters: dict[str, Any]) -> dict[str, bool]:
    """Return which places SQLAlchemy converts the values of."""
    state = compiled.construct_expanded_state(parameters)
    names = state.positiontup if state.positiontup is not None else list(state.parameters)
    converted = {**compiled._bind_processors, **state.processors}
    return {name: name in converted for name in names}


@pytest.mark.one_database
class TestOurs:
    @pytest.mark.parametrize("make", DIALECTS, ids=lambda make: make.name)
    def test_are_converted_as_sqlalchemy_does(self, make: Any) -> None:
        dialect, compared = make(), 0
        for statement in of_ours():
            parameters = parameters_of(statement)
            compiled: Any = statement.compile(dialect=dialect, column_keys=list(parameters))
            if any(isinstance(bind.type, TupleType) for bind in compiled.bind_names):
                continue
            plan = Plan(statement, compiled, dialect, parameters)
            wanted = converted_by_sqlalchemy(compiled, parameters)
            assert {slot.name: slot.convert is not None for slot in plan._slots} == wanted, compiled.string
            assert [type(kind) for kind in plan._types] == [type(it.type) for it in compiled._result_columns]
            compared += 1
        assert compared > 200

    def test_are_nearly_all_prepared(self) -> None:
        prepared, left = Prepared(sqlite.dialect()), []
        for statement in of_ours():
            parameters = parameters_of(statement)
            plans = [prepared.plan(statement, parameters) for _time in range(3)]
            if plans[-1] is None:
                left.append(str(statement))
        assert len(left) < 5, left
