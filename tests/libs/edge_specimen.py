"""Serve a small application behind the edge, for tests that need a real server."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import eventlet
from eventlet import wsgi
from flask import Flask, Response, request, send_file
from flask_socketio import SocketIO
from gunicorn.http.errors import ParseException

from application.libs.edge import Application, Edge, StartResponse
from application.libs.logfile import LogFile


def create_app(async_mode: str = "threading") -> Flask:
    """Build the application; the access lines go to the file named by LOG_FILE."""
    app = Flask("specimen")
    app.config["MAX_CONTENT_LENGTH"] = 4096
    app.add_url_rule("/api/length", view_func=length, methods=["POST"])
    app.add_url_rule("/api/form", view_func=form, methods=["POST"])
    app.add_url_rule("/api/stream", view_func=stream)
    app.add_url_rule("/api/early", view_func=early)
    app.add_url_rule("/file", view_func=file)
    SocketIO(app, async_mode=async_mode).on_event("double", double)
    log = LogFile(Path(os.environ["LOG_FILE"]), max_bytes=1_000_000, backups=1)
    flask: Application = app.wsgi_app

    def broken(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/api/broken":
            raise RuntimeError("the secret of the machine room")
        return flask(environ, start_response)

    edge = Edge(broken, write_line=log.write, trusted_hosts=("localhost", "127.0.0.1"), body_errors=(ParseException,))
    vars(app)["wsgi_app"] = edge
    return app


def length() -> str:
    """Tell the length of the body."""
    return str(len(request.get_data()))


def form() -> dict[str, str]:
    """Tell the form's fields."""
    return request.form.to_dict()


def file() -> Response:
    """Send this file."""
    return send_file(Path(__file__), mimetype="text/plain")


def stream() -> Response:
    """Send two chunks, or break between them."""
    breaks = "break" in request.args

    def chunks() -> Iterator[bytes]:
        yield b"first "
        if breaks:
            raise RuntimeError("in the middle")
        yield b"second"

    return Response(chunks(), mimetype="text/plain")


def early() -> Response:
    """Break before the first chunk."""

    def chunks() -> Iterator[bytes]:
        raise RuntimeError("before the first byte")
        yield b""

    return Response(chunks(), mimetype="text/plain")


def double(number: int) -> int:
    """Answer an event."""
    return number * 2


def main() -> None:
    """Serve with Werkzeug's or eventlet's own server on the port given."""
    server, port = sys.argv[1], int(sys.argv[2])
    if server == "werkzeug":
        create_app().run(port=port, threaded=True)
    else:
        eventlet.monkey_patch()
        wsgi.server(eventlet.listen(("127.0.0.1", port)), create_app("eventlet"))


if __name__ == "__main__":
    main()
