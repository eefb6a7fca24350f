"""Fixtures: an edge around an application, and the lines it writes."""

from typing import Any

import pytest

from application.libs.edge import Edge
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
