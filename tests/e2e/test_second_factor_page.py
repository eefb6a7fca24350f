"""Set a second factor up in a real browser, where administrators need one, and sign in with it."""

import re

from playwright.sync_api import Page, expect

from application.libs.clock import now
from application.libs.one_time_code import code_at, step_at
from tests.e2e.browser import Visit, visit
from tests.e2e.conftest import Serve
from tests.e2e.server import PASSWORD

REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (401|403|422)")


def code(secret: str, *, steps: int = 0) -> str:
    return code_at(secret, step_at(now()) + steps)


def sign_in(page: Page) -> None:
    page.get_by_label("Name", exact=True).fill("admin")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def set_up(visited: Visit) -> tuple[str, list[str]]:
    """Follow the page from the password to the recovery codes; return the secret and them."""
    page = visited.page
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    expect(page.get_by_text("without it you may do nothing else")).to_be_visible()
    assert visited.barriers() == []
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    picture = page.get_by_role("img", name="QR code of the secret")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.naturalWidth") > 100
    assert visited.barriers() == []
    secret = page.locator("code").inner_text()
    with visited.forgiving(REFUSED):
        page.get_by_label("Code", exact=True).fill("nonsense")
        page.get_by_role("button", name="Turn on").click()
        expect(page.get_by_role("alert")).to_have_text("The code is wrong, or was used before.")
        assert visited.barriers() == []
        page.get_by_label("Code", exact=True).fill(code(secret))
        page.get_by_role("button", name="Turn on").click()
        expect(page.get_by_role("status")).to_contain_text("The second factor is on.")
    assert visited.barriers() == []
    return secret, page.locator("pre code").inner_text().split()


class TestSecondFactor:
    def test_is_set_up_and_asked_for(self, server: Serve) -> None:
        served = server(async_mode="gevent", second_factor_for_admins=1)
        assert served.manage("create-admin").returncode == 0
        with visit(f"{served.url}/sign-in?next=/tasks") as visited:
            page = visited.page
            sign_in(page)
            expect(page).to_have_url(f"{served.url}/second-factor?next=%2Ftasks")
            with visited.forgiving(REFUSED):  # what the dashboard may not read
                page.goto(f"{served.url}/tasks")
                page.get_by_role("alert").get_by_role("link", name="Second factor").click()
            secret, recovery_codes = set_up(visited)
            assert len(recovery_codes) == 10
            page.get_by_role("link", name="I have kept them").click()
            expect(page.get_by_role("button", name="Start monitoring")).to_be_visible()
            expect(page.get_by_role("alert")).to_have_count(0)
            page.get_by_role("button", name="Sign out").click()

            page.goto(f"{served.url}/sign-in?next=/tasks")
            sign_in(page)
            expect(page.get_by_role("heading", name="Second step")).to_be_visible()
            assert visited.barriers() == []
            with visited.forgiving(REFUSED):
                page.get_by_label("Code", exact=True).fill("000 00x")
                page.get_by_label("Code", exact=True).press("Enter")
                expect(page.get_by_role("alert")).to_have_text("The code is wrong, or was used before.")
                page.get_by_label("Code", exact=True).fill(code(secret, steps=1))  # that of now may be used up
                page.get_by_label("Code", exact=True).press("Enter")
                expect(page).to_have_url(f"{served.url}/tasks")
            expect(page.get_by_role("heading", name="Tasks")).to_be_visible()

            page.goto(f"{served.url}/second-factor?next=/tasks")
            expect(page.get_by_text("You have 10 recovery codes left.")).to_be_visible()
            expect(page.get_by_role("button", name="Turn off")).to_have_count(0)
            assert visited.barriers() == []

    def test_speaks_chinese_in_the_dark_on_a_phone(self, server: Serve) -> None:
        served = server(async_mode="threading")
        assert served.manage("create-admin").returncode == 0
        phone = {"locale": "zh-CN", "color_scheme": "dark", "viewport": {"width": 360, "height": 640}}
        with visit(f"{served.url}/sign-in?next=/second-factor", **phone) as visited:
            page = visited.page
            page.get_by_label("用户名", exact=True).fill("admin")
            page.get_by_label("密码", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="登录").click()
            expect(page.get_by_role("heading", name="第二因素")).to_be_visible()
            page.get_by_label("密码", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="设置").click()
            expect(page.get_by_role("img", name="密钥的二维码")).to_be_visible()
            assert visited.barriers() == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
