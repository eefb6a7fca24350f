"""Schemathesis finds nothing: a small and always equal share of what `make fuzz` does on every database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from application import runtime
from application.database import transaction
from application.libs.secret import hash_password
from application.modules.user import business
from application.permissions import Role
from tests.applications import migrated
from tests.contract.fuzzing import ACCESS_SECONDS, ADMIN, documents, fuzz
from tests.e2e.server import PASSWORD
from tests.services import DATABASES, fresh_database

EXAMPLES = 3


class Quiet(WSGIRequestHandler):
    """Write no line a request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


@contextmanager
def listening(app: Flask) -> Iterator[str]:
    """Serve an application over HTTP from this process, where an error that is not declared is a failure."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Return where an application answers that has its tables and an administrator."""
    options: dict[str, Any] = {"rate_limits_enabled": False, "access_seconds": ACCESS_SECONDS, "proxy_hops": 1}
    with fresh_database(DATABASES[0], tmp_path) as url, migrated(url, tmp_path, **options) as app:
        with app.app_context(), transaction():
            business.create(name=ADMIN, password_hash=hash_password(PASSWORD), roles=(Role.USER, Role.ADMIN))
        runtime.start(app)  # brings the declared jobs, and fires them in between
        with listening(app) as served:
            yield served
        runtime.stop(app)


@pytest.mark.timeout(900)
@pytest.mark.repeats
class TestFuzz:
    def test_finds_nothing(self, address: str, tmp_path: Path) -> None:
        for document in documents(address):
            outcome = fuzz(address, document, tmp_path, examples=EXAMPLES, seed=None)
            assert outcome.exit_code == 0, outcome.output
            assert outcome.never_successful() == [], outcome.table()
