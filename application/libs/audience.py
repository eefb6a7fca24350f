"""Know who looks at what this process sends, and do what it takes for as long as anybody looks."""

from collections import defaultdict
from collections.abc import Callable
from threading import Event, Lock
from typing import Generic, TypeVar

from flask_socketio import SocketIO

Place = TypeVar("Place")


class Audience(Generic[Place]):
    """Run one background task a process: the first viewer starts it, the last one stops it."""

    def __init__(
        self, socketio: SocketIO, run: Callable[[Event], None], *, namespace: str, event: str = "message"
    ) -> None:
        """Prepare to send `event`, and to run what ends when the event it is given is set; start nothing."""
        self._socketio = socketio
        self._run = run
        self._event = event
        self._namespace = namespace
        self._lock = Lock()
        self._places: dict[str, Place] = {}
        self._stopped: Event | None = None

    def __len__(self) -> int:
        """Return how many look."""
        return len(self._places)

    def join(self, sid: str, place: Place) -> None:
        """Add a viewer, who stands at a place."""
        with self._lock:
            self._places[sid] = place
            if self._stopped is None:
                self._stopped = Event()
                self._socketio.start_background_task(self._run, self._stopped)

    def leave(self, sid: str) -> None:
        """Take a viewer away; twice does no harm."""
        with self._lock:
            self._places.pop(sid, None)
            if not self._places and self._stopped is not None:
                self._stopped.set()
                self._stopped = None

    def standing(self) -> dict[Place, list[str]]:
        """Return who stands at which place."""
        standing: dict[Place, list[str]] = defaultdict(list)
        with self._lock:
            for sid, place in self._places.items():
                standing[place].append(sid)
        return standing

    def move(self, sid: str, place: Place, *, to: Place) -> bool:
        """Bring a viewer from one place to another; return False where they have gone, or stand elsewhere."""
        with self._lock:
            if sid not in self._places or self._places[sid] != place:
                return False
            self._places[sid] = to
            return True

    def send(self, message: object, *, to: str | None) -> None:
        """Send to one viewer, or with None to all of this process; those of others have an audience of their own."""
        self._socketio.emit(self._event, message, namespace=self._namespace, to=to, ignore_queue=True)

    def dismiss(self, sid: str) -> None:
        """Disconnect a viewer, and take them away."""
        self._socketio.server.disconnect(sid, self._namespace, ignore_queue=True)
        self.leave(sid)
