"""Request id, headers, hosts, errors and the protocol of start_response."""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from werkzeug.test import create_environ
from werkzeug.wrappers import Response as Answer

from application.libs.edge import REQUEST_ID, Edge, StartResponse, UnsendableHeaderError
from application.libs.error import TooManyRequests
from application.libs.ok import MESSAGE_SCHEMA
from tests.libs.edge_kit import Browser, Build, flask_app, raising

HEX_ID = re.compile(r"[0-9a-f]{32}")


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
            "instance": "/api/thing/%C3%A9",
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
        assert answer.get_json()["errors"] == []
        assert answer.get_json().keys() == set(MESSAGE_SCHEMA["required"])
        assert build(raising(RuntimeError())).get("/schedulers").content_type == "application/problem+json"

    def test_know_the_scheduler_below_a_prefix_of_the_server(self, build: Build) -> None:
        below = {"SCRIPT_NAME": "/site"}
        answer = build(raising(RuntimeError())).get("/scheduler/jobs", environ_overrides=below)
        assert answer.content_type == "application/json"
        elsewhere = build(raising(RuntimeError())).get("/jobs", environ_overrides={"SCRIPT_NAME": "/scheduler"})
        assert elsewhere.content_type == "application/problem+json"
        assert elsewhere.get_json()["instance"] == "/scheduler/jobs"

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

    @pytest.mark.parametrize("propagate", [True, False])
    def test_of_headers_that_cannot_be_sent_name_the_cure(self, build: Build, propagate: bool) -> None:
        def app(_environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [("X-Latin", "é"), ("Content-Disposition", 'attachment; filename="照片.jpg"')])
            return [b"never"]

        client = build(app, propagate=propagate)
        if propagate:
            with pytest.raises(UnsendableHeaderError, match=r"Content-Disposition: .* Name a file by `send_file"):
                client.get("/api/x")
        else:
            answer = client.get("/api/x")
            assert (answer.status_code, answer.content_type) == (500, "application/problem+json")

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
