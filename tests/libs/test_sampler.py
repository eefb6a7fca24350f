"""One background task for all viewers."""

import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_socketio import Namespace, SocketIO, SocketIOTestClient

from application.libs.sampler import Sampler

INTERVAL_SECONDS = 0.05


class Watched(Namespace):  # a namespace of the test's own, around the real sampler
    """Count the readings."""

    def __init__(self, socketio: SocketIO) -> None:
        """Prepare the sampler."""
        super().__init__("/watched")
        self.readings = 0
        self.sampler = Sampler(
            socketio, self.read, event="reading", namespace="/watched", interval_seconds=INTERVAL_SECONDS
        )

    def read(self) -> int:
        """Return how often it was read."""
        self.readings += 1
        return self.readings


@pytest.fixture
def watched() -> Iterator[tuple[Watched, Flask, SocketIO]]:
    """Serve the namespace, and stop its sampler afterwards."""
    app = Flask("sampled")
    socketio = SocketIO(app, async_mode="threading")
    namespace = Watched(socketio)
    socketio.on_namespace(namespace)
    yield namespace, app, socketio
    for sid in ("one", "two"):
        namespace.sampler.leave(sid)


class TestJoin:
    def test_starts_one_task_for_all(self, watched: tuple[Watched, Flask, SocketIO]) -> None:
        namespace, _app, _socketio = watched
        before = threading.active_count()
        for sid in ("one", "two", "one"):
            namespace.sampler.join(sid)
        assert namespace.sampler.viewers == 2
        assert threading.active_count() == before + 1

    def test_sends_every_viewer_the_same_reading(self, watched: tuple[Watched, Flask, SocketIO]) -> None:
        namespace, app, socketio = watched
        viewers = [SocketIOTestClient(app, socketio, namespace="/watched") for _ in range(2)]
        namespace.sampler.join("one")
        deadline = time.monotonic() + 5
        while namespace.readings < 4 and time.monotonic() < deadline:
            time.sleep(INTERVAL_SECONDS)
        namespace.sampler.leave("one")
        received = [[event["args"][0]["data"] for event in viewer.get_received("/watched")] for viewer in viewers]
        assert received[0][:2] == received[1][:2] == [2, 3]  # the first went to the joining viewer alone


class TestLeave:
    def test_stops_the_task_with_the_last(self, watched: tuple[Watched, Flask, SocketIO]) -> None:
        namespace, _app, _socketio = watched
        known = set(threading.enumerate())
        namespace.sampler.join("one")
        namespace.sampler.join("two")
        (task,) = set(threading.enumerate()) - known
        namespace.sampler.leave("one")
        assert task.is_alive()
        namespace.sampler.leave("two")
        task.join(5)
        assert not task.is_alive()
        stopped_at = namespace.readings
        time.sleep(3 * INTERVAL_SECONDS)
        assert namespace.readings == stopped_at

    def test_does_no_harm_twice(self, watched: tuple[Watched, Flask, SocketIO]) -> None:
        namespace, _app, _socketio = watched
        namespace.sampler.leave("nobody")
        assert namespace.sampler.viewers == 0

    def test_lets_a_new_first_viewer_start_again(self, watched: tuple[Watched, Flask, SocketIO]) -> None:
        namespace, _app, _socketio = watched
        namespace.sampler.join("one")
        namespace.sampler.leave("one")
        known = set(threading.enumerate())
        namespace.sampler.join("two")
        assert len(set(threading.enumerate()) - known) == 1
