"""The unit of work: when it opens, what it commits, what it refuses."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, ProgrammingError

from application.database import SerializationFailure, after_commit, change, db, execute, transaction
from application.database.failure import DatabaseBusy
from application.database.unit import OutsideUnit, current_unit
from application.libs.error import Conflict
from tests.database.counters import COUNTER, READ, Counter, put, value

REPEATABLE = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


class Taken(Conflict):
    """It is taken."""


class Counted(Conflict):
    """It was counted."""

    commits = True


def run(*actions: Callable[[], object], then: BaseException | None = None) -> None:
    """Do one thing after the other, and fail at the end if told so."""
    for action in actions:
        action()
    if then is not None:
        raise then


def add(key: int, name: str) -> None:
    """Add a counter as an entity."""
    db.session.add(Counter(id=key, name=name, value=7))


def assign(number: int) -> None:
    """Set a counter as an entity."""
    db.session.get_one(Counter, 1).value = number


def stored(key: int = 1) -> int:
    """Read a counter in a unit of its own."""
    with transaction(write=False):
        return value(key)


@pytest.mark.usefixtures("context")
class TestTransaction:
    def test_opens_nothing_until_the_first_statement(self, counting: Flask) -> None:
        checked_out: list[object] = []
        event.listen(db.engine, "checkout", lambda *arguments: checked_out.append(arguments))
        with transaction():
            assert checked_out == []
            value()
            value()
        assert len(checked_out) == 1

    def test_commits_at_the_end(self) -> None:
        with transaction():
            put(5)
        assert stored() == 5

    @pytest.mark.parametrize("error", [Taken(), RuntimeError("x"), KeyboardInterrupt()])
    def test_rolls_back_on_an_exception(self, error: BaseException) -> None:
        rung: list[str] = []
        with pytest.raises(type(error)), transaction():
            run(lambda: put(5), lambda: after_commit(lambda: rung.append("bell")), then=error)
        assert (stored(), rung) == (0, [])

    def test_commits_on_a_refusal_that_says_so(self) -> None:
        rung: list[str] = []
        with pytest.raises(Counted), transaction():
            run(lambda: put(5), lambda: after_commit(lambda: rung.append("bell")), then=Counted())
        assert (stored(), rung) == (5, ["bell"])

    def test_joins_the_one_around_it(self) -> None:
        def nested() -> None:
            with transaction() as inner:
                put(5)
            with transaction(write=False):
                assert value() == 5
            assert inner is current_unit()

        with pytest.raises(Taken), transaction():
            run(nested, then=Taken())
        assert stored() == 0

    def test_promotes_the_reader_around_it(self) -> None:
        with transaction(write=False) as outer:
            assert value() == 0
            with transaction():
                put(5)
            assert outer.writes
        assert stored() == 5

    def test_ends_even_when_nothing_was_done(self) -> None:
        with transaction() as unit:
            unit.promote()
        with pytest.raises(OutsideUnit, match="No unit of work is open; wrap the code in `with transaction"):
            current_unit()

    def test_gives_its_connection_back(self, counting: Flask) -> None:
        for number in range(20):
            with transaction():
                put(number)
        assert db.engine.pool.status().count("Checked out connections: 0") == 1

    def test_serves_an_engine_without_a_context(self, counting: Flask) -> None:
        engine, found = db.engine, []

        def read() -> None:
            with transaction(engine=engine):
                put(9)
            with transaction(write=False, engine=engine):
                found.append(value())

        thread = threading.Thread(target=read)
        thread.start()
        thread.join(timeout=20)
        assert found == [9]

    def test_is_each_threads_own(self, counting: Flask) -> None:
        found: list[type] = []

        def look() -> None:
            try:
                current_unit()
            except OutsideUnit as error:
                found.append(type(error))

        with transaction():
            thread = threading.Thread(target=look)
            thread.start()
            thread.join(timeout=20)
        assert found == [OutsideUnit]


@pytest.mark.usefixtures("context")
class TestPromote:
    def test_ends_the_reading_part(self) -> None:
        with transaction(write=False) as unit:
            assert value() == 0
            with pytest.raises(OutsideUnit, match="A reading unit of work cannot change rows"):
                put(1)
            unit.promote()
            unit.promote()
            put(1)
        assert stored() == 1

    @pytest.mark.parametrize("counting_app", ["sqlite"], indirect=True)  # the others lock rows
    def test_takes_the_write_lock_only_then(self, counting: Flask) -> None:
        with transaction(write=False) as unit:
            value()
            in_thread(counting, lambda: put(7))
            unit.promote()
            assert value() == 7
            put(8)
        assert stored() == 8


@pytest.mark.usefixtures("context")
class TestChange:
    def test_tells_how_many_rows_it_changed(self) -> None:
        with transaction():
            assert put(1, key=1) == 1
            assert put(1, key=99) == 0
            assert (
                change(COUNTER.insert(), [{"id": 3, "name": "c", "value": 0}, {"id": 4, "name": "d", "value": 0}]) == 2
            )
            assert change(COUNTER.delete()) == 4

    @pytest.mark.parametrize(
        "row",
        [{"id": 1, "name": "x", "value": 0}, {"id": 9, "name": "a", "value": 0}, {"id": 9, "name": "x", "value": -1}],
    )
    def test_raises_the_conflict_for_a_broken_constraint(self, row: dict[str, object]) -> None:
        with pytest.raises(Taken), transaction():
            change(COUNTER.insert(), conflict=Taken, **row)

    def test_raises_the_error_itself_without_a_conflict(self) -> None:
        with pytest.raises(IntegrityError), transaction():
            change(COUNTER.insert(), id=1, name="x", value=0)

    def test_tells_a_mistake_from_a_conflict(self) -> None:
        with pytest.raises(Exception, match="nowhere") as raised, transaction():
            change(sa.text("DELETE FROM nowhere"), conflict=Taken)
        assert not isinstance(raised.value, Conflict)
        assert not hasattr(raised.value, "status")

    def test_needs_a_unit(self) -> None:
        with pytest.raises(OutsideUnit):
            put(1)


@pytest.mark.usefixtures("context")
class TestExecute:
    def test_may_not_change_in_a_reading_unit(self) -> None:
        statement = COUNTER.insert().returning(COUNTER.c.id)
        with transaction(write=False), pytest.raises(OutsideUnit, match="cannot change rows"):
            execute(statement, id=3, name="c", value=0)
        with transaction():
            assert execute(statement, id=3, name="c", value=0).scalar_one() == 3

    def test_needs_a_unit(self) -> None:
        with pytest.raises(OutsideUnit):
            execute(READ, key=1)


@pytest.mark.usefixtures("context")
class TestAfterCommit:
    def test_runs_in_order_outside_the_unit(self) -> None:
        seen: list[Any] = []

        def ring() -> None:
            with pytest.raises(OutsideUnit):
                current_unit()
            seen.append(stored())

        with transaction():
            put(5)
            after_commit(ring)
            with transaction():
                after_commit(lambda: seen.append("second"))
            assert seen == []
        assert seen == [5, "second"]

    def test_failing_is_logged_and_stops_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        rung: list[str] = []

        def fail() -> None:
            raise RuntimeError("no bell")

        with transaction():
            put(5)
            after_commit(fail)
            after_commit(lambda: rung.append("bell"))
        assert (stored(), rung) == (5, ["bell"])
        told = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert [str(record.exc_info[1]) for record in told if record.exc_info] == ["no bell"]

    def test_does_not_run_when_the_commit_fails(self) -> None:
        rung: list[str] = []
        with pytest.raises(IntegrityError), transaction():
            run(lambda: after_commit(lambda: rung.append("bell")), lambda: add(1, "taken"))
        assert rung == []

    def test_does_not_run_when_a_committing_refusal_cannot_commit(self) -> None:
        rung: list[str] = []
        with pytest.raises(IntegrityError), transaction():
            run(lambda: after_commit(lambda: rung.append("bell")), lambda: add(1, "taken"), then=Counted())
        assert rung == []


@pytest.mark.usefixtures("context")
class TestSession:
    def test_stores_what_was_only_added(self) -> None:
        with transaction():
            db.session.add(Counter(id=3, name="c", value=7))
        assert stored(3) == 7

    def test_shares_the_units_connection(self) -> None:
        with transaction():
            put(5)
            counter = db.session.get_one(Counter, 1)
            assert counter.value == 5
            counter.value = 6
            db.session.flush()
            assert value() == 6
        assert stored() == 6

    def test_is_rolled_back_with_the_unit(self) -> None:
        with pytest.raises(Taken), transaction():
            run(lambda: assign(5), lambda: add(3, "c"), then=Taken())
        assert stored() == 0
        with transaction():
            assert db.session.get(Counter, 3) is None

    def test_may_not_change_in_a_reading_unit(self) -> None:
        with pytest.raises(OutsideUnit, match="cannot change rows"), transaction(write=False):
            assign(5)
        with pytest.raises(OutsideUnit, match="cannot change rows"), transaction(write=False):
            run(lambda: add(3, "c"), lambda: db.session.execute(sa.select(Counter)))
        assert stored() == 0

    def test_may_not_lose_changes_by_a_promotion(self) -> None:
        with pytest.raises(OutsideUnit, match="cannot change rows"), transaction(write=False) as unit:
            run(lambda: assign(5), unit.promote)

    def test_is_begun_anew_by_a_promotion(self) -> None:
        with transaction(write=False) as unit:
            assert db.session.get_one(Counter, 1).value == 0
            unit.promote()
            db.session.get_one(Counter, 1).value = 5
        assert stored() == 5

    def test_needs_a_unit(self) -> None:
        with pytest.raises(OutsideUnit):
            db.session.get(Counter, 1)
        db.session.remove()


def in_thread(app: Flask, work: Callable[[], object]) -> None:
    """Run some work in a unit of another thread, and wait for its end."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with app.app_context(), transaction():
                work()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=20)
    if failures:
        raise failures[0]


@pytest.mark.usefixtures("context")
class TestMeetings:
    @pytest.mark.parametrize("counting_app", ["postgresql", "mariadb"], indirect=True)  # SQLite's writers hold all
    def test_deadlock_is_a_serialization_failure(self, counting: Flask) -> None:
        first_holds, second_holds = threading.Event(), threading.Event()
        outcome: list[type] = []

        def second() -> None:
            try:
                with counting.app_context(), transaction():
                    put(2, key=2)
                    second_holds.set()
                    first_holds.wait(10)
                    put(2, key=1)
                outcome.append(type(None))
            except SerializationFailure as error:
                outcome.append(type(error))

        thread = threading.Thread(target=second)
        thread.start()
        try:
            with transaction():
                put(1, key=1)
                first_holds.set()
                second_holds.wait(10)
                put(1, key=2)
            outcome.append(type(None))
        except SerializationFailure as error:
            outcome.append(type(error))
        thread.join(timeout=20)
        assert set(outcome) == {type(None), SerializationFailure}
        assert stored(1) == stored(2) != 0

    @pytest.mark.parametrize("counting_app", ["postgresql"], indirect=True)  # the others lock instead
    def test_stale_snapshot_is_a_serialization_failure(self, counting: Flask) -> None:
        with pytest.raises(SerializationFailure), transaction():
            run(lambda: change(REPEATABLE), value, lambda: in_thread(counting, lambda: put(7)), lambda: put(8))
        assert stored() == 7

    def test_a_lock_held_too_long_is_busy(self, counting: Flask) -> None:
        with transaction():
            put(1)
            with pytest.raises(DatabaseBusy) as raised:
                in_thread(counting, lambda: put(2))
        assert raised.value.status == 503
        assert raised.value.headers == {"Retry-After": "1"}
        assert stored() == 1

    def test_an_exhausted_pool_is_busy(self, counting: Flask) -> None:
        engine = sa.create_engine(db.engine.url, pool_size=1, max_overflow=0, pool_timeout=0.1)
        with engine.connect(), pytest.raises(DatabaseBusy), transaction(engine=engine, write=False):
            execute(sa.select(sa.literal(1)))
        engine.dispose()

    def test_a_mistake_of_ours_stays_itself(self) -> None:
        with pytest.raises(Exception, match="nowhere") as raised, transaction():
            execute(sa.select(sa.text("1 FROM nowhere")))
        assert not hasattr(raised.value, "status")
        assert isinstance(raised.value, ProgrammingError | sa.exc.OperationalError)
