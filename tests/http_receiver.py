"""A real HTTP server that takes down what it is sent, and answers as it is told."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    """Hold one request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Listen on a loopback address; `statuses` are answered one after the other, the last one for ever."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        """Begin to listen."""
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.statuses = [204]
        self.headers: dict[str, str] = {}
        self.body = b""
        self.pauses_seconds = 0.0
        """How long it waits before the status, and before each of the letters of `drips`."""
        self.drips = b""
        """What it writes instead of an answer, letter by letter."""
        self.connects = 0
        self.received: list[Received] = []
        self.tls = tls
        super().__init__((host, 0), _Handler)

    @property
    def port(self) -> int:
        """Return where it listens."""
        port: int = self.server_address[1]
        return port

    def get_request(self) -> tuple[Any, Any]:
        """Count a connection; its handshake is left to its thread."""
        connected, address = super().get_request()
        self.connects += 1
        if self.tls is not None:
            connected = self.tls.wrap_socket(connected, server_side=True, do_handshake_on_connect=False)
        return connected, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients break off on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    timeout = 10

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server = self.server
        server.received.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        time.sleep(server.pauses_seconds)
        for letter in server.drips:
            self.wfile.write(bytes([letter]))
            time.sleep(server.pauses_seconds)
        if server.drips:
            return
        self.send_response(server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0])
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def receiver(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver."""
    with Receiver(host, tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
