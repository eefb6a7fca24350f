"""Use Swagger UI in a real browser, on the real server; `visit` fails on console errors and requests to elsewhere."""

import re

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.browser import visit
from tests.e2e.conftest import Shared
from tests.e2e.server import PASSWORD, Server

PATIENCE = 30_000  # milliseconds: Swagger UI draws a large document on a machine with other things to do


@pytest.fixture
def ready(shared: Shared) -> Server:
    """Return a server with an admin."""
    return shared("gevent")


def sign_in(served: Server) -> str:
    """Return a token of the admin's."""
    answer = requests.post(f"{served.url}/api/v1/auth/login", json={"name": "admin", "password": PASSWORD}, timeout=10)
    return str(answer.json()["data"]["token"])


def open_operation(page: Page, name: str) -> None:
    """Unfold an operation."""
    page.locator(f"[id$='-{name}'] .opblock-summary-control").click(timeout=PATIENCE)


class TestSwaggerUi:
    @pytest.mark.parametrize(
        ("locale", "heading", "summary"),
        [
            ("en-US", "API documentation", "Read who one is and what one may do"),
            ("zh-CN", "API 文档", "查看自己的身份和权限"),
        ],
    )
    def test_asks_as_who_signed_in(self, ready: Server, locale: str, heading: str, summary: str) -> None:
        with visit(f"{ready.url}/docs", locale=locale) as visited:
            page = visited.page
            expect(page.get_by_role("banner")).to_contain_text(heading)
            expect(page.locator("html")).to_have_attribute("lang", locale.replace("en-US", "en"))
            page.get_by_role("button", name="Authorize").first.click(timeout=PATIENCE)
            form = page.locator(".auth-container", has=page.get_by_label("auth-bearer-value"))
            page.get_by_label("auth-bearer-value").fill(sign_in(ready))
            form.get_by_role("button", name="Apply credentials").click()
            page.locator(".modal-ux-header").get_by_role("button").click()
            expect(page.get_by_text(summary)).to_be_visible()
            open_operation(page, "auth_me")
            with page.expect_response("**/api/v1/auth/me") as asked:
                page.get_by_role("button", name="Execute").click()
            assert asked.value.status == 200
            expect(page.locator(".live-responses-table .response-col_status").last).to_have_text("200")
            expect(page.locator(".live-responses-table")).to_contain_text('"name": "admin"')
            kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
            assert kept == '[{},{},""]'

    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_draws_every_kind_of_operation_under_the_policy(self, ready: Server, version: str) -> None:
        with visit(f"{ready.url}/docs") as visited:
            visited.page.get_by_role("navigation").get_by_role("link", name=version).click()
            expect(visited.page.get_by_text(f"/api/{version}/openapi.json")).to_be_visible(timeout=PATIENCE)
            for name in ("blog_index", "blog_create", "blog_update", "tag_delete"):
                open_operation(visited.page, name)
            expect(visited.page.locator(".opblock.is-open")).to_have_count(4)
            expect(visited.page.locator(".opblock.is-open .body-param textarea")).to_have_count(2)
            tags = visited.page.locator("tr[data-param-name='tag__in']")
            tags.get_by_role("button", name="Add string item").click()
            expect(tags.locator("input")).to_have_count(1)
            visited.page.get_by_role("button", name="Schemas", exact=True).click()
            expect(visited.page.locator(".models.is-open")).to_be_visible()

    def test_sends_a_body_and_shows_a_refusal(self, ready: Server) -> None:
        with visit(f"{ready.url}/docs") as visited:
            page = visited.page
            open_operation(page, "auth_login")
            page.locator(".body-param textarea").fill('{"name": "admin"}')
            with visited.forgiving(re.compile("status of 422")):
                page.get_by_role("button", name="Execute").click()
                expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("422")
            expect(page.locator(".live-responses-table")).to_contain_text("Field required")

    def test_follows_the_theme_and_has_no_barrier_in_its_bar(self, ready: Server) -> None:
        with visit(f"{ready.url}/docs", color_scheme="dark") as visited:
            expect(visited.page.get_by_role("button", name="Authorize").first).to_be_visible(timeout=PATIENCE)
            expect(visited.page.locator("html")).to_have_class("dark-mode")
            visited.page.evaluate("document.getElementById('swagger-ui').replaceChildren()")  # what others wrote
            assert visited.barriers() == []
