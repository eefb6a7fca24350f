"""Fixtures: an application whose database has no tables yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.applications import built
from tests.services import DATABASES, fresh_database


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """Build an application on a database without tables."""
    with fresh_database(request.param, tmp_path) as url, built(url, tmp_path) as app:
        yield app
