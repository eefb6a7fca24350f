"""Run a Redis of the test's own, that it may stop, freeze and start again."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from tests.port import free_port
from tests.services import missing

START_SECONDS = 10


class PrivateRedis:
    """A Redis server on a port of its own that keeps nothing on disk."""

    def __init__(self, binary: str) -> None:
        """Choose a port; nothing runs yet."""
        self._binary = binary
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([self._binary, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis(port=self.port, socket_connect_timeout=1) as client:
            while time.monotonic() < deadline:
                try:
                    client.ping()
                except redis.ConnectionError:
                    time.sleep(0.02)
                else:
                    return
        raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        """End it at once, with all it knew."""
        self._process.kill()
        self._process.wait(START_SECONDS)

    def freeze(self) -> None:
        """Let it accept connections and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def private_redis() -> Iterator[PrivateRedis]:
    """Start a Redis and leave none behind."""
    binary = shutil.which("redis-server")
    if binary is None:
        missing("redis-server", "install it (Debian, Ubuntu: apt-get install redis-server)")
    server = PrivateRedis(str(binary))
    server.start()
    try:
        yield server
    finally:
        server.kill()
