"""The edge under real servers."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import socketio

from application.config.setting import ROOT
from tests.port import free_port


class Server:
    """Be a running server with the specimen behind the edge."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log

    def ask(self, text: bytes) -> bytes:
        """Send bytes, close the sending half, return all that comes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def lines(self, count: int) -> list[str]:
        """Wait for that many access lines."""
        for _ in range(100):
            lines = self.log.read_text().splitlines() if self.log.exists() else []
            if len(lines) >= count:
                break
            time.sleep(0.05)
        return lines


GUNICORN = [
    "-m",
    "gunicorn",
    "-c",
    "{folder}/empty.conf.py",
    "-b",
    "127.0.0.1:{port}",
    "tests.libs.edge_specimen:create_app('{mode}')",
    "-k",
]

SERVERS = {
    "gevent": [*GUNICORN, "application.libs.gevent_worker.GeventWorker"],
    "gthread": [*GUNICORN, "gthread", "--threads", "9"],
    "eventlet": ["-m", "tests.libs.edge_specimen", "eventlet", "{port}"],
    "werkzeug": ["-m", "tests.libs.edge_specimen", "werkzeug", "{port}"],
}


@pytest.fixture(scope="module", params=["gevent", "gthread", "werkzeug"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port, folder = free_port(), tmp_path_factory.mktemp(request.param)
    mode = "gevent" if request.param == "gevent" else "threading"
    arguments = [argument.format(port=port, mode=mode, folder=folder) for argument in SERVERS[request.param]]
    (folder / "empty.conf.py").touch()
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "LOG_FILE": str(folder / "application.log")},
            stdout=errors,
            stderr=errors,
        )
    try:
        wait_for(port, process, folder / "errors")
        yield Server(port, folder / "application.log")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def wait_for(port: int, process: "subprocess.Popen[bytes]", errors: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, errors.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the server does not listen: {errors.read_text()}")


POST = b"POST /api/length HTTP/1.1\r\nHost: localhost\r\n"


class TestServers:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (b"GET /api/length HTTP/1.1\r\n\r\n", "host_refused"),
            (b"GET /api/length HTTP/1.1\r\nHost: evil.example\r\n\r\n", "host_refused"),
            (b"GET http://evil.example/api/length HTTP/1.1\r\nHost: localhost\r\n\r\n", "host_refused"),
        ],
    )
    def test_refuse_a_host_as_a_problem(self, server: Server, text: bytes, code: str) -> None:
        answer = server.ask(text)

        assert answer.split(b" ", 2)[1] == b"400"
        assert b"application/problem+json" in answer
        assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == code

    @pytest.mark.parametrize(
        "text",
        [
            POST + b"Content-Length: 50\r\n\r\nabc",
            POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
            POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabcde\r\n0\r\n\r\n",
            POST.replace(b"length", b"form")
            + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 50\r\n\r\na=1",
        ],
    )
    def test_refuse_a_broken_body(self, server: Server, text: bytes) -> None:
        answer = server.ask(text)

        assert answer.split(b" ", 2)[1] == b"400"
        assert answer.count(b"HTTP/1.") == 1

    @pytest.mark.parametrize(
        ("text", "end"),
        [
            (POST + b"Content-Length: 3\r\n\r\nabc", b"\r\n\r\n3"),
            (POST + b"Content-Length: 0\r\n\r\n", b"\r\n\r\n0"),
            (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"\r\n\r\n3"),
        ],
    )
    def test_take_a_whole_body(self, server: Server, text: bytes, end: bytes) -> None:
        answer = server.ask(text)

        assert answer.split(b" ", 2)[1] == b"200"
        assert answer.endswith(end)

    def test_answer_exceptions_without_what_they_say(self, server: Server) -> None:
        for path in (b"broken", b"early"):
            answer = server.ask(b"GET /api/" + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert answer.split(b" ", 2)[1] == b"500"
            assert answer.count(b"HTTP/1.") == 1
            assert b"application/problem+json" in answer
            assert b"machine room" not in answer
            assert b"first byte" not in answer

    def test_break_off_a_stream_that_fails_in_the_middle(self, server: Server) -> None:
        whole = server.ask(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        broken = server.ask(b"GET /api/stream?break HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert b"first" in whole
        assert b"second" in whole
        assert b"first" in broken
        assert b"second" not in broken
        assert not broken.endswith(b"0\r\n\r\n")

    def test_send_a_file(self, server: Server) -> None:
        answer = server.ask(b"GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert answer.endswith((ROOT / "tests" / "libs" / "edge_specimen.py").read_bytes())
        assert b"\r\nX-Request-ID: " in answer

    @pytest.mark.parametrize("server", ["gevent", "gthread"], indirect=True)
    def test_tell_no_version(self, server: Server) -> None:
        head = server.ask(b"GET /api/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").partition(b"\r\n\r\n")[0]

        named = [line for line in head.split(b"\r\n") if line.lower().startswith(b"server:")]
        assert not any(re.search(rb"\d", line) for line in named)

    @pytest.mark.parametrize("transport", ["websocket", "polling"])
    @pytest.mark.parametrize("server", SERVERS, indirect=True)
    def test_let_sockets_through(self, server: Server, transport: str) -> None:
        before = len(server.lines(0))
        client = socketio.SimpleClient(request_timeout=30)
        client.connect(f"http://127.0.0.1:{server.port}", transports=[transport], wait_timeout=30)

        assert client.call("double", 21) == 42
        time.sleep(0.3)
        client.disconnect()

        lines = [line for line in server.lines(before + 1)[before:] if " /socket.io/ " in line]
        assert lines
        if transport == "websocket":
            found = re.search(r" 101 (\d+)\.\dms ", lines[-1])
            assert found is not None
            assert int(found[1]) >= 300

    def test_write_a_line_for_each_request(self, server: Server) -> None:
        before = len(server.lines(0))
        for number in range(20):
            server.ask(f"GET /api/x{number}?token=s3cret HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

        lines = server.lines(before + 20)[before:]
        for number in range(20):
            assert sum(f" GET /api/x{number} - 404 " in line for line in lines) == 1
        assert "s3cret" not in "\n".join(lines)
