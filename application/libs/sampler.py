"""Push one reading to every viewer of this process, for as long as anybody looks."""

from collections.abc import Callable
from threading import Event, Lock

from flask_socketio import SocketIO


class Sampler:
    """Run one background task a process: the first viewer starts it, the last one stops it."""

    def __init__(
        self, socketio: SocketIO, read: Callable[[], object], *, event: str, namespace: str, interval_seconds: float
    ) -> None:
        """Prepare to send what `read` returns, as `{"data": …}`; start nothing."""
        self._socketio = socketio
        self._read = read
        self._event = event
        self._namespace = namespace
        self._interval_seconds = interval_seconds
        self._lock = Lock()
        self._viewers: set[str] = set()
        self._stopped: Event | None = None

    @property
    def viewers(self) -> int:
        """Return how many look."""
        return len(self._viewers)

    def join(self, sid: str) -> None:
        """Add a viewer, and send them a first reading at once."""
        with self._lock:
            self._viewers.add(sid)
            if self._stopped is None:
                self._stopped = Event()
                self._socketio.start_background_task(self._run, self._stopped)
        self._send(to=sid)

    def leave(self, sid: str) -> None:
        """Take a viewer away; twice does no harm."""
        with self._lock:
            self._viewers.discard(sid)
            if not self._viewers and self._stopped is not None:
                self._stopped.set()
                self._stopped = None

    def _run(self, stopped: Event) -> None:
        while not stopped.wait(self._interval_seconds):
            self._send(to=None)

    def _send(self, *, to: str | None) -> None:
        # Past the message queue: other processes have a sampler of their own for their viewers.
        data = {"data": self._read()}
        self._socketio.emit(self._event, data, namespace=self._namespace, to=to, ignore_queue=True)
