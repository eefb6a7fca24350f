"""Fixtures: an edge around an application, the lines it writes, and servers that take what is posted to them."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from application.libs.edge import Edge
from tests.http_receiver import Receiver, receiver
from tests.libs.edge_kit import Browser, Build, flask_app


@pytest.fixture
def lines() -> list[bytes]:
    return []


@pytest.fixture
def build(lines: list[bytes]) -> Build:
    """Return a function that puts an edge around an application and a client before it."""

    def make(app: Any = None, **options: Any) -> Browser:
        return Browser(Edge(app or flask_app().wsgi_app, write_line=lines.append, **options))

    return make


@pytest.fixture
def four() -> Iterator[Receiver]:
    """Return a receiver on the loopback address of IPv4."""
    with receiver() as listening:
        yield listening


@pytest.fixture
def six() -> Iterator[Receiver]:
    """Return one on that of IPv6."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with receiver("::1") as listening:
        yield listening
