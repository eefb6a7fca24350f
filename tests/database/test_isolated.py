"""What runs isolated in a unit of work: kept as a whole or undone as a whole, and the unit goes on."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from application.database import SerializationFailure, after_commit, change, db, gather, isolated, transaction
from application.database.unit import OutsideUnit
from tests.database.counters import COUNTER, Counter, put, value


def do(*actions: Callable[[], object], then: BaseException | None = None) -> Callable[[], None]:
    """Return a function that does one thing after the other, and fails at the end if told so."""

    def done() -> None:
        for action in actions:
            action()
        if then is not None:
            raise then

    return done


def add(key: int, name: str) -> None:
    """Add a counter as an entity, at once."""
    db.session.add(Counter(id=key, name=name, value=7))
    db.session.flush()


def stored() -> list[tuple[int, str, int]]:
    """Read all counters in a unit of its own."""
    with transaction(write=False) as unit:
        return [tuple(row) for row in unit.connection.execute(COUNTER.select().order_by(COUNTER.c.id))]


@pytest.mark.usefixtures("context")
class TestIsolated:
    def test_keeps_what_ends_well(self) -> None:
        rung: list[str] = []
        with transaction():
            assert isolated(do(lambda: put(5), lambda: after_commit(lambda: rung.append("bell")))) is None
            assert value() == 5
        assert (stored(), rung) == ([(1, "a", 5), (2, "b", 0)], ["bell"])

    def test_undoes_what_fails_and_returns_it(self) -> None:
        rung: list[str] = []
        written: list[list[str]] = []
        error = LookupError("no")
        with transaction():
            put(3, key=2)
            gather(written.append, "before")
            after_commit(lambda: rung.append("before"))
            notes = (lambda: gather(written.append, "lost"), lambda: after_commit(lambda: rung.append("lost")))
            assert isolated(do(lambda: put(5), *notes, then=error)) is error
            assert value() == 0
            after_commit(lambda: rung.append("after"))
        assert stored() == [(1, "a", 0), (2, "b", 3)]
        assert (written, rung) == ([["before"]], ["before", "after"])

    def test_undoes_entities_too(self) -> None:
        with transaction():
            add(3, "c")
            assert isolated(do(lambda: add(4, "d"), then=LookupError("no"))) is not None
            assert db.session.get(Counter, 4) is None
            add(5, "e")
        assert [key for key, *_rest in stored()] == [1, 2, 3, 5]

    @pytest.mark.parametrize("twice", [lambda: add(9, "a"), lambda: change(COUNTER.insert(), id=9, name="a", value=0)])
    def test_goes_on_after_the_database_has_refused(self, twice: Callable[[], object]) -> None:
        with transaction():
            put(3)
            for _again in range(2):
                assert isinstance(isolated(twice), IntegrityError)
            put(4, key=2)
        assert stored() == [(1, "a", 3), (2, "b", 4)]

    @pytest.mark.parametrize(
        ("inner", "outer", "kept"), [(1, 0, [5, 0]), (0, 1, [0, 0]), (0, 0, [5, 6]), (1, 1, [0, 0])]
    )
    def test_holds_inside_itself(self, inner: bool, outer: bool, kept: list[int]) -> None:
        def fail_if(told: bool) -> LookupError | None:
            return LookupError("no") if told else None

        deep = do(lambda: put(6, key=2), then=fail_if(inner))
        with transaction():
            isolated(do(lambda: put(5), lambda: isolated(deep), then=fail_if(outer)))
        assert [number for *_rest, number in stored()] == kept

    def test_is_no_place_to_end_the_process_in(self) -> None:
        with pytest.raises(KeyboardInterrupt), transaction():
            isolated(do(lambda: put(5), then=KeyboardInterrupt()))
        assert stored() == [(1, "a", 0), (2, "b", 0)]

    def test_needs_a_unit(self) -> None:
        with pytest.raises(OutsideUnit):
            isolated(lambda: None)

    @pytest.mark.parametrize("counting_app", ["mariadb"], indirect=True)  # where a deadlock ends the whole transaction
    def test_raises_what_cannot_be_undone(self, counting: Flask) -> None:
        held, waits = threading.Event(), threading.Event()

        def hold() -> None:
            with counting.app_context(), transaction():
                # who has changed less is the one that the server gives up
                change(COUNTER.insert(), [{"id": key, "name": str(key), "value": 0} for key in range(10, 30)])
                put(2, key=2)
                held.set()
                waits.wait(10)
                put(2, key=1)

        other = threading.Thread(target=hold)
        other.start()
        with pytest.raises(SerializationFailure), transaction():
            put(1, key=1)
            held.wait(10)
            isolated(do(waits.set, lambda: put(1, key=2)))
            raise AssertionError("the unit goes on with a transaction that is gone")
        other.join(20)
        assert [number for key, _name, number in stored() if key < 3] == [2, 2]
