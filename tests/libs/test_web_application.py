"""What is different from Flask."""

from typing import Any

import pytest
from flask import Blueprint, Flask, Request, Response, request, request_tearing_down, url_for
from werkzeug.exceptions import SecurityError
from werkzeug.routing import BuildError, MapAdapter, Rule
from werkzeug.test import create_environ

from application.libs.web_application import Answer, Empty, WebApplication


class TestOptions:
    def test_have_no_content_and_so_no_media_type(self) -> None:
        app = WebApplication("specimen")
        app.add_url_rule("/", view_func=lambda: "", methods=["GET", "POST"])
        response = app.test_client().options("/")
        assert (response.status_code, response.data) == (200, b"")
        assert "Content-Type" not in response.headers
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
        assert "Accept-Patch" not in response.headers

    def test_say_what_a_patch_may_be_sent_as(self) -> None:
        app = WebApplication("specimen")
        app.add_url_rule("/", view_func=lambda: "", methods=["GET", "PATCH"])
        assert (
            app.test_client().options("/").headers["Accept-Patch"] == "application/merge-patch+json, application/json"
        )


class TestEnsureSync:
    def test_leaves_functions_as_they_are(self) -> None:
        app = WebApplication("specimen")

        def show() -> str:
            return "ok"

        assert app.ensure_sync(show) is show


class TestRules:
    def test_are_written_when_an_address_is_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        written: list[str] = []
        write = Rule._compile_builder

        def noted(rule: Rule, append_unknown: bool = True) -> Any:
            written.append(rule.rule)
            return write(rule, append_unknown)

        monkeypatch.setattr(Rule, "_compile_builder", noted)
        app = WebApplication("specimen")
        app.add_url_rule("/shop/<int:rule>", "shop", lambda rule: str(rule))
        app.add_url_rule("/other/<self>", "other", lambda self: self)
        assert app.test_client().get("/shop/3").text == "3"
        assert written == []

        with app.test_request_context():
            made = [url_for("shop", rule=3), url_for("shop", rule=4, more="a b"), url_for("other", self="ü")]
            with pytest.raises(BuildError):
                url_for("shop")

        assert made == ["/shop/3", "/shop/4?more=a+b", "/other/%C3%BC"]
        assert written == ["/shop/<int:rule>", "/other/<self>"]


class TestAsked:
    def test_knows_its_blueprints(self) -> None:
        app, outer, inner = WebApplication("specimen"), Blueprint("outer", __name__), Blueprint("inner", __name__)
        seen: list[Any] = []
        inner.before_request(lambda: seen.append(list(request.blueprints)))
        inner.add_url_rule("/", view_func=lambda: "ok")
        outer.register_blueprint(inner)
        app.register_blueprint(outer)
        assert app.test_client().get("/").status_code == 200
        assert app.test_client().get("/nowhere").status_code == 404
        assert seen == [["outer.inner", "outer"]]
        with app.test_request_context("/nowhere"):
            assert request.blueprints == []
            assert isinstance(request, Request)


class TestTeardown:
    def test_calls_a_function_that_waits_for_the_end_of_a_request(self) -> None:
        app, ended = WebApplication("specimen"), list[BaseException | None]()
        app.add_url_rule("/", view_func=lambda: "ok")
        app.teardown_request(ended.append)
        app.test_client().get("/")
        assert ended == [None]

    def test_sends_the_signal_to_who_listens(self) -> None:
        app, ended = WebApplication("specimen"), list[object]()
        app.add_url_rule("/", view_func=lambda: "ok")

        def note(sender: object, **_more: object) -> None:
            ended.append(sender)

        with request_tearing_down.connected_to(note, app):
            app.test_client().get("/")
        assert ended == [app]


HOSTS = ("localhost", "localhost:5000", "EXAMPLE.org:80", "[::1]:5000", "bücher.example", "a b", "")
PATHS = ("/", "/shop/1", "//shop//1", "/caf\xc3\xa9", "/%2F")


def adapter(app: Flask, environ: dict[str, Any]) -> dict[str, Any]:
    """Return what finds the view of a request, but for the rules."""
    found = app.create_url_adapter(app.request_class(environ))
    assert isinstance(found, MapAdapter)
    return {name: value for name, value in vars(found).items() if name != "map"} | {"path": found.path_info.lstrip("/")}


class TestAdapter:
    @pytest.mark.parametrize("host", HOSTS)
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("more", [{}, {"SCRIPT_NAME": "/root"}, {"wsgi.url_scheme": "https"}])
    def test_is_that_of_flask(self, host: str, path: str, more: dict[str, str]) -> None:
        environ = {
            **create_environ(method="POST", query_string="a=%C3%A9&b"),
            "PATH_INFO": path,
            "HTTP_HOST": host,
            **more,
        }
        ours, theirs = (adapter(made("specimen"), dict(environ)) for made in (WebApplication, Flask))
        for found in (ours, theirs):
            found["path_info"] = f"/{found['path_info'].lstrip('/')}"
            found["server_name"] = found["server_name"].lower()
            found["script_name"] = f"{found['script_name'].rstrip('/')}/"
        assert ours == theirs

    @pytest.mark.parametrize("more", [{"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "upgrade"}, {}])
    def test_leaves_the_unusual_to_flask(self, more: dict[str, str]) -> None:
        app = WebApplication("specimen", subdomain_matching=not more)
        if not more:
            app.config["SERVER_NAME"] = "example.org"
        found = app.create_url_adapter(app.request_class({**create_environ("/", "http://a.example.org"), **more}))
        assert found is not None
        assert (found.url_scheme, found.subdomain) == (("ws", "") if more else ("http", "a"))

    def test_is_none_outside_a_request(self) -> None:
        assert WebApplication("specimen").create_url_adapter(None) is None

    def test_obeys_the_hosts_that_flask_is_told(self) -> None:
        app = WebApplication("specimen")
        app.config["TRUSTED_HOSTS"] = ["example.org"]
        with pytest.raises(SecurityError):
            app.create_url_adapter(app.request_class(create_environ("/", "http://elsewhere.org")))


class TestAnswer:
    @pytest.mark.parametrize("status", [200, 201, 202, 204, 302, 304])
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Location": "/api/v1/blog/1"},
            {"Location": "/büch er?a=b c"},
            {"Content-Location": "/é"},
            {"location": "//host/x", "X-Other": "é"},
        ],
    )
    def test_has_the_headers_that_werkzeug_gives(self, status: int, headers: dict[str, str]) -> None:
        environ = create_environ("/")
        ours, theirs = (
            made(b"abc", status=status, headers=headers, content_type="text/plain").get_wsgi_headers(environ)
            for made in (Answer, Response)
        )
        assert sorted((name.lower(), value) for name, value in ours) == sorted(
            (name.lower(), value) for name, value in theirs
        )

    def test_of_a_body_is_as_werkzeug_makes_it(self) -> None:
        headers = {"ETag": '"1"', "Location": "/api/v1/blog/1"}
        ours = Answer.of(b"abc", status=201, media_type="text/csv", headers=headers)
        theirs = Response(b"abc", status=201, headers=headers, content_type="text/csv")
        assert (ours.status, ours.data, ours.mimetype) == (theirs.status, theirs.data, theirs.mimetype)
        assert sorted(ours.headers) == sorted(theirs.headers)
        ours.headers["ETag"] = '"2"'
        ours.set_data(b"longer")
        assert (ours.headers["etag"], ours.content_length) == ('"2"', 6)

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("status", [200, 201, 202, 204, 304])
    @pytest.mark.parametrize("body", [b"abc", b"", "ü", [b"a", b"b"], ["ü"]])
    def test_sends_the_body_that_werkzeug_sends(self, method: str, status: int, body: Any) -> None:
        environ = create_environ("/", method=method)
        ours, theirs = (b"".join(made(body, status=status).get_app_iter(environ)) for made in (Answer, Response))
        assert ours == theirs

    def test_has_headers_like_any_other(self) -> None:
        answer = Answer.of(b"abc", status=200, media_type="text/csv", headers={"ETag": '"1"'})
        assert "etag" in answer.headers
        assert "Vary" not in answer.headers
        copied = answer.headers.copy()
        copied["Vary"] = "Accept"
        assert "Vary" not in answer.headers

    @pytest.mark.parametrize("headers", [{}, {"ETag": '"1"', "Link": "</a>"}, {"Allow": "GET"}, {"Location": "/é"}])
    def test_that_nothing_was_changed_is_as_werkzeug_says_it(self, headers: dict[str, str]) -> None:
        environ = create_environ("/")
        ours = Empty.unmodified(headers.items())
        theirs = Response([], status=304, headers=headers)
        del theirs.headers["Content-Type"]
        assert ours.status == theirs.status
        assert sorted(ours.get_wsgi_headers(environ)) == sorted(theirs.get_wsgi_headers(environ))
        assert b"".join(ours.get_app_iter(environ)) == b""

    def test_tells_who_waits_for_its_end(self) -> None:
        app, ended = WebApplication("specimen"), []

        @app.get("/")
        def show() -> Response:
            answer = Answer.of(b"abc", status=200, media_type="text/plain", headers={})
            answer.call_on_close(lambda: ended.append("called"))
            return answer

        assert app.test_client().get("/", buffered=True).data == b"abc"
        assert ended == ["called"]

    def test_counts_what_is_not_counted_yet(self) -> None:
        answer = Answer(b"abc")
        del answer.headers["Content-Length"]
        assert answer.get_wsgi_headers(create_environ("/"))["Content-Length"] == "3"

    def test_is_what_an_application_makes(self) -> None:
        assert WebApplication("specimen").make_response("ok").__class__ is Answer
