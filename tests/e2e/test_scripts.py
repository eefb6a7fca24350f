"""Names that are scripts, in a real browser: every page shows them as text, and none runs."""

import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.browser import Visit, visit
from tests.e2e.conftest import Shared
from tests.e2e.server import PASSWORD, Server

PATIENCE = 15_000  # milliseconds
RAN = "pwned"
HOSTILE = f"\"><img src=x onerror=document.title='{RAN}'>"
SCRIPT = f"</script><script>document.title='{RAN}'</script>{{{{7*7}}}}"


@pytest.fixture
def served(shared: Shared) -> Server:
    """Return a server that knows an admin."""
    return shared("gevent")


class Scripts:
    """Put scripts wherever a name can be given, and take them away again."""

    def __init__(self, served: Server) -> None:
        """Create an admin, a job, a tag and a blog that are called like that."""
        self.served = served
        self.session = requests.Session()
        signed = self.ask("POST", "/api/v1/auth/login", json={"name": "admin", "password": PASSWORD})
        self.session.headers["Authorization"] = f"Bearer {signed.json()['data']['token']}"
        self.name = f"{HOSTILE}{secrets.token_hex(2)}"
        user = {"name": self.name, "password": PASSWORD, "roles": ["admin"]}
        self.user_id = self.ask("POST", "/api/v1/user", json=user).json()["data"]["id"]
        self.job_id = f"scripted-{secrets.token_hex(4)}"
        text = dict.fromkeys(("name", "description", "owner"), SCRIPT)
        job = {"id": self.job_id, "func": "prune-expired-sessions", "trigger": "interval", "weeks": 9}
        self.ask("POST", "/scheduler/jobs", json=job | text)

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Ask the API."""
        answer = self.session.request(method, self.served.url + path, timeout=10, **options)
        assert answer.ok, answer.text
        return answer

    def end(self) -> None:
        """Leave nothing behind."""
        self.ask("DELETE", f"/scheduler/jobs/{self.job_id}")
        self.ask("DELETE", f"/api/v1/user/{self.user_id}")


@pytest.fixture
def scripts(served: Server) -> Iterator[Scripts]:
    """Put scripts there, and take them away."""
    made = Scripts(served)
    yield made
    made.end()


def check_nothing_ran(page: Page) -> None:
    """See that no element was made of what was named, and that nothing has run."""
    assert page.title() != RAN
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("[...document.scripts].filter((script) => script.text.trim() !== '').length") == 0
    assert "49" not in page.locator("main").inner_text().split(), "a template was evaluated"


def enter(visited: Visit, name: str, password: str, path: str) -> Page:
    """Sign in on the page that stands without a build."""
    page = visited.page
    page.goto(f"{page.url.rstrip('/')}/sign-in?next={path}")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


class TestPages:
    def test_show_names_as_text(self, scripts: Scripts) -> None:
        with visit(scripts.served.url) as visited:
            page = enter(visited, scripts.name, PASSWORD, "/jobs")
            expect(page.get_by_text(SCRIPT).first).to_be_visible(timeout=PATIENCE)
            expect(page.get_by_text(scripts.name).first).to_be_visible()
            check_nothing_ran(page)
            page.goto(f"{scripts.served.url}/jobs/{scripts.job_id}")
            expect(page.get_by_role("heading", name=SCRIPT)).to_be_visible(timeout=PATIENCE)
            check_nothing_ran(page)
            page.goto(f"{scripts.served.url}/jobs/{scripts.job_id}/edit")
            expect(page.get_by_role("button", name="Save")).to_be_visible(timeout=PATIENCE)
            check_nothing_ran(page)
            page.goto(f"{scripts.served.url}/tasks")
            expect(page.get_by_text(scripts.name).first).to_be_visible(timeout=PATIENCE)
            check_nothing_ran(page)

    def test_that_refuse_repeat_names_as_text(self, served: Server) -> None:
        with visit(served.url) as visited, visited.forgiving(re.compile("status of 40[14]")):
            page = enter(visited, HOSTILE, "wrong", "javascript:document.title='pwned'")
            expect(page.get_by_role("alert")).to_be_visible()
            expect(page.get_by_label("Name", exact=True)).to_have_value(HOSTILE)
            check_nothing_ran(page)
            page.goto(f"{served.url}/nowhere/{SCRIPT}?q={HOSTILE}")
            expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
            check_nothing_ran(page)
