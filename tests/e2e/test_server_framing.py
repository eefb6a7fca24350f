"""Hostile framing: what no client library sends, byte by byte, to the server in all three async modes."""

import json
import re
import socket
from contextlib import suppress
from urllib.parse import quote, urlencode

import pytest
import requests

from application.libs.listing import MAX_ADDRESS, REQUEST_LINE
from tests.e2e.conftest import Shared
from tests.e2e.server import PASSWORD, Server

BLOGS = "/api/v1/blog"
LOGIN = "/api/v1/auth/login"


def send(server: Server, data: bytes, *, close: bool = False) -> str:
    """Send bytes on a connection of their own and return the whole answer; with `close` say that no more will come."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        if close:
            connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := _receive(connection):
            parts.append(part)
    return b"".join(parts).decode(errors="replace")


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def status(answer: str) -> int:
    """Return the status of the first answer; 0 when there was none."""
    match = re.match(r"HTTP/1\.1 (\d{3}) ", answer)
    return int(match[1]) if match else 0


def request(method: str, target: str, *headers: str, body: bytes = b"", host: str | None = None) -> bytes:
    """Write a request that closes its connection."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or '127.0.0.1'}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def post(*headers: str, body: bytes = b"") -> bytes:
    """Write a login."""
    return request("POST", LOGIN, "Content-Type: application/json", *headers, body=body)


class TestBody:
    def test_that_ends_early_is_400(self, served: Server) -> None:
        answer = send(served, post("Content-Length: 50", body=b'{"n'), close=True)
        assert status(answer) == 400
        assert "application/problem+json" in answer

    @pytest.mark.parametrize(
        "body", [b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}", b"2\r\n{}XX0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n"]
    )
    def test_with_a_bad_chunk_is_400(self, served: Server, body: bytes) -> None:
        answer = send(served, post("Transfer-Encoding: chunked", body=body), close=True)
        assert status(answer) == 400

    def test_in_good_chunks_is_read(self, served: Server) -> None:
        body = b'd\r\n{"name": "x",\r\n11\r\n "password": "y"}\r\n0\r\n\r\n'
        assert status(send(served, post("Transfer-Encoding: chunked", body=body))) == 401

    @pytest.mark.parametrize("framing", ["declared", "chunked"])
    def test_too_large_is_413(self, served: Server, framing: str) -> None:
        size = 1_048_577
        if framing == "declared":
            data = post(f"Content-Length: {size}", body=b" " * size)
        else:
            data = post("Transfer-Encoding: chunked", body=b"%x\r\n%b\r\n0\r\n\r\n" % (size, b" " * size))
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
                connection.sendall(data)
            answer = _receive(connection).decode(errors="replace")
            assert status(answer) == 413
            assert "application/problem+json" in answer
        assert status(send(served, request("GET", BLOGS))) == 200


def refused(answer: str) -> tuple[int, str]:
    """Return status and code of an answer that gunicorn gave by itself, once it is what every refusal is."""
    head, _, body = answer.partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    members = json.loads(body)
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Content-Length"] == str(len(body.encode()))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Connection"] == "close"
    assert members["status"] == status(answer)
    assert members["request_id"] == headers["X-Request-ID"]
    assert members["detail"] == members["title"], "the parser's words are not for clients"
    return status(answer), str(members["code"])


class TestLimits:
    def test_101_headers_are_431(self, served: Server) -> None:
        headers = [f"X-Number-{number}: 1" for number in range(101)]
        assert refused(send(served, request("GET", BLOGS, *headers))) == (431, "headers_too_large")

    def test_a_header_of_9_kb_is_431(self, served: Server) -> None:
        answer = send(served, request("GET", BLOGS, f"X-Long: {'x' * 9000}"))
        assert refused(answer) == (431, "headers_too_large")

    @pytest.mark.parametrize("path", [BLOGS, "/scheduler/jobs", "/"])
    def test_a_line_of_9_kb_is_414(self, served: Server, path: str) -> None:
        answer = send(served, request("GET", f"{path}?q={'x' * 9000}"))
        assert refused(answer) == (414, "address_too_long")
        assert "8190" not in answer

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            pytest.param(b"<script> / HTTP/1.1\r\n\r\n", (400, "bad_request"), id="method"),
            pytest.param(b"GET / HTTP/9.9\r\n\r\n", (400, "bad_request"), id="version"),
            pytest.param(b"GET / HTTP/1.1\r\n<script>: 1\r\n\r\n", (400, "bad_request"), id="header"),
            pytest.param(request("POST", LOGIN, "Expect: tea"), (417, "expectation_failed"), id="expectation"),
            pytest.param(
                request("POST", LOGIN, "Transfer-Encoding: xchunked"), (501, "coding_not_implemented"), id="coding"
            ),
        ],
    )
    def test_what_cannot_be_read_is_not_repeated(self, served: Server, data: bytes, expected: tuple[int, str]) -> None:
        answer = send(served, data, close=True)
        assert refused(answer) == expected
        assert "script" not in answer

    def test_refusals_are_found_in_the_log_by_their_id(self, served: Server) -> None:
        answer = send(served, request("GET", f"{BLOGS}?q={'x' * 9000}"))
        request_id = json.loads(answer.partition("\r\n\r\n")[2])["request_id"]
        assert f"answered 414; request id {request_id}" in served.log.read_text()


def longest_query(sign: str) -> str:
    """Return what a list may be asked at most, to the last byte, for titles that begin with 199 signs."""
    asked = [("sort", "title"), ("limit", "1"), ("title__startswith", sign * 199), ("q", sign * 100)]
    moment, names = "2000-01-01T00:00:00.0{}Z", ("created_at__gt", "updated_at__gt")
    bare = urlencode([*asked, *((name, moment.format("")) for name in names), ("title__contains", "")])
    signs, digits = divmod(MAX_ADDRESS - len(f"{BLOGS}?{bare}"), len(quote(sign)))
    asked += [(names[0], moment.format("0" * (digits // 2))), (names[1], moment.format("0" * (digits - digits // 2)))]
    return urlencode([*asked, ("title__contains", sign * signs)])


class TestPages:
    def test_of_a_list_that_is_accepted_lead_to_the_next(self, served: Server) -> None:
        login = requests.post(f"{served.url}{LOGIN}", json={"name": "admin", "password": PASSWORD}, timeout=10)
        headers = {"Authorization": f"Bearer {login.json()['data']['token']}"}
        sign = "\N{GRINNING FACE}"
        titles = [f"{sign * 199}{number}" for number in range(3)]
        for title in titles:
            body = {"title": title, "content": ""}
            assert requests.post(f"{served.url}{BLOGS}", json=body, headers=headers, timeout=10).status_code == 201
        target = f"{BLOGS}?{longest_query(sign)}"
        assert len(target) == MAX_ADDRESS
        assert status(send(served, request("GET", f"{target}{quote(sign)}"))) == 414
        seen = []
        while target:
            answer = send(served, request("GET", target))
            assert status(answer) == 200, answer
            head, _, body_text = answer.partition("\r\n\r\n")
            seen += [blog["title"] for blog in json.loads(body_text)["data"]]
            following = re.search(r'<([^>]+)>; rel="next"', head)
            target = following[1] if following else ""
        assert seen == titles

    def test_may_take_a_whole_request_line(self, served: Server) -> None:
        longest = request("GET", f"{BLOGS}?after=".ljust(REQUEST_LINE - len("GET  HTTP/1.1"), "x"))
        assert len(longest.partition(b"\r\n")[0]) == REQUEST_LINE
        assert status(send(served, longest)) == 422
        assert status(send(served, longest.replace(b"xx", b"xxx", 1))) == 414


class TestHost:
    def test_none_is_400(self, served: Server) -> None:
        assert status(send(served, f"GET {BLOGS} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())) == 400

    def test_of_somebody_else_is_400(self, served: Server) -> None:
        assert status(send(served, request("GET", BLOGS, host="evil.example"))) == 400

    def test_twice_is_400(self, served: Server) -> None:
        assert status(send(served, request("GET", BLOGS, "Host: localhost"))) == 400

    def test_that_a_foreign_target_contradicts_is_400(self, served: Server) -> None:
        assert status(send(served, request("GET", f"http://evil.example{BLOGS}"))) == 400

    def test_forwarded_by_nobody_we_know_is_ignored(self, served: Server) -> None:
        answer = send(
            served,
            request(
                "GET", BLOGS, "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: for=1.2.3.4"
            ),
        )
        assert status(answer) == 200
        assert "Strict-Transport-Security" not in answer


SMUGGLED = f"GET {BLOGS}/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


class TestSmuggling:
    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param(("Content-Length: 5", "Transfer-Encoding: chunked"), id="length and chunks"),
            pytest.param(("Content-Length: 5", "Content-Length: 6"), id="two lengths"),
            pytest.param(("Content-Length: +5",), id="signed length"),
            pytest.param(("Content-Length: 5, 6",), id="list of lengths"),
            pytest.param(("Content-Length: ٥",), id="foreign digit"),
            pytest.param(("Transfer-Encoding: xchunked",), id="unknown coding"),
            pytest.param(("Transfer-Encoding: chunked, identity",), id="chunks not last"),
            pytest.param(("Content-Length : 5",), id="blank before the colon"),
            pytest.param(("X-Folded: a\r\n b",), id="folded header"),
            pytest.param(("X-Null: a\0b",), id="null"),
            pytest.param(("X-Bare: a\nTransfer-Encoding: chunked",), id="bare line feed"),
        ],
    )
    def test_is_refused(self, served: Server, headers: tuple[str, ...]) -> None:
        data = "\r\n".join([f"POST {LOGIN} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()
        answer = send(served, data + b"0\r\n\r\n" + SMUGGLED, close=True)
        assert status(answer) in (400, 501)
        assert answer.count("HTTP/1.1 ") == 1

    def test_names_neither_server_nor_version(self, served: Server) -> None:
        answer = send(served, request("GET", BLOGS))
        assert not re.search(
            r"python|werkzeug|\d+\.\d+\.\d+", answer.partition("\r\n\r\n")[0].replace("HTTP/1.1", ""), re.I
        )


class TestSlowClients:
    @pytest.mark.parametrize("async_mode", ["gevent", "eventlet"])  # threads are few: there a proxy has to take them
    def test_do_not_keep_others_out(self, shared: Shared, async_mode: str) -> None:
        served = shared(async_mode)
        slow = [socket.create_connection(("127.0.0.1", served.port), timeout=10) for _ in range(60)]
        try:
            for connection in slow:
                connection.sendall(b"GET / HTTP/1.1\r\nHo")
            assert [status(send(served, request("GET", BLOGS))) for _ in range(6)] == [200] * 6
        finally:
            for connection in slow:
                connection.close()
