"""What is told of rows: real threads, and a Socket.IO that remembers what it was to send."""

import time
from collections.abc import Collection, Iterator, Mapping

import pytest

from application.libs.watching import News, Sight, Watching
from tests.libs.recording import Recording
from tests.waiting import wait_until


class Rows:
    """Have rows, which may be out of reach."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {"one": 0, "two": 0}
        self.ended: set[str] = set()
        self.away = False
        self.reads: list[set[str]] = []
        self.barred: set[tuple[str, str]] = set()

    def sight(self, key: str) -> Sight:
        return Sight(key=key, message={"key": key, "value": self.values[key]}, ended=key in self.ended)

    def read(self, keys: Collection[str]) -> Mapping[str, Sight]:
        self.reads.append(set(keys))
        if self.away:
            raise OSError
        return {key: self.sight(key) for key in keys if key in self.values}

    def admit(self, news: News) -> News:
        return {sid: [one for one in sights if (sid, one.key) not in self.barred] for sid, sights in news.items()}

    def await_reads(self, number: int = 3) -> None:
        """Wait until they were read so many times more."""
        before = len(self.reads)
        wait_until(lambda: len(self.reads) >= before + number)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def watching(rows: Rows, recording: Recording) -> Iterator[Watching]:
    watching = Watching(
        recording, rows.read, event="event", namespace="/ws", interval_seconds=0.01, admit=rows.admit, limit=2
    )
    yield watching
    for sid in ("ada", "bob"):
        watching.leave(sid)


def values(recording: Recording, sid: str) -> list[object]:
    """Return what a viewer was told, as row and value."""
    messages = [message for viewer, message in recording.sent if viewer == sid]
    return [(one["key"], one["value"]) for one in messages if isinstance(one, dict)]


class TestWatch:
    def test_tells_each_viewer_what_changed_of_their_rows_only(
        self, watching: Watching, rows: Rows, recording: Recording
    ) -> None:
        watching.watch("ada", rows.sight("one"))
        watching.watch("bob", rows.sight("one"))
        watching.watch("bob", rows.sight("two"))
        rows.await_reads()
        assert recording.sent == []
        rows.values["one"] = 1
        wait_until(lambda: len(recording.sent) == 2)
        rows.values["two"] = 1
        wait_until(lambda: len(recording.sent) == 3)
        rows.await_reads()
        assert values(recording, "ada") == [("one", 1)]
        assert values(recording, "bob") == [("one", 1), ("two", 1)]

    def test_reads_once_for_all(self, watching: Watching, rows: Rows) -> None:
        for sid in ("ada", "bob"):
            for key in ("one", "two"):
                watching.watch(sid, rows.sight(key))
        wait_until(lambda: {"one", "two"} in rows.reads)
        rows.reads.clear()
        rows.await_reads()
        assert all(keys == {"one", "two"} for keys in rows.reads)

    def test_refuses_more_than_the_limit(self, watching: Watching, rows: Rows) -> None:
        rows.values["three"] = 0
        assert [watching.watch("ada", rows.sight(key)) for key in ("one", "two", "three", "two")] == [
            True,
            True,
            False,
            True,
        ]
        watching.unwatch("ada", "one")
        assert watching.watch("ada", rows.sight("three"))

    def test_tells_what_changed_between_the_answer_and_the_next_reading(
        self, watching: Watching, rows: Rows, recording: Recording
    ) -> None:
        sight = rows.sight("one")
        rows.values["one"] = 5
        rows.ended.add("one")
        watching.watch("ada", sight)
        wait_until(lambda: recording.sent)
        assert values(recording, "ada") == [("one", 5)]

    @pytest.mark.timed
    def test_tells_no_more_often_than_once_an_interval(self, rows: Rows, recording: Recording) -> None:
        slow = Watching(
            recording, rows.read, event="event", namespace="/ws", interval_seconds=0.2, admit=rows.admit, limit=1
        )
        slow.watch("ada", rows.sight("one"))
        deadline = time.monotonic() + 1.1
        while time.monotonic() < deadline:
            rows.values["one"] += 1
            time.sleep(0.005)
        slow.leave("ada")
        assert 3 <= len(recording.sent) <= 5


class TestEnd:
    def test_of_a_row_is_told_and_then_it_is_forgotten(
        self, watching: Watching, rows: Rows, recording: Recording
    ) -> None:
        watching.watch("ada", rows.sight("one"))
        watching.watch("bob", rows.sight("two"))
        rows.values["one"] = 9
        rows.ended.add("one")
        wait_until(lambda: recording.sent)
        assert watching.viewers == 1
        rows.values["one"] = 10
        rows.await_reads()
        assert values(recording, "ada") == [("one", 9)]

    def test_is_no_news_where_a_row_is_gone(self, watching: Watching, rows: Rows, recording: Recording) -> None:
        watching.watch("ada", rows.sight("one"))
        del rows.values["one"]
        wait_until(lambda: watching.viewers == 0)
        assert recording.sent == []

    @pytest.mark.parametrize("leaves", [True, False])
    def test_of_the_last_watch_ends_the_reading(self, watching: Watching, rows: Rows, leaves: bool) -> None:
        watching.watch("ada", rows.sight("one"))
        rows.await_reads()
        for _twice in range(2):
            if leaves:
                watching.leave("ada")
            else:
                watching.unwatch("ada", "one")
        time.sleep(0.05)
        before = len(rows.reads)
        time.sleep(0.1)
        assert len(rows.reads) == before
        assert watching.viewers == 0


class TestAdmit:
    def test_keeps_from_a_viewer_what_they_may_see_no_longer(
        self, watching: Watching, rows: Rows, recording: Recording
    ) -> None:
        for sid in ("ada", "bob"):
            for key in ("one", "two"):
                watching.watch(sid, rows.sight(key))
        rows.barred = {("bob", "one")}
        rows.values = {"one": 1, "two": 1}
        wait_until(lambda: len(recording.sent) == 3)
        rows.barred.clear()
        rows.values = {"one": 2, "two": 2}
        wait_until(lambda: len(recording.sent) == 6)
        assert values(recording, "bob") == [("two", 1), ("two", 2)]


class TestOutage:
    def test_loses_nothing(self, watching: Watching, rows: Rows, recording: Recording) -> None:
        watching.watch("ada", rows.sight("one"))
        rows.away = True
        rows.values["one"] = 1
        rows.await_reads()
        assert recording.sent == []
        rows.away = False
        wait_until(lambda: recording.sent)
        assert values(recording, "ada") == [("one", 1)]
