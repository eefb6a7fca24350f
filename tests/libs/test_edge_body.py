"""Bodies, access lines, files and sockets at the edge."""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from flask import request
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import create_environ
from werkzeug.wrappers import Response as Answer

from application.libs.edge import Edge, StartResponse
from application.libs.request_body import BodyBrokenError
from tests.libs import edge_kit
from tests.libs.edge_kit import Browser, Build, flask_app, raising

HEX_ID = re.compile(r"[0-9a-f]{32}")


class TestBody:
    def read(self, data: bytes, length: str | None, how: Callable[[Any], object], **more: str) -> object:
        seen: list[object] = []

        def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            seen.append(how(environ["wsgi.input"]))
            start_response("200 OK", [])
            return []

        environ = {**create_environ("/api/x", method="POST"), "wsgi.input": io.BytesIO(data), **more}
        environ.pop("CONTENT_LENGTH", None)
        if length is not None:
            environ["CONTENT_LENGTH"] = length
        answer = Browser(Edge(app, write_line=lambda _line: None)).open(environ)
        return seen[0] if seen else answer

    @pytest.mark.parametrize(
        ("how", "result"),
        [
            (lambda body: body.read(), b"ab\ncd\nef"),
            (lambda body: body.read(-1), b"ab\ncd\nef"),
            (lambda body: body.read(None), b"ab\ncd\nef"),
            (lambda body: (body.read(3), body.read(99), body.read(1)), (b"ab\n", b"cd\nef", b"")),
            (
                lambda body: (body.readline(), body.readline(1), body.readline(), body.readline()),
                (b"ab\n", b"c", b"d\n", b"ef"),
            ),
            (lambda body: (*body.readlines(), body.readline()), (b"ab\n", b"cd\n", b"ef", b"")),
            (list, [b"ab\n", b"cd\n", b"ef"]),
        ],
    )
    @pytest.mark.parametrize("chunked", [False, True])
    def test_is_read_whole_in_every_way(self, how: Callable[[Any], object], result: object, chunked: bool) -> None:
        if chunked:
            assert self.read(b"ab\ncd\nef", None, how, HTTP_TRANSFER_ENCODING="chunked") == result
        else:
            assert self.read(b"ab\ncd\nef and the next request", "8", how) == result

    @pytest.mark.parametrize("how", [lambda body: body.read(), lambda body: body.read(50), lambda body: list(body)])
    def test_is_refused_when_it_ends_early(self, how: Callable[[Any], object]) -> None:
        answer = self.read(b"abc", "50", how)

        assert isinstance(answer, Answer)
        assert answer.status_code == 400
        assert answer.get_json()["code"] == "bad_request"

    @pytest.mark.parametrize("length", ["+4", "-1", "4.0", "x", "٤", "9" * 5000])
    def test_is_refused_when_its_length_is_no_number(self, length: str) -> None:
        answer = self.read(b"abcd", length, lambda body: body.read())

        assert isinstance(answer, Answer)
        assert answer.get_json()["code"] == "length_refused"

    @pytest.mark.parametrize("length", ["4", None])
    def test_is_refused_when_reading_it_fails(self, length: str | None) -> None:
        class UnchunkableError(Exception):
            """Be what a server raises."""

        class Stream:
            def read(self, _size: int) -> bytes:
                raise UnchunkableError

            readline = read

        def app(environ: dict[str, Any], _start_response: StartResponse) -> Iterable[bytes]:
            environ["wsgi.input"].read(4)
            return []

        environ = {**create_environ("/api/x", method="POST"), "wsgi.input": Stream()}
        environ |= {"HTTP_TRANSFER_ENCODING": "chunked"} if length is None else {"CONTENT_LENGTH": length}

        answer = Browser(Edge(app, write_line=lambda _line: None, body_errors=[UnchunkableError])).open(environ)

        assert answer.status_code == 400

    def test_raises_what_a_view_answers_with_400(self) -> None:
        assert issubclass(BodyBrokenError, BadRequest)
        app = flask_app()
        app.add_url_rule("/api/raw", view_func=lambda: request.get_data(), methods=["POST"], endpoint="raw")
        client = Browser(Edge(app.wsgi_app, write_line=lambda _line: None))
        environ = {**create_environ("/api/raw", method="POST"), "wsgi.input": io.BytesIO(b"abc"), "CONTENT_LENGTH": "9"}

        assert client.open({**environ}).status_code == 400
        assert (
            client.open({**environ, "wsgi.input": io.BytesIO(b"abc"), "wsgi.input_terminated": True}).status_code == 400
        )


class TestAccessLine:
    def test_tells_what_happened(self, build: Build, lines: list[bytes]) -> None:
        build().get("/api/thing/a?user=ann&token=s3cret", headers={"X-Request-ID": "r1"})

        pattern = (
            rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO access \[r1\] GET /api/thing/a thing 200 \d+\.\dms "
            rb"user=ann remote=-\n"
        )
        assert len(lines) == 1
        assert re.fullmatch(pattern, lines[0])

    def test_is_an_object_for_machines(self, build: Build, lines: list[bytes]) -> None:
        build(log_format="json").get("/api/thing/a?user=ann", headers={"X-Request-ID": "r1"})

        line = json.loads(lines[0])
        assert lines[0].endswith(b"}\n")
        assert line.pop("milliseconds") >= 0
        assert line.pop("time").endswith("Z")
        assert line == {
            "level": "INFO", "logger": "access", "request_id": "r1", "method": "GET", "path": "/api/thing/a",
            "endpoint": "thing", "status": 200, "user": "ann", "remote": None,
        }  # fmt: skip

    @pytest.mark.parametrize("log_format", ["text", "json"])
    def test_stays_one_line_whatever_a_client_sends(self, build: Build, lines: list[bytes], log_format: str) -> None:
        hostile = "ann\n\x1b[2J\u2028\x9b\ud800 remote=6.6.6.6"

        def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            environ["redprint.user"] = hostile
            start_response("200 OK", [])
            return []

        odd = {"PATH_INFO": "/a\n\x1b b\xe9%0a", "REMOTE_ADDR": "1.1.1.1\n\x7f", "REQUEST_METHOD": "GE\tT"}
        environ = {**create_environ("/"), **odd}
        build(app, log_format=log_format).open(environ)

        text = lines[0].decode()
        assert text[:-1].isprintable()
        assert text[-1] == "\n"
        assert "/a%0A%1B%20b%E9%250a" in text
        if log_format == "json":
            assert json.loads(text)["user"] == hostile.replace("\ud800", "\\ud800")
        else:
            assert r'user="ann\n\u001b[2J\u2028\u009b\ud800 remote=6.6.6.6" remote="1.1.1.1\n\u007f"' in text

    def test_waits_for_the_last_byte(self, lines: list[bytes]) -> None:
        edge = Edge(flask_app().wsgi_app, write_line=lines.append)
        sent = edge(create_environ("/file"), lambda *_: lambda _data: None)

        assert b"".join(sent) == Path(edge_kit.__file__).read_bytes()
        assert lines == []
        cast(Any, sent).close()
        assert len(lines) == 1

    def test_names_the_client_behind_a_proxy(self, lines: list[bytes]) -> None:
        app = ProxyFix(Edge(flask_app().wsgi_app, write_line=lines.append), x_for=1)

        Browser(app).get("/page", headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.7"})

        assert lines[0].endswith(b"remote=192.0.2.7\n")


class TestFile:
    def test_stays_the_server_s_own_wrapper(self, lines: list[bytes]) -> None:
        class Wrapper:
            def __init__(self, file: io.BytesIO, size: int = 8192) -> None:
                self.close = file.close
                self.file = file

            def __iter__(self) -> Iterator[bytes]:
                return iter(self.file)

        started: list[str] = []
        environ = {**create_environ("/file"), "wsgi.file_wrapper": Wrapper}
        edge = Edge(flask_app().wsgi_app, write_line=lines.append)

        answer: Any = edge(environ, cast(Any, lambda status, _headers: started.append(status)))

        assert isinstance(answer, Wrapper)
        assert (started, lines) == (["200 OK"], [])
        answer.close()
        assert answer.file.closed
        assert len(lines) == 1


class TestSocket:
    def test_passes_untouched(self, lines: list[bytes]) -> None:
        handled = object()
        seen: list[Any] = []

        def app(environ: dict[str, Any], _start_response: StartResponse) -> Any:
            seen.append(environ["wsgi.input"])
            return handled

        environ = {**create_environ("/socket.io/", headers={"Upgrade": "websocket", "Connection": "Upgrade"})}
        stream = environ["wsgi.input"]

        assert Edge(app, write_line=lines.append)(environ, lambda *_: lambda _data: None) is handled
        assert seen == [stream]
        assert b"GET /socket.io/ - 101 " in lines[0]

    def test_may_end_as_gunicorn_s_sockets_do(self, lines: list[bytes]) -> None:
        edge = Edge(raising(StopIteration()), write_line=lines.append)
        environ = create_environ("/socket.io/", headers={"Upgrade": "websocket"})

        with pytest.raises(StopIteration):
            edge(environ, lambda *_: lambda _data: None)
        assert len(lines) == 1
