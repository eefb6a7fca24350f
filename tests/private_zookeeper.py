"""Run a ZooKeeper of the test's own."""

import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kazoo.client import KazooClient
from kazoo.handlers.threading import KazooTimeoutError

from tests.services import missing

START_SECONDS = 60
_JAR = Path("/usr/share/java/zookeeper.jar")
_MAIN = "org.apache.zookeeper.server.ZooKeeperServerMain"


class PrivateZooKeeper:
    """A ZooKeeper server on a port and in a folder of its own."""

    def __init__(self, java: str) -> None:
        """Choose a port and write the configuration; nothing runs yet."""
        self._java = java
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.hosts = f"127.0.0.1:{self.port}"
        self._folder = Path(tempfile.mkdtemp(prefix="redprint-"))
        self._config = self._folder / "zoo.cfg"
        self._config.write_text(
            f"tickTime=500\ndataDir={self._folder / 'data'}\nclientPort={self.port}\n"
            "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
        )

    def start(self) -> None:
        """Start it and wait until it listens."""
        log = (self._folder / "log.txt").open("ab")
        with log:
            self._process = subprocess.Popen(
                [self._java, "-Xmx128m", "-cp", str(_JAR), _MAIN, str(self._config)], stdout=log, stderr=log
            )
        client = KazooClient(hosts=self.hosts)
        try:
            client.start(timeout=START_SECONDS)
        except KazooTimeoutError:
            raise AssertionError((self._folder / "log.txt").read_text()[-2000:]) from None
        finally:
            client.stop()
            client.close()

    def freeze(self) -> None:
        """Let it accept connections and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """End it and leave nothing behind."""
        self._process.kill()
        self._process.wait(START_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def private_zookeeper() -> Iterator[PrivateZooKeeper]:
    """Start a ZooKeeper and leave none behind."""
    java = shutil.which("java")
    if java is None or not _JAR.exists():
        missing("ZooKeeper", "install it with a Java (Debian, Ubuntu: apt-get install zookeeper default-jre-headless)")
    server = PrivateZooKeeper(str(java))
    try:
        server.start()
        yield server
    finally:
        server.remove()
