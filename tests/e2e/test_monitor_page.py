"""Watch the monitor page in a real browser, on the real server."""

import json
import re
import signal
from urllib.parse import urljoin

import psutil
import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import fill_in, go_to_sign_in, sign_in, visit, visit_again
from tests.e2e.conftest import Serve, Shared
from tests.e2e.server import PASSWORD, Server

FIELDS = [
    "total",
    "available",
    "percent",
    "used",
    "free",
    "active",
    "inactive",
    "buffers",
    "cached",
    "shared",
    "slab",
]
VALUES = """() => Object.fromEntries([...document.querySelectorAll('tr[data-field]')].map(
    (row) => [row.dataset.field, Number(row.querySelector('data').value)]))"""
MOVED = f"(before) => JSON.stringify(({VALUES})()) !== before"
PATIENCE = 15_000  # milliseconds: a worker of gunicorn on a machine with other things to do


def status(page: Page) -> Locator:
    """Return the badge that says how live the values are."""
    return page.get_by_role("status")


def start(page: Page) -> None:
    """Press Start and wait for the first values."""
    page.get_by_role("button", name="Start monitoring").click()
    expect(status(page)).to_have_text("Live", timeout=PATIENCE)
    expect(page.get_by_role("table", name="Virtual memory")).to_be_visible()


def values(page: Page) -> dict[str, float]:
    """Read the table."""
    read: dict[str, float] = page.evaluate(VALUES)
    return read


def await_change(page: Page) -> None:
    """Wait until the table shows other numbers."""
    page.wait_for_function(MOVED, arg=page.evaluate(f"JSON.stringify(({VALUES})())"), timeout=PATIENCE)


class TestMonitoring:
    """Start, Stop and what lies between."""

    @pytest.mark.parametrize("async_mode", ["threading", "gevent", "eventlet"])
    def test_goes_on_after_a_restart(self, server: Serve, async_mode: str) -> None:
        served = server(async_mode=async_mode)
        with visit(served.url) as visited:
            page = visited.page
            start(page)
            await_change(page)
            with visited.forgiving():
                served.stop()
                expect(status(page)).to_have_text("Reconnecting")
                expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
                expect(page.get_by_role("table")).to_be_visible()
                page.get_by_role("button", name="Try now").click()  # in vain, and it goes on trying by itself
                served.start()
                expect(status(page)).to_have_text("Live", timeout=PATIENCE)
            await_change(page)
            page.get_by_role("button", name="Stop monitoring").click()
            expect(status(page)).to_have_text("Paused")
            before = values(page)
            page.wait_for_timeout(4500)  # two samples that must not come
            assert values(page) == before

    def test_shows_what_the_machine_says(self, shared: Shared) -> None:
        with visit(shared("gevent").url) as visited:
            start(visited.page)
            shown = values(visited.page)
            known = psutil.virtual_memory()._asdict()
            assert list(shown) == [field for field in FIELDS if field in known]
            assert shown["total"] == known["total"]
            assert abs(shown["percent"] - known["percent"]) < 25
            expect(visited.page.get_by_role("row", name=re.compile(r"^Total "))).to_contain_text(
                f"{known['total'] / 1024**3:,.2f}"
            )

    def test_is_paused_until_somebody_starts_it(self, shared: Shared) -> None:
        with visit(shared("gevent").url) as visited:
            sockets: list[str] = []
            visited.page.on("websocket", lambda socket: sockets.append(socket.url))
            visited.page.reload()
            expect(status(visited.page)).to_have_text("Paused")
            expect(visited.page.get_by_text("Monitoring is paused. Start it to see live values.")).to_be_visible()
            expect(visited.page.get_by_role("table")).to_have_count(0)
            assert sockets == []

    def test_is_remembered_for_the_tab(self, shared: Shared) -> None:
        served = shared("gevent")
        with visit(served.url) as visited:
            start(visited.page)
            visited.page.reload()
            expect(status(visited.page)).to_have_text("Live", timeout=PATIENCE)
            other = visited.page.context.new_page()
            other.goto(served.url)
            expect(status(other)).to_have_text("Paused")
            visited.page.get_by_role("button", name="Stop monitoring").click()
            visited.page.reload()
            expect(status(visited.page)).to_have_text("Paused")

    def test_calls_old_values_stale(self, server: Serve) -> None:
        served = server()
        with visit(served.url) as visited:
            start(visited.page)
            family = [psutil.Process(served.process.pid), *served.processes()]
            for process in family:
                process.send_signal(signal.SIGSTOP)
            try:
                expect(status(visited.page)).to_have_text("Stale", timeout=PATIENCE)
                expect(visited.page.get_by_role("table")).to_be_visible()
                assert visited.barriers() == []
            finally:
                for process in family:
                    process.send_signal(signal.SIGCONT)
            with visited.forgiving():
                expect(status(visited.page)).to_have_text("Live", timeout=PATIENCE)

    def test_waits_for_room(self, server: Serve) -> None:
        served = server(async_mode="threading", threads=10)  # eight stay free for requests, one to refuse
        with visit(served.url) as first, visit_again(first) as second:
            start(first.page)
            second.page.get_by_role("button", name="Start monitoring").click()
            expect(second.page.get_by_text("The server has no room for another viewer now.")).to_be_visible()
            assert second.barriers() == []
            first.page.get_by_role("button", name="Stop monitoring").click()
            expect(status(second.page)).to_have_text("Live", timeout=PATIENCE)

    def test_works_by_keyboard_alone(self, shared: Shared) -> None:
        with visit(shared("gevent").url) as visited:
            page = visited.page
            start = page.get_by_role("button", name="Start monitoring")
            expect(start).to_be_enabled(timeout=PATIENCE)  # the page is there
            page.keyboard.press("Tab")
            expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
            page.keyboard.press("Enter")
            page.keyboard.press("Tab")
            expect(start).to_be_focused()
            page.keyboard.press("Enter")
            expect(page.get_by_role("button", name="Stop monitoring")).to_be_focused()
            expect(status(page)).to_have_text("Live", timeout=PATIENCE)
            page.keyboard.press("Enter")
            expect(start).to_be_focused()


class TestSignIn:
    """What is asked of a visitor whom the live channel refuses."""

    @staticmethod
    def closed(server: Serve) -> Server:
        """Start a server whose live channel asks for a token, even on loopback."""
        served = server(ws_open=0)
        created = served.manage("create-admin")
        assert created.returncode == 0, created.stderr
        return served

    def test_lets_in_who_knows_the_password(self, server: Serve) -> None:
        with visit(self.closed(server).url) as visited:
            page = visited.page
            page.get_by_role("button", name="Start monitoring").click()
            expect(status(page)).to_have_text("Signed out", timeout=PATIENCE)
            expect(page.get_by_role("heading", name="Sign in needed")).to_be_visible()
            assert visited.barriers() == []
            go_to_sign_in(page)
            with visited.forgiving(re.compile("status of 401")):  # which the browser logs by itself
                fill_in(page, "wrong")
                expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
            expect(page.get_by_label("Name", exact=True)).to_have_value("admin")
            expect(page.get_by_label("Password", exact=True)).to_be_focused()
            assert visited.barriers() == []
            fill_in(page, PASSWORD)
            expect(status(page)).to_have_text("Live", timeout=PATIENCE)
            expect(page.get_by_text("Signed in as admin")).to_be_visible()
            await_change(page)
            kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
            assert json.loads(kept) == [{}, {"redprint.monitoring": "on"}, ""]
            page.reload()
            expect(status(page)).to_have_text("Live", timeout=PATIENCE)
            page.get_by_role("button", name="Sign out").click()
            expect(status(page)).to_have_text("Paused")
            expect(page.get_by_text("Signed in as admin")).to_have_count(0)
            assert page.context.cookies() == []
            page.get_by_role("button", name="Start monitoring").click()
            expect(status(page)).to_have_text("Signed out", timeout=PATIENCE)

    def test_is_asked_of_who_is_shown_out(self, server: Serve) -> None:
        served = self.closed(server)
        with visit(served.url) as visited, visit_again(visited) as elsewhere:
            page, other = sign_in(visited, "/jobs"), elsewhere.page
            expect(page.get_by_role("table")).to_be_visible(timeout=PATIENCE)
            other.reload()
            start(other)
            with visited.forgiving(re.compile("status of 401")):
                self.end_sessions(served)
                expect(status(other)).to_have_text("Signed out", timeout=PATIENCE)
                expect(page.get_by_role("heading", name="Sign in needed")).to_be_visible(timeout=PATIENCE)
            assert visited.barriers() == []
            go_to_sign_in(page)
            fill_in(page, PASSWORD)
            expect(page.get_by_role("table")).to_be_visible(timeout=PATIENCE)

    @staticmethod
    def end_sessions(served: Server) -> None:
        """End all sessions of the admin, from elsewhere."""
        given = {"name": "admin", "password": PASSWORD}
        token = requests.post(f"{served.url}/api/v1/auth/login", json=given, timeout=10).json()["data"]["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        ended = requests.post(f"{served.url}/api/v1/auth/logout-everywhere", headers=bearer, timeout=10)
        assert ended.json()["data"]["ended"] >= 2

    def test_in_another_tab_is_found_by_itself(self, server: Serve) -> None:
        with visit(self.closed(server).url) as visited, visit_again(visited) as elsewhere:
            page = sign_in(visited, "/jobs")
            expect(page.get_by_role("table")).to_be_visible(timeout=PATIENCE)
            other = elsewhere.page
            other.goto(urljoin(page.url, "/sign-in?next=/tasks"))
            refused: list[int] = []
            page.on("response", lambda answer: refused.append(answer.status) if answer.status >= 400 else None)
            with visited.forgiving(re.compile("status of 40[13]")):  # until this page has asked again who is signed in
                fill_in(other, PASSWORD)
                expect(other.get_by_text("Signed in as admin")).to_be_visible(timeout=PATIENCE)
                page.wait_for_event("response", lambda answer: answer.status >= 400, timeout=PATIENCE)
                expect(page.get_by_role("table")).to_be_visible(timeout=PATIENCE)
                page.get_by_role("button", name=re.compile("^Pause ")).first.click()
                expect(page.get_by_role("button", name=re.compile("^Resume ")).first).to_be_visible(timeout=PATIENCE)
            assert set(refused) <= {401, 403}

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
    def test_has_no_barrier(self, shared: Shared, locale: str, scheme: str) -> None:
        with visit(shared("gevent").url, locale=locale, color_scheme=scheme) as visited:
            page = visited.page
            page.goto(urljoin(page.url, "/sign-in?next=/jobs"))
            title = {"en-US": "Sign in", "zh-CN": "登录"}[locale]
            expect(page.get_by_role("heading", name=title)).to_be_visible()
            expect(page).to_have_title(f"{title} · Redprint")
            assert visited.barriers() == []
            with visited.forgiving(re.compile("status of 401")):
                fill_in(page, "wrong")
                expect(page.get_by_role("alert")).to_be_visible()
            assert visited.barriers() == []
            for width in (390, 320):
                page.set_viewport_size({"width": width, "height": 844})
                assert page.evaluate("document.documentElement.scrollWidth") == width

    def test_works_by_keyboard_alone(self, shared: Shared) -> None:
        with visit(shared("gevent").url) as visited:
            page = visited.page
            page.goto(urljoin(page.url, "/sign-in?next=/jobs"))
            expect(page.get_by_label("Name", exact=True)).to_be_focused()
            page.keyboard.type("admin")
            page.keyboard.press("Tab")
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="Jobs")).to_be_visible(timeout=PATIENCE)
            assert page.url.endswith("/jobs")


class TestAccessibility:
    """WCAG 2.2 AA, as far as axe sees it."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_has_no_barrier(self, shared: Shared, scheme: str) -> None:
        with visit(shared("gevent").url, color_scheme=scheme) as visited:
            expect(status(visited.page)).to_have_text("Paused")
            assert visited.barriers() == []
            start(visited.page)
            assert visited.barriers() == []
            visited.page.get_by_role("button", name="Stop monitoring").click()
            assert visited.barriers() == []

    def test_has_none_on_a_phone(self, shared: Shared) -> None:
        with visit(shared("gevent").url, viewport={"width": 390, "height": 844}) as visited:
            start(visited.page)
            assert visited.barriers() == []
            for width in (390, 320):
                visited.page.set_viewport_size({"width": width, "height": 844})
                assert visited.page.evaluate("document.documentElement.scrollWidth") == width

    @pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
    def test_has_none_on_a_missing_page(self, shared: Shared, locale: str) -> None:
        with visit(shared("gevent").url, locale=locale) as visited:
            with visited.forgiving(re.compile("status of 404")):
                visited.page.goto(f"{visited.page.url.rstrip('/')}/nowhere")
            heading = {"en-US": "Page not found", "zh-CN": "页面不存在"}[locale]
            expect(visited.page.get_by_role("heading", name=heading)).to_be_visible()
            assert visited.barriers() == []


class TestLanguage:
    """English and Chinese."""

    def test_follows_the_browser_until_one_is_chosen(self, shared: Shared) -> None:
        with visit(shared("gevent").url, locale="zh-CN") as visited:
            page = visited.page
            expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
            expect(page).to_have_title("监控 · Redprint")
            page.get_by_role("button", name="开始监控").click()
            expect(status(page)).to_have_text("实时", timeout=PATIENCE)
            expect(page.get_by_role("table", name="虚拟内存")).to_be_visible()
            page.get_by_text("English").click()
            expect(page.locator("html")).to_have_attribute("lang", "en")
            expect(status(page)).to_have_text("Live")
            page.reload()
            expect(page.get_by_role("heading", name="Monitor", exact=True)).to_be_visible()


class TestTheme:
    """Light and dark."""

    def test_is_set_before_the_first_paint(self, shared: Shared) -> None:
        with visit(shared("gevent").url, color_scheme="light") as visited:
            page = visited.page
            paper = "getComputedStyle(document.documentElement).backgroundColor"
            light = page.evaluate(paper)
            page.get_by_title("Dark").click()
            expect(page.locator("html")).to_have_attribute("data-theme", "dark")
            dark = page.evaluate(paper)
            assert dark != light
            page.route("**/dashboard/assets/*.js", lambda route: route.abort())  # the page's own script never runs
            with visited.forgiving(re.compile("net::ERR_FAILED")):
                page.reload()
            assert page.evaluate(paper) == dark
