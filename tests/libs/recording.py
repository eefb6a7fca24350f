"""A Socket.IO without connections, that remembers what it was to do."""

import threading
from collections.abc import Callable

from flask_socketio import SocketIO


class Recording(SocketIO):
    """Send and disconnect nobody; background tasks are real threads."""

    def __init__(self) -> None:
        """Begin with nothing done; be the server below, too."""
        super().__init__()
        self.server = self
        self.sent: list[tuple[str, object]] = []
        self.disconnected: list[tuple[str, str, bool]] = []

    def start_background_task(self, target: Callable[..., object], *args: object, **kwargs: object) -> threading.Thread:
        """Run it."""
        thread = threading.Thread(target=target, args=args, kwargs=kwargs, daemon=True)
        thread.start()
        return thread

    def emit(self, event: str, *args: object, **options: object) -> None:
        """Remember to whom, and what."""
        self.sent.append((str(options["to"]), args[0]))

    def disconnect(self, sid: str, namespace: str, *, ignore_queue: bool) -> None:
        """Remember whom."""
        self.disconnected.append((sid, namespace, ignore_queue))
