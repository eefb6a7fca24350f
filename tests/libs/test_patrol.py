"""The patrol: real threads, and a Socket.IO that remembers whom it was to disconnect."""

import logging
import time
from collections.abc import Collection, Iterator

import pytest

from application.libs.patrol import Patrol
from tests.libs.recording import Recording
from tests.waiting import wait_until


class Passes:
    """Know which passes have ended, unless out of reach."""

    def __init__(self) -> None:
        self.ended: set[str] = set()
        self.away = False
        self.looks: list[Collection[str]] = []

    def valid(self, passes: Collection[str]) -> Collection[str]:
        self.looks.append(set(passes))
        if self.away:
            raise OSError
        return set(passes) - self.ended


@pytest.fixture
def passes() -> Passes:
    return Passes()


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def patrol(passes: Passes, recording: Recording) -> Iterator[Patrol]:
    patrol = Patrol(recording, passes.valid, namespace="/ws", interval_seconds=0.01)
    yield patrol
    for sid in ("ada", "bob", "eve"):
        patrol.leave(sid)


class TestPatrol:
    def test_disconnects_whose_pass_has_ended_and_nobody_else(
        self, patrol: Patrol, passes: Passes, recording: Recording
    ) -> None:
        for sid, let_in_by in (("ada", "gold"), ("bob", "tin"), ("eve", "tin")):
            patrol.join(sid, let_in_by)
        wait_until(lambda: passes.looks.count({"gold", "tin"}) > 2)
        assert recording.disconnected == []
        passes.ended = {"tin"}
        wait_until(lambda: passes.looks[-1] == {"gold"})
        assert sorted(recording.disconnected) == [("bob", "/ws", True), ("eve", "/ws", True)]
        assert patrol.passes(["ada", "bob", "nobody"]) == {"ada": "gold"}

    def test_shows_nobody_out_while_it_cannot_ask(
        self, patrol: Patrol, passes: Passes, recording: Recording, caplog: pytest.LogCaptureFixture
    ) -> None:
        passes.away = True
        patrol.join("ada", "tin")
        with caplog.at_level(logging.ERROR):
            wait_until(lambda: len(passes.looks) > 3)
        assert recording.disconnected == []
        assert caplog.text.count("it is tried again") == 1
        passes.away, passes.ended = False, {"tin"}
        wait_until(lambda: recording.disconnected)

    def test_stops_with_the_last_viewer_and_starts_again(self, patrol: Patrol, passes: Passes) -> None:
        patrol.join("ada", "gold")
        patrol.join("bob", "tin")
        patrol.leave("ada")
        wait_until(lambda: passes.looks and passes.looks[-1] == {"tin"})
        patrol.leave("bob")
        patrol.leave("bob")
        time.sleep(0.05)
        before = len(passes.looks)
        time.sleep(0.1)
        assert len(passes.looks) == before
        patrol.join("eve", "gold")
        wait_until(lambda: len(passes.looks) > before)
