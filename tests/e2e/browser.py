"""Drive the Chromium that is installed, and hold every page to what no page of ours may do."""

import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request, expect, sync_playwright

from application.cli.dashboard import OUTPUT, SOURCES, TOKENS, BuildFailed, build
from tests.e2e.server import PASSWORD

NAMES = (
    "chromium",
    "chromium-browser",
    "chromium-headless-shell",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
CURE = "install it (Debian, Ubuntu: apt-get install chromium fonts-noto-cjk) or name one in BROWSER_BIN"
FLAGS = (
    "--no-sandbox",  # root in a container has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
SIGN_IN = {"en": ("Sign in", "Name", "Password"), "zh-CN": ("登录", "用户名", "密码")}
"""What is written on the link and the button, and beside the fields, by the language of the page."""
LATE_SECONDS = 5
LOST_SOCKET = re.compile(r"WebSocket connection to 'ws://127\.0\.0\.1:\d+/socket\.io/.*' failed")


class Visit:
    """A page under watch: whatever it does wrong is collected in `faults`."""

    def __init__(self, page: Page) -> None:
        """Listen before anything is loaded."""
        self.page = page
        self.faults: list[str] = []
        self._forgiven: dict[re.Pattern[str], float] = {}
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("request", self._request)
        page.on("websocket", lambda socket: self._local(socket.url))

    @contextmanager
    def forgiving(self, pattern: re.Pattern[str] = LOST_SOCKET) -> Iterator[None]:
        """Forgive console errors that the test provokes, as those of a server that was stopped, while it does so.

        A busy browser may tell them some time after the page has shown what came of it.
        """
        self._forgiven[pattern] = math.inf
        try:
            yield
        finally:
            self._forgiven[pattern] = time.monotonic() + LATE_SECONDS

    def barriers(self) -> list[str]:
        """List what axe finds against WCAG 2.2 A and AA."""
        answer = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": list(RULES)}}).response
        assert answer["passes"], "axe checked nothing"
        return [f"{found['id']}: {node['html']}" for found in answer["violations"] for node in found["nodes"]]

    def _console(self, message: ConsoleMessage) -> None:
        text, moment = message.text, time.monotonic()
        forgiven = any(pattern.search(text) for pattern, until in self._forgiven.items() if moment < until)
        if message.type in ("error", "warning") and not forgiven:
            self.faults.append(f"console {message.type}: {text}")

    def _request(self, request: Request) -> None:
        self._local(request.url)

    def _local(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.faults.append(f"request to elsewhere: {url}")


@contextmanager
def visit(url: str, **options: Any) -> Iterator[Visit]:
    """Open a page in a browser of its own, and fail the test at the end if the page did what no page may.

    `options` are Playwright's for a context (`locale`, `color_scheme`, `viewport`, …).
    """
    binary = find_browser()
    ensure_built()
    settings = {"locale": "en-US", "viewport": {"width": 1280, "height": 860}} | options
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=binary, headless=True, args=list(FLAGS), **settings
        )
        try:
            visited = Visit(context.pages[0])
            visited.page.goto(url)
            yield visited
        finally:
            context.close()
    assert visited.faults == [], visited.faults


@contextmanager
def visit_again(visited: Visit) -> Iterator[Visit]:
    """Open the page in a second tab of the same browser, under the same watch."""
    second = Visit(visited.page.context.new_page())
    second.page.goto(visited.page.url)
    yield second
    assert second.faults == []


@cache
def find_browser() -> str:
    """Find a browser of Chromium's kind, or skip the test with the cure; REQUIRE_BROWSER=1 makes that a failure."""
    candidates = (os.environ.get("BROWSER_BIN"), *map(shutil.which, NAMES), *filter(os.path.isfile, PLACES))
    found = next((candidate for candidate in candidates if candidate), None)
    if found is None:
        _missing(f"no Chromium: {CURE}")
    return found


@cache
def ensure_built() -> None:
    """Build the dashboard once a run, if its sources have changed since the last time."""
    try:
        build(SOURCES, OUTPUT, also=(TOKENS,))
    except BuildFailed as reason:
        _missing(reason.message)


def _missing(reason: str) -> NoReturn:
    if "1" in (os.environ.get("REQUIRE_BROWSER"), os.environ.get("REQUIRE_SERVICES")):
        pytest.fail(reason)
    pytest.skip(reason)


def sign_in(visited: Visit, path: str) -> Page:
    """Open a page that wants to know who asks, follow its link, sign in as the admin, and be led back."""
    page = visited.page
    wanted = urljoin(page.url, path)
    page.goto(wanted)
    go_to_sign_in(page)
    fill_in(page, PASSWORD)
    expect(page).to_have_url(wanted)
    return page


def go_to_sign_in(page: Page) -> None:
    """Follow the link of a page that wants to know who asks."""
    link, *_fields = _words(page)
    page.get_by_role("link", name=link).click()
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))


def fill_in(page: Page, password: str) -> None:
    """Send the form for signing in."""
    button, name, label = _words(page)
    page.get_by_label(name, exact=True).fill("admin")
    page.get_by_label(label, exact=True).fill(password)
    page.get_by_role("button", name=button).click()


def _words(page: Page) -> tuple[str, str, str]:
    return SIGN_IN[page.locator("html").get_attribute("lang") or ""]
