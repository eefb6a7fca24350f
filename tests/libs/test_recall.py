"""What is told again without being read again."""

from collections.abc import Mapping

import pytest
from flask import Flask, g

from application.libs import recall as module
from application.libs.auth import Identity
from application.libs.recall import Memory
from application.libs.web_application import Empty

KNOWN = {"If-None-Match": '"x"'}
ADA = Identity("1", "ada", (), frozenset({"a"}))


class State:
    """A database that says how it stands."""

    def __init__(self) -> None:
        self.stamp: object = 1
        self.looks = 0

    def __call__(self) -> object:
        self.looks += 1
        return self.stamp


class Asker:
    """Ask as by requests for one list, whose tag is `x`."""

    def __init__(self) -> None:
        self.app = Flask("specimen")
        self.state = State()
        self.memory = Memory(self.state)

    def ask(
        self, path: str = "/list?a=1", *, identity: Identity | None = None, headers: Mapping[str, str] = KNOWN
    ) -> bool:
        """Return whether the answer was known; if not, it is made and noted as unmodified."""
        with self.app.test_request_context(path, headers=headers):
            g.identity = identity
            stamp = self.memory.stamp()
            if stamp is None:
                return False
            found = self.memory.look(stamp)
            if found.answer is not None:
                assert (found.answer.status_code, found.answer.headers["ETag"]) == (304, '"x"')
                return True
            found.note(Empty(status=304, headers={"ETag": '"x"'}))
            return False


@pytest.fixture
def asker() -> Asker:
    return Asker()


class TestMemory:
    def test_knows_an_answer_as_long_as_the_stamp_is_the_same(self, asker: Asker) -> None:
        assert [asker.ask() for _ in range(3)] == [False, True, True]
        asker.state.stamp = 2
        assert [asker.ask() for _ in range(2)] == [False, True]

    @pytest.mark.parametrize(
        ("path", "identity"),
        [
            ("/list?a=2", None),
            ("/list", None),
            ("/other?a=1", None),
            ("/list?a=1", ADA),
        ],
    )
    def test_knows_the_answer_to_this_question_alone(self, asker: Asker, path: str, identity: Identity | None) -> None:
        asker.ask()
        assert not asker.ask(path, identity=identity)
        assert asker.ask(path, identity=identity)

    def test_tells_callers_apart_by_what_they_may(self, asker: Asker) -> None:
        asker.ask(identity=ADA)
        assert not asker.ask(identity=Identity("1", "ada", (), frozenset({"a", "b"})))
        assert not asker.ask(identity=Identity("1", "ada", (), frozenset({"a"}), key_id="k"))
        assert asker.ask(identity=ADA)

    def test_compares_what_the_client_has(self, asker: Asker) -> None:
        asker.ask()
        assert not asker.ask(headers={"If-None-Match": '"y"'})
        assert asker.ask(headers={"If-None-Match": 'W/"y", W/"x"'})

    @pytest.mark.parametrize("headers", [{}, {**KNOWN, "If-Match": '"x"'}])
    def test_looks_at_nothing_where_the_client_has_nothing(self, asker: Asker, headers: dict[str, str]) -> None:
        asker.ask()
        looks = asker.state.looks
        assert not asker.ask(headers=headers)
        assert asker.state.looks == looks

    def test_keeps_no_more_than_it_says(self, asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_RECALLED", 3)
        for number in range(10):
            asker.ask(f"/list?a={number}")
        assert len(asker.memory._kept) <= 3
        assert asker.ask("/list?a=9")

    def test_keeps_nothing_of_endless_questions(self, asker: Asker) -> None:
        path = f"/list?{'&' * module.MOST_QUERY}a=1"
        assert [asker.ask(path) for _ in range(2)] == [False, False]
        assert asker.memory._kept == {}


class TestRecollection:
    def test_keeps_only_what_the_client_has(self, asker: Asker) -> None:
        with asker.app.test_request_context("/list", headers={"If-None-Match": '"x"'}):
            found = asker.memory.look(1)
            found.note(Empty(status=200, headers={"ETag": '"x"'}))
            found.note(Empty(status=304))
            assert asker.memory.look(1).answer is None
