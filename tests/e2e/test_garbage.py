"""A worker looks for no garbage while it loads the application, looks for it ever after, and not in what it loaded."""

import shutil
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import ASYNC_MODES
from tests.e2e.server import Server

LEAST_LOADED = 50_000


class GarbageServer(Server):
    """Serve the application of this test."""

    application = "tests.e2e.garbage_app:create_app"


@pytest.mark.parametrize("async_mode", ASYNC_MODES)
def test_is_looked_for_once_the_application_is_loaded(tmp_path: Path, migrated_file: Path, async_mode: str) -> None:
    served = GarbageServer(tmp_path, async_mode=async_mode, runner="none")
    shutil.copy(migrated_file, tmp_path / "application.db")
    served.start()
    try:
        told = requests.get(f"{served.url}/garbage", timeout=10).json()
    finally:
        served.end()

    assert told["looks"] is True
    assert told["spared"] > LEAST_LOADED
