"""Two servers that share a message queue: each viewer gets each sample once, and an emit reaches everybody."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import pairwise

import pytest
import redis

from tests.e2e.conftest import Serve
from tests.e2e.server import Server
from tests.e2e.viewer import Viewer
from tests.services import missing
from tests.waiting import wait_until

VARIABLE = "TEST_REDIS_URL"

EACH_MODE = pytest.mark.parametrize("async_mode", ["gevent", "threading"])

EMIT = """
import sys
from flask_socketio import SocketIO
SocketIO(message_queue=sys.argv[1]).emit("server_response", {"data": sys.argv[2]}, namespace="/ws")
"""


class StampedViewer(Viewer):
    """A viewer that remembers when each message came."""

    def __init__(self, server: Server) -> None:
        """Connect, and wait for the first sample."""
        self.came_at: list[float] = []
        super().__init__(server)
        self.client.on("server_response", self._take, namespace="/ws")
        self.await_samples(1)

    def has(self, text: str) -> bool:
        """Tell whether a text came."""
        return {"data": text} in self.samples

    def _take(self, message: dict[str, object]) -> None:
        if isinstance(message["data"], dict):  # a sample, and no text that somebody emits
            self.came_at.append(time.monotonic())
        self.samples.append(message)


@pytest.fixture(scope="module")
def redis_url() -> str:
    """Return the URL of a Redis that answers."""
    url = os.environ.get(VARIABLE, "redis://127.0.0.1:6379/15")
    with redis.Redis.from_url(url, socket_connect_timeout=2) as client:
        try:
            client.ping()
        except redis.ConnectionError:
            missing("redis", f"start it on loopback, or name another server in {VARIABLE}")
    return url


@pytest.fixture
def pair(server: Serve, redis_url: str, async_mode: str) -> tuple[Server, Server]:
    """Start two servers on one queue."""
    return server(async_mode=async_mode, redis_url=redis_url), server(async_mode=async_mode, redis_url=redis_url)


@pytest.fixture
def watch() -> Iterator[Callable[[Server], StampedViewer]]:
    """Return a function that connects a viewer; all leave afterwards."""
    with ExitStack() as stack:
        yield lambda served: stack.enter_context(StampedViewer(served))


def emit_from_elsewhere(url: str, text: str) -> None:
    emitted = subprocess.run(
        [sys.executable, "-c", EMIT, url, text], capture_output=True, text=True, timeout=30, check=False
    )
    assert emitted.returncode == 0, emitted.stderr


@EACH_MODE
class TestTwoServers:
    def test_send_each_sample_once(self, pair: tuple[Server, Server], watch: Callable[[Server], StampedViewer]) -> None:
        viewers = [watch(served) for served in (*pair, *pair)]
        for viewer in viewers:
            viewer.await_samples(5, seconds=15)
        for viewer in viewers:
            regular = viewer.came_at[1:5]  # the first comes on joining, whatever the time
            gaps = [later - earlier for earlier, later in pairwise(regular)]
            assert all(1.5 < gap < 2.5 for gap in gaps), gaps

    def test_pass_on_what_a_third_process_emits(
        self, pair: tuple[Server, Server], redis_url: str, watch: Callable[[Server], StampedViewer]
    ) -> None:
        viewers = [watch(served) for served in (*pair, *pair)]
        text = f"from elsewhere {time.monotonic_ns()}"
        emit_from_elsewhere(redis_url, text)
        for viewer in viewers:
            wait_until(partial(viewer.has, text), 5, lambda: "it did not come")
        time.sleep(0.5)  # a second copy would come as quickly
        assert [viewer.samples.count({"data": text}) for viewer in viewers] == [1, 1, 1, 1]
