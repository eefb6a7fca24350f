"""Who has forgotten their password, in a browser: from the page where one signs in to the other password."""

import re

import pytest
import requests

from tests.e2e.browser import visit
from tests.e2e.conftest import Serve
from tests.e2e.server import Server
from tests.mail_server import Mailbox, mail_server
from tests.post import text_of
from tests.waiting import wait_until

MAIL, OLD, NEW = "grace@example.org", "correct horse battery", "four other words at random"

WORDS = {
    "en-US": {
        "forgot": "Forgot your password?",
        "to": "Mail address or telephone number",
        "send": "Send",
        "sent": "If this address belongs to an account, a message was sent there.",
        "code": "Code",
        "password": "New password",
        "change": "Change the password",
        "changed": "Your password was changed. Sign in with it.",
        "name": "Name",
        "old": "Password",
        "enter": "Sign in",
        "over": "This link was used, has expired or is incomplete.",
    },
    "zh-CN": {
        "forgot": "忘记密码？",
        "to": "邮箱地址或电话号码",
        "send": "发送",
        "sent": "如果此地址属于某个账户，消息已发送到该地址",
        "code": "验证码",
        "password": "新密码",
        "change": "修改密码",
        "changed": "密码已修改，请用新密码登录。",
        "name": "用户名",
        "old": "密码",
        "enter": "登录",
        "over": "此链接已使用、已过期或不完整。",
    },
}


def received(served: Server, mailbox: Mailbox, count: int) -> str:
    """Return the text of a mail; what sends it are two tasks, one after the other."""
    wait_until(lambda: len(mailbox.mails) >= count, 60, served.said)
    return text_of(mailbox.mails[count - 1])


def register(served: Server, mailbox: Mailbox) -> None:
    """Register by the API, with a code that a real server was given."""
    body = {"purpose": "register", "to": MAIL}
    assert requests.post(f"{served.url}/api/v1/code", json=body, timeout=20).status_code == 202
    found = re.search(r"\b[0-9]{6}\b", received(served, mailbox, 1))
    assert found is not None
    body = {"to": MAIL, "code": found[0], "name": "grace", "password": OLD}
    assert requests.post(f"{served.url}/api/v1/auth/register", json=body, timeout=20).status_code == 201


@pytest.mark.parametrize("locale", WORDS)
class TestResetPage:
    def test_leads_from_a_forgotten_password_to_another(self, server: Serve, locale: str) -> None:
        words, mailbox = WORDS[locale], Mailbox()
        with mail_server(mailbox) as port:
            served = server(mail_backend="smtp", mail_server="127.0.0.1", mail_port=port, public_url="http://127.0.0.1")
            served.await_runner()
            register(served, mailbox)
            with visit(f"{served.url}/sign-in", locale=locale) as visited:
                page = visited.page
                assert visited.barriers() == []
                page.get_by_role("link", name=words["forgot"]).click()
                assert visited.barriers() == []
                page.get_by_label(words["to"]).fill(MAIL)
                page.get_by_role("button", name=words["send"]).click()
                page.get_by_text(words["sent"]).wait_for()
                assert page.get_by_label(words["code"]).evaluate("element => element === document.activeElement")
                assert visited.barriers() == []
                text = received(served, mailbox, 2)
                found = re.search(r"http://127\.0\.0\.1(/reset-password\?token=\S+)", text)
                assert found is not None
                link = f"{served.url}{found[1]}"
                page.goto(link)
                assert visited.barriers() == []
                page.get_by_label(words["password"]).fill(NEW)
                page.get_by_role("button", name=words["change"]).click()
                page.get_by_text(words["changed"]).wait_for()
                assert visited.barriers() == []
                page.get_by_label(words["name"], exact=True).fill(MAIL)
                page.get_by_label(words["old"], exact=True).fill(NEW)
                page.get_by_role("button", name=words["enter"]).click()
                page.wait_for_url(f"{served.url}/")
                with visited.forgiving(re.compile("422")):
                    page.goto(link)
                    page.get_by_label(words["password"]).fill(OLD)
                    page.get_by_role("button", name=words["change"]).click()
                    page.get_by_role("alert").get_by_text(words["over"]).wait_for()
                    assert visited.barriers() == []
            assert received(served, mailbox, 3)
            written = served.output.read_text() + served.log.read_text()
            assert written.count("POST /reset-password") >= 2
            assert [secret for secret in (found[1].partition("token=")[2], MAIL, NEW) if secret in written] == []
