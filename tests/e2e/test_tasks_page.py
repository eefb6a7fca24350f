"""Start, watch, cancel and retry tasks in a real browser, on the real server."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.e2e.browser import sign_in, visit
from tests.e2e.conftest import Shared
from tests.e2e.server import PASSWORD, Server

PATIENCE = 20_000  # milliseconds: the runner of a busy machine
DEMO = "demo.count_slowly"
ENDED = re.compile("Done|Cancelled")


@pytest.fixture
def served(shared: Shared) -> Server:
    """Return a server that knows an admin, whose runner does tasks."""
    served = shared("gevent")
    served.await_runner()
    return served


class Tasks:
    """Start tasks over the API, and end all in the end."""

    def __init__(self, served: Server) -> None:
        self._url = f"{served.url}/api/v1"
        answer = requests.post(f"{self._url}/auth/login", json={"name": "admin", "password": PASSWORD}, timeout=10)
        self._headers = {"Authorization": f"Bearer {answer.json()['data']['token']}"}
        self._ids: list[str] = []

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, self._url + path, headers=self._headers, timeout=10, **options)

    def start(self, **kwargs: Any) -> str:
        answer = self.ask("POST", "/task", json={"name": DEMO, "kwargs": kwargs})
        self._ids.append(answer.json()["data"]["id"])
        return self._ids[-1]

    def end(self) -> None:
        for task_id in self._ids:
            self.ask("POST", f"/task/{task_id}/cancel")


@pytest.fixture
def tasks(served: Server) -> Iterator[Tasks]:
    tasks = Tasks(served)
    yield tasks
    tasks.end()


def row(page: Page, task_id: str) -> Locator:
    """Return a task's row of the table."""
    return page.get_by_role("row").filter(has=page.locator(f'a[href="/tasks/{task_id}"]'))


def positions(bar: Locator, until: int) -> list[int]:
    """Return where a bar was, each place once, until it is at the end."""
    seen: list[int] = []
    for _look in range(600):
        now = int(bar.get_attribute("aria-valuenow") or 0)
        seen += [now] if now not in seen else []
        if now >= until:
            break
        bar.page.wait_for_timeout(50)
    return seen


class TestStart:
    def test_shows_a_bar_that_moves_to_the_end_by_itself(self, served: Server) -> None:
        with visit(served.url) as visited:
            page = sign_in(visited, "/tasks")
            page.get_by_role("link", name="Start a task").first.click(timeout=PATIENCE)
            page.get_by_label("Task", exact=True).select_option(DEMO)
            expect(page.get_by_text("Count up to a number, with a pause before each step")).to_be_visible()
            page.get_by_label("steps").fill("16")
            page.get_by_label("pause_seconds").fill("0.5")
            page.get_by_role("button", name="Start").click()
            expect(page.get_by_role("heading", name=DEMO)).to_be_visible()
            bar = page.get_by_role("progressbar", name=f"Progress of {DEMO}")
            expect(bar).to_have_attribute("aria-valuemax", "16", timeout=PATIENCE)
            seen = positions(bar, until=3)
            polls: list[str] = []
            page.on("request", lambda request: polls.append(request.url) if "/api/v1/task/" in request.url else None)
            seen += positions(bar, until=16)
            assert seen == sorted(seen)
            assert (len(seen) >= 6, seen[-1]) == (True, 16)
            expect(bar).to_have_attribute("aria-valuetext", "16 of 16 (100.0%)")
            expect(page.get_by_role("status").filter(has_text="Done")).to_be_visible()
            expect(page.get_by_text("Counted")).to_be_visible()
            expect(page.locator("pre")).to_have_text("16")
            assert len(polls) <= 3, "the socket tells, nobody has to ask"

    def test_names_each_fault_at_its_field(self, served: Server) -> None:
        with visit(served.url) as visited:
            page = sign_in(visited, "/new-task")
            page.get_by_label("steps").fill("0", timeout=PATIENCE)
            with visited.forgiving(re.compile("status of 422")):
                page.get_by_role("button", name="Start").click()
                expect(page.get_by_role("alert")).to_contain_text("The server could not accept these fields.")
            expect(page.get_by_label("steps")).to_be_focused()
            expect(page.get_by_label("steps")).to_have_attribute("aria-invalid", "true")
            assert visited.barriers() == []


class TestList:
    def test_follows_many_at_once_newest_first(self, served: Server, tasks: Tasks) -> None:
        ids = [tasks.start(steps=8, pause_seconds=0.4) for _task in range(2)]
        with visit(served.url) as visited:
            page = sign_in(visited, "/tasks")
            for task_id in ids:
                expect(row(page, task_id)).to_contain_text("8 of 8 (100.0%)", timeout=PATIENCE)
                expect(row(page, task_id)).to_contain_text("Done")
            links = page.get_by_role("rowheader").get_by_role("link").evaluate_all("all => all.map(one => one.href)")
            places = [next(place for place, link in enumerate(links) if link.endswith(task_id)) for task_id in ids]
            assert places == sorted(places, reverse=True)

    def test_cancels_after_asking_and_tries_again(self, served: Server, tasks: Tasks) -> None:
        task_id = tasks.start(steps=200, pause_seconds=0.2)
        with visit(served.url) as visited:
            page = sign_in(visited, "/tasks")
            mine = row(page, task_id)
            expect(mine).to_contain_text("Running", timeout=PATIENCE)
            mine.get_by_role("button", name=f"Cancel {DEMO}").click()
            dialog = page.get_by_role("dialog", name=f"Cancel {DEMO}?")
            expect(dialog.get_by_role("button", name="Let it go on")).to_be_focused()
            page.keyboard.press("Escape")
            expect(dialog).to_be_hidden()
            expect(mine.get_by_role("button", name=f"Cancel {DEMO}")).to_be_focused()
            page.keyboard.press("Enter")
            dialog.get_by_role("button", name="Cancel the task").click()
            expect(mine).to_contain_text("Cancelled", timeout=PATIENCE)
            expect(mine).to_contain_text("Cancelled by admin")
            expect(mine.get_by_role("button", name=f"Try {DEMO} again")).to_be_focused()
            page.keyboard.press("Enter")
            expect(mine).to_contain_text("Running", timeout=PATIENCE)
            mine.get_by_role("link", name=DEMO).click()
            page.get_by_role("button", name="Cancel the task").click()
            page.get_by_role("dialog").get_by_role("button", name="Cancel the task").click()
            expect(page.get_by_role("status").filter(has_text="Cancelled")).to_be_visible(timeout=PATIENCE)
            expect(page.get_by_role("button", name="Try again")).to_be_focused()
            expect(page.get_by_text(re.compile("^begun 2, raised an error 0"))).to_be_visible()

    def test_is_filtered_by_state_in_the_address(self, served: Server, tasks: Tasks) -> None:
        running, cancelled = tasks.start(steps=200, pause_seconds=0.2), tasks.start(steps=200, pause_seconds=0.2)
        tasks.ask("POST", f"/task/{cancelled}/cancel")
        with visit(served.url) as visited:
            page = sign_in(visited, "/tasks?state=cancelled")
            expect(row(page, cancelled)).to_be_visible(timeout=PATIENCE)
            expect(row(page, running)).to_have_count(0)
            page.get_by_label("Show").select_option("running")
            expect(row(page, running)).to_be_visible(timeout=PATIENCE)
            expect(row(page, cancelled)).to_have_count(0)
            assert page.url.endswith("/tasks?state=running")
            page.get_by_label("Show").select_option("dead")
            expect(page.get_by_text("No task is like that.")).to_be_visible()

    def test_asks_again_and_again_where_there_is_no_socket(self, served: Server, tasks: Tasks) -> None:
        task_id = tasks.start(steps=50, pause_seconds=0.4)  # longer than the page waits for a silent channel

        def refuse(socket: WebSocketRoute) -> None:
            socket.close()

        with visit(served.url) as visited:
            visited.page.route_web_socket(re.compile("/socket.io/"), refuse)
            page = sign_in(visited, "/tasks")
            expect(page.get_by_text("The live channel is away")).to_be_visible(timeout=PATIENCE)
            expect(row(page, task_id)).to_contain_text("50 of 50 (100.0%)", timeout=2 * PATIENCE)
            expect(row(page, task_id)).to_contain_text("Done", timeout=PATIENCE)


class TestDetail:
    def test_shows_managers_what_was_raised(self, served: Server, tasks: Tasks) -> None:
        task_id = tasks.start(steps=1, pause_seconds=0)
        raised = ("failed", "It failed", "OSError", "no such file", "Traceback: line 7", task_id)
        with visit(served.url) as visited:
            page = sign_in(visited, f"/tasks/{task_id}")
            expect(page.get_by_role("status").filter(has_text="Done")).to_be_visible(timeout=PATIENCE)
            with closing(sqlite3.connect(served.folder / "application.db", timeout=10)) as database, database:
                database.execute(
                    "UPDATE task SET state=?, message=?, error_type=?, error_message=?, traceback=? WHERE id=?", raised
                )
            page.get_by_role("main").get_by_role("link", name="Tasks").click()
            row(page, task_id).get_by_role("link").click(timeout=PATIENCE)
            expect(page.get_by_text("OSError: no such file")).to_be_visible()
            page.get_by_text("Where it happened").click()
            expect(page.get_by_text("Traceback: line 7")).to_be_visible()
            assert visited.barriers() == []

    def test_says_where_there_is_no_such_task(self, served: Server) -> None:
        with visit(served.url) as visited, visited.forgiving(re.compile("status of 404")):
            page = sign_in(visited, "/tasks/01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10")
            expect(page.get_by_role("alert")).to_contain_text("There is no such thing here", timeout=PATIENCE)


class TestAccessibility:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_has_no_barrier(self, served: Server, tasks: Tasks, scheme: str) -> None:
        task_id, ended = tasks.start(steps=300, pause_seconds=0.2), tasks.start(steps=3, pause_seconds=0)
        tasks.ask("POST", f"/task/{ended}/cancel")
        with visit(served.url, color_scheme=scheme) as visited:
            page = sign_in(visited, "/tasks")
            mine = row(page, task_id)
            expect(mine.get_by_role("progressbar")).to_have_attribute("aria-valuemax", "300", timeout=PATIENCE)
            expect(row(page, ended)).to_contain_text(ENDED, timeout=PATIENCE)
            assert visited.barriers() == []
            mine.get_by_role("button", name=f"Cancel {DEMO}").click()
            assert visited.barriers() == []
            page.keyboard.press("Escape")
            mine.get_by_role("link", name=DEMO).click()
            expect(page.get_by_role("heading", name=DEMO)).to_be_visible()
            expect(page.get_by_role("progressbar")).to_be_visible()
            assert visited.barriers() == []
            page.get_by_role("main").get_by_role("link", name="Tasks").click()
            page.get_by_role("link", name="Start a task").click()
            expect(page.get_by_label("steps")).to_be_visible()
            assert visited.barriers() == []

    def test_fits_a_phone_in_chinese(self, served: Server, tasks: Tasks) -> None:
        task_id = tasks.start(steps=300, pause_seconds=0.2)
        with visit(served.url, viewport={"width": 320, "height": 844}, locale="zh-CN") as visited:
            page = sign_in(visited, "/tasks")
            mine = row(page, task_id)
            expect(mine).to_contain_text("运行中", timeout=PATIENCE)
            expect(mine.get_by_role("progressbar", name=f"{DEMO} 的进度")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") == 320
            mine.get_by_role("button", name=f"取消 {DEMO}").click()
            expect(page.get_by_role("button", name="让它继续")).to_be_focused()
            page.keyboard.press("Enter")
            mine.get_by_role("link", name=DEMO).click()
            expect(page.get_by_role("button", name="取消任务")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") == 320
            assert visited.barriers() == []
            page.get_by_role("main").get_by_role("link", name="任务").click()
            page.get_by_role("link", name="启动任务").click()
            expect(page.get_by_role("button", name="启动")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") == 320
