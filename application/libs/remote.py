"""Know whom requests come from."""

from flask import request

from application.libs.record import Record


class Client(Record):
    """Hold what a client calls itself, and its address, as proxies that are believed name it."""

    device: str
    address: str


SOMEBODY = Client(device="", address="")
"""Who comes from nowhere: a command, or a test."""


def current_client() -> Client:
    """Return who sent the request."""
    return Client(device=request.headers.get("User-Agent", ""), address=request.remote_addr or "")
