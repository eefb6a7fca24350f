"""Push one reading to every viewer of this process, for as long as anybody looks."""

from collections.abc import Callable
from threading import Event

from flask_socketio import SocketIO

from application.libs.audience import Audience


class Sampler:
    """Read in one background task a process, which goes on for as long as anybody looks."""

    def __init__(
        self, socketio: SocketIO, read: Callable[[], object], *, event: str, namespace: str, interval_seconds: float
    ) -> None:
        """Prepare to send what `read` returns, as `{"data": …}`; start nothing."""
        self._read = read
        self._interval_seconds = interval_seconds
        self._audience = Audience[None](socketio, self._run, event=event, namespace=namespace)

    @property
    def viewers(self) -> int:
        """Return how many look."""
        return len(self._audience)

    def join(self, sid: str) -> None:
        """Add a viewer, and send them a first reading at once."""
        self._audience.join(sid, None)
        self._send(to=sid)

    def leave(self, sid: str) -> None:
        """Take a viewer away; twice does no harm."""
        self._audience.leave(sid)

    def _run(self, stopped: Event) -> None:
        while not stopped.wait(self._interval_seconds):
            self._send(to=None)

    def _send(self, *, to: str | None) -> None:
        self._audience.send({"data": self._read()}, to=to)
