"""Run a real HTTP server that stands in for a provider of short messages."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from tests.port import free_port


class Asked(NamedTuple):
    """Hold a request."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: str


class Provider:
    """Keep what was asked; answer as it is told."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.answer = '{"code": "OK", "sid": "SM42"}'
        self.hang = threading.Event()
        """While it is cleared, nothing is answered."""
        self.hang.set()
        self.url = ""


@contextmanager
def sms_provider() -> Iterator[Provider]:
    """Run a provider."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            provider.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
            provider.hang.wait(10)
            self.send_response(provider.status)
            for name, value in provider.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(provider.answer.encode())

        def log_request(self, *_arguments: object) -> None:
            pass

    for method in ("GET", "POST", "PUT"):
        setattr(Handler, f"do_{method}", Handler._answer)
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}/send"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        provider.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()
