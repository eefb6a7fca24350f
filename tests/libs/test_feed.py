"""The feed: real threads, and a Socket.IO that remembers what it was to send."""

import time
from collections.abc import Collection, Iterator

import pytest

from application.libs.feed import Batch, Feed
from tests.libs.recording import Recording
from tests.waiting import wait_until


class Source:
    """Have numbered events, which may be out of reach."""

    def __init__(self) -> None:
        self.last = 3
        self.away = False
        self.reads: list[int | None] = []
        self.barred: set[str] = set()

    def admit(self, sids: Collection[str]) -> Collection[str]:
        return [sid for sid in sids if sid not in self.barred]

    def read(self, after: int | None) -> Batch:
        self.reads.append(after)
        if self.away:
            raise OSError
        if after is None:
            return Batch("hello", self.last, more=False)
        if after >= self.last:
            return Batch(None, self.last, more=False)
        return Batch(after + 1, after + 1, more=True)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def feed(source: Source, recording: Recording) -> Iterator[Feed]:
    feed = Feed(recording, source.read, event="event", namespace="/ws", interval_seconds=0.01, admit=source.admit)
    yield feed
    for sid in ("ada", "bob"):
        feed.leave(sid)


class TestFeed:
    def test_sends_each_viewer_what_follows_what_they_have_seen(
        self, feed: Feed, source: Source, recording: Recording
    ) -> None:
        feed.join("ada", 1)
        feed.join("bob", None)
        wait_until(lambda: len(recording.sent) >= 3)
        source.last = 4
        wait_until(lambda: len(recording.sent) >= 5)
        assert [message for sid, message in recording.sent if sid == "ada"] == [2, 3, 4]
        assert [message for sid, message in recording.sent if sid == "bob"] == ["hello", 4]

    def test_reads_once_for_all_who_stand_at_one_number(self, feed: Feed, source: Source, recording: Recording) -> None:
        feed.join("ada", 3)
        feed.join("bob", 3)
        wait_until(lambda: source.reads.count(3) > 10)
        before = len(source.reads)
        source.last = 4
        wait_until(lambda: len(recording.sent) == 2)
        assert source.reads.count(4) <= len(source.reads) - before

    def test_stops_with_the_last_viewer(self, feed: Feed, source: Source) -> None:
        feed.join("ada", None)
        wait_until(lambda: source.reads)
        feed.leave("ada")
        feed.leave("ada")
        time.sleep(0.05)
        before = len(source.reads)
        time.sleep(0.1)
        assert len(source.reads) == before
        assert feed.viewers == 0

    def test_goes_on_after_an_outage_where_it_was(self, feed: Feed, source: Source, recording: Recording) -> None:
        source.away = True
        feed.join("ada", 1)
        wait_until(lambda: len(source.reads) > 3)
        assert recording.sent == []
        source.away = False
        wait_until(lambda: len(recording.sent) == 2)
        assert recording.sent == [("ada", 2), ("ada", 3)]

    def test_tells_nothing_more_to_who_is_no_longer_admitted(
        self, feed: Feed, source: Source, recording: Recording
    ) -> None:
        feed.join("ada", 3)
        feed.join("bob", 3)
        source.barred = {"bob"}
        wait_until(lambda: len(source.reads) > 5)
        assert feed.viewers == 2, "who has nothing to be told is not asked for"
        source.last = 4
        wait_until(lambda: recording.sent)
        source.barred.clear()
        source.last = 5
        wait_until(lambda: len(recording.sent) == 2)
        assert recording.sent == [("ada", 4), ("ada", 5)]
        assert feed.viewers == 1
