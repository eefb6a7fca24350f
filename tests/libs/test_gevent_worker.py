"""The gevent worker under gunicorn: answers in one piece, turns, no long queue."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gevent
import pytest
from gunicorn.config import Config

from application.libs.gevent_worker import ACCEPTED_AT_ONCE, LARGEST_PIECE, AnswerSocket, Server, flatten
from tests.gunicorn_specimen import Gunicorn, Serve, starting

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
MANY = 60


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with starting(tmp_path, "gevent_worker.GeventWorker") as serve:
        yield serve


@pytest.fixture
def pair() -> Iterator[tuple[AnswerSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield AnswerSocket(ours), theirs


def waits(client: socket.socket) -> bool:
    """Tell whether nothing has come."""
    client.setblocking(False)
    try:
        client.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    finally:
        client.settimeout(5)
    return False


class TestAnswerSocket:
    def test_sends_head_and_body_together(self, pair: tuple[AnswerSocket, socket.socket]) -> None:
        answer, client = pair
        answer.sendall(HEAD)
        assert waits(client)
        answer.sendall(b"ok")
        assert client.recv(1000) == HEAD + b"ok"

    def test_sends_what_follows_at_once(self, pair: tuple[AnswerSocket, socket.socket]) -> None:
        answer, client = pair
        answer.sendall(HEAD)
        answer.sendall(b"o")
        assert client.recv(1000) == HEAD + b"o"
        answer.sendall(b"k")
        assert client.recv(1000) == b"k"

    def test_sends_a_head_alone_at_the_end(self, pair: tuple[AnswerSocket, socket.socket]) -> None:
        answer, client = pair
        answer.sendall(HEAD)
        answer.flush()
        answer.flush()
        assert client.recv(1000) == HEAD
        assert waits(client)

    @pytest.mark.parametrize("status", [b"101 Switching Protocols", b"204 No Content", b"304 Not Modified"])
    def test_holds_nothing_back_that_nothing_follows(
        self, pair: tuple[AnswerSocket, socket.socket], status: bytes
    ) -> None:
        answer, client = pair
        answer.sendall(b"HTTP/1.1 " + status + b"\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 " + status + b"\r\n\r\n"

    def test_copies_no_large_body(self, pair: tuple[AnswerSocket, socket.socket]) -> None:
        answer, client = pair
        answer.sendall(HEAD)
        sender = threading.Thread(target=answer.sendall, args=(b"x" * (LARGEST_PIECE + 1),))
        sender.start()
        received = b""
        while len(received) < len(HEAD) + LARGEST_PIECE + 1:
            received += client.recv(1_000_000)
        sender.join()
        assert received == HEAD + b"x" * (LARGEST_PIECE + 1)

    def test_sends_all_where_the_kernel_takes_a_part(self) -> None:
        ours, theirs = gevent.socket.socketpair()
        with ours, theirs:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            body = bytes(range(256)) * (LARGEST_PIECE // 256)
            answer, came = AnswerSocket(ours), bytearray()

            def read() -> None:
                while len(came) < len(HEAD) + len(body):
                    came.extend(theirs.recv(3000))

            reader = gevent.spawn(read)
            answer.sendall(HEAD)
            answer.sendall(body)
            reader.get(timeout=5)
            assert bytes(came) == HEAD + body

    def test_sends_a_file_behind_the_head(self, pair: tuple[AnswerSocket, socket.socket], tmp_path: Path) -> None:
        answer, client = pair
        (tmp_path / "file").write_bytes(b"ok")
        answer.sendall(HEAD)
        with (tmp_path / "file").open("rb") as file:
            answer.sendfile(file, offset=0, count=2)
        answer.shutdown(socket.SHUT_WR)
        received = b""
        while data := client.recv(1000):
            received += data
        assert received == HEAD + b"ok"

    def test_sends_the_head_before_it_hangs_up(self, pair: tuple[AnswerSocket, socket.socket]) -> None:
        answer, client = pair
        answer.sendall(HEAD)
        answer.shutdown(socket.SHUT_RDWR)
        assert client.recv(1000) == HEAD


class TestFlatten:
    def test_says_the_same_with_less_asking(self) -> None:
        config = Config()
        config.set("keepalive", 17)
        before = {name: getattr(config, name) for name in config.settings}
        flatten(config)
        assert {name: getattr(config, name) for name in config.settings} == before
        config.settings = {}
        assert config.keepalive == 17
        with pytest.raises(AttributeError):
            _ = config.nothing


class TestServer:
    def test_accepts_a_few_connections_before_it_serves_any(self) -> None:
        done: list[str] = []

        class Noting(Server):
            def do_read(self) -> Any:
                accepted = super().do_read()
                if accepted:
                    done.append("accepted")
                return accepted

        server = Noting(("127.0.0.1", 0), handle=lambda *_connection: done.append("served"))
        server.max_accept = 1
        server.start()
        many = 3 * ACCEPTED_AT_ONCE
        with ExitStack() as clients:
            for _client in range(many):
                clients.enter_context(socket.create_connection(("127.0.0.1", server.server_port), timeout=5))
            with gevent.Timeout(5):
                while done.count("served") < many:
                    gevent.sleep(0.01)
        server.stop()
        assert done[: 2 * ACCEPTED_AT_ONCE] == ["accepted"] * ACCEPTED_AT_ONCE + ["served"] * ACCEPTED_AT_ONCE


def connect(server: Gunicorn) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


REQUEST = b"GET /?busy=0.02 HTTP/1.1\r\nHost: localhost\r\n\r\n"


class TestGeventWorker:
    def test_gives_a_connection_its_turn_while_another_asks_without_end(self, serve: Serve) -> None:
        server = serve()
        with connect(server) as greedy, connect(server) as modest:
            greedy.sendall(REQUEST * MANY)
            assert greedy.recv(1)
            modest.sendall(REQUEST)
            assert modest.recv(1000).startswith(b"HTTP/1.1 200 OK")
            greedy.setblocking(False)
            received = greedy.recv(1_000_000)
        assert received.count(b"HTTP/1.1 200 OK") < MANY / 2

    def test_answers_in_one_piece(self, serve: Serve) -> None:
        server = serve()
        with connect(server) as client:
            for _ in range(20):
                client.sendall(REQUEST)
                answer = client.recv(10_000)
                assert answer.startswith(b"HTTP/1.1 200 OK")
                assert answer.partition(b"\r\n\r\n")[2] != b""
