"""Stand between a client and a server, and take the server away: refuse, or accept and say nothing."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.port import free_port


class Relay:
    """Pass bytes on between clients of `port` and the server behind it, as long as it is open."""

    def __init__(self, host: str, port: int) -> None:
        """Listen; `host` and `port` are the server's."""
        self._behind = (host, port)
        self.port = free_port()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._silent = False
        self._listener: socket.socket | None = None
        self.open()

    def open(self) -> None:
        """Let clients through from now on; who was kept waiting has to come again."""
        self._cut()
        self._silent = False
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=True)
            threading.Thread(target=self._accept, args=(self._listener,), name="relay", daemon=True).start()

    def hush(self) -> None:
        """Accept connections, and pass nothing on any more: a black hole."""
        self._silent = True

    def close(self) -> None:
        """Refuse connections, and break those that there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._cut()

    def _cut(self) -> None:
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), name="relay", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._behind, timeout=5)
        except OSError:
            client.close()
            return
        with self._lock:
            self._sockets |= {client, server}
        with suppress(OSError, ValueError), selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            self._pump(ready, client)
        for one in (client, server):
            one.close()

    def _pump(self, ready: selectors.BaseSelector, client: socket.socket) -> None:
        while client in self._sockets:  # until it is cut
            for key, _events in ready.select(0.1):
                source, target = key.fileobj, key.data
                assert isinstance(source, socket.socket)
                data = source.recv(65536)
                if not data:
                    return
                if not self._silent:
                    target.sendall(data)


@contextmanager
def relay(host: str, port: int) -> Iterator[Relay]:
    """Stand between, and leave no thread."""
    between = Relay(host, port)
    try:
        yield between
    finally:
        between.close()
