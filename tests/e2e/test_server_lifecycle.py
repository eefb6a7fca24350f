"""Stopping, reloading and killing the server, in all three async modes: what ends, what comes back, and when."""

import signal
import socket
import time
from contextlib import ExitStack

import pytest

from tests.e2e.conftest import ASYNC_MODES, Serve
from tests.e2e.server import await_end, lives, polling
from tests.e2e.viewer import Viewer
from tests.waiting import wait_until

pytestmark = pytest.mark.timed

EACH_MODE = pytest.mark.parametrize("async_mode", ASYNC_MODES)


class TestStop:
    @EACH_MODE
    def test_takes_less_than_5_s_with_an_open_socket(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode)
        runner = served.await_runner()
        with ExitStack() as stack:
            viewers = [stack.enter_context(Viewer(served)) for _ in range(3)]
            viewers[0].await_samples(1)
            started_at = time.monotonic()
            assert served.stop() == 0
            assert time.monotonic() - started_at < 5
            assert all(viewer.left.wait(5) for viewer in viewers)
        assert not lives(runner)
        assert "Traceback" not in served.said()

    @EACH_MODE
    def test_lets_a_request_in_flight_finish(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode)
        body = b'{"name": "admin", "password": "wrong password"}'
        head = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
            connection.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body[:10])
            time.sleep(0.3)
            served.process.send_signal(signal.SIGTERM)
            time.sleep(1.5)
            connection.sendall(body[10:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")
        assert served.stop() == 0

    @EACH_MODE
    @pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
    def test_survives_a_second_signal(self, server: Serve, async_mode: str, first: signal.Signals) -> None:
        served = server(async_mode=async_mode)
        served.await_leader()
        children = served.processes()
        with Viewer(served) as viewer:
            viewer.await_samples(1)
            served.process.send_signal(first)
            for process in served.workers():  # as the terminal does: Ctrl-C goes to all of the group
                process.send_signal(first)
            time.sleep(0.1)
            assert served.stop(first) == 0
        await_end(children, 5)
        assert "Traceback" not in served.said()
        assert "The runner stops: the server stops" in served.log.read_text(), "the runner was not asked but killed"

    @EACH_MODE
    def test_may_be_started_again_on_the_same_port(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode)
        assert served.stop() == 0
        served.start()
        assert served.answers()


class TestReload:
    @EACH_MODE
    def test_replaces_worker_and_runner_without_an_error(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode)
        runner = served.await_runner()
        (worker,) = served.workers()
        with polling(f"{served.url}/api/v1/tag") as statuses:
            served.process.send_signal(signal.SIGHUP)
            await_end([worker, runner], 30)
            successor = served.await_runner()
            time.sleep(0.5)
        assert len(statuses) > 5
        assert set(statuses) == {200}
        assert worker.pid not in [process.pid for process in served.workers()]
        assert len(served.workers()) == 1
        assert successor.pid != runner.pid
        assert served.stop() == 0


class TestKill:
    @EACH_MODE
    def test_of_the_runner_brings_another_within_a_second(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode)
        runner = served.await_runner()
        for _ in range(3):
            runner.kill()
            runner = served.await_runner(1, other_than=runner.pid)
        assert served.answers()

    @EACH_MODE
    def test_of_a_worker_takes_its_runner_along_and_brings_both_back(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode)
        runner = served.await_runner()
        (worker,) = served.workers()
        worker.kill()
        await_end([worker, runner], 5)
        assert served.await_runner(other_than=runner.pid).ppid() in [process.pid for process in served.workers()]
        wait_until(served.answers, 10, served.said)

    @EACH_MODE
    def test_of_the_master_leaves_nobody(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode)
        served.await_runner()
        family = served.processes()
        with Viewer(served) as viewer:
            served.process.kill()
            served.process.wait(5)
            await_end(family, 5)
            assert viewer.left.wait(5)
