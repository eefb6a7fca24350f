"""Look at live memory as a program does: with python-socketio's client."""

import threading
from typing import Any, Self

import socketio

from tests.e2e.server import Server
from tests.waiting import wait_until


class Viewer:
    """A client of /ws that remembers what it got."""

    def __init__(self, server: Server, **options: Any) -> None:
        """Connect over a websocket and wait for the greeting."""
        self.greetings: list[Any] = []
        self.samples: list[Any] = []
        self.messages: list[Any] = []
        """What the scheduler does, for who may see it; the first one says from where on."""
        self.left = threading.Event()
        self.client = socketio.Client(reconnection=False)
        self.client.on("connected", self.greetings.append, namespace="/ws")
        self.client.on("server_response", self.samples.append, namespace="/ws")
        self.client.on("scheduler_event", self.messages.append, namespace="/ws")
        self.client.on("disconnect", lambda *_reason: self.left.set(), namespace="/ws")
        self.client.connect(server.url, namespaces=["/ws"], transports=["websocket"], **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Disconnect, and leave no thread of the client behind."""
        self.client.disconnect()
        engine = self.client.eio
        engine.queue.put(None)  # else its writer waits for a ping that will not come
        for task in (engine.read_loop_task, engine.write_loop_task):
            if task is not None:
                task.join(10)

    def await_samples(self, number: int, seconds: float = 10) -> None:
        """Wait until so many samples have come."""
        wait_until(lambda: len(self.samples) >= number, seconds, lambda: f"{len(self.samples)} samples")
