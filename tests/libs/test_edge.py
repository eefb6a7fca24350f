import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import socketio
from flask import Flask, Response, request, send_file
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wrappers import Response as Answer

from application.config.setting import ROOT
from application.libs.edge import REQUEST_ID, Edge, StartResponse
from application.libs.error import TooManyRequests
from application.libs.request_body import BodyBrokenError

HEX_ID = re.compile(r"[0-9a-f]{32}")

Build = Callable[..., "Browser"]


class Browser:
    """Ask an application as a server does: exactly this environment, read to the end, closed."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def open(self, environ: dict[str, Any]) -> Answer:
        return Answer(*run_wsgi_app(self.app, environ, buffered=True))

    def get(self, path: str, **options: Any) -> Answer:
        return self.open(create_environ(path, **options))

    def post(self, path: str) -> Answer:
        return self.get(path, method="POST")


def flask_app() -> Flask:
    app = Flask("specimen")

    @app.get("/api/thing/<name>")
    def thing(name: str) -> dict[str, str]:
        request.environ["redprint.user"] = request.args.get("user")
        return {"name": name, "request_id": REQUEST_ID.get()}

    @app.get("/page")
    def page() -> str:
        return "<p>hello</p>"

    @app.get("/own")
    def own() -> Response:
        headers = {"Content-Security-Policy": "own", "Cache-Control": "max-age=60", "Referrer-Policy": "no-referrer"}
        return Response("x", mimetype="text/plain", headers=headers)

    @app.get("/file")
    def file() -> Response:
        return send_file(Path(__file__), mimetype="text/plain")

    return app


@pytest.fixture
def lines() -> list[bytes]:
    return []


@pytest.fixture
def build(lines: list[bytes]) -> Build:
    """Return a function that puts an edge around an application and a client before it."""

    def make(app: Any = None, **options: Any) -> Browser:
        return Browser(Edge(app or flask_app().wsgi_app, write_line=lines.append, **options))

    return make


def raising(error: BaseException) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    def app(_environ: dict[str, Any], _start_response: StartResponse) -> Iterable[bytes]:
        raise error

    return app


class TestRequestId:
    @pytest.mark.parametrize("given", ["a", "0123.abc_DEF-9", "x" * 64])
    def test_is_the_given_one_when_it_is_harmless(self, build: Build, lines: list[bytes], given: str) -> None:
        answer = build().get("/api/thing/a", headers={"X-Request-ID": given})

        assert answer.headers["X-Request-ID"] == given
        assert answer.get_json()["request_id"] == given
        assert f" [{given}] ".encode() in lines[0]

    @pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "é", "١", "<script>"])
    def test_is_made_when_the_given_one_is_not(self, build: Build, given: str) -> None:
        environ = create_environ("/api/thing/a")
        environ["HTTP_X_REQUEST_ID"] = given

        answer = build().open(environ)

        assert HEX_ID.fullmatch(answer.headers["X-Request-ID"])

    def test_differs_between_requests_and_ends_with_them(self, build: Build) -> None:
        client = build()

        assert client.get("/page").headers["X-Request-ID"] != client.get("/page").headers["X-Request-ID"]
        assert REQUEST_ID.get() == "-"


class TestHeaders:
    @pytest.mark.parametrize("path", ["/api/thing/a", "/file", "/api/missing"])
    def test_close_everything_on_data(self, build: Build, path: str) -> None:
        answer = build().get(path)

        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        if not str(answer.content_type).startswith("text/html"):
            assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert "Cross-Origin-Opener-Policy" not in answer.headers

    def test_let_a_page_load_its_own_and_nothing_else(self, build: Build) -> None:
        answer = build().get("/page")

        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_are_the_application_s_where_it_sets_them(self, build: Build) -> None:
        answer = build(no_store=["/own"]).get("/own")

        assert answer.headers.getlist("Content-Security-Policy") == ["own"]
        assert answer.headers.getlist("Cache-Control") == ["max-age=60"]
        assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        ("path", "stored"), [("/api/thing/a", False), ("/api", False), ("/apiary", True), ("/page", True)]
    )
    def test_forbid_to_store_what_the_api_says(self, build: Build, path: str, stored: bool) -> None:
        assert (build().get(path).headers.get("Cache-Control") == "no-store") is not stored

    def test_ask_for_tls_where_it_is_spoken(self, build: Build) -> None:
        client = build()

        assert "Strict-Transport-Security" not in client.get("/page").headers
        secure = client.get("/page", base_url="https://localhost")
        assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"

    def test_do_not_touch_the_list_of_the_application(self, build: Build) -> None:
        shared = [("Content-Type", "text/plain")]

        def app(_environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", shared)
            return [b"x"]

        build(app).get("/")

        assert shared == [("Content-Type", "text/plain")]


class TestHost:
    def ask(self, client: Browser, host: str | None, protocol: str = "HTTP/1.1", **more: str) -> Answer:
        environ = {**create_environ("/page"), "SERVER_PROTOCOL": protocol, **more}
        environ.pop("HTTP_HOST", None)
        if host is not None:
            environ["HTTP_HOST"] = host
        return client.open(environ)

    @pytest.mark.parametrize(
        "host",
        [
            "localhost",
            "LocalHost:5000",
            "127.0.0.1:80",
            "[::1]:5000",
            "[::1]",
            "localhost.",
            "a.example",
            "x.a.example",
        ],
    )
    def test_is_served_when_it_is_listed(self, build: Build, host: str) -> None:
        client = build(trusted_hosts=["localhost", "127.0.0.1", "::1", ".a.example"])

        assert [self.ask(client, host).status_code for _ in range(2)] == [200, 200]

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "localhost.evil.example",
            "xa.example",
            "",
            "localhost:port",
            "a b",
            "localhost/x",
            "a@localhost",
        ],
    )
    def test_is_refused_when_it_is_not(self, build: Build, lines: list[bytes], host: str) -> None:
        answer = self.ask(build(trusted_hosts=["localhost", ".a.example"]), host)

        assert answer.status_code == 400
        assert answer.content_type == "application/problem+json"
        assert answer.get_json()["code"] == "host_refused"
        assert b"/page - 400 " in lines[0]

    @pytest.mark.parametrize(("host", "status"), [("any.example", 200), ("", 400), ("a b", 400), ("[::1", 400)])
    def test_must_be_one_where_none_is_listed(self, build: Build, host: str, status: int) -> None:
        assert self.ask(build(), host).status_code == status

    def test_is_needed_in_http_1_1_only(self, build: Build) -> None:
        client = build(trusted_hosts=["localhost"])

        assert self.ask(client, None).status_code == 400
        assert self.ask(client, None, "HTTP/1.0").status_code == 200

    @pytest.mark.parametrize(
        ("target", "status"),
        [
            ("/page", 200),
            ("http://localhost/page", 200),
            ("http://LOCALHOST?x", 200),
            ("http://evil.example/page", 400),
            ("http://localhost@evil.example/", 400),
            ("*", 200),
        ],
    )
    def test_is_the_same_in_an_absolute_target(self, build: Build, target: str, status: int) -> None:
        client = build(trusted_hosts=["localhost"])

        assert [self.ask(client, "localhost", RAW_URI=target).status_code for _ in range(2)] == [status, status]

    def test_is_judged_for_sockets_too(self, build: Build) -> None:
        client = build(raising(AssertionError("not reached")), trusted_hosts=["localhost"])
        environ = {**create_environ("/socket.io/"), "HTTP_HOST": "evil.example"}

        assert client.open(environ).status_code == 400

    def test_does_not_fill_the_memory(self, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("application.libs.host.MOST_KNOWN_HOSTS", 3)
        edge = Edge(flask_app().wsgi_app, write_line=lambda _line: None)

        for number in range(10):
            assert self.ask(Browser(edge), f"h{number}.example").status_code == 200

        assert len(edge.trusted._known) == 3


class TestErrors:
    def test_are_problems_when_an_exception_leaves_the_application(
        self, build: Build, lines: list[bytes], caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = build(raising(RuntimeError("inside"))).post("/api/thing/é")

        assert answer.status_code == 500
        assert answer.content_type == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.get_json() == {
            "type": "urn:redprint:problem:internal_error",
            "title": "Something went wrong on the server.",
            "status": 500,
            "detail": "Something went wrong on the server.",
            "instance": "/api/thing/é",
            "code": "internal_error",
            "request": "POST /api/thing/é",
            "request_id": answer.headers["X-Request-ID"],
            "errors": [],
        }
        assert "RuntimeError: inside" in caplog.text
        assert b"POST /api/thing/%C3%A9 - 500 " in lines[0]

    def test_carry_the_message_the_scheduler_s_clients_read(self, build: Build) -> None:
        answer = build(raising(RuntimeError("inside"))).get("/scheduler/jobs")

        assert answer.content_type == "application/json"
        assert answer.get_json()["error_message"] == "Something went wrong on the server."
        assert answer.get_json()["request_id"] == answer.headers["X-Request-ID"]
        assert build(raising(RuntimeError())).get("/schedulers").content_type == "application/problem+json"

    def test_keep_status_and_headers_of_a_refusal(self, build: Build) -> None:
        answer = build(raising(TooManyRequests("later", headers={"Retry-After": "3"}))).get("/api/x")

        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
        assert answer.get_json()["detail"] == "later"

    def test_have_no_body_for_head(self, build: Build) -> None:
        answer = build(raising(RuntimeError("inside"))).get("/api/x", method="HEAD")

        assert (answer.status_code, answer.data) == (500, b"")

    def test_replace_an_answer_that_breaks_before_its_first_byte(self, build: Build) -> None:
        def app(_environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
            start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
            raise RuntimeError("early")
            yield b""

        answer = build(app).get("/api/x")

        assert answer.status_code == 500
        assert answer.headers.getlist("Content-Length") == [str(len(answer.data))]
        assert answer.get_json()["code"] == "internal_error"

    def test_cannot_replace_what_was_sent(self, build: Build, lines: list[bytes]) -> None:
        closed = []

        class Chunks:
            def __iter__(self) -> Iterator[bytes]:
                yield b"first"
                raise RuntimeError("late")

            def close(self) -> None:
                closed.append(True)

        def app(_environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return Chunks()

        with pytest.raises(RuntimeError, match="late"):
            build(app).get("/api/x")
        assert b" 200 " in lines[0]
        assert len(lines) == 1

    def test_go_on_to_a_debugger(self, build: Build, lines: list[bytes]) -> None:
        with pytest.raises(RuntimeError, match="inside"):
            build(raising(RuntimeError("inside")), propagate=True).get("/api/x")
        assert len(lines) == 1

    def test_leave_the_end_of_the_process_alone(self, build: Build, lines: list[bytes]) -> None:
        with pytest.raises(SystemExit):
            build(raising(SystemExit(3))).get("/api/x")
        assert len(lines) == 1


class TestStartResponse:
    def test_may_be_called_again_with_an_error_while_nothing_was_sent(self, build: Build) -> None:
        def app(_environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [("X-First", "1")])
            try:
                raise ValueError("changed its mind")
            except ValueError:
                start_response("409 Conflict", [("X-Second", "1")], sys.exc_info())
            return [b"x"]

        answer = build(app).get("/")

        assert answer.status_code == 409
        assert "X-First" not in answer.headers

    def test_gives_the_old_write_and_refuses_a_change_after_it(self, build: Build) -> None:
        def app(_environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            write = start_response("200 OK", [("Content-Type", "text/plain")])
            write(b"one ")
            if _environ["PATH_INFO"] == "/late":
                try:
                    raise ValueError("too late")
                except ValueError:
                    start_response("500 Late", [], sys.exc_info())
            return [b"two"]

        sent: list[bytes] = []
        edge = build(app).app
        sent += edge(create_environ("/"), lambda *_: sent.append)
        assert sent == [b"one ", b"two"]
        with pytest.raises(ValueError, match="too late"):
            build(app).get("/late")


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

        assert b"".join(sent) == Path(__file__).read_bytes()
        assert lines == []
        sent.close()  # type: ignore[attr-defined]
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

        answer = edge(environ, lambda status, _headers: started.append(status))  # type: ignore[arg-type,return-value]

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


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


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
    "gevent": [*GUNICORN, "gevent"],
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
        client = socketio.SimpleClient()
        client.connect(f"http://127.0.0.1:{server.port}", transports=[transport])

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
