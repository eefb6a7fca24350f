"""Serve with gevent's green threads under gunicorn, with three things more: answers in one piece, turns, no long queue.

A green thread gives way only where it waits. Where the next request is there already when an answer is out, one
connection would be served for as long as it asks, and others would wait for seconds: with 32 connections that read one
blog, the slowest hundredth took 300 to 450 ms, and takes 30 since each gives way after a request.

And where many connections come at once, gunicorn accepts one of them each time that all the others have been answered,
so that no worker takes them all; the last one waits for as many rounds as there are before it. Here it is four of them.
"""

from typing import Any

import gevent
from gevent.server import StreamServer
from gunicorn.config import Config
from gunicorn.workers import ggevent
from gunicorn.workers.ggevent import GeventWorker as GunicornsWorker

LARGEST_PIECE = 65_536
"""How many bytes of a body are copied behind the head of an answer, instead of being sent after it."""


ACCEPTED_AT_ONCE = 4
"""How many connections a worker may have more than another for having been first."""

_STATUS = slice(9, 12)  # of `HTTP/1.1 200 OK`
_BODILESS = frozenset({b"100", b"101", b"103", b"204", b"304"})


class AnswerSocket:
    """Be a connection for one answer, whose head is sent together with the first bytes of its body.

    gunicorn sends them apart; each piece takes 15 µs here and another reading there. So an empty first part of a
    stream does not send the head ahead of what follows.
    """

    __slots__ = ("_has_begun", "_head", "_socket")

    def __init__(self, socket: Any) -> None:
        """Take the connection that the request came by."""
        self._socket = socket
        self._head = b""
        self._has_begun = False

    def __getattr__(self, name: str) -> Any:
        """Do all else as the connection does."""
        return getattr(self._socket, name)

    def sendall(self, data: bytes) -> None:
        """Hold the head back, which comes first; send it with what comes next.

        One without a body is sent at once: who upgrades a connection waits for it.
        """
        if not self._has_begun and data[_STATUS] not in _BODILESS:
            self._has_begun = True
            self._head = data
        elif len(data) > LARGEST_PIECE:
            self.flush()
            self._socket.sendall(data)
        else:
            head, self._head = self._head, b""
            self._send(head + data)

    def sendfile(self, *arguments: Any, **options: Any) -> Any:
        """Send a file behind the head."""
        self.flush()
        return self._socket.sendfile(*arguments, **options)

    def shutdown(self, how: int) -> None:
        """Send what is held back, and end the connection."""
        self.flush()
        self._socket.shutdown(how)

    def flush(self) -> None:
        """Send a head that is held back: its answer has no body."""
        head, self._head = self._head, b""
        if head:
            self._send(head)

    def _send(self, data: bytes) -> None:
        """Send all of it; mostly it goes at once, and `sendall` first asks the kernel how large its buffer is."""
        sent = self._socket.send(data)
        if sent < len(data):
            self._socket.sendall(memoryview(data)[sent:])


class Server(StreamServer):
    """Be gevent's server, which accepts a few connections at once where gunicorn lets several workers accept one."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, or more than is asked for."""
        super().__setattr__(name, ACCEPTED_AT_ONCE if name == "max_accept" else value)


def flatten(config: Config) -> None:
    """Make attributes of a worker's settings, which change no more.

    gunicorn looks 30 of them up for each request, each by two functions: 7 % of GET one blog.
    """
    config.__dict__.update({name: setting.get() for name, setting in config.settings.items()})


class GeventWorker(GunicornsWorker):
    """Be gunicorn's own worker, which answers in one piece and lets connections take turns."""

    def init_process(self) -> None:
        """Serve by our server, with the settings at hand."""
        flatten(self.cfg)
        ggevent.StreamServer = Server
        super().init_process()

    def handle_request(self, listener: Any, request: Any, client: Any, address: Any) -> None:
        """Answer one request, then give way to other connections."""
        connection = AnswerSocket(client)
        try:
            super().handle_request(listener, request, connection, address)
        finally:
            connection.flush()
        gevent.sleep(0)
