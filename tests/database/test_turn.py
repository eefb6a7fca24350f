"""The queue of those who want to write to one file."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from application.database import beginning, change, db, engine_options, prepare_engine, transaction
from application.database.turn import Turn
from tests.database.counters import COUNTER, build, create_tables, put, value
from tests.database.green import run_green

SECONDS = 10

GREEN = 8
GREEN_WRITERS = f"""
import sys, time

from sqlalchemy import event

from application.database import db, transaction
from tests.database.counters import build, put, value

app = build(sys.argv[1], pool_size={GREEN})
out = []

with app.app_context():
    pool = db.engine.pool
    event.listen(pool, "checkout", lambda *_arguments: out.append(pool.checkedout()))

def count_up():
    with app.app_context(), transaction(write=False) as unit:
        value()
        unit.promote()
        put(value() + 1)
        time.sleep(0.01)

for _time in range(3):
    out.clear()
    joinall([spawn(count_up) for _ in range({GREEN})], raise_error=True)
print(max(out))
"""
"""Each reads before it writes, as a request finds out who asks; the last round runs on the driver's cursor alone.

One writes, one finds out who asks; the others wait.
"""

GREEN_CALLBACKS = """
import sys, time

from application.database import after_commit, transaction
from tests.database.counters import build, put, value

app = build(sys.argv[1])
told = []

def count_up(number):
    with app.app_context(), transaction():
        put(value() + 1)
        if number == 0:
            time.sleep(0.02)  # so that the others wait
        after_commit(lambda: told.append(number))

for _time in range(3):
    told.clear()
    joinall([spawn(count_up, number) for number in range(5)], raise_error=True)
print(told)
"""


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Do something in a thread of its own meanwhile."""
    thread = Thread(target=work)
    thread.start()
    yield
    thread.join(SECONDS)
    assert not thread.is_alive()


def let_nothing_go() -> None:
    raise AssertionError


class TestTurn:
    def test_comes_at_once_where_nobody_writes(self) -> None:
        engine = sa.create_engine("sqlite://")
        for _time in range(2):
            turn = Turn(engine)
            turn.take(monotonic(), let_nothing_go)
            turn.take(monotonic(), let_nothing_go)
            turn.end()
            turn.end()

    def test_comes_when_the_one_before_ends(self) -> None:
        engine, waits = sa.create_engine("sqlite://"), Event()
        said: list[str] = []
        first = Turn(engine)
        first.take(monotonic(), let_nothing_go)

        def write() -> None:
            second = Turn(engine)
            second.take(monotonic() + SECONDS, waits.set)
            said.append("second")
            second.end()

        with beside(write):
            assert waits.wait(SECONDS)
            said.append("first")
            first.end()
        assert said == ["first", "second"]

    def test_is_not_waited_for_without_end(self) -> None:
        engine = sa.create_engine("sqlite://")
        let_go: list[bool] = []
        first, second = Turn(engine), Turn(engine)
        first.take(monotonic(), let_nothing_go)
        with pytest.raises(PoolTimeout, match="still writing"):
            second.take(monotonic() + 0.05, lambda: let_go.append(True))
        second.end()
        with pytest.raises(PoolTimeout):
            Turn(engine).take(monotonic() - 1, lambda: let_go.append(True))
        assert let_go == [True, True]
        first.end()
        second.take(monotonic(), let_nothing_go)

    def test_is_of_one_engine(self) -> None:
        Turn(sa.create_engine("sqlite://")).take(monotonic(), let_nothing_go)
        Turn(sa.create_engine("sqlite://")).take(monotonic(), let_nothing_go)


class TestUnits:
    @pytest.fixture
    def url(self, tmp_path: Path) -> Iterator[str]:
        """Return the address of a file with one counter."""
        url = f"sqlite:///{tmp_path / 'turns.db'}"
        app = build(url)
        create_tables(app)
        with app.app_context():
            with transaction():
                change(sa.insert(COUNTER), id=1, name="a", value=0)
            yield url
            db.engine.dispose()

    def test_that_read_before_do_not_keep_the_connections_from_who_writes(self, url: str) -> None:
        engine = sa.create_engine(url, **engine_options(url, 1) | {"max_overflow": 1})  # lends two
        prepare_engine(engine)
        for _time in range(3):
            with transaction(engine=engine):
                put(value())

        def add_one(*, reads: bool) -> None:
            with transaction(write=False, engine=engine) as unit:
                if reads:
                    unit.connection.execute(sa.text("SELECT 1"))
                unit.promote()
                put(value() + 1)

        with ThreadPoolExecutor(3) as writers:
            with transaction(engine=engine):
                put(value() + 1)
                waiting = [writers.submit(add_one, reads=False)]
                sleep(0.1)  # so it has its place in the queue
                waiting += [writers.submit(add_one, reads=True) for _writer in range(2)]
                sleep(0.1)
            for writer in waiting:
                writer.result(beginning.BUSY_TIMEOUT_SECONDS - 1)
        with transaction(write=False):
            assert value() == 4
        engine.dispose()

    def test_call_what_was_to_be_called_in_the_order_of_their_commits(self, url: str) -> None:
        assert run_green(GREEN_CALLBACKS, url) == "[0, 1, 2, 3, 4]\n"

    @pytest.mark.usefixtures("url")
    def test_end_their_turn_also_where_their_end_fails(self) -> None:
        def work() -> Generator[None]:
            with transaction():
                put(1)
                yield

        for _time in range(3):
            generator = work()
            copy_context().run(next, generator)
            with pytest.raises(ValueError, match="Context"):
                generator.close()
            began = monotonic()
            with transaction():
                put(2)
            assert monotonic() - began < beginning.BUSY_TIMEOUT_SECONDS

    def test_in_memory_stand_in_no_queue(self) -> None:
        app = build("sqlite://")
        create_tables(app)
        with app.app_context():
            with suppress(InvalidRequestError), transaction():
                change(sa.insert(COUNTER), id=3, name="3", value=0)
                for number in range(3):
                    with transaction(engine=db.engine) as inner:
                        inner.change(sa.insert(COUNTER), {"id": number, "name": str(number), "value": 0})
            with transaction(write=False):
                assert [value(number) for number in range(4)] == [0, 0, 0, 0]

    def test_that_wait_in_green_threads_hold_no_connection(self, url: str) -> None:
        assert run_green(GREEN_WRITERS, url) == "2\n"
        with transaction(write=False):
            assert value() == 3 * GREEN

    @pytest.mark.parametrize("reads_before", [False, True])
    def test_that_wait_hold_no_connection(self, url: str, reads_before: bool) -> None:
        app = build(url)
        holds, waits, ended = Event(), Event(), Event()

        def write() -> None:
            with app.app_context(), transaction(write=False) as unit:
                if reads_before:
                    assert value() == 0
                unit.promote()
                assert holds.wait(SECONDS)
                waits.set()
                put(value() + 1)
            ended.set()

        with app.app_context():
            pool = db.engine.pool
            assert isinstance(pool, sa.QueuePool)
            for _time in range(3):  # what is met again runs on the driver's cursor
                with transaction():
                    put(value())
            with beside(write), transaction():
                put(0)
                holds.set()
                assert waits.wait(SECONDS)
                assert not ended.wait(0.1)
                assert pool.checkedout() == 1
            with transaction(write=False):
                assert value() == 1
            db.engine.dispose()
