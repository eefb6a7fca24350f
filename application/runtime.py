"""Start and stop what lives beside the requests."""

from collections.abc import Callable

from flask import Flask

from application.extensions import socketio

LOOK_SECONDS = 0.2
"""How often a process looks whether it is to stop."""


def start(app: Flask, *, stopping: Callable[[], bool]) -> None:
    """Start what lives beside the requests of this process, until `stopping()` says that it ends."""
    socketio.start_background_task(_close_sockets_when, stopping)


def stop(app: Flask) -> None:
    """Stop it."""


def _close_sockets_when(stopping: Callable[[], bool]) -> None:
    while not stopping():
        socketio.sleep(LOOK_SECONDS)
    while True:
        for client in list(socketio.server.eio.sockets.values()):
            client.close(wait=False)
        socketio.sleep(LOOK_SECONDS)
