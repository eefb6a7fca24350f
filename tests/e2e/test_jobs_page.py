"""Add, change, run and delete jobs in a real browser, on the real server."""

import re

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import sign_in, visit
from tests.e2e.conftest import Shared
from tests.e2e.server import PASSWORD, Server

PATIENCE = 15_000  # milliseconds: the runner of a busy machine
JOB = "prune-expired-sessions"


@pytest.fixture
def served(shared: Shared) -> Server:
    """Return a server that knows an admin; the tests leave its jobs as they found them."""
    return shared("gevent")


def row(page: Page, name: str) -> Locator:
    """Return a job's row of the table."""
    return page.get_by_role("row", name=re.compile(re.escape(name)))


class TestJobs:
    def test_are_listed_and_run_and_paused_by_hand(self, served: Server) -> None:
        with visit(served.url) as visited:
            page = sign_in(visited, "/jobs")
            pruning = row(page, "Prune expired sessions")
            expect(pruning).to_contain_text("Every 10 minutes", timeout=PATIENCE)
            expect(pruning).to_contain_text("Scheduled")
            pruning.get_by_role("button", name="Pause Prune expired sessions").click()
            expect(pruning).to_contain_text("Paused")
            pruning.get_by_role("button", name="Run Prune expired sessions now").click()
            pruning.get_by_role("link", name="Prune expired sessions").click()
            expect(page.get_by_role("heading", name="Prune expired sessions")).to_be_visible()
            runs = page.get_by_role("table", name="Latest runs")
            expect(runs).to_contain_text("Succeeded", timeout=PATIENCE)
            expect(runs).to_contain_text("admin")
            runs.get_by_role("link").first.click()
            expect(page.get_by_text("Attempt 1")).to_be_visible()
            expect(page.get_by_text(re.compile("^peak .*MiB, shared with others$"))).to_be_visible()
            expect(page.get_by_text("It has logged and printed nothing.")).to_be_visible()
            page.go_back()
            page.get_by_role("button", name="Resume").click()
            expect(page.get_by_role("button", name="Pause")).to_be_visible()
            expect(page.get_by_text("Paused", exact=True).first).to_be_visible()  # among the changes

    def test_are_found_by_the_address(self, served: Server) -> None:
        with visit(served.url) as visited:
            page = sign_in(visited, "/jobs?q=idempotency")
            expect(row(page, "Prune expired idempotency keys")).to_be_visible(timeout=PATIENCE)
            expect(row(page, "Prune expired sessions")).to_have_count(0)
            page.get_by_label("Filter by name, id or function").fill("nothing such")
            page.get_by_role("button", name="Clear the filter").click()
            expect(row(page, "Prune expired sessions")).to_be_visible()
            assert page.url.endswith("/jobs")

    def test_are_paused_all_together(self, served: Server) -> None:
        with visit(served.url) as visited:
            page = sign_in(visited, "/jobs")
            page.get_by_role("button", name="Pause all").click(timeout=PATIENCE)
            expect(page.get_by_text("The schedule is paused: only what is asked for by hand runs.")).to_be_visible()
            page.get_by_role("button", name="Resume all").click()
            expect(page.get_by_role("button", name="Pause all")).to_be_visible()


class TestForm:
    def test_adds_a_job_then_changes_and_deletes_it(self, served: Server) -> None:
        with visit(served.url) as visited:
            page = sign_in(visited, "/jobs")
            page.get_by_role("link", name="New job").click()
            page.get_by_label("Function", exact=True).select_option(JOB)
            expect(page.get_by_text("Delete the sessions that have expired; return how many.")).to_be_visible()
            page.get_by_label("Crontab", exact=True).last.fill("30 4 * * 1-5")
            expect(page.get_by_role("status").get_by_role("listitem")).to_have_count(5, timeout=PATIENCE)
            page.get_by_label("Id").fill("workdays")
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_role("heading", name="workdays")).to_be_visible()
            expect(page.get_by_text("At 04:30, on Monday to Friday.")).to_be_visible()
            page.get_by_role("link", name="Edit").click()
            page.get_by_text("Interval", exact=True).click()
            page.get_by_label("Every", exact=True).fill("2")
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_text("Every 2 hours")).to_be_visible()
            page.get_by_role("button", name="Delete").click()
            dialog = page.get_by_role("dialog", name="Delete workdays?")
            expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
            assert visited.barriers() == []
            dialog.get_by_role("button", name="Delete").click()
            expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
            expect(row(page, "workdays")).to_have_count(0)

    def test_hands_a_job_to_a_worker_and_leads_to_its_task(self, served: Server) -> None:
        with visit(served.url) as visited:
            page = sign_in(visited, "/new-job")
            page.get_by_label("Function", exact=True).select_option(JOB)
            page.get_by_label("Crontab", exact=True).last.fill("30 4 * * 1-5")
            page.get_by_label("Executor").select_option("celery")
            page.get_by_label("Id").fill("elsewhere")
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_role("heading", name="elsewhere")).to_be_visible()
            page.get_by_role("button", name="Run now").click()
            runs = page.get_by_role("table", name="Latest runs")
            expect(runs).to_contain_text("Succeeded", timeout=PATIENCE)
            runs.get_by_role("link").first.click()
            page.get_by_role("link", name="Its task").click()
            expect(page.get_by_role("heading", name="scheduler.run")).to_be_visible()
            expect(page.get_by_text("Done").first).to_be_visible()
        answer = requests.delete(f"{served.url}/scheduler/jobs/elsewhere", auth=("admin", PASSWORD), timeout=10)
        assert answer.status_code == 204

    def test_names_each_fault_at_its_field(self, served: Server) -> None:
        with visit(served.url) as visited:
            page = sign_in(visited, "/new-job")
            page.get_by_label("Id").fill("a/b")
            with visited.forgiving(re.compile("status of 422")):
                page.get_by_label("Crontab", exact=True).last.fill("61 * * * *")
                page.get_by_role("button", name="Save").click()
                expect(page.get_by_role("alert")).to_contain_text("The server could not accept these fields.")
                page.wait_for_timeout(1000)  # the preview is refused as well
            expect(page.get_by_label("Function", exact=True)).to_have_attribute("aria-invalid", "true")
            expect(page.get_by_label("Function", exact=True)).to_be_focused()
            assert visited.barriers() == []


class TestAccessibility:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_has_no_barrier(self, served: Server, scheme: str) -> None:
        with visit(served.url, color_scheme=scheme) as visited:
            page = sign_in(visited, "/jobs")
            expect(row(page, "Prune expired sessions")).to_be_visible(timeout=PATIENCE)
            assert visited.barriers() == []
            page.get_by_role("link", name="Prune expired sessions").click()
            expect(page.get_by_role("heading", name="Changes")).to_be_visible()
            assert visited.barriers() == []
            page.get_by_role("link", name="Edit").click()
            expect(page.get_by_role("button", name="Save")).to_be_visible()
            assert visited.barriers() == []

    def test_fits_a_phone_in_chinese(self, served: Server) -> None:
        with visit(served.url, viewport={"width": 320, "height": 844}, locale="zh-CN") as visited:
            page = sign_in(visited, "/jobs")
            expect(page.get_by_role("link", name="Prune expired sessions")).to_be_visible(timeout=PATIENCE)
            assert page.evaluate("document.documentElement.scrollWidth") == 320
            page.get_by_role("link", name="新建作业").click()
            expect(page.get_by_role("button", name="保存")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") == 320
            assert visited.barriers() == []
