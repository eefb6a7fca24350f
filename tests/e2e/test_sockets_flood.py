"""Strangers who open sockets: they take no thread from the requests, and are shown out."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests
import websocket

from tests.e2e.conftest import ASYNC_MODES, Serve
from tests.e2e.server import Server
from tests.e2e.viewer import Viewer
from tests.waiting import wait_until

pytestmark = pytest.mark.timed

FLOOD = 40


def open_socket(server: Server) -> websocket.WebSocket:
    address = server.url.replace("http", "ws", 1)
    return websocket.create_connection(f"{address}/socket.io/?EIO=4&transport=websocket", timeout=10)


@contextmanager
def flood(server: Server, *, first_words: str | None = None) -> Iterator[list[int]]:
    """Open many sockets and keep those that were let in; yield each one's status."""
    with ExitStack() as stack:
        statuses = []
        for _ in range(FLOOD):
            try:
                stranger = open_socket(server)
            except websocket.WebSocketBadStatusException as refusal:
                statuses.append(refusal.status_code)
                continue
            stack.callback(stranger.shutdown)
            statuses.append(101)
            if first_words is not None:
                stranger.send(first_words)
        yield statuses


def answers_quickly(server: Server) -> None:
    started_at = time.monotonic()
    assert requests.get(f"{server.url}/api/v1/tag", timeout=10).status_code == 200
    assert time.monotonic() - started_at < 2


class TestFlood:
    @pytest.mark.parametrize("first_words", [None, "40", "40/ws,"], ids=["silent", "root", "no token"])
    def test_leaves_threads_for_requests(self, server: Serve, first_words: str | None) -> None:
        served = server(async_mode="threading", ws_open=0)
        with flood(served, first_words=first_words) as statuses:
            assert statuses == [101] * 24 + [503] * 16
            answers_quickly(served)

    def test_by_polling_leaves_room_for_requests(self, server: Serve) -> None:
        served = server(async_mode="threading")
        polling = f"{served.url}/socket.io/?EIO=4&transport=polling"
        statuses = [requests.get(polling, timeout=10).status_code for _ in range(FLOOD)]
        assert statuses == [200] * 24 + [503] * 16
        refusal = requests.get(polling, timeout=10)
        assert refusal.headers["Content-Type"] == "application/problem+json"
        assert refusal.headers["Retry-After"] == "5"
        assert refusal.json()["code"] == "unavailable"
        answers_quickly(served)

    @pytest.mark.parametrize("async_mode", ASYNC_MODES)
    def test_is_over_after_a_few_seconds(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode, threads=18, worker_connections=20)
        with Viewer(served) as viewer, flood(served) as statuses:
            assert statuses == [101] * 9 + [503] * 31
            wait_until(lambda: served.log.read_text().count("GET /socket.io/ - 101") == 9, 15, served.said)
            viewer.await_samples(len(viewer.samples) + 2)  # who has joined stays
            with Viewer(served) as another:
                another.await_samples(1)
        assert "Traceback" not in served.said()


class TestNamespace:
    def test_is_the_only_one(self, server: Serve) -> None:
        served = server(async_mode="threading")
        stranger = open_socket(served)
        stranger.recv()
        stranger.send("40")
        assert str(stranger.recv()) == '44"Unable to connect"'
        stranger.close(timeout=2)


class TestOddRequests:
    @pytest.mark.parametrize("async_mode", ASYNC_MODES)
    def test_are_no_errors(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode)
        odd = f"{served.url}/socket.io/?EIO=4&transport="
        assert requests.get(f"{odd}polling", headers={"Origin": "http://evil.example"}, timeout=10).status_code == 400
        assert requests.get(f"{odd}pigeon", timeout=10).status_code == 400
        assert requests.get(f"{odd}polling&sid=none", timeout=10).status_code == 400
        log = served.log.read_text()
        assert "WARNING engineio.server" in log
        assert " ERROR " not in log
