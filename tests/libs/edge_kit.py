"""Ask an edge as a server does."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_file
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wrappers import Response as Answer

from application.libs.edge import REQUEST_ID, StartResponse

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


def raising(error: BaseException) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    def app(_environ: dict[str, Any], _start_response: StartResponse) -> Iterable[bytes]:
        raise error

    return app
