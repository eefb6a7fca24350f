"""The eventlet worker under gunicorn, with an application of a few lines."""

import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from gunicorn.config import Config
from gunicorn.errors import ConfigError

from application.libs.eventlet_worker import EventletWorker
from tests.e2e.server import ROOT
from tests.gunicorn_specimen import Serve, starting
from tests.waiting import wait_until


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with starting(tmp_path, "eventlet_worker.EventletWorker") as serve:
        yield serve


class TestEventletWorker:
    @pytest.mark.timed
    def test_serves_many_at_once(self, serve: Serve) -> None:
        server = serve()
        started_at = time.monotonic()
        with ThreadPoolExecutor(20) as clients:
            assert len(set(clients.map(server.get, [0.5] * 20))) == 1
        assert time.monotonic() - started_at < 3

    def test_serves_no_more_at_once_than_it_may(self, serve: Serve) -> None:
        server = serve("--worker-connections", "2")
        started_at = time.monotonic()
        with ThreadPoolExecutor(4) as clients:
            list(clients.map(server.get, [0.5] * 4))
        assert time.monotonic() - started_at > 0.9

    def test_leaves_other_workers_their_share(self, serve: Serve) -> None:
        server = serve("--workers", "2")
        wait_until(lambda: len(server.workers()) == 2, 10, server.output.read_text)
        with ThreadPoolExecutor(8) as clients:
            served = Counter(clients.map(server.get, [0.01] * 200))
        assert len(served) == 2
        assert min(served.values()) > 20

    def test_is_replaced_after_its_requests_without_losing_one(self, serve: Serve) -> None:
        server = serve("--max-requests", "10")
        pids = {server.get(0.02) for _ in range(40)}
        assert len(pids) >= 2

    def test_serves_one_after_the_other_on_a_connection(self, serve: Serve) -> None:
        server = serve()
        with requests.Session() as session:
            for _ in range(5):
                assert session.post(server.url, data=b"x" * 100_000, timeout=5).status_code == 200

    @pytest.mark.timed
    def test_closes_an_idle_connection(self, serve: Serve) -> None:
        server = serve("--keep-alive", "1")
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as idle:
            started_at = time.monotonic()
            assert idle.recv(1) == b""
        assert 0.5 < time.monotonic() - started_at < 3

    @pytest.mark.timed
    def test_stops_at_once_on_sigquit(self, serve: Serve) -> None:
        server = serve()
        with ThreadPoolExecutor(1) as clients:
            held = clients.submit(requests.get, server.url, params={"sleep": 5}, timeout=20)
            time.sleep(0.5)
            started_at = time.monotonic()
            assert server.stop(signal.SIGQUIT) == 0
            assert time.monotonic() - started_at < 3
            assert held.exception() is not None
        assert "Traceback" not in server.output.read_text()

    def test_goes_on_after_sigusr1(self, serve: Serve) -> None:
        server = serve()
        (worker,) = server.workers()
        server.process.send_signal(signal.SIGUSR1)
        time.sleep(0.5)
        assert server.get() == str(worker.pid)

    @pytest.mark.timed
    def test_gives_up_on_a_request_after_the_graceful_timeout(self, serve: Serve) -> None:
        server = serve("--graceful-timeout", "1")
        with ThreadPoolExecutor(1) as clients:
            held = clients.submit(requests.get, server.url, params={"sleep": 8}, timeout=20)
            time.sleep(0.5)
            started_at = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - started_at < 4
            assert held.exception() is not None

    def test_keeps_its_descriptors(self, serve: Serve) -> None:
        server = serve()
        (worker,) = server.workers()
        before = worker.num_fds()
        for _ in range(50):
            server.get()
        wait_until(
            lambda: worker.num_fds() <= before + 2, 5, lambda: f"{worker.num_fds()} descriptors, {before} before"
        )

    @pytest.mark.parametrize("setting", [{"preload_app": True}, {"certfile": "a.pem", "keyfile": "a.pem"}])
    def test_refuses_what_it_cannot_do(self, setting: dict[str, object]) -> None:
        config = Config()
        for name, value in setting.items():
            config.set(name, value)
        with pytest.raises(ConfigError, match="eventlet"):
            EventletWorker.check_config(config, None)

    def test_is_imported_without_a_warning(self) -> None:
        command = [sys.executable, "-W", "error", "-c", "import application.libs.eventlet_worker"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, "")
