"""Fixtures: an application on each database that is reachable, callers who are signed in, and a detector of leaks."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import coverage
import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient

from application.cli import database
from application.database import transaction
from application.modules.session import business as sessions
from application.modules.user import business as user_business
from application.permissions import Role
from tests.applications import migrated
from tests.post import Post
from tests.services import DATABASES, fresh_database

BROWSER_TESTS = (
    "tests/e2e/test_monitor_page.py",
    "tests/e2e/test_documentation_page.py",
    "tests/e2e/test_jobs_page.py",
    "tests/e2e/test_tasks_page.py",
    "tests/e2e/test_reset_page.py",
    "tests/e2e/test_second_factor_page.py",
    "tests/e2e/test_cross_origin.py::TestPage",
    "tests/e2e/test_scripts.py",
)

LEAK_SECONDS = 3
"""How long what a test stopped may take to end."""

ON_EACH_DATABASE = ("migrated_app", "served", "mount")
"""The fixtures that run a test once on every database."""


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `one_database` on the first database alone."""
    if metafunc.definition.get_closest_marker("one_database"):
        for name in set(ON_EACH_DATABASE).intersection(metafunc.fixturenames):
            metafunc.definition.add_marker(pytest.mark.parametrize(name, DATABASES[:1], indirect=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Count coverage only where it may grow: counting takes half as long as the lines themselves."""
    counter = coverage.Coverage.current()
    if counter is None or not _repeats(item):
        return (yield)
    counter.stop()
    try:
        return (yield)
    finally:
        counter.start()


def _repeats(item: pytest.Item) -> bool:
    """Tell whether a test runs no line that others do not: it says so, or it runs on the first database, too."""
    given = getattr(item, "callspec", None)
    other = given is not None and any(
        value in DATABASES[1:] for value in given.params.values() if isinstance(value, str)
    )
    return item.get_closest_marker("repeats") is not None or (other and "database" not in item.path.parts)


@pytest.fixture(autouse=True)
def _leaks() -> Iterator[None]:
    """Fail a test that leaves a thread, an application context or a changed environment behind."""
    before = set(threading.enumerate())
    environment = _environment()
    yield
    assert _environment() == environment, "the test left the environment changed"
    assert not has_app_context(), "the test left an application context open"
    deadline = time.monotonic() + LEAK_SECONDS
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"the test left threads running: {[thread.name for thread in left]}"


@pytest.fixture(scope="session", params=DATABASES)
def migrated_app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Build an application on a fresh, migrated database; once for each database and run."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    # Tests ask more often than people; tests/contract/test_rate_limit.py counts.
    with fresh_database(request.param, folder) as url, migrated(url, folder, rate_limits_enabled=False) as app:
        yield app


@pytest.fixture
def app(migrated_app: Flask) -> Iterator[Flask]:
    """Lend the application with empty tables."""
    yield migrated_app
    with migrated_app.app_context():
        database.clear_database()


@pytest.fixture
def unit(app: Flask) -> Iterator[None]:
    """Run the test inside one unit of work, as a handler does."""
    with app.app_context(), transaction():
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a caller whom nobody knows."""
    return app.test_client()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture
def post(app: Flask) -> Iterator[Post]:
    """Return what the application sends from now on."""
    found = Post(app)
    yield found
    found.end()


class Caller:
    """Be a signed-in client: who they are, and their requests with their token."""

    def __init__(self, app: Flask, name: str, *roles: Role) -> None:
        """Create the user and a token."""
        with app.app_context(), transaction():
            user = user_business.create(name=name, password_hash=None, roles=roles)
            self.token = sessions.begin(user.id).token
        self.id = user.id
        self.name = name
        self.client = app.test_client()
        self.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"


SignIn = Callable[..., Caller]


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """Return a function that creates a user and signs them in."""
    return lambda name, *roles: Caller(app, name, *(roles or (Role.USER,)))


@pytest.fixture
def ada(sign_in: SignIn) -> Caller:
    """Return a signed-in user."""
    return sign_in("ada")


@pytest.fixture
def bob(sign_in: SignIn) -> Caller:
    """Return another signed-in user."""
    return sign_in("bob")


@pytest.fixture
def admin(sign_in: SignIn) -> Caller:
    """Return a signed-in admin."""
    return sign_in("root", Role.ADMIN)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report no lone surrogate of hostile input: pytest-xdist could not send it on and would end the run."""
    report = yield
    report.sections = [(name, _sendable(text)) for name, text in report.sections]
    if report.longrepr is not None and _sendable(text := str(report.longrepr)) != text:
        report.longrepr = _sendable(text)
    return report


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def pytest_configure() -> None:
    """Let Ctrl-C end the servers of tests that a shell runs in the background, where it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines what was skipped and why, and how many tests ran in a browser."""
    skipped = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    ran = {report.nodeid for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])}
    in_browser = sum(node.startswith(BROWSER_TESTS) or "browser_example" in node for node in ran)
    terminalreporter.write_sep("=", "what did not run")
    for reason, count in skipped.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")
    if not skipped:
        terminalreporter.write_line("nothing was skipped")
    terminalreporter.write_line(f"browser tests: {in_browser} run")
