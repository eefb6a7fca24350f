"""Functions that are called later, on threads of this process."""

import logging
import re
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask, current_app, g, has_request_context

from application.database import transaction
from application.database.unit import OutsideUnit, current_unit
from application.libs import background as machinery
from application.libs.background import Background, background, background_of, init_app
from application.libs.declaration import DeclarationError
from application.libs.edge import REQUEST_ID
from application.libs.error import Conflict
from application.modules.tag import business as tag_business
from tests.waiting import wait_until

SEEN: list[object] = []
"""What was called in the background."""


class Gate:
    """Hold up whoever enters until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def enter(self) -> None:
        self.entered.release()
        assert self.opened.wait(10)


@background
def note(word: str, *, times: int = 1) -> int:
    """Write a word down."""
    SEEN.extend([word] * times)
    return times


@background
def look() -> None:
    """Write down where this is called."""
    place = (current_app.name, has_request_context(), "caller" in g, REQUEST_ID.get(), threading.current_thread().name)
    SEEN.append(place)


@background
def fail(error: BaseException) -> None:
    """Fail."""
    raise error


@background
def pass_through(gate: Gate) -> None:
    """Wait for a gate to open."""
    gate.enter()


@background
def create_tag(name: str) -> None:
    """Write into the database."""
    with pytest.raises(OutsideUnit):
        current_unit()
    with transaction():
        tag_business.create(name=name)


@pytest.fixture(autouse=True)
def _nothing_seen() -> Iterator[None]:
    SEEN.clear()
    yield
    SEEN.clear()


@pytest.fixture
def small() -> Iterator[Flask]:
    """Return an application without a database, in its context."""
    made = Flask("small")
    init_app(made, put_off=lambda _function: False)
    with made.app_context():
        yield made
    assert background_of(made).drain(10) == 0


@pytest.fixture
def gate(small: Flask) -> Iterator[Gate]:
    """Return a gate with a crowd before it: every thread is held up there."""
    made = Gate()
    for _thread in range(machinery.MOST_THREADS):
        assert pass_through(made)
    for _thread in range(machinery.MOST_THREADS):
        assert made.entered.acquire(timeout=10)
    yield made
    made.opened.set()


def await_seen(count: int) -> None:
    wait_until(lambda: len(SEEN) >= count, 10, lambda: f"{SEEN}")


class TestBackground:
    def test_returns_at_once_and_calls_later(self, small: Flask, gate: Gate) -> None:
        assert note("a", times=2) is True
        assert SEEN == []
        gate.opened.set()
        await_seen(2)
        assert SEEN == ["a", "a"]

    def test_can_be_called_here_and_now(self, small: Flask) -> None:
        assert note.now("a") == note.__wrapped__("b") == 1
        assert SEEN == ["a", "b"]

    def test_keeps_name_and_docstring(self) -> None:
        assert (vars(note)["__name__"], note.__doc__) == ("note", "Write a word down.")

    def test_brings_the_application_and_the_request_id_and_nothing_else(self, small: Flask) -> None:
        token = REQUEST_ID.set("request-7")
        g.caller = "ada"
        with small.test_request_context():
            assert look()
        REQUEST_ID.reset(token)
        await_seen(1)
        assert SEEN == [("small", False, False, "request-7", "background")]

    def test_is_of_the_application_that_called(self, small: Flask) -> None:
        other = Flask("other")
        init_app(other, put_off=lambda _function: False)
        with other.app_context():
            look()
        await_seen(1)
        assert SEEN[0] == ("other", False, False, REQUEST_ID.get(), "background")

    def test_needs_an_application(self) -> None:
        with pytest.raises(RuntimeError, match="application context"):
            note("a")

    def test_refuses_what_only_makes_a_coroutine(self) -> None:
        async def later() -> None:
            """Do nothing."""

        def items() -> Iterator[int]:
            yield 1

        for function in (later, items):
            with pytest.raises(DeclarationError, match="Write a plain function"):
                background(function)

    @pytest.mark.parametrize("error", [ValueError("no\nnet"), SystemExit(3)])
    def test_logs_what_a_function_raises_with_the_request_id(
        self, small: Flask, caplog: pytest.LogCaptureFixture, error: BaseException
    ) -> None:
        ids: list[str] = []

        class Listener(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                ids.append(REQUEST_ID.get())

        listener, token = Listener(), REQUEST_ID.set("request-8")
        logging.getLogger(machinery.__name__).addHandler(listener)
        fail(error)
        REQUEST_ID.reset(token)
        assert background_of(small).drain(10) == 0
        logging.getLogger(machinery.__name__).removeHandler(listener)
        (record,) = caplog.records
        assert (record.getMessage(), ids) == (f"{__name__}.fail failed in the background", ["request-8"])
        assert record.exc_info is not None
        assert record.exc_info[1] is error
        note("still there")
        await_seen(1)

    def test_refuses_with_a_warning_when_too_much_waits(
        self, small: Flask, gate: Gate, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert all(note("a") for _call in range(machinery.MOST_WAITING))
        assert note("b") is False
        assert caplog.messages == [f"{__name__}.note is not called in the background: 1000 calls wait already"]
        gate.opened.set()
        await_seen(machinery.MOST_WAITING)
        assert note("c")

    def test_refuses_where_no_thread_can_be_started(
        self, small: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(threading.Thread):
            def start(self) -> None:
                raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patched:
            patched.setattr(threading, "Thread", Broken)
            assert note("a") is False
        assert caplog.messages == [f"{__name__}.note is not called in the background: can't start new thread"]
        assert note("b")
        await_seen(1)
        assert SEEN == ["b"]

    def test_uses_few_threads_and_leaves_none(self, small: Flask) -> None:
        before = threading.active_count()
        names = set()

        def work() -> None:
            names.add(threading.current_thread().ident)

        for _call in range(200):
            assert background_of(small).call(work)
        assert background_of(small).drain(10) == 0
        wait_until(lambda: threading.active_count() <= before)
        assert threading.active_count() == before


class TestDrain:
    def test_waits_for_what_waits(self, small: Flask, gate: Gate) -> None:
        note("a")
        threading.Timer(0.1, gate.opened.set).start()
        assert background_of(small).drain(10) == 0
        assert SEEN == ["a"]

    def test_drops_the_rest_and_says_so(self, small: Flask, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
        note("a")
        note("b")
        assert background_of(small).drain(0.05) == 2
        assert caplog.messages == ["Calls in the background at the end: 2 are dropped, 4 go on unfinished"]
        gate.opened.set()
        assert background_of(small).drain(10) == 0
        assert SEEN == []

    def test_of_nothing_takes_no_time(self, small: Flask) -> None:
        assert background_of(small).drain(-1) == 0


class TestInAUnitOfWork:
    def names(self) -> list[str]:
        with transaction(write=False):
            return [row.name for row in tag_business.search(limit=100).items]

    def test_begins_after_the_commit(self, app: Flask) -> None:
        with app.app_context():
            with transaction():
                tag_business.create(name="first")
                assert create_tag("second")
                assert background_of(app).drain(5) == 0
                assert self.names() == ["first"]
            assert background_of(app).drain(10) == 0
            assert sorted(self.names()) == ["first", "second"]

    def test_does_nothing_after_a_rollback(self, app: Flask) -> None:
        with app.app_context():
            with pytest.raises(Conflict), transaction():
                assert create_tag("second")
                raise Conflict
            assert background_of(app).drain(10) == 0
            assert self.names() == []

    def test_is_called_after_a_rollback_where_that_is_asked_for(self, app: Flask) -> None:
        with app.app_context():
            with pytest.raises(Conflict), transaction(write=False):
                assert create_tag.regardless("second")
                raise Conflict
            assert background_of(app).drain(10) == 0
            assert self.names() == ["second"]

    def test_is_refused_in_the_log_alone_when_it_gets_crowded_before_the_commit(
        self, small: Flask, caplog: pytest.LogCaptureFixture
    ) -> None:
        later: list[Callable[[], object]] = []

        def put_off(function: Callable[[], object]) -> bool:
            later.append(function)
            return True

        crowded = Background(small, put_off=put_off)
        gate = Gate()
        for _call in range(machinery.MOST_THREADS + machinery.MOST_WAITING + 1):
            assert crowded.call(gate.enter)
        for function in later[: machinery.MOST_THREADS]:
            function()
            assert gate.entered.acquire(timeout=10)
        for function in later[machinery.MOST_THREADS :]:
            function()
        assert len(caplog.messages) == 1
        gate.opened.set()
        assert crowded.drain(20) == 0


class TestGuide:
    def test_shows_what_works(self, app: Flask, tmp_path: Path) -> None:
        guide = Path(__file__).parents[2] / "docs" / "guides" / "background.md"
        (example,) = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
        (tmp_path / "example.py").write_text(example, encoding="utf-8")
        with app.app_context():
            runpy.run_path(str(tmp_path / "example.py"))
            assert background_of(app).drain(10) == 0
            with transaction(write=False):
                assert [row.name for row in tag_business.search(limit=100).items] == ["to be read"]


TYPED = '''
from application.libs.background import background


@background
def mail(address: str, *, times: int = 1) -> float:
    """Mail somebody."""
    return times / 2


reveal_type(mail("a", times=2))
reveal_type(mail.now("a"))
mail(7)
mail("a", often=2)
'''


class TestTypes:
    def test_are_those_of_the_function_and_a_truth(self, tmp_path: Path) -> None:
        (tmp_path / "typed.py").write_text(TYPED, encoding="utf-8")
        command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(tmp_path / "typed.py")]
        root = Path(__file__).parents[2]
        said = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=110, check=False).stdout
        assert 'Revealed type is "bool"' in said, said
        assert 'Revealed type is "float"' in said
        assert 'has incompatible type "int"; expected "str"' in said
        assert 'Unexpected keyword argument "often"' in said
